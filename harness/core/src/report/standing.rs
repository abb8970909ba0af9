//! What a verdict means for the run: outcome, severity and known deviations taken together.

use serde::Serialize;

use super::RunReport;
use crate::plan::Severity;
use crate::verdict::{Outcome, Verdict};

/// How a verdict stands in a report. In the order in which reports show them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// A bound did not hold: fails the run.
    Fail,
    /// It cannot be told: the run is not green.
    Inconclusive,
    /// A bound of severity `warning` did not hold, or it cannot be told whether it did.
    Warn,
    /// The bound did not hold, and this version of the gateway is known for it.
    Known,
    /// A bound of severity `info` did not hold, or it cannot be told whether it did.
    Info,
    /// The bound held.
    Pass,
}

/// How many verdicts stand how.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Tally([u64; 6]);

impl Standing {
    /// Every standing, worst first.
    pub const ALL: [Self; 6] =
        [Self::Fail, Self::Inconclusive, Self::Warn, Self::Known, Self::Info, Self::Pass];

    /// Of one verdict under the severity of its expectation.
    pub fn of(verdict: &Verdict, severity: Severity) -> Self {
        match (verdict.outcome, severity) {
            (Outcome::Pass | Outcome::Fail, _) if verdict.deviation.is_some() => Self::Known,
            (Outcome::Pass, _) => Self::Pass,
            (_, Severity::Warning) => Self::Warn,
            (_, Severity::Info) => Self::Info,
            (Outcome::Fail, Severity::Error) => Self::Fail,
            (Outcome::Inconclusive, Severity::Error) => Self::Inconclusive,
        }
    }

    /// The word that reports print.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Fail => "FAIL",
            Self::Inconclusive => "INCONCLUSIVE",
            Self::Warn => "WARN",
            Self::Known => "KNOWN",
            Self::Info => "INFO",
            Self::Pass => "PASS",
        }
    }
}

impl Tally {
    /// Counts the verdicts of a report.
    pub fn of(report: &RunReport) -> Self {
        let mut tally = Self::default();
        for verdict in &report.verdicts {
            tally.0[standing(report, verdict) as usize] += 1;
        }
        tally
    }

    /// How many stand so.
    pub const fn count(&self, standing: Standing) -> u64 {
        self.0[standing as usize]
    }

    /// All of them.
    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }
}

impl std::ops::AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        for (mine, theirs) in self.0.iter_mut().zip(other.0) {
            *mine += theirs;
        }
    }
}

/// How a verdict of a report stands; without its expectation it counts as an error.
pub fn standing(report: &RunReport, verdict: &Verdict) -> Standing {
    let severity = report.plan.expectations.get(verdict.expectation as usize).map(|e| e.severity);
    Standing::of(verdict, severity.unwrap_or_default())
}

/// The run in one word, by its exit code.
pub fn word(report: &RunReport) -> &'static str {
    word_of(report.exit)
}

/// A run with this exit code in one word.
pub const fn word_of(exit: u8) -> &'static str {
    match exit {
        0 => "PASS",
        1 => "FAIL",
        3 => "INCONCLUSIVE",
        4 => "ENVIRONMENT",
        5 => "ABORTED",
        6 => "REGRESSION",
        130 | 143 => "INTERRUPTED",
        _ => "ERROR",
    }
}
