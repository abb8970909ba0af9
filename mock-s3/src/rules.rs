//! Faults of the mock's own: rules that say which requests fail, how often, and how. For tests of other projects
//! and for the admin port; scenarios bring their own [`crate::FaultHook`].

mod rule;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use gatecrash_model::hash;
use serde::Serialize;

use crate::hook::{Action, Facts, Point};
pub use rule::{At, Closing, Rule, RuleError};

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
            active
                .acts(self.seed)
                .then(|| Ruling { rule: Arc::clone(&active.id), action: active.action.clone() })
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
    use gatecrash_model::{AttemptContext, Op};
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
