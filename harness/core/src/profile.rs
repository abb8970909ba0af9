//! What is expected of a gateway: outcomes per cause, declared policy, known deviations. Data, never code.

use gatecrash_model::Op;
use serde::{Deserialize, Serialize};

use crate::units::Span;

/// Expected outcomes and declared policy of one gateway under one configuration.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Profile {
    /// Gateway name, `reference` or a recipe's.
    pub gateway: String,
    /// Version that was probed, empty when not known.
    #[serde(default)]
    pub version: String,
    /// Beginnings of the versions the profile was measured on (`2.6. 2.8.`), empty for any.
    #[serde(default)]
    pub measured_on: String,
    /// Statuses for "no connection": refused, reset on accept.
    pub refused: Vec<u16>,
    /// Statuses for a connect timeout.
    pub connect_timeout_status: Vec<u16>,
    /// Statuses for "no answer in time".
    pub timeout: Vec<u16>,
    /// Statuses for an answer that is not legal HTTP, or ends before its head is whole.
    pub invalid: Vec<u16>,
    /// Statuses when no upstream is left.
    pub no_upstream: Vec<u16>,
    /// Most attempts per client request, the stale-pool retry included.
    pub max_attempts: u8,
    /// Connect timeout.
    pub connect_timeout: Span,
    /// Longest silence of the upstream it accepts: to the head and between reads.
    pub read_timeout: Span,
    /// Bound on a whole request including retries, when declared; trickling is bounded only then.
    #[serde(default)]
    pub total_timeout: Option<Span>,
    /// From when on after a request began no new attempt starts, when declared.
    #[serde(default)]
    pub deadline: Option<Span>,
    /// How long an idle upstream connection is kept, when declared.
    #[serde(default)]
    pub keep_alive: Option<Span>,
    /// Upper end of all pauses between attempts of one request.
    #[serde(default)]
    pub back_off: Span,
    /// Operations it may send upstream more than once after a byte was written.
    #[serde(default)]
    pub replays: Vec<Op>,
    /// 4xx statuses it retries by declaration.
    #[serde(default)]
    pub retries_4xx: Vec<u16>,
    /// Upstream statuses it retries on another try, so that a later answer (or the last) reaches the client.
    #[serde(default)]
    pub retries_5xx: Vec<u16>,
    /// Its circuit breaker, when it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub breaker: Option<DeclaredBreaker>,
    /// The form of the errors it makes itself, when it declares one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_shape: Option<ErrorShape>,
    /// Whether it has a second witness of connect attempts (a log) that the runner read.
    #[serde(default)]
    pub witness: bool,
    /// Its response cache, when it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache: Option<CachePolicy>,
    /// Known deviations.
    #[serde(default)]
    pub deviations: Vec<Deviation>,
}

/// A circuit breaker for each region: open for a while after enough failures, then half open.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct DeclaredBreaker {
    /// How long it is open before it lets attempts through to find out.
    pub open: Span,
    /// Attempts that it lets through each time it is half open.
    pub probes: u32,
}

/// The form of the errors that a gateway makes itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ErrorShape {
    /// As S3's own: an `Error` document with a `Code`, of an XML media type.
    S3Xml,
    /// A JSON object, of media type `application/json`.
    Json,
}

/// What a gateway declares of its response cache.
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct CachePolicy {
    /// Freshness of an object whose upstream says nothing about it.
    pub default_ttl: Span,
    /// How long an error may be served again without asking.
    #[serde(default)]
    pub negative_ttl: Span,
    /// How long past its freshness a copy stands in for an error (RFC 5861 section 4); 0 when it does not.
    #[serde(default)]
    pub stale_if_error: Span,
    /// How long a request waits for another's fetch of the same key; absent when it does not.
    #[serde(default)]
    pub lock_timeout: Option<Span>,
    /// How often a waiting request looks whether the fetch is over; absent when it is told at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lock_poll: Option<Span>,
}

/// Something a released version is known to do against a check.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Deviation {
    /// The check it breaks.
    pub check: String,
    /// The fault (or malformed kind) under which it does; `*` for any.
    pub fault: String,
    /// The one operation with which it does, where others do not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub op: Option<Op>,
    /// Whether it takes some luck, so that a run without it says nothing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub sometimes: bool,
    /// Beginnings of the versions that do, separated by spaces; `*` for all.
    pub version: String,
    /// What it does.
    pub what: String,
    /// Where this is known from.
    pub source: String,
}

