//! Faults of the mock's own: rules that say which requests fail, how often, and how. For tests of other projects
//! and for the admin port; scenarios bring their own [`crate::FaultHook`].

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use gatecrash_model::{Op, hash};
use serde::{Deserialize, Serialize};

use crate::errors::known_code;
use crate::hook::{Action, Facts, Point};

/// What fails, how often, and how. In JSON as on the admin port; durations are milliseconds there.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Its name in the journal; made up when empty.
    #[serde(default)]
    pub id: String,
    /// The operations; none: all of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ops: Vec<Op>,
    /// The bucket, by the scenario's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bucket: Option<String>,
    /// The whole key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The beginning of the key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefix: Option<String>,
    /// The name of the identity that signed. Such a rule does not act at `auth`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<String>,
    /// The region.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// Where in the exchange it acts.
    #[serde(default)]
    pub point: At,
    /// Matching requests that are left alone before it begins.
    #[serde(default)]
    pub skip: u64,
    /// Requests it acts on, then it is spent; none: no end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
    /// Share of the matching requests it acts on, 0 to 1. Drawn from the seed and the number of the match.
    #[serde(default = "always")]
    pub probability: f64,
    /// How long the exchange waits first, ms.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub delay_ms: u64,
    /// S3 error code. Without one and without a status the request only waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Status; that of the code when absent. Without a code: a short HTML body, as a proxy would send it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Message; that of the code when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// `Retry-After` of an S3 error, s.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u32>,
}

/// Where in an exchange a rule acts.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum At {
    /// Before it is authenticated.
    Auth,
    /// Authenticated and authorised, the body has arrived, nothing is done.
    #[default]
    Handle,
    /// Done, and not answered: the effect stays.
    Respond,
}

/// Why a rule is not taken.
#[derive(Clone, PartialEq, Debug, thiserror::Error)]
pub enum RuleError {
    /// An error code without a status, and the mock does not know one.
    #[error("{0:?} is no error code the mock knows; give it a status")]
    UnknownCode(String),
    /// A status that is none.
    #[error("{0} is no HTTP status from 200 to 599")]
    Status(u16),
    /// A probability that is none.
    #[error("a probability is between 0 and 1, not {0}")]
    Probability(f64),
    /// A rule that would do nothing.
    #[error("a rule needs a code, a status or a delay")]
    Nothing,
    /// A name used twice.
    #[error("there is a rule {0:?} already")]
    Twice(String),
}

/// A rule, and how often it matched and acted.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct RuleState {
    /// The rule.
    pub rule: Rule,
    /// Requests that matched.
    pub matched: u64,
    /// Requests it acted on.
    pub acted: u64,
}

/// The rules in force, in the order they were added; the first one that acts decides.
pub struct Rules {
    /// Whether there are any: what every request asks first.
    any: AtomicBool,
    all: Mutex<Vec<Active>>,
    made: AtomicU64,
    seed: u64,
}

struct Active {
    id: Arc<str>,
    rule: Rule,
    /// What it comes to; computed once.
    action: Action,
    matched: u64,
    acted: u64,
}

/// What a rule decided.
pub(crate) struct Ruling {
    pub(crate) rule: Arc<str>,
    pub(crate) action: Action,
    pub(crate) retry_after: Option<u32>,
}

// === impl Rule ===

impl Rule {
    /// Answers with an S3 error.
    pub fn error(code: &str) -> Self {
        Self { code: Some(code.to_owned()), ..Self::blank() }
    }

    /// Answers with a status and a short HTML body.
    pub fn status(status: u16) -> Self {
        Self { status: Some(status), ..Self::blank() }
    }

    /// Waits, then lets the request go on.
    pub fn delay(delay: Duration) -> Self {
        Self { delay_ms: delay.as_millis() as u64, ..Self::blank() }
    }

    /// Only this operation, and others so added.
    pub fn op(mut self, op: Op) -> Self {
        self.ops.push(op);
        self
    }

    /// Only this bucket.
    pub fn bucket(self, bucket: &str) -> Self {
        Self { bucket: Some(bucket.to_owned()), ..self }
    }

    /// Only this key.
    pub fn key(self, key: &str) -> Self {
        Self { key: Some(key.to_owned()), ..self }
    }

    /// Only keys that begin so.
    pub fn prefix(self, prefix: &str) -> Self {
        Self { prefix: Some(prefix.to_owned()), ..self }
    }

    /// Only requests this identity signed.
    pub fn identity(self, identity: &str) -> Self {
        Self { identity: Some(identity.to_owned()), ..self }
    }

    /// Only so many requests, from the first one on.
    pub fn first(self, count: u64) -> Self {
        Self { count: Some(count), ..self }
    }

