//! Outcomes of cases, and the confusion matrix.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

/// What "cannot tell" is called in the matrix.
pub(super) const CANNOT_TELL: &str = "cannot tell";

/// One case.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Outcome {
    /// What was injected.
    pub cause: String,
    /// Number of the case.
    pub case: u32,
    /// How it was injected.
    pub how: String,
    /// What was named, the likeliest first; `healthy` or `cannot tell` alone.
    pub named: Vec<String>,
    /// What the first one rests on.
    pub evidence: Vec<String>,
    /// Seconds the probes took.
    pub took: f64,
}

/// Counts over cases.
pub(super) struct Sum {
    cases: usize,
    answered: usize,
    right: usize,
}

// === impl Outcome ===

impl Outcome {
    /// What was named first.
    pub fn first(&self) -> &str {
        self.named.first().map_or(CANNOT_TELL, String::as_str)
    }

    pub(super) fn line(&self) -> String {
        let mark = if self.first() == self.cause { "" } else { "  <-- " };
        let Self { cause, case, how, took, .. } = self;
        format!("{cause} {case} ({took:.1} s): {}{mark}  [{}]", self.first(), how.replace('\n', " "))
    }
}

// === impl Sum ===

impl Sum {
    pub(super) fn of(outcomes: &[Outcome]) -> Self {
        let answered = outcomes.iter().filter(|o| o.first() != CANNOT_TELL);
        let right = answered.clone().filter(|o| o.first() == o.cause).count();
        Self { cases: outcomes.len(), answered: answered.count(), right }
    }

    /// Of the cases that were answered.
    pub(super) fn right(&self) -> f64 {
        self.right as f64 / self.answered.max(1) as f64
    }

    pub(super) fn unanswered(&self) -> f64 {
        (self.cases - self.answered) as f64 / self.cases.max(1) as f64
    }
}

/// The table: injected cause, cases, named first, cannot tell, what was named instead.
pub(super) fn markdown(outcomes: &[Outcome]) -> String {
    let mut out = String::from(
        "| injected | cases | named first | cannot tell | something else first |\n|---|---|---|---|---|\n",
    );
    let mut causes: Vec<&str> = Vec::new();
    for outcome in outcomes {
        if !causes.contains(&outcome.cause.as_str()) {
            causes.push(&outcome.cause);
        }
    }
    for cause in causes {
        let of: Vec<_> = outcomes.iter().filter(|o| o.cause == cause).collect();
        let mut others = BTreeMap::new();
        for outcome in of.iter().filter(|o| o.first() != cause && o.first() != CANNOT_TELL) {
            *others.entry(outcome.first()).or_insert(0) += 1;
        }
        let others: Vec<_> = others.iter().map(|(name, count)| format!("{name} {count}")).collect();
        let right = of.iter().filter(|o| o.first() == cause).count();
        let silent = of.iter().filter(|o| o.first() == CANNOT_TELL).count();
        let _ = writeln!(out, "| {cause} | {} | {right} | {silent} | {} |", of.len(), others.join(", "));
    }
    let sum = Sum::of(outcomes);
    let _ = writeln!(
        out,
        "\n{} of {} answered cases name the injected cause first ({:.1} %); {} of {} cannot tell ({:.1} %).",
        sum.right,
        sum.answered,
        sum.right() * 100.0,
        sum.cases - sum.answered,
        sum.cases,
        sum.unanswered() * 100.0
    );
    out
}

/// The table as a page of its own.
pub(super) fn page(table: &str) -> String {
    format!(
        "# How often the diagnosis is right\n\n\
         Measured with gatecrash {} by `gatecrash diagnose --measure`, which injects each seed cause of a 502 into the\n\
         reference gateway, the mock S3 and the links between, by faults of scenario files, with another seed, another\n\
         kind and another strength in each case: always, or for a share of the attempts. Which fault stands for which\n\
         cause: `harness/src/diagnose/measure/injections.rs`. What the causes mean: [diagnose](diagnose.md).\n\n{table}",
        env!("CARGO_PKG_VERSION")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_is_no_answer_and_no_right_one() {
        let outcome = |cause: &str, first: &str| Outcome {
            cause: cause.into(),
            case: 0,
            how: String::new(),
            named: vec![first.into()],
            evidence: Vec::new(),
            took: 0.0,
        };
        let all = [outcome("a", "a"), outcome("a", "b"), outcome("b", CANNOT_TELL), outcome("b", "b")];
        let sum = Sum::of(&all);
        assert!((sum.right() - 2.0 / 3.0).abs() < 1e-9 && (sum.unanswered() - 0.25).abs() < 1e-9);
        let table = markdown(&all);
        assert!(
            table.contains("| a | 2 | 1 | 0 | b 1 |") && table.contains("| b | 2 | 1 | 1 |  |"),
            "{table}"
        );
    }
}