impl Profile {
    /// Strict: 502 for refused or invalid, 504 for timeout, no replay of unsafe methods, at most two
    /// attempts.
    pub fn strict(gateway: &str) -> Self {
        Self {
            gateway: gateway.into(),
            version: String::new(),
            measured_on: String::new(),
            refused: vec![502, 503],
            connect_timeout_status: vec![504],
            timeout: vec![504],
            invalid: vec![502],
            no_upstream: vec![502, 503],
            max_attempts: 2,
            connect_timeout: Span::millis(500),
            read_timeout: Span::millis(1000),
            total_timeout: Some(Span::millis(3000)),
            deadline: Some(Span::millis(3000)),
            keep_alive: Some(Span::millis(4000)),
            back_off: Span::millis(500),
            replays: vec![Op::GetObject, Op::HeadObject, Op::ListObjectsV2, Op::PutObject, Op::DeleteObject],
            retries_4xx: Vec::new(),
            retries_5xx: vec![500, 502, 503, 504],
            breaker: None,
            error_shape: None,
            witness: false,
            cache: None,
            deviations: Vec::new(),
        }
    }
}

impl Profile {
    /// The same for the version that runs. Deviations of other versions are left out, unless this one was never
    /// measured: then what others do is the best that is known.
    pub fn for_version(self, version: &str) -> Self {
        let mut own = Self { version: version.to_owned(), ..self };
        if own.was_measured() {
            own.deviations.retain(|d| d.version == "*" || names(&d.version, version));
        }
        own
    }

    /// Whether it was measured on the version that runs, as far as either is known.
    pub fn was_measured(&self) -> bool {
        self.version.is_empty() || self.measured_on.is_empty() || names(&self.measured_on, &self.version)
    }

    /// The same without its known deviations: strict mode, in which they fail.
    pub fn without_deviations(&self) -> Self {
        Self { deviations: Vec::new(), ..self.clone() }
    }
}

/// Whether one of these beginnings, separated by spaces, is one of the version.
fn names(beginnings: &str, version: &str) -> bool {
    let begins =
        |begin: &str| format!("{version}.").starts_with(&format!("{}.", begin.trim_end_matches('.')));
    beginnings.split_whitespace().any(begins)
}

/// How a gateway's own health probes look on a link, so that they are not taken for attempts. All given parts
/// hold.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ProbePattern {
    /// HTTP method.
    #[serde(default)]
    pub method: Option<String>,
    /// Request target, the whole of it.
    #[serde(default)]
    pub target: Option<String>,
    /// A glob of the User-Agent header.
    #[serde(default)]
    pub user_agent: Option<crate::rules::Glob>,
}

impl ProbePattern {
    /// Whether a request head is such a probe. An empty pattern matches nothing.
    pub fn matches(&self, method: &str, target: &str, user_agent: Option<&str>) -> bool {
        *self != Self::default()
            && self.method.as_deref().is_none_or(|m| m == method)
            && self.target.as_deref().is_none_or(|t| t == target)
            && self.user_agent.as_ref().is_none_or(|glob| user_agent.is_some_and(|ua| glob.matches(ua)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deviations_are_those_of_the_version_or_of_all_when_it_is_unknown() {
        let deviation = |version: &str| Deviation {
            check: "status-map".into(),
            fault: "*".into(),
            op: None,
            sometimes: false,
            version: version.into(),
            what: version.into(),
            source: String::new(),
        };
        let deviations = vec![deviation("2.6"), deviation("2.6 2.8"), deviation("2.8"), deviation("*")];
        let profile = Profile { measured_on: "2.6. 2.8.".into(), deviations, ..Profile::strict("haproxy") };
        let of = |version: &str| {
            let profile = profile.clone().for_version(version);
            let what: Vec<_> = profile.deviations.iter().map(|d| d.what.clone()).collect();
            (profile.was_measured(), what.join(", "))
        };
        assert_eq!(of("2.6.12"), (true, "2.6, 2.6 2.8, *".into()));
        assert_eq!(of("2.8.25"), (true, "2.6 2.8, 2.8, *".into()));
        assert_eq!(of("2.80.1"), (false, "2.6, 2.6 2.8, 2.8, *".into()));
    }
}
