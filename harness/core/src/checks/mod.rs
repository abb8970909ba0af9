//! Checks: pure functions over the recorded history. One check is one file and one line in the table.
//!
//! Each file also holds its golden stories: at least one that passes, one that fails, one that stays open.

mod copies;
mod outages;
mod page;
mod quantiles;
mod served;
mod tally;
mod uploaded;

use gatecrash_model::{Capabilities, ClientRecord, Ending};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use self::page::{Fixes, Source};
#[cfg(test)]
use crate::golden::Golden;
use crate::judge::Scope;
use crate::units::{Rate, Share, Span};
use crate::verdict::Finding;

/// What the catalogue says of a check.
#[derive(Clone, Copy, Debug)]
pub struct CheckInfo {
    /// Name in scenario files.
    pub name: &'static str,
    /// One line.
    pub summary: &'static str,
    /// What it means, why it matters, what was measured.
    pub doc: &'static str,
    /// Which RFC, manual, book or paper says so.
    pub sources: &'static [Source],
    /// Where to turn.
    pub fixes: Fixes,
    /// A `check:` value that parses.
    pub example: &'static str,
    /// What must have been observed for it to say anything.
    pub needs: Capabilities,
    /// Least samples when the expectation does not say: 30 for ratios and percentiles, 1 for counts.
    pub min_samples: u64,
    /// What a failure rests on.
    pub rests: Rests,
}

/// What a failed check rests on: whether a lagging generator, a fault that never fired or a machine without a processor
/// to spare casts doubt on it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Rests {
    /// Single exchanges: each one that breaks the rule is proof, whatever else went wrong.
    OnExchanges,
    /// Single exchanges whose outcome a timeout of the gateway decides: each is proof, unless the machine was so starved
    /// that one ran out.
    OnOutcomes,
    /// Shares and windows: only as good as the load that was offered and the faults that were delivered.
    OnRates,
    /// Response times: as rates, and a late arrival is a slow one.
    OnTimes,
    /// What attempts still hold when their request is over: as rates, and late by what starved them until they ended.
    OnLeftovers,
}

/// One check.
pub trait Check {
    /// Its entry in the catalogue.
    const INFO: CheckInfo;

    /// Judges. The caller has made sure that what it needs was observed; samples are the check's own
    /// business.
    fn judge(&self, scope: &Scope<'_>) -> Finding;

    /// What is wrong with its bounds, when no run could be judged by them: a fragment that completes
    /// "expected ...".
    fn problem(&self) -> Option<&'static str> {
        None
    }

    /// Stories it must pass, fail and leave open.
    #[cfg(test)]
    fn goldens() -> Vec<Golden>;
}

/// A lower and an upper bound on a share; at least one is given.
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ShareBounds {
    /// At least.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<Share>,
    /// At most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<Share>,
}

/// A bound on a duration.
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct SpanBounds {
    /// At least.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<Span>,
    /// At most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<Span>,
}

/// A bound on a rate.
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RateBounds {
    /// At least.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<Rate>,
    /// At most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<Rate>,
}

macro_rules! checks {
    ($($module:ident: $type:ident = $name:literal,)+) => {
        $(mod $module; pub use $module::$type;)+

        /// A check with its bounds.
        #[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
        pub enum CheckSpec {
            $(
                #[serde(rename = $name)]
                #[expect(missing_docs, reason = "documented where the check is")]
                $type($type),
            )+
        }

        /// Every check, in the order of the reference.
        pub const CHECKS: &[CheckInfo] = &[$(<$type as Check>::INFO,)+];

        impl CheckSpec {
            /// Its catalogue entry.
            pub fn info(&self) -> CheckInfo {
                match self { $(Self::$type(_) => <$type as Check>::INFO,)+ }
            }

            /// Judges.
            pub fn judge(&self, scope: &Scope<'_>) -> Finding {
                match self { $(Self::$type(check) => check.judge(scope),)+ }
            }

            /// What is wrong with its bounds: a fragment that completes "expected ...".
            pub fn problem(&self) -> Option<&'static str> {
                match self { $(Self::$type(check) => check.problem(),)+ }
            }
        }

        $(
            impl From<$type> for CheckSpec {
                fn from(check: $type) -> Self { Self::$type(check) }
            }
        )+

        #[cfg(test)]
        fn goldens() -> Vec<(&'static str, Vec<Golden>)> {
            vec![$(($name, <$type as Check>::goldens()),)+]
        }
    };
}

