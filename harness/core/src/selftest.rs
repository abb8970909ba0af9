//! Closing the loop: which defect of the reference gateway proves which check, and in which scenario.
//!
//! Every defect has a `must` set, the checks that have to fail with it, and a `may` set, its side effects.
//! Any other failure is a false alarm. The judge never reads this: the history does not hold a defect's name.

mod power;
mod row;
mod score;
mod table;

pub use power::Power;
pub use row::{Kind, Row, Shown, Trial};
pub use score::{Group, Score, Showing};
pub use table::{markdown, terminal};

/// How one defect must show.
#[derive(Clone, Copy, Debug)]
pub struct DefectProof {
    /// Its name, as the reference gateway switches it on.
    pub name: &'static str,
    /// Its number in the catalogue.
    pub number: u8,
    /// Checks that have to fail.
    pub must: &'static [&'static str],
    /// Checks that may fail as well, besides [`SIDE_EFFECTS`].
    pub may: &'static [&'static str],
    /// The shipped scenario that shows it.
    pub scenario: &'static str,
    /// Overrides of that scenario, as `--set` takes them: (path, value).
    pub overrides: &'static [(&'static str, &'static str)],
}

/// What one run with a defect proved.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Detection {
    /// Checks of the `must` set that did not fail.
    pub missed: Vec<String>,
    /// Checks that failed without leave.
    pub false_alarms: Vec<String>,
}

/// Service-level checks: any defect may touch them.
pub const SIDE_EFFECTS: &[&str] = &[
    "success-rate",
    "goodput",
    "statuses",
    "responses",
    "latency",
    "error-latency",
    "longest-outage",
    "attempts-to",
    "stale-reads",
    "metastability",
    "queue-growth",
    "capacity",
    "capacity-ratio",
];

macro_rules! proofs {
    ($(
        $number:literal $name:literal in $scenario:literal
            must [$($must:literal)+] may [$($may:literal)*];
    )+) => {
        /// Every defect that a check has to find, in the order of the catalogue.
        pub const DEFECTS: &[DefectProof] = &[$(DefectProof {
            name: $name,
            number: $number,
            must: &[$($must),+],
            may: &[$($may),*],
            scenario: $scenario,
            overrides: &[],
        },)+];
    };
}

proofs! {
    1 "complete-on-body-error" in "selftest/broken-bodies"
        must ["body-complete"] may ["body-exact"];
    2 "recompute-length" in "selftest/broken-bodies"
        must ["body-complete"] may ["body-exact" "bounded-time"];
    3 "end-on-reset" in "selftest/broken-bodies"
        must ["body-complete"] may [];
    4 "pad-with-zeros" in "selftest/broken-bodies"
        must ["body-exact"] may ["body-complete"];
    5 "resume-astray" in "selftest/broken-bodies"
        must ["body-exact" "head-and-range"]
        may ["body-complete" "no-retry-after-bytes" "bounded-attempts" "bounded-time"];
    6 "retry-after-bytes" in "selftest/broken-bodies"
        must ["no-retry-after-bytes" "body-exact"]
        may ["body-complete" "bounded-attempts" "no-mixup" "head-and-range"];
    7 "keep-surplus" in "selftest/leftovers"
        must ["no-mixup"] may ["body-exact" "head-and-range" "bounded-attempts"];
    8 "body-where-none" in "selftest/leftovers"
        must ["no-mixup" "head-and-range"] may [];
    9 "pool-after-timeout" in "selftest/leftovers"
        must ["no-mixup"] may ["body-exact" "head-and-range" "bounded-attempts"];
    10 "swap-responses" in "selftest/broken-bodies"
        must ["no-mixup"] may ["body-exact" "body-complete" "no-retry-after-bytes"];
    11 "pool-after-early-answer" in "selftest/early-answers"
        must ["no-request-desync"] may ["upload-once" "bounded-attempts"];
    12 "relay-two-lengths" in "selftest/ambiguous"
        must ["no-ambiguous-framing"] may [];
    13 "length-over-coding" in "selftest/ambiguous"
        must ["no-ambiguous-framing" "body-exact"] may ["no-false-success" "no-mixup"];
    14 "pass-http09" in "selftest/garbage"
        must ["no-false-success"] may ["status-map" "body-exact" "body-complete" "no-mixup"];
    15 "all-404" in "selftest/upstream-errors"
        must ["status-map" "status-pass"] may [];
    16 "all-200" in "selftest/upstream-errors"
        must ["status-map" "no-false-success"] may ["status-pass" "body-exact"];
    17 "swap-timeout-refused" in "selftest/silence"
        must ["status-map"] may [];
    18 "status-500" in "selftest/upstream-errors"
        must ["status-map"] may [];
    19 "leak-upstream" in "selftest/upstream-errors"
        must ["no-leak"] may [];
    20 "no-read-timeout" in "selftest/silence"
        must ["bounded-time"] may ["status-map" "recovery"];
    21 "retry-plus-one" in "selftest/upstream-errors"
        must ["bounded-attempts"] may ["amplification"];
    22 "retry-for-ever" in "selftest/upstream-errors"
        must ["bounded-attempts" "amplification"] may ["bounded-time" "status-pass" "status-map"];
    23 "retry-post" in "selftest/writes"
        must ["no-unsafe-replay"] may [];
    24 "resume-upload" in "selftest/writes"
        must ["upload-once" "body-exact"] may [];
    25 "retry-4xx" in "selftest/upstream-errors"
        must ["no-retry-4xx"] may ["bounded-attempts"];
    26 "no-backoff" in "selftest/throttling"
        must ["backoff"] may [];
    27 "no-retry-budget" in "selftest/throttling"
        must ["amplification"] may ["backoff" "bounded-attempts" "bounded-time"];
    28 "ignore-retry-after" in "selftest/asked-to-wait"
        must ["retry-after-obeyed" "retry-after-passed"] may [];
    29 "retry-same-peer" in "selftest/region-outage"
        must ["failover" "outage-errors"] may ["status-map" "bounded-time"];
    30 "no-failback" in "selftest/region-outage"
        must ["failback"] may [];
    31 "flap-on-single-result" in "selftest/flapping"
        must ["no-flapping"] may [];
    32 "eject-last" in "selftest/lone-upstream"
        must ["no-self-ejection" "recovery"] may [];
    33 "probes-only-connect" in "selftest/health"
        must ["ejection"] may ["bounded-attempts"];
    34 "cache-errors" in "selftest/cached-errors"
        must ["negative-cache"] may ["recovery" "status-pass" "stale-if-error"];
    35 "cache-truncated" in "selftest/cached-errors"
        must ["no-cache-poisoning"] may ["body-complete" "body-exact" "recovery"];
    36 "stale-on-status-only" in "selftest/stale-copies"
        must ["stale-if-error"] may ["recovery"];
    37 "lose-lock" in "selftest/hot-keys"
        must ["coalescing" "recovery"] may [];
    38 "release-all" in "selftest/hot-keys"
        must ["coalescing"] may ["amplification" "recovery"];
    39 "leak-connection" in "selftest/released"
        must ["connections-released" "recovery"] may [];
    40 "ignore-abort" in "selftest/released"
        must ["connections-released"] may [];
    41 "half-open-floods" in "selftest/breaker"
        must ["breaker" "no-herd"] may ["recovery"];
    41 "breaker-never-closes" in "selftest/breaker"
        must ["breaker" "recovery"] may ["no-herd"];
    41 "open-calls-upstream" in "selftest/breaker"
        must ["breaker"] may [];
    42 "show-dead-connection" in "selftest/kept-connections"
        must ["stale-pool"] may [];
    43 "unbounded-head" in "selftest/floods"
        must ["limits"] may [];
    44 "panic-on-bad-chunk" in "selftest/garbage"
        must ["crash-free"] may ["status-map" "body-complete"];
    45 "panic-poisons-lock" in "selftest/one-garbage"
        must ["crash-free" "recovery"] may ["status-map"];
    46 "ack-before-upstream" in "selftest/writes"
        must ["upload-once"] may ["no-false-success" "status-map" "status-pass" "no-retry-after-bytes"];
    47 "retry-past-deadline" in "selftest/deadline"
        must ["deadline"] may [];
    48 "status-500" in "selftest/crowd"
        must ["status-map"] may [];
    50 "rewrite-host" in "selftest/signed"
        must ["signed-headers-untouched"] may [];
    51 "html-errors" in "selftest/lone-upstream"
        must ["error-shape"] may [];
}