    /// Only this share of the requests.
    pub fn probability(self, probability: f64) -> Self {
        Self { probability, ..self }
    }

    /// At another point of the exchange.
    pub fn at(self, point: At) -> Self {
        Self { point, ..self }
    }

    fn blank() -> Self {
        Self {
            id: String::new(),
            ops: Vec::new(),
            bucket: None,
            key: None,
            prefix: None,
            identity: None,
            region: None,
            point: At::default(),
            skip: 0,
            count: None,
            probability: 1.0,
            delay_ms: 0,
            code: None,
            status: None,
            message: None,
            retry_after: None,
        }
    }

    fn matches(&self, point: Point, facts: &Facts<'_>) -> bool {
        let same = |wanted: &Option<String>, found: &str| wanted.as_deref().is_none_or(|w| w == found);
        self.point.is(point)
            && (self.ops.is_empty() || self.ops.contains(&facts.op))
            && same(&self.bucket, facts.bucket)
            && same(&self.key, facts.key)
            && self.prefix.as_deref().is_none_or(|prefix| facts.key.starts_with(prefix))
            && same(&self.region, facts.region_name)
            && same(&self.identity, facts.identity.map_or("", |(_, name)| name))
    }

    /// What it does.
    fn action(&self) -> Result<Action, RuleError> {
        if let Some(status) = self.status
            && !(200..=599).contains(&status)
        {
            return Err(RuleError::Status(status));
        }
        if !(0.0..=1.0).contains(&self.probability) {
            return Err(RuleError::Probability(self.probability));
        }
        let known = self.code.as_deref().map(known_code);
        let then = match (&self.code, self.status) {
            (Some(code), status) => {
                let (usual, message) = known.flatten().unwrap_or((0, ""));
                let status = match status {
                    Some(status) => status,
                    None if usual == 0 => return Err(RuleError::UnknownCode(code.clone())),
                    None => usual,
                };
                let message = self.message.clone().unwrap_or_else(|| message.to_owned());
                Some(Action::Error { status, code: code.clone().into(), message: message.into() })
            }
            (None, Some(status)) => Some(Action::Status(status)),
            (None, None) => None,
        };
        let delay = Duration::from_millis(self.delay_ms);
        match (then, delay.is_zero()) {
            (None, true) => Err(RuleError::Nothing),
            (None, false) => Ok(Action::Delay(delay)),
            (Some(then), true) => Ok(then),
            (Some(then), false) => Ok(Action::After(delay, Box::new(then))),
        }
    }
}

impl At {
    fn is(self, point: Point) -> bool {
        matches!(
            (self, point),
            (Self::Auth, Point::Auth) | (Self::Handle, Point::Handle) | (Self::Respond, Point::Respond)
        )
    }
}

