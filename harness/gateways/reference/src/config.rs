//! What the gateway is told: one JSON document, kebab-case keys, unknown keys refused, every field defaulted
//! but `upstreams`. Times are milliseconds, sizes bytes.

mod answers;
mod breaker;
mod cache;
mod front;
mod health;
mod limits;
mod mapping;
mod origin_group;
mod signing;
mod throttle;
mod tls;
mod upstream;

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

pub use self::answers::{Answers, Shape};
pub use self::breaker::Breaker;
pub use self::cache::Cache;
pub use self::front::Front;
pub use self::health::Health;
pub use self::limits::{Backoff, Earned, Pool, RetryBudget, RetryBy, Timeouts};
pub use self::mapping::{Mapping, MappingError, Responses};
pub use self::origin_group::OriginGroup;
pub use self::signing::{RegionScope, Secret, Signing};
pub use self::throttle::Throttle;
pub use self::tls::Tls;
pub use self::upstream::{Misconfigure, Role, Upstream};
use crate::defects::DEFECTS;
use crate::presets::{self, PRESETS};
use crate::variants::VARIANTS;

/// Everything one gateway process needs to run.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Config {
    /// Address to listen on; port 0 picks a free one. Default `127.0.0.1:0`.
    pub listen: SocketAddr,
    /// A listener with TLS beside it, or null. Default null.
    pub front: Option<Front>,
    /// Whether clients may speak HTTP/2: without TLS by prior knowledge, with it by ALPN. Default false.
    pub http2: bool,
    /// Name of a behaviour from [`PRESETS`]. Default `strict`.
    pub preset: String,
    /// Names of defects from [`DEFECTS`] to switch on. Default none.
    pub defects: Vec<String>,
    /// Share of requests, 0 to 1, on which the switched-on defects act. Drawn from a hash of the request id
    /// and the defect's name, so a request meets the same fate in every run. Default 1.
    pub defect_rate: f64,
    /// Requests under way above which the switched-on defects act, the request itself included; 0 for at any time.
    /// Default 0.
    pub defect_above: usize,
    /// Names of harmless variants from [`VARIANTS`] to switch on. Default none.
    pub variants: Vec<String>,
    /// The regions behind the gateway. At least one, with role primary for at least one.
    pub upstreams: Vec<Upstream>,
    /// How long each stage may take.
    pub timeouts_ms: Timeouts,
    /// Attempts per request, the first one included; at least 1. Default 2.
    pub tries: u32,
    /// By whose rules there is a retry. Default `http`.
    pub retry_by: RetryBy,
    /// Pause before a retry: full jitter, doubling.
    pub backoff_ms: Backoff,
    /// How many retries the gateway may add to the load it was given.
    pub retry_budget: RetryBudget,
    /// Form and statuses of errors, and how upstream answers are handed on.
    pub answers: Answers,
    /// Integration responses, or null to hand on what the upstream says. Not together with a cache. Default null.
    pub mapping: Option<Mapping>,
    /// How many requests clients may make, or null for any number. Default null.
    pub throttle: Option<Throttle>,
    /// Largest request body kept for a retry, in bytes; a longer one is streamed and sent once. Default
    /// 1048576.
    pub buffer_limit: usize,
    /// Active and passive health.
    pub health: Health,
    /// A circuit breaker for each region, or null for none. Default null.
    pub breaker: Option<Breaker>,
    /// The gateway's own S3 credentials, or null to pass the client's signature through. Default null.
    pub signing: Option<Signing>,
    /// TLS to the upstreams that have it, or null. Default null.
    pub tls: Option<Tls>,
    /// Send the client's Host upstream, as a client's signature needs; otherwise, and always when the gateway
    /// signs, Host is the endpoint's address. Default true.
    pub preserve_host: bool,
    /// One deliberate mistake in the service configuration, or null. Default null.
    pub misconfigure: Option<Misconfigure>,
    /// Client connections served at a time; requests on further ones are answered 503. Fewer where the limit
    /// on open files asks for it: two fifths of it. Default 4096.
    pub max_connections: usize,
    /// Idle upstream connections kept for reuse.
    pub pool: Pool,
    /// A fixed course through two regions instead of `tries`, `retry-budget` and health, or null. Default null.
    pub origin_group: Option<OriginGroup>,
    /// The response cache, or null for none. Default null.
    pub cache: Option<Cache>,
}

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// Not JSON, an unknown key, or a value of the wrong type.
    #[error("invalid gateway configuration: {0}")]
    Json(#[from] serde_json::Error),
    /// A preset nobody knows.
    #[error("unknown preset `{name}` (known: {known})")]
    UnknownPreset {
        /// What was written.
        name: String,
        /// The names there are.
        known: String,
    },
    /// A defect nobody knows.
    #[error("unknown defect `{name}` (known: {known})")]
    UnknownDefect {
        /// What was written.
        name: String,
        /// The names there are.
        known: String,
    },
    /// A variant nobody knows.
    #[error("unknown variant `{name}` (known: {known})")]
    UnknownVariant {
        /// What was written.
        name: String,
        /// The names there are.
        known: String,
    },
    /// A value outside its range.
    #[error("`{field}` {problem}")]
    Value {
        /// The key, as written in JSON.
        field: &'static str,
        /// What is wrong with it.
        problem: String,
    },
}