/// Names of the defects that prove a check, each once: one may have to show in several scenarios.
pub fn proving(check: &str) -> Vec<&'static str> {
    let mut names = Vec::new();
    for proof in DEFECTS.iter().filter(|d| d.must.contains(&check)) {
        if !names.contains(&proof.name) {
            names.push(proof.name);
        }
    }
    names
}

impl DefectProof {
    /// Compares the checks that failed in a run with this defect with what they should be.
    pub fn detection<'a>(&self, failed: impl IntoIterator<Item = &'a str>) -> Detection {
        let mut failed: Vec<&str> = failed.into_iter().collect();
        failed.sort_unstable();
        failed.dedup();
        let allowed = |check: &str| [self.must, self.may, SIDE_EFFECTS].concat().contains(&check);
        Detection {
            missed: self.must.iter().filter(|m| !failed.contains(m)).map(|m| (*m).to_owned()).collect(),
            false_alarms: failed.iter().filter(|f| !allowed(f)).map(|f| (*f).to_owned()).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::checks::CHECKS;

    #[test]
    fn proofs_name_checks_that_exist() {
        let known: BTreeSet<_> = CHECKS.iter().map(|c| c.name).collect();
        for proof in DEFECTS {
            for check in proof.must.iter().chain(proof.may) {
                assert!(known.contains(check), "{}: {check}", proof.name);
            }
            assert!(proof.must.iter().all(|m| !proof.may.contains(m)), "{}", proof.name);
            assert!(proof.scenario.starts_with("selftest/"), "{}", proof.name);
        }
        assert!(DEFECTS.windows(2).all(|pair| pair[0].number <= pair[1].number));
    }

    #[test]
    fn a_defect_shown_in_two_scenarios_proves_a_check_once() {
        assert_eq!(DEFECTS.iter().filter(|d| d.name == "status-500").count(), 2);
        assert_eq!(proving("status-map"), ["all-404", "all-200", "swap-timeout-refused", "status-500"]);
    }

    #[test]
    fn every_check_is_proven_by_a_defect() {
        let proven: BTreeSet<_> = DEFECTS.iter().flat_map(|d| d.must).collect();
        for check in CHECKS.iter().filter(|c| !SIDE_EFFECTS.contains(&c.name)) {
            assert!(proven.contains(&check.name), "no defect proves {}", check.name);
        }
    }

    #[test]
    fn misses_and_false_alarms_are_told_apart() {
        let proof = DEFECTS.iter().find(|d| d.name == "all-404").unwrap();
        let detection = proof.detection(["status-map", "success-rate", "no-leak"]);
        assert_eq!(detection.missed, ["status-pass"]);
        assert_eq!(detection.false_alarms, ["no-leak"]);
        let clean = proof.detection(["status-pass", "status-map", "status-map"]);
        assert_eq!(clean, Detection { missed: Vec::new(), false_alarms: Vec::new() });
    }
}
