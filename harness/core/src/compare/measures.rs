//! What the mood of a machine can change: latencies, goodput, the share of failures. Compared by the ratio of medians of
//! repeated runs; only an interval wholly beyond the tolerance is a change.

use super::pairs::Pair;
use super::statistics::{Range, Ratio};
use super::{Change, Terms, Weight};
use crate::report::PhaseSummary;
use crate::report::text::{millis, share};

/// Fewest runs a side from which a latency is compared at all: fewer cannot tell a change from noise.
pub const LEAST_RUNS: usize = 5;

/// Share of comparisons (of all cases, phases and measures together) that noise alone may call a change.
const ALPHA: f64 = 0.05;

/// Something that is measured in each phase of each run.
struct Measure {
    what: &'static str,
    /// More and less of it, in a word.
    words: (&'static str, &'static str),
    more_is_worse: bool,
    /// Times the tolerance of the terms that this one has.
    slack: f64,
    value: fn(&PhaseSummary) -> Option<f64>,
    told: fn(f64) -> String,
}

const MEASURES: &[Measure] = &[
    Measure {
        what: "p50",
        words: ("slower", "faster"),
        more_is_worse: true,
        slack: 1.0,
        value: |phase| phase.p50_ms.filter(|_| phase.succeeded >= 20),
        told: |ms| millis(Some(ms)),
    },
    Measure {
        what: "p99",
        words: ("slower", "faster"),
        more_is_worse: true,
        slack: 1.0,
        value: |phase| phase.p99_ms.filter(|_| phase.succeeded >= 100),
        told: |ms| millis(Some(ms)),
    },
    Measure {
        what: "goodput",
        words: ("more", "fewer"),
        more_is_worse: false,
        slack: 1.0,
        value: |phase| {
            let length = phase.until - phase.from;
            (length > 0.0 && phase.succeeded > 0).then(|| phase.succeeded as f64 / length)
        },
        told: |rate| format!("{rate:.1}/s"),
    },
    Measure {
        what: "failures",
        words: ("more", "fewer"),
        more_is_worse: true,
        // Twice as many where a tenth is tolerated of other things: failures are few, and few vary much.
        slack: 10.0,
        value: |phase| {
            let failed = phase.requests.saturating_sub(phase.succeeded);
            (phase.requests >= 100).then(|| (failed as f64 + 0.5) / (phase.requests as f64 + 1.0))
        },
        told: share,
    },
];

/// A measure of one phase on both sides.
struct Measured<'a> {
    pair: &'a Pair<'a>,
    phase: &'a str,
    measure: &'static Measure,
    was: Vec<f64>,
    is: Vec<f64>,
}

/// How many measures were compared, and what changed beyond noise.
pub(super) fn changes(pairs: &[Pair<'_>], terms: Terms, notes: &mut Vec<String>) -> (usize, Vec<Change>) {
    let mut all = Vec::new();
    for pair in pairs {
        for phase in pair.phases() {
            let (was, is) = pair.phase(phase);
            for measure in MEASURES {
                let of = |phases: &[&PhaseSummary]| -> Vec<f64> {
                    phases.iter().filter_map(|phase| (measure.value)(phase)).collect()
                };
                all.push(Measured { pair, phase, measure, was: of(&was), is: of(&is) });
            }
        }
        let spoilt = pair.was.iter().chain(&pair.is);
        let spoilt = spoilt.filter(|run| run.guards.iter().any(|guard| guard.spoils)).count();
        if spoilt > 0 {
            notes.push(format!(
                "{}: numbers of {spoilt} runs in which a guard spoke were left out",
                pair.title
            ));
        }
    }
    let enough = |one: &&Measured<'_>| one.was.len() >= LEAST_RUNS && one.is.len() >= LEAST_RUNS;
    let compared: Vec<_> = all.iter().filter(enough).collect();
    let measures_phases = pairs.iter().any(|pair| pair.is.iter().any(|run| run.capacity.is_none()));
    if compared.is_empty() && measures_phases {
        notes.push(format!("latencies and rates were not compared: that takes {LEAST_RUNS} runs a side (--repeat {LEAST_RUNS})"));
    }
    let alpha = ALPHA / compared.len().max(1) as f64;
    let changes = compared.iter().filter_map(|one| one.change(alpha, terms)).collect();
    (compared.len(), changes)
}

impl Measured<'_> {
    fn change(&self, alpha: f64, terms: Terms) -> Option<Change> {
        let Self { pair, measure, .. } = self;
        let ratio = Ratio::of_medians(&self.was, &self.is, alpha)?;
        let tolerance = terms.tolerance * measure.slack;
        let (more, less) = (ratio.low > 1.0 + tolerance, ratio.high < 1.0 / (1.0 + tolerance));
        let (is_worse, word) = match (more, less) {
            (true, _) => (measure.more_is_worse, measure.words.0),
            (_, true) => (!measure.more_is_worse, measure.words.1),
            _ => return None,
        };
        let weight = match (is_worse, &pair.unlike) {
            (true, None) => Weight::Regression,
            (true, Some(_)) => Weight::Warning,
            (false, None) => Weight::Better,
            (false, Some(_)) => Weight::Different,
        };
        let told = |values: &[f64]| Range::of(values).map_or_else(String::new, |r| (measure.told)(r.median));
        let change = Change::of(pair, weight, measure.what, word).in_phase(self.phase);
        let change = change.went(told(&self.was), told(&self.is));
        Some(Change { ratio: Some(ratio), why: pair.unlike.clone(), ..change })
    }
}
