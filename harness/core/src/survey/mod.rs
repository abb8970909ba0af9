//! The survey of a gateway: every condition of the upstream, and what a client then sees.
//!
//! A condition is one line of [`conditions`] and runs as a scenario of its own, so that no fault meets what the one
//! before has left behind. What is seen comes from the recorded history; nothing is judged here.

mod compare;
mod condition;
mod observe;
mod render;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

pub use compare::{Difference, compare};
pub use condition::{Condition, conditions};
pub use observe::observe;
pub use render::{markdown, terminal};

/// What was seen of one gateway under all conditions: the form of the saved file.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Survey {
    /// Version of this form, 1.
    pub version: u32,
    /// Gateway by name, with its version.
    pub gateway: String,
    /// The gatecrash that measured.
    pub gatecrash: String,
    /// When, RFC 3339.
    pub started: String,
    /// One row a condition.
    pub rows: Vec<Row>,
}

/// One condition.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Row {
    /// Its name.
    pub condition: String,
    /// Its group.
    pub group: String,
    /// Run id, for `gatecrash explain`.
    pub run: String,
    /// Why there are no cells: the gateway cannot be put under this condition, or did not start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skipped: Option<String>,
    /// What each operation saw.
    pub cells: Vec<Cell>,
    /// Requests sent after the condition had ended.
    pub after: u64,
    /// How many of those succeeded.
    pub recovered: u64,
    /// How the gateway died, if it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub died: Option<String>,
}

/// What one operation saw under one condition.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Cell {
    /// Operation.
    pub op: String,
    /// What clients saw, the most frequent first. Empty: the fault met no request of this operation.
    pub seen: Vec<Seen>,
}

/// One kind of outcome.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Seen {
    /// In short: `502`, `200 cut`, `200 corrupt`, `drop`, `hang`.
    pub outcome: String,
    /// How many requests.
    pub requests: u64,
    /// Most upstream tries of one of them, when they can be seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tries: Option<u32>,
    /// Median time to the end, milliseconds.
    pub millis: f64,
}

/// Outcomes below this share of a cell are noise: which request met a kept connection and which a fresh one.
const NOTABLE: f64 = 0.1;

impl Cell {
    /// The outcomes that count.
    fn notable(&self) -> impl Iterator<Item = &Seen> {
        let all: u64 = self.seen.iter().map(|s| s.requests).sum();
        self.seen.iter().filter(move |s| s.requests as f64 >= NOTABLE * all as f64)
    }
}