checks! {
    success_rate: SuccessRate = "success-rate",
    goodput: Goodput = "goodput",
    statuses: Statuses = "statuses",
    responses: Responses = "responses",
    latency: Latency = "latency",
    error_latency: ErrorLatency = "error-latency",
    longest_outage: LongestOutage = "longest-outage",
    body_complete: BodyComplete = "body-complete",
    body_exact: BodyExact = "body-exact",
    no_mixup: NoMixup = "no-mixup",
    no_request_desync: NoRequestDesync = "no-request-desync",
    no_ambiguous_framing: NoAmbiguousFraming = "no-ambiguous-framing",
    no_false_success: NoFalseSuccess = "no-false-success",
    status_map: StatusMap = "status-map",
    status_pass: StatusPass = "status-pass",
    no_leak: NoLeak = "no-leak",
    bounded_time: BoundedTime = "bounded-time",
    bounded_attempts: BoundedAttempts = "bounded-attempts",
    no_unsafe_replay: NoUnsafeReplay = "no-unsafe-replay",
    no_retry_after_bytes: NoRetryAfterBytes = "no-retry-after-bytes",
    no_retry_4xx: NoRetry4xx = "no-retry-4xx",
    backoff: Backoff = "backoff",
    amplification: Amplification = "amplification",
    retry_after_passed: RetryAfterPassed = "retry-after-passed",
    retry_after_obeyed: RetryAfterObeyed = "retry-after-obeyed",
    deadline: Deadline = "deadline",
    attempts_to: AttemptsTo = "attempts-to",
    stale_reads: StaleReads = "stale-reads",
    failover: Failover = "failover",
    outage_errors: OutageErrors = "outage-errors",
    ejection: Ejection = "ejection",
    no_self_ejection: NoSelfEjection = "no-self-ejection",
    failback: Failback = "failback",
    no_flapping: NoFlapping = "no-flapping",
    recovery: Recovery = "recovery",
    queue_growth: QueueGrowth = "queue-growth",
    metastability: Metastability = "metastability",
    no_herd: NoHerd = "no-herd",
    breaker: Breaker = "breaker",
    stale_pool: StalePool = "stale-pool",
    connections_released: ConnectionsReleased = "connections-released",
    coalescing: Coalescing = "coalescing",
    negative_cache: NegativeCache = "negative-cache",
    stale_if_error: StaleIfError = "stale-if-error",
    no_cache_poisoning: NoCachePoisoning = "no-cache-poisoning",
    upload_once: UploadOnce = "upload-once",
    signed_headers_untouched: SignedHeadersUntouched = "signed-headers-untouched",
    error_shape: ErrorShaped = "error-shape",
    capacity: Capacity = "capacity",
    capacity_ratio: CapacityRatio = "capacity-ratio",
    limits: Limits = "limits",
    crash_free: CrashFree = "crash-free",
    head_and_range: HeadAndRange = "head-and-range",
}

impl ShareBounds {
    /// Whether a share is inside.
    pub fn hold(self, share: f64) -> bool {
        const ROUNDING: f64 = 1e-9;
        self.min.is_none_or(|m| share + ROUNDING >= m.0) && self.max.is_none_or(|m| share - ROUNDING <= m.0)
    }

    fn problem(self) -> Option<&'static str> {
        match (self.min, self.max) {
            (None, None) => Some("a bound, `min` or `max`"),
            (Some(min), Some(max)) if min > max => Some("`min` not above `max`"),
            _ => None,
        }
    }
}

impl SpanBounds {
    /// Whether a duration is inside.
    pub fn hold(self, nanos: u64) -> bool {
        self.min.is_none_or(|m| nanos >= m.0) && self.max.is_none_or(|m| nanos <= m.0)
    }
}

