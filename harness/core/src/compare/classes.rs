//! Numbers that are stable enough to be told by their class: how many times the load upstreams see, and how soon it is over.
//!
//! A class only changed when the medians are clearly apart as well, so that no edge of a class tears noise in two.

use super::pairs::Pair;
use super::statistics::Range;
use super::{Change, Weight};
use crate::report::PhaseSummary;
use crate::report::text::{ratio, seconds};

/// A number that is compared by its class.
struct Classed {
    what: &'static str,
    /// More and less of it, in a word; more is worse.
    words: (&'static str, &'static str),
    /// Upper edges of the classes.
    edges: &'static [f64],
    /// How many times as much the medians have to be apart.
    apart: f64,
    value: fn(&PhaseSummary) -> Option<f64>,
    told: fn(f64) -> String,
}

/// Fewest requests of a phase whose numbers mean something.
const LEAST: u64 = 30;

/// What stands for a phase that never settled: longer than any class, and no ratio away from itself.
const NEVER: f64 = 1e9;

const CLASSED: &[Classed] = &[
    Classed {
        what: "tries per request",
        words: ("more", "fewer"),
        edges: &[1.05, 1.2, 1.5, 2.0, 3.0, 5.0],
        apart: 1.1,
        value: |phase| phase.attempts_per_request.filter(|tries| *tries > 0.0),
        told: |tries| ratio(Some(tries)),
    },
    Classed {
        what: "time to settle",
        words: ("later", "sooner"),
        edges: &[0.5, 1.0, 3.0, 10.0, 30.0, 1e8],
        apart: 1.5,
        value: |phase| (phase.requests >= LEAST).then(|| phase.settled.unwrap_or(NEVER)),
        told: |after| if after >= NEVER { "never in this phase".into() } else { seconds(after) },
    },
];

/// What changed its class in a case.
pub(super) fn changes(pair: &Pair<'_>) -> Vec<Change> {
    let mut all = Vec::new();
    for name in pair.phases() {
        let (was, is) = pair.phase(name);
        let found = CLASSED.iter().filter_map(|classed| classed.change(pair, &was, &is));
        all.extend(found.map(|change| change.in_phase(name)));
    }
    all
}

impl Classed {
    fn change(&self, pair: &Pair<'_>, was: &[&PhaseSummary], is: &[&PhaseSummary]) -> Option<Change> {
        let of = |phases: &[&PhaseSummary]| -> Vec<f64> {
            let sized = phases.iter().filter(|phase| phase.requests >= LEAST);
            sized.filter_map(|phase| (self.value)(phase)).collect()
        };
        let (was, is) = (of(was), of(is));
        let (before, after) = (Range::of(&was)?, Range::of(&is)?);
        let worse = is.iter().filter(|value| self.class(**value) > self.class(before.max)).count();
        let better = is.iter().filter(|value| self.class(**value) < self.class(before.min)).count();
        let (weight, word) = if 2 * worse > is.len() && after.median > before.median * self.apart {
            (Weight::Regression, self.words.0)
        } else if 2 * better > is.len() && after.median * self.apart < before.median {
            (Weight::Better, self.words.1)
        } else {
            return None;
        };
        let told = |range: Range| (self.told)(range.median);
        Some(Change::of(pair, weight, self.what, word).went(told(before), told(after)))
    }

    fn class(&self, value: f64) -> usize {
        self.edges.iter().filter(|edge| value > **edge).count()
    }
}
