//! Formats of a comparison: one format, one file, one line in the table.

mod github;
mod json;
mod junit;
mod markdown;
mod terminal;

use super::{Change, Changes, Ratio};
use crate::report::text::{clean, ratio};

/// One format.
#[derive(Clone, Copy, Debug)]
pub struct ChangeRenderer {
    /// Name on the command line.
    pub name: &'static str,
    /// One line.
    pub summary: &'static str,
    /// Renders a comparison, with ANSI colours or without.
    pub render: fn(&Changes, bool) -> Vec<u8>,
}

/// Every format, in the order of the reference.
pub const CHANGE_RENDERERS: &[ChangeRenderer] =
    &[terminal::RENDERER, json::RENDERER, junit::RENDERER, markdown::RENDERER, github::RENDERER];

/// A format by its name on the command line.
pub fn change_renderer(name: &str) -> Option<&'static ChangeRenderer> {
    CHANGE_RENDERERS.iter().find(|renderer| renderer.name == name)
}

impl Changes {
    /// `2 worse, 1 better` or `nothing changed beyond noise`, and how much was compared.
    pub fn summary(&self) -> String {
        let count = |word: &str| self.changes.iter().filter(|change| change.weight.word() == word).count();
        let words =
            [("WORSE", "worse"), ("WARN", "to look at"), ("BETTER", "better"), ("CHANGED", "changed")];
        let parts: Vec<_> = words
            .iter()
            .filter(|(word, _)| count(word) > 0)
            .map(|(word, text)| format!("{} {text}", count(word)))
            .collect();
        let found = if parts.is_empty() { "nothing changed beyond noise".into() } else { parts.join(", ") };
        let cases = if self.cases.len() == 1 { "case" } else { "cases" };
        let runs = |runs: usize| format!("{runs} run{}", if runs == 1 { "" } else { "s" });
        format!(
            "{found}: {} {cases}, {} of {} against {} of {}, {} latencies and rates",
            self.cases.len(),
            runs(self.is.runs),
            clean(&self.is.name),
            runs(self.was.runs),
            clean(&self.was.name),
            self.measured
        )
    }
}

impl Change {
    /// `resets: p99 slower: 31ms -> 52ms (1.68x, between 1.41x and 1.90x)`.
    fn sentence(&self) -> String {
        let place = self.phase.as_ref().map_or_else(String::new, |phase| format!("{}: ", clean(phase)));
        let mut text = format!(
            "{place}{} {}: {} -> {}",
            clean(&self.what),
            self.word,
            clean(&self.was),
            clean(&self.is)
        );
        if let Some(Ratio { of, low, high }) = self.ratio {
            let times = |value| ratio(Some(value));
            text.push_str(&format!(" ({}, between {} and {})", times(of), times(low), times(high)));
        }
        text
    }
}