fn bounds_in_words<T: std::fmt::Display>(min: Option<T>, max: Option<T>) -> String {
    match (min, max) {
        (Some(min), Some(max)) => format!("between {min} and {max}"),
        (Some(min), None) => format!("at least {min}"),
        (None, Some(max)) => format!("at most {max}"),
        (None, None) => "any".into(),
    }
}

impl std::fmt::Display for ShareBounds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(&bounds_in_words(self.min, self.max))
    }
}

impl std::fmt::Display for SpanBounds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(&bounds_in_words(self.min, self.max))
    }
}

/// How requests ended, most frequent first: one sentence, or none when there are no requests.
fn endings_in_words<'h>(clients: impl Iterator<Item = &'h ClientRecord>) -> Option<String> {
    let mut counts = std::collections::BTreeMap::<String, u64>::new();
    for client in clients {
        let how = match (client.status, client.ending) {
            (0, ending) => format!("no status ({ending})"),
            (status, Ending::Complete) => status.to_string(),
            (status, ending) => format!("{status} ({ending})"),
        };
        *counts.entry(how).or_default() += 1;
    }
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
    let words: Vec<_> = counts.iter().take(5).map(|(how, n)| format!("{n} x {how}")).collect();
    (!words.is_empty()).then(|| words.join(", "))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::verdict::Outcome;

    #[test]
    fn every_golden_story_gets_its_verdict() {
        for (name, goldens) in goldens() {
            for golden in goldens {
                assert_eq!(golden.check.info().name, name, "a golden of another check");
                let verdict = golden.verdict();
                assert_eq!(verdict.outcome, golden.outcome, "{name}, {}: {verdict:#?}", golden.what);
            }
        }
    }

    #[test]
    fn every_check_has_a_golden_of_each_outcome() {
        let goldens = goldens();
        for check in CHECKS {
            let (_, of) = goldens.iter().find(|(name, _)| *name == check.name).unwrap();
            for outcome in [Outcome::Pass, Outcome::Fail, Outcome::Inconclusive] {
                assert!(of.iter().any(|g| g.outcome == outcome), "{}: no golden is {outcome:?}", check.name);
            }
        }
    }

    #[test]
    fn every_check_is_well_described() {
        for check in CHECKS {
            assert!(check.doc.len() > 120, "{}: the doc is too short to explain anything", check.name);
            assert!(check.example.starts_with(check.name), "{}: {}", check.name, check.example);
            assert!(!check.summary.ends_with('.'), "{}", check.name);
        }
        let mut names: Vec<_> = CHECKS.iter().map(|c| c.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), CHECKS.len());
    }

    #[test]
    fn every_page_says_who_says_so_and_what_to_set() {
        for check in CHECKS {
            let name = check.name;
            let urls: BTreeSet<_> = check.sources.iter().map(|s| s.url()).collect();
            assert!(!urls.is_empty() && urls.len() == check.sources.len(), "{name}: {urls:?}");
            assert!(
                urls.iter().all(|url| url.starts_with("https://") && !url.contains(' ')),
                "{name}: {urls:?}"
            );
            let fixes: Vec<_> = check.fixes.each().collect();
            for product in ["nginx", "HAProxy", "Envoy"] {
                let (_, fix) = fixes.iter().find(|(of, _)| *of == product).expect(name);
                let by_name = fix.contains('`') || fix.starts_with("no setting");
                assert!(by_name && !fix.ends_with('.'), "{name}, {product}: {fix}");
            }
            assert!(!check.doc.contains("Typical fixes"), "{name}: those are `fixes`");
        }
    }

    #[test]
    fn every_example_is_a_check_with_sound_bounds() {
        for check in CHECKS {
            let spec: CheckSpec = serde_saphyr::from_str(check.example)
                .unwrap_or_else(|e| panic!("{}: {}: {e}", check.name, check.example));
            assert_eq!(spec.info().name, check.name);
            assert_eq!(spec.problem(), None, "{}", check.name);
        }
    }
}
