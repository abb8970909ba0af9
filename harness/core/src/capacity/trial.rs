//! One measurement at one load.

use gatecrash_model::Nanos;
use serde::{Deserialize, Serialize};

/// What a host measured when it was asked to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trial {
    /// The rate that was asked for, requests per second.
    pub rate: f64,
    /// The duration that was asked for.
    pub duration: Nanos,
    /// What it took in all: settling, measuring, draining.
    pub spent: Nanos,
    /// Correct answers within the objective, per second of the duration.
    pub goodput: f64,
    /// How it went.
    pub outcome: Outcome,
}

/// How a trial went; the reasons are for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// The objective was met.
    Good,
    /// A clause of it was broken: which one.
    Bad(String),
    /// The harness was not fit to measure (generator too slow, throttled): why. Counts for nothing but patience.
    Discarded(String),
}