// === impl Config ===

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            front: None,
            http2: false,
            preset: "strict".to_owned(),
            defects: Vec::new(),
            defect_rate: 1.0,
            defect_above: 0,
            variants: Vec::new(),
            upstreams: Vec::new(),
            timeouts_ms: Timeouts::default(),
            tries: 2,
            retry_by: RetryBy::Http,
            backoff_ms: Backoff::default(),
            retry_budget: RetryBudget::default(),
            answers: Answers::default(),
            mapping: None,
            throttle: None,
            buffer_limit: 1 << 20,
            health: Health::default(),
            breaker: None,
            signing: None,
            tls: None,
            preserve_host: true,
            misconfigure: None,
            max_connections: 4096,
            pool: Pool::default(),
            origin_group: None,
            cache: None,
        }
    }
}

impl Config {
    /// Reads and checks a configuration.
    pub fn from_json(text: &str) -> Result<Self, ConfigError> {
        let config: Self = serde_json::from_str(text)?;
        config.check()?;
        Ok(config)
    }

    /// Refuses values outside their ranges and names that do not exist.
    pub fn check(&self) -> Result<(), ConfigError> {
        presets::find(&self.preset)?;
        for name in &self.defects {
            if !DEFECTS.iter().any(|defect| defect.name == name) {
                let known = DEFECTS.iter().map(|defect| defect.name).collect::<Vec<_>>().join(", ");
                return Err(ConfigError::UnknownDefect { name: name.clone(), known });
            }
        }
        if let Some(name) = self.variants.iter().find(|name| VARIANTS.iter().all(|v| v.name != **name)) {
            let known = VARIANTS.iter().map(|variant| variant.name).collect::<Vec<_>>().join(", ");
            return Err(ConfigError::UnknownVariant { name: name.clone(), known });
        }
        require((0.0..=1.0).contains(&self.defect_rate), "defect-rate", "must be between 0 and 1")?;
        require(self.tries >= 1, "tries", "must be at least 1")?;
        require(self.max_connections >= 1, "max-connections", "must be at least 1")?;
        self.timeouts_ms.check()?;
        self.retry_budget.check()?;
        self.answers.check()?;
        if let Some(mapping) = &self.mapping {
            mapping.check(self.answers.buffer > 0)?;
            require(
                self.cache.is_none(),
                "mapping",
                "cannot be combined with `cache`, whose copies are the upstream's",
            )?;
        }
        if let Some(throttle) = self.throttle {
            throttle.check()?;
        }
        self.health.check()?;
        if let Some(breaker) = self.breaker {
            breaker.check()?;
        }
        if let Some(signing) = &self.signing {
            let plain = upstream::is_plain(&signing.access_key);
            require(plain, "signing.access-key", "must be plain ASCII without spaces")?;
        }
        if let Some(mistake) = &self.misconfigure {
            mistake.check()?;
        }
        if let Some(group) = &self.origin_group {
            group.check()?;
        }
        if let Some(cache) = &self.cache {
            cache.check()?;
        }
        if let Some(front) = &self.front {
            front.load(self.http2)?;
        }
        match &self.tls {
            Some(tls) => _ = tls.load()?,
            None => {
                let plain = self.upstreams.iter().all(|upstream| !upstream.tls);
                require(plain, "tls", "is needed where an upstream has it")?;
            }
        }
        upstream::check(&self.upstreams)
    }
}

