//! Three-valued verdicts with their evidence.

use gatecrash_model::RequestId;
use serde::{Deserialize, Serialize};

/// Pass, fail, or not known.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// The bound held, on enough samples, with the fault exercised.
    Pass,
    /// The bound did not hold.
    Fail,
    /// It cannot be told, and why is said.
    Inconclusive,
}

/// What a check found.
#[derive(Clone, PartialEq, Debug)]
pub struct Finding {
    /// The outcome.
    pub outcome: Outcome,
    /// What was observed, with its unit: `99.1%`, `3 attempts`.
    pub observed: String,
    /// The bound, in words: `at least 99%`.
    pub wanted: String,
    /// How many exchanges it rests on.
    pub samples: u64,
    /// Exchanges that broke the rule, for a check that counts them.
    pub violations: Option<u64>,
    /// One sentence per line: numbers, windows, what the upstream saw. For an inconclusive one: the reason
    /// first.
    pub details: Vec<String>,
    /// Up to three requests that show it, worst first.
    pub exemplars: Vec<RequestId>,
}

/// The verdict on one expectation.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Verdict {
    /// Index of the expectation in the plan.
    pub expectation: u32,
    /// The outcome.
    pub outcome: Outcome,
    /// What was observed.
    pub observed: String,
    /// The bound.
    pub wanted: String,
    /// Samples.
    pub samples: u64,
    /// Exchanges that broke the rule, for a check that counts them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub violations: Option<u64>,
    /// Sentences of evidence.
    pub details: Vec<String>,
    /// Exemplary requests, as `<workload>-<k>`.
    pub exemplars: Vec<String>,
    /// A likely cause, when the evidence has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub likely: Option<String>,
    /// Known deviation of the gateway that explains it, when the profile has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deviation: Option<String>,
}

impl Finding {
    /// Nothing can be said, and this is why.
    pub fn inconclusive(wanted: impl Into<String>, samples: u64, reason: impl Into<String>) -> Self {
        Self {
            outcome: Outcome::Inconclusive,
            observed: "not known".into(),
            wanted: wanted.into(),
            samples,
            violations: None,
            details: vec![reason.into()],
            exemplars: Vec::new(),
        }
    }

    /// Pass or fail by a condition.
    pub fn judged(holds: bool, observed: impl Into<String>, wanted: impl Into<String>, samples: u64) -> Self {
        Self {
            outcome: if holds { Outcome::Pass } else { Outcome::Fail },
            observed: observed.into(),
            wanted: wanted.into(),
            samples,
            violations: None,
            details: Vec::new(),
            exemplars: Vec::new(),
        }
    }

    /// With a sentence of evidence.
    pub fn detail(mut self, sentence: impl Into<String>) -> Self {
        self.details.push(sentence.into());
        self
    }

    /// With sentences of evidence.
    pub fn details(mut self, sentences: impl IntoIterator<Item = String>) -> Self {
        self.details.extend(sentences);
        self
    }

    /// With exemplary requests; the first three are kept.
    pub fn exemplars(mut self, requests: impl IntoIterator<Item = RequestId>) -> Self {
        self.exemplars.extend(requests);
        self.exemplars.truncate(3);
        self
    }
}
