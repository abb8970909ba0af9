//! What faults cost and how they were got over, in numbers and in words.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::units::Share;

/// What the faults of a run cost, and what the retries did.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Default)]
#[serde(rename_all = "kebab-case")]
pub struct Resilience {
    /// The service level that budgets are counted against, and failover where the scenario asks for none: share of
    /// requests answered rightly.
    pub slo: Share,
    /// One entry for each fault that was on and had load before it.
    pub faults: Vec<Consequences>,
    /// One entry for each phase with requests.
    pub phases: Vec<Effort>,
}

/// A time read off windows: known to the length of one, and censored where it never came.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Timing {
    /// Seconds; absent when it did not come in the time that was watched.
    pub after: Option<f64>,
    /// Seconds by which it may be off, either way.
    pub resolution: f64,
    /// Seconds that were watched.
    pub watched: f64,
    /// Seconds for which it had to hold: what the rule asks for, or half of what was watched.
    pub held: f64,
}

/// What one fault did.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Consequences {
    /// Name of the fault.
    pub fault: String,
    /// From its start until what it hit got at most a tenth of its former share of attempts; absent where there is
    /// nobody else to ask, or tries went unseen.
    pub detect: Option<Timing>,
    /// The share of successes that the scenario itself asks for while it is on, the strictest; absent where it asks for
    /// none, and in reports of earlier releases.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<Share>,
    /// From its start until the service level held, for 5 s, while it was on.
    pub failover: Option<Timing>,
    /// From its end until goodput (95 %), 99th percentile (1.2 x) and attempts per request (1.05 x) were those from
    /// before all faults, for 10 s.
    pub recover: Option<Timing>,
    /// From its end until what it hit had nine tenths of its share again; absent where it had not lost it.
    pub failback: Option<Timing>,
    /// Requests that failed until failover.
    pub lost: u64,
    /// The same in seconds of the load from before.
    pub lost_seconds: f64,
    /// Requests that failed until recovery.
    pub failed: u64,
    /// Their share of the error budget of thirty days.
    pub budget_cost: f64,
}

/// What the requests of one phase asked of the upstream.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Effort {
    /// Name of the phase.
    pub phase: String,
    /// Attempts per request over time: (seconds from T0, ratio).
    pub amplification: Vec<(f64, f64)>,
    /// The largest of these.
    pub amplification_max: Option<f64>,
    /// Share of attempts that the gateway gave up, or that were done after their client was answered or gone.
    pub wasted: Option<f64>,
    /// Attempts that followed another of their request.
    pub retries: u64,
    /// Coefficient of variation of the pauses before them: 0 for a fixed pause, 0.58 for full jitter over one bound.
    pub spacing: Option<f64>,
    /// Requests under way on average.
    pub under_way: f64,
    /// By how much that differs from throughput x mean latency (Little's law), as a share: beyond 5 % nothing was
    /// steady, or a number is wrong.
    pub little: Option<f64>,
}

impl Resilience {
    /// Whether there is nothing to tell.
    pub fn is_empty(&self) -> bool {
        self.faults.is_empty() && self.phases.is_empty()
    }
}

impl Consequences {
    /// The share of successes at which it counts as got over.
    pub fn level(&self, slo: Share) -> Share {
        self.level.unwrap_or(slo)
    }

    /// Everything that is known, in one line.
    pub fn in_words(&self, slo: Share) -> String {
        let level = self.level(slo);
        let told = |timing: &Option<Timing>, came: &str, never: &str| {
            let timing = timing.as_ref()?;
            Some(match timing.after {
                Some(_) => format!("{came} after {timing}"),
                None => format!("{never} {:.1}s", timing.watched),
            })
        };
        let over = told(
            &self.failover,
            &format!("{level} succeeded again"),
            &format!("less than {level} succeeded throughout its"),
        );
        let over = over.filter(|_| self.failed > 0);
        let known = [
            told(&self.detect, "its upstream was avoided", "its upstream was asked throughout its"),
            over,
            told(&self.recover, "all was as before", "not yet as before within"),
            told(&self.failback, "its upstream was back in use", "its upstream was not back in use within"),
        ];
        let mut parts: Vec<_> = known.into_iter().flatten().collect();
        let budget = self.budget_cost * 100.0;
        let failed = match self.failed {
            0 => "none failed".to_owned(),
            failed => format!("{failed} failed, which is {budget:.2}% of a month's error budget at {slo}"),
        };
        parts.push(failed);
        parts.join("; ")
    }
}

impl fmt::Display for Timing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.after {
            Some(after) => write!(f, "{after:.1}s (±{:.1}s)", self.resolution),
            None => write!(f, ">{:.1}s", self.watched),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_tells_times_with_their_resolution_and_what_never_came() {
        let timing = |after| Some(Timing { after, resolution: 1.0, watched: 12.0, held: 5.0 });
        let told = Consequences {
            fault: "outage".into(),
            detect: timing(Some(2.0)),
            level: Some(Share(0.97)),
            failover: timing(None),
            recover: timing(None),
            failback: None,
            lost: 120,
            lost_seconds: 3.0,
            failed: 480,
            budget_cost: 0.0046,
        };
        assert_eq!(
            told.in_words(Share(0.999)),
            "its upstream was avoided after 2.0s (±1.0s); less than 97% succeeded throughout its 12.0s; not yet as \
             before within 12.0s; 480 failed, which is 0.46% of a month's error budget at 99.9%"
        );
        let unharmed = Consequences { failed: 0, failover: timing(Some(0.0)), recover: None, ..told.clone() };
        assert_eq!(
            unharmed.in_words(Share(0.999)),
            "its upstream was avoided after 2.0s (±1.0s); none failed"
        );
        let well =
            Consequences { level: None, failover: timing(Some(1.0)), detect: None, recover: None, ..told };
        assert_eq!(
            well.in_words(Share(0.999)),
            "99.9% succeeded again after 1.0s (±1.0s); 480 failed, which is 0.46% of a month's error budget at 99.9%"
        );
    }
}
