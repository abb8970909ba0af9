//! Two sets of runs of the same scenarios: what changed beyond noise, in words, and never in a single score.
//!
//! Behaviour is compared exactly (`verdicts`, `tallies`, `classes`): it changed when most runs of one side show what no run
//! of the other shows. What a machine's mood can change (`measures`) is compared by the ratio of medians of repeated runs,
//! and only counts where the whole interval of a bootstrap lies beyond the tolerance; so do the bounds of a `capacity`
//! search. Pure: reports in, [`Changes`] out.

mod capacity;
mod classes;
mod measures;
mod pairs;
mod render;
pub mod statistics;
mod tallies;
mod verdicts;

#[cfg(test)]
mod tests;

use serde::Serialize;

pub use measures::LEAST_RUNS;
pub use render::{CHANGE_RENDERERS, ChangeRenderer, change_renderer};
pub use statistics::{Range, Ratio};

use crate::report::RunReport;
use pairs::Pair;

/// What may differ without being a change.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Terms {
    /// Share by which a latency or a goodput may get worse: 0.1 is 10 %.
    pub tolerance: f64,
}

impl Default for Terms {
    fn default() -> Self {
        Self { tolerance: 0.1 }
    }
}

/// One side of a comparison.
#[derive(Clone, Copy, Debug)]
pub struct Side<'a> {
    /// What the user calls it.
    pub name: &'a str,
    /// Its runs, of any cases, in any order.
    pub runs: &'a [RunReport],
}

/// What changed.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Changes {
    /// Version of this structure, 1.
    pub version: u32,
    /// Whether something got worse beyond noise.
    pub regressed: bool,
    /// The baseline.
    pub was: SideFacts,
    /// What is held against it.
    pub is: SideFacts,
    /// Share by which latencies and goodput may get worse.
    pub tolerance: f64,
    /// Titles of the cases that were compared, in order.
    pub cases: Vec<String>,
    /// Latencies and rates that were compared by intervals.
    pub measured: usize,
    /// What changed, the worst first, in order of the cases otherwise.
    pub changes: Vec<Change>,
    /// What limits the comparison, a sentence each.
    pub notes: Vec<String>,
}

/// One side, for a heading.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct SideFacts {
    /// What the user calls it.
    pub name: String,
    /// Gateways with their versions.
    pub gateways: Vec<String>,
    /// How many runs.
    pub runs: usize,
}

/// One thing that is not as it was.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Change {
    /// How much it weighs.
    pub weight: Weight,
    /// Title of the case.
    pub case: String,
    /// Phase; absent where it concerns the whole run or an expectation with a name of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phase: Option<String>,
    /// What: `success-rate/recovery`, `status 502`, `p99`.
    pub what: String,
    /// Its direction in a word or two: `fails`, `slower`, `fewer`, `is new`.
    pub word: String,
    /// Before.
    pub was: String,
    /// After.
    pub is: String,
    /// Of measures: how many times as much.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ratio: Option<Ratio>,
    /// Why it weighs less than it would otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// Scenario file.
    pub source: String,
    /// Line in it.
    pub line: u32,
}

/// How much a change weighs.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Weight {
    /// Worse beyond noise: exit code 6.
    Regression,
    /// Perhaps worse; it cannot be told, or it is told elsewhere.
    Warning,
    /// Better beyond noise.
    Better,
    /// Neither better nor worse, but not as it was.
    Different,
}

impl Weight {
    /// The word that reports print.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Regression => "WORSE",
            Self::Warning => "WARN",
            Self::Better => "BETTER",
            Self::Different => "CHANGED",
        }
    }
}

/// Compares two sides. `None` when they have no case in common.
pub fn compare(was: Side<'_>, is: Side<'_>, terms: Terms) -> Option<Changes> {
    let (pairs, mut notes) = pairs::pairs(was, is);
    if pairs.is_empty() {
        return None;
    }
    let mut changes = Vec::new();
    for pair in &pairs {
        changes.extend(verdicts::changes(pair));
        changes.extend(tallies::changes(pair));
        changes.extend(classes::changes(pair));
        changes.extend(capacity::changes(pair, terms));
    }
    let (measured, moved) = measures::changes(&pairs, terms, &mut notes);
    changes.extend(moved);
    changes.sort_by_key(|change| {
        (change.weight, pairs.iter().position(|pair| pair.title == change.case), change.ratio.is_some())
    });
    notes.dedup();
    Some(Changes {
        version: 1,
        regressed: changes.iter().any(|change| change.weight == Weight::Regression),
        was: facts(was),
        is: facts(is),
        tolerance: terms.tolerance,
        cases: pairs.iter().map(|pair| pair.title.clone()).collect(),
        measured,
        changes,
        notes,
    })
}

impl Change {
    /// A change of a pair, of no weight of its own yet.
    fn of(pair: &Pair<'_>, weight: Weight, what: impl Into<String>, word: impl Into<String>) -> Self {
        Self {
            weight,
            case: pair.title.clone(),
            phase: None,
            what: what.into(),
            word: word.into(),
            was: String::new(),
            is: String::new(),
            ratio: None,
            why: None,
            source: pair.source().to_owned(),
            line: 1,
        }
    }

    fn went(self, was: impl Into<String>, is: impl Into<String>) -> Self {
        Self { was: was.into(), is: is.into(), ..self }
    }

    fn in_phase(self, phase: &str) -> Self {
        Self { phase: Some(phase.to_owned()), ..self }
    }

    fn because(self, why: impl Into<String>) -> Self {
        Self { why: Some(why.into()), ..self }
    }
}

fn facts(side: Side<'_>) -> SideFacts {
    let mut gateways: Vec<_> = side.runs.iter().map(crate::report::gateway).collect();
    gateways.sort();
    gateways.dedup();
    SideFacts { name: side.name.to_owned(), gateways, runs: side.runs.len() }
}