fn always() -> f64 {
    1.0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

// === impl Rules ===

impl Rules {
    pub(crate) fn new(seed: u64) -> Self {
        Self { any: AtomicBool::new(false), all: Mutex::default(), made: AtomicU64::new(0), seed }
    }

    /// Puts a rule in force for all requests that come to its point from now on. Its name.
    pub fn add(&self, mut rule: Rule) -> Result<String, RuleError> {
        let action = rule.action()?;
        let mut all = self.lock();
        let taken = |id: &str| all.iter().any(|active| *active.id == *id);
        if rule.id.is_empty() {
            while rule.id.is_empty() || taken(&rule.id) {
                rule.id = format!("rule-{}", self.made.fetch_add(1, Ordering::Relaxed) + 1);
            }
        } else if taken(&rule.id) {
            return Err(RuleError::Twice(rule.id));
        }
        let id = rule.id.clone();
        all.push(Active { id: id.as_str().into(), rule, action, matched: 0, acted: 0 });
        self.any.store(true, Ordering::Release);
        Ok(id)
    }

    /// Takes a rule back. Whether it was in force.
    pub fn remove(&self, id: &str) -> bool {
        let mut all = self.lock();
        let before = all.len();
        all.retain(|active| *active.id != *id);
        self.any.store(!all.is_empty(), Ordering::Release);
        all.len() != before
    }

    /// Takes all rules back.
    pub fn clear(&self) {
        let mut all = self.lock();
        all.clear();
        self.made.store(0, Ordering::Relaxed);
        self.any.store(false, Ordering::Release);
    }

    /// The rules in force, in order.
    pub fn list(&self) -> Vec<RuleState> {
        let state = |a: &Active| RuleState { rule: a.rule.clone(), matched: a.matched, acted: a.acted };
        self.lock().iter().map(state).collect()
    }

    /// What the first rule that acts wants.
    pub(crate) fn decide(&self, point: Point, facts: &Facts<'_>) -> Option<Ruling> {
        if !self.any.load(Ordering::Acquire) {
            return None;
        }
        let mut all = self.lock();
        all.iter_mut().filter(|active| active.rule.matches(point, facts)).find_map(|active| {
            active.acts(self.seed).then(|| Ruling {
                rule: Arc::clone(&active.id),
                action: active.action.clone(),
                retry_after: active.rule.retry_after,
            })
        })
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Active>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Rules {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.list()).finish()
    }
}

impl Active {
    /// Counts a match. Whether the rule acts on it.
    fn acts(&mut self, seed: u64) -> bool {
        self.matched += 1;
        if self.matched <= self.rule.skip || self.rule.count.is_some_and(|count| self.acted >= count) {
            return false;
        }
        // 53 bits: what a float holds exactly.
        let draw = hash::combine(&[seed, hash::bytes(self.id.as_bytes()), self.matched]) >> 11;
        let acts = (draw as f64) < self.rule.probability * (1u64 << 53) as f64;
        self.acted += u64::from(acts);
        acts
    }
}

#[cfg(test)]
mod tests {
    use gatecrash_model::AttemptContext;
    use http::{HeaderMap, Method};

    use super::*;

    fn decided(rules: &Rules, op: Op, key: &str, identity: &str) -> Option<(String, Action)> {
        let headers = HeaderMap::new();
        let facts = Facts {
            at: 0,
            attempt: AttemptContext::STRANGER,
            op,
            method: &Method::GET,
            query: "",
            bucket: "media",
            key,
            region: 0,
            region_name: "us-east-1",
            identity: Some((0, identity)),
            headers: &headers,
            body_len: 0,
        };
        rules.decide(Point::Handle, &facts).map(|ruling| (ruling.rule.to_string(), ruling.action))
    }

    #[test]
    fn a_rule_acts_on_what_it_names_and_as_often_as_it_says() {
        let rules = Rules::new(7);
        let rule =
            Rule::error("SlowDown").op(Op::GetObject).bucket("media").prefix("a/").identity("app").first(2);
        let id = rules.add(rule).unwrap();
        assert_eq!(id, "rule-1");
        let slow = Action::s3_error("SlowDown").unwrap();
        assert_eq!(decided(&rules, Op::GetObject, "b", "app"), None);
        assert_eq!(decided(&rules, Op::PutObject, "a/1", "app"), None);
        assert_eq!(decided(&rules, Op::GetObject, "a/1", "guest"), None);
        for _ in 0..2 {
            assert_eq!(decided(&rules, Op::GetObject, "a/1", "app"), Some((id.clone(), slow.clone())));
        }
        assert_eq!(decided(&rules, Op::GetObject, "a/1", "app"), None);
        assert_eq!((rules.list()[0].matched, rules.list()[0].acted), (3, 2));
        assert!(rules.remove(&id) && !rules.remove(&id));
    }

    #[test]
    fn the_share_is_kept_and_replayable() {
        let share = |seed| {
            let rules = Rules::new(seed);
            rules.add(Rule::status(502).probability(0.3)).unwrap();
            (0..10_000).map(|_| decided(&rules, Op::GetObject, "k", "").is_some()).collect::<Vec<_>>()
        };
        let acted = share(7).iter().filter(|acted| **acted).count();
        assert!((2_850..3_150).contains(&acted), "{acted}");
        assert_eq!(share(7), share(7));
        assert_ne!(share(7), share(8));
    }

    #[test]
    fn rules_that_cannot_be_are_refused() {
        let rules = Rules::new(0);
        assert_eq!(rules.add(Rule::error("Nonsense")), Err(RuleError::UnknownCode("Nonsense".into())));
        assert_eq!(rules.add(Rule::status(99)), Err(RuleError::Status(99)));
        assert_eq!(rules.add(Rule::status(500).probability(1.5)), Err(RuleError::Probability(1.5)));
        assert_eq!(rules.add(Rule::blank()), Err(RuleError::Nothing));
        let named = Rule { id: "a".into(), ..Rule::status(500) };
        assert_eq!(rules.add(named.clone()), Ok("a".into()));
        assert_eq!(rules.add(named), Err(RuleError::Twice("a".into())));
    }

    #[test]
    fn json_has_defaults() {
        let rule: Rule =
            serde_json::from_str(r#"{"ops":["GetObject"],"code":"SlowDown","retry_after":2}"#).unwrap();
        assert_eq!(rule, Rule { retry_after: Some(2), ..Rule::error("SlowDown").op(Op::GetObject) });
        assert!(serde_json::from_str::<Rule>(r#"{"cod":"SlowDown"}"#).is_err());
    }
}
