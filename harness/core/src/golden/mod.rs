//! Hand-written histories for tests and benches: a [`Story`] of a few requests, told in milliseconds.
//!
//! A story is a plan with one workload, a region or two, faults with recorded edges, and requests with the
//! tries they caused. What is not said is what a healthy gateway does.

mod multipart;
mod request;
mod story;
mod versions;

pub use request::{Request, Stored, Try};
pub use story::Story;

use crate::checks::CheckSpec;
use crate::judge::judge_run;
use crate::plan::{ExpectationPlan, Severity};
use crate::rules::Matcher;
use crate::verdict::{Outcome, Verdict};

/// One story with the verdict that one check must reach on it.
#[derive(Debug)]
pub struct Golden {
    /// What happens in it.
    pub what: &'static str,
    /// The verdict.
    pub outcome: Outcome,
    /// The check.
    pub check: CheckSpec,
    /// The story.
    pub story: Story,
}

// === impl Golden ===

impl Golden {
    /// The check holds.
    pub fn pass(what: &'static str, check: impl Into<CheckSpec>, story: Story) -> Self {
        Self { what, outcome: Outcome::Pass, check: check.into(), story }
    }

    /// The check does not hold.
    pub fn fail(what: &'static str, check: impl Into<CheckSpec>, story: Story) -> Self {
        Self { what, outcome: Outcome::Fail, check: check.into(), story }
    }

    /// Nothing can be said.
    pub fn inconclusive(what: &'static str, check: impl Into<CheckSpec>, story: Story) -> Self {
        Self { what, outcome: Outcome::Inconclusive, check: check.into(), story }
    }

    /// Judges the story as a run is judged.
    pub fn verdict(&self) -> Verdict {
        let mut story = self.story.clone();
        story.plan.expectations = vec![expectation(self.check.clone())];
        let judgement = judge_run(&story.plan, &story.profile, &story.history);
        judgement.verdicts.into_iter().next().expect("one verdict for one expectation")
    }
}

/// An expectation over the whole run.
pub fn expectation(check: CheckSpec) -> ExpectationPlan {
    ExpectationPlan {
        name: check.info().name.into(),
        phase: None,
        after: None,
        before: None,
        matcher: Matcher::default(),
        check,
        severity: Severity::Error,
        because: None,
        min_samples: None,
        runbook: None,
        line: 1,
    }
}
