//! What a search found.

use serde::{Deserialize, Serialize};

use super::classify::Class;
use super::trial::{Outcome, Trial};

/// The two loads between which capacity lies, with everything that was measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bounds {
    /// The highest load at which the objective holds, below `upper`.
    pub lower: Option<Bound>,
    /// The lowest load at which it is broken.
    pub upper: Option<Bound>,
    /// How the search ended.
    pub ended: Ended,
    /// Every load that was tried, by rate.
    pub loads: Vec<LoadTrials>,
}

/// One of the two bounds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bound {
    /// The offered rate, requests per second.
    pub rate: f64,
    /// Conditional throughput (RFC 9971): the goodput of the worst trial that the goal allows. Given for lower bounds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub throughput: Option<f64>,
    /// The clause that was broken most often at this load, by time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub broken: Option<String>,
}

/// All trials at one load.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LoadTrials {
    /// The rate.
    pub rate: f64,
    /// Its class by the goal itself.
    pub class: Class,
    /// The trials, in the order in which they were run.
    pub trials: Vec<Trial>,
}

/// How a search ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ended {
    /// Both bounds are confirmed and close enough.
    Converged,
    /// The objective holds at the highest rate of the range: capacity is at least that.
    AtMaximum,
    /// The objective is broken at the lowest rate of the range: capacity is below it.
    AtMinimum,
    /// Trials or time ran out: the bounds are as far as they were confirmed.
    TimeUp,
    /// Three trials in a row had to be discarded: the harness was the limit, for this reason. The lower bound holds; an
    /// upper bound may be missing.
    GeneratorLimited(String),
}

// === impl Bound ===

impl Bound {
    pub(super) fn of(rate: f64, throughput: Option<f64>, trials: &[Trial]) -> Self {
        let mut broken: Vec<(&str, u64)> = Vec::new();
        for trial in trials {
            let Outcome::Bad(clause) = &trial.outcome else { continue };
            match broken.iter_mut().find(|(seen, _)| seen == clause) {
                Some((_, time)) => *time += trial.duration,
                None => broken.push((clause, trial.duration)),
            }
        }
        let broken =
            broken.iter().rev().max_by_key(|(_, time)| *time).map(|(clause, _)| (*clause).to_string());
        Self { rate, throughput, broken }
    }
}

// === impl Bounds ===

impl Bounds {
    /// How far apart they are, relative to the upper one; `None` while one is missing.
    pub fn width(&self) -> Option<f64> {
        let (lower, upper) = (self.lower.as_ref()?.rate, self.upper.as_ref()?.rate);
        Some((upper - lower) / upper)
    }
}