impl ConfigError {
    pub(crate) fn unknown_preset(name: &str) -> Self {
        let known = PRESETS.iter().map(|preset| preset.name).collect::<Vec<_>>().join(", ");
        Self::UnknownPreset { name: name.to_owned(), known }
    }
}

fn require(holds: bool, field: &'static str, problem: &str) -> Result<(), ConfigError> {
    if holds { Ok(()) } else { Err(ConfigError::Value { field, problem: problem.to_owned() }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINIMAL: &str = r#"{"upstreams": [{"region": "eu-1", "endpoints": ["127.0.0.2:4001"]}]}"#;

    #[test]
    fn a_list_of_upstreams_is_enough() {
        let config = Config::from_json(MINIMAL).unwrap();
        assert_eq!(config.tries, 2);
        assert_eq!(config.timeouts_ms.total, 3000);
        assert_eq!(config.upstreams[0].role, Role::Primary);
        assert!(config.defects.is_empty());
    }

    #[test]
    fn what_is_written_is_read_back() {
        let config = Config::from_json(MINIMAL).unwrap();
        let text = serde_json::to_string(&config).unwrap();
        let again = Config::from_json(&text).unwrap();
        assert_eq!(serde_json::to_string(&again).unwrap(), text);
    }

    #[test]
    fn the_readmes_example_is_a_configuration() {
        let readme = include_str!("../README.md");
        let example = readme.split("```json").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
        assert_eq!(Config::from_json(example).unwrap().upstreams[1].role, Role::Standby);
    }

    #[test]
    fn mistakes_are_named() {
        let with = |extra: &str| {
            let text = MINIMAL.replacen('{', &format!("{{{extra},"), 1);
            Config::from_json(&text).unwrap_err().to_string()
        };
        assert!(with(r#""trys": 3"#).contains("unknown field `trys`"));
        assert_eq!(with(r#""tries": 0"#), "`tries` must be at least 1");
        assert_eq!(with(r#""defect-rate": 1.5"#), "`defect-rate` must be between 0 and 1");
        assert!(with(r#""defects": ["al-404"]"#).starts_with("unknown defect `al-404` (known: "));
        assert!(with(r#""preset": "stric""#).starts_with("unknown preset `stric`"));
        assert!(with(r#""timeouts-ms": {"read": 0}"#).contains("`timeouts-ms`"));
    }

    #[test]
    fn upstreams_have_to_make_sense() {
        let reason = |text: &str| Config::from_json(text).unwrap_err().to_string();
        assert_eq!(reason("{}"), "`upstreams` needs at least one region with role primary");
        assert!(reason(r#"{"upstreams": [{"region": "a", "endpoints": []}]}"#).contains("has no endpoints"));
        assert!(
            reason(
                r#"{"upstreams": [{"region": "a", "endpoints": ["127.0.0.1:1"]},
                                  {"region": "a", "endpoints": ["127.0.0.1:2"]}]}"#
            )
            .contains("more than once")
        );
        let one = r#"{"upstreams": [{"region": "a b", "endpoints": ["127.0.0.1:1"]}]}"#;
        assert!(reason(one).contains("not plain ASCII"));
        let spaced = one.replace("a b", "a").replacen('{', r#"{"misconfigure": {"host": "a b"},"#, 1);
        assert!(reason(&spaced).contains("`misconfigure`"));
    }

    #[test]
    fn secrets_stay_out_of_debug_output() {
        let text = MINIMAL.replacen(
            '{',
            r#"{"signing": {"access-key": "AKIAEXAMPLEKEY", "secret-key": "hush-hush"},"#,
            1,
        );
        let shown = format!("{:?}", Config::from_json(&text).unwrap());
        assert!(!shown.contains("hush"), "{shown}");
        assert!(!shown.contains("AKIAEXAMPLEKEY"), "{shown}");
        assert!(shown.contains("AKIA…EY"), "{shown}");
    }
}
