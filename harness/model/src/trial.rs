//! One trial of a capacity search, as it is kept: what was offered, what came of it. The requests themselves are not.

use serde::{Deserialize, Serialize};

use crate::time::Nanos;

/// A rate, offered for a while to a case of a capacity scenario.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct TrialRecord {
    /// The case: its index among the phases of the plan.
    pub phase: u16,
    /// Its number within the case, from 1.
    pub number: u32,
    /// What it was for.
    pub purpose: TrialPurpose,
    /// Arrivals per second that were offered.
    pub rate: f64,
    /// Start of the judged part.
    pub from: Nanos,
    /// End of the judged part.
    pub until: Nanos,
    /// What it took in all, with settling and draining.
    pub spent: Nanos,
    /// What it says of the gateway at this rate.
    pub outcome: TrialOutcome,
    /// Arrivals that came due in the judged part, those over the in-flight cap included.
    pub offered: u64,
    /// Of those, answered whole and correct.
    pub good: u64,
    /// Of those, over the in-flight cap and not sent.
    pub dropped: u64,
    /// Mean response time of successes from the intended start, us.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mean: Option<u64>,
    /// Median, us.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p50: Option<u64>,
    /// 99th percentile, us.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p99: Option<u64>,
    /// Mean number of requests under way.
    pub in_flight: f64,
    /// Mean time from the intended start to the end of everything that was sent, whatever came of it, us. Absent in
    /// histories of earlier releases.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stay: Option<u64>,
    /// Upstream attempts per client request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempts: Option<f64>,
    /// 99th percentile of the lag behind the schedule, without the time that it took to connect, us.
    pub lag: u64,
    /// Cores that the whole harness used: load generator, mock and links.
    pub harness_cpu: f64,
    /// Cores that the gateway's processes used, where that can be seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gateway_cpu: Option<f64>,
    /// How often the faults of the plan fired: (index in the plan, count).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fired: Vec<(u16, u64)>,
    /// How failures looked: (status, count); 0 for exchanges without a status.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failures: Vec<(u16, u64)>,
}

/// What a trial was for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TrialPurpose {
    /// A step of the search.
    Search,
    /// A rate that somebody asked for.
    Asked,
    /// Beyond the capacity, to see what is left of it.
    Overload,
}

/// What a trial says of the gateway.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TrialOutcome {
    /// Every clause of the objective held.
    Good,
    /// A clause broke.
    Bad {
        /// Its name: a check, or `max-in-flight`.
        clause: String,
        /// What was seen.
        why: String,
    },
    /// Nothing: the harness was not fit.
    Discarded {
        /// Why.
        why: String,
    },
}

impl TrialRecord {
    /// Length of the judged part, s.
    pub fn seconds(&self) -> f64 {
        self.until.saturating_sub(self.from) as f64 / 1e9
    }

    /// Whole and correct answers per second.
    pub fn goodput(&self) -> f64 {
        self.good as f64 / self.seconds().max(1e-9)
    }
}
