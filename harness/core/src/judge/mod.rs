//! Judging a run: each expectation over its window, guarded against vacuous verdicts.
//!
//! A check finds; the judge decides whether the finding may be believed. A known deviation of the gateway
//! turns a failure into an expected one; a failure that the machine's own starvation explains, and what a guard casts
//! doubt on, become "inconclusive".

mod cause;
mod deviation;
mod guards;
mod scope;
mod starvation;

use std::borrow::Cow;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};

use gatecrash_model::{Capabilities, Capability};

pub use cause::{Cause, cause_of, is_not_http, is_trickle};
pub use guards::{Delivery, deliveries};
pub(crate) use guards::{busy, held_back};
pub use scope::{Case, Scope};
pub use starvation::Stalls;

use crate::checks::{CheckInfo, CheckSpec, CrashFree, Rests};
use crate::explain;
use crate::history::History;
use crate::plan::{ExpectationPlan, Plan, Severity};
use crate::profile::Profile;
use crate::report::GuardNote;
use crate::rules::Matcher;
use crate::verdict::{Finding, Outcome, Verdict};
use deviation::Excuse;
use guards::Guards;

/// Client requests above which another thread saves more time than it costs.
const WORTH_A_THREAD: usize = 50_000;

/// What became of a run.
#[derive(Clone, PartialEq, Debug)]
pub struct Judgement {
    /// One verdict per expectation, in order.
    pub verdicts: Vec<Verdict>,
    /// Guards that spoke.
    pub guards: Vec<GuardNote>,
    /// The worst that an expectation of severity `error`, or the gateway's death, makes of it.
    pub outcome: Outcome,
}

/// Judges a run. For strict mode, hand in [`Profile::without_deviations`].
pub fn judge_run(plan: &Plan, profile: &Profile, history: &History) -> Judgement {
    judge_case(&Case::new(plan, profile, history))
}

/// The plan with what goes without saying, where that decides: a gateway whose process died by itself fails
/// `crash-free`, whether the scenario expects it of the whole run or not.
pub fn with_survival<'a>(plan: &'a Plan, history: &History) -> Cow<'a, Plan> {
    let asked = |e: &ExpectationPlan| {
        let whole = e.phase.is_none() && e.matcher == Matcher::default() && e.severity == Severity::Error;
        whole && matches!(e.check, CheckSpec::CrashFree(_))
    };
    if !has_died(history) || plan.expectations.iter().any(asked) {
        return Cow::Borrowed(plan);
    }
    let mut plan = plan.clone();
    plan.expectations.push(ExpectationPlan {
        name: "crash-free (implied)".into(),
        phase: None,
        after: None,
        before: None,
        matcher: Matcher::default(),
        check: CheckSpec::CrashFree(CrashFree {}),
        severity: Severity::Error,
        because: Some("no scenario has to say that the gateway's process must survive".into()),
        min_samples: None,
        runbook: None,
        line: 0,
    });
    Cow::Owned(plan)
}

/// The same for a run that is joined already.
pub fn judge_case(case: &Case<'_>) -> Judgement {
    let guards = Guards::of(case);
    let verdicts = verdicts(case, &guards);
    let mut notes = guards.notes;
    notes.extend(deviation::stopped(case, &verdicts));
    let outcome = outcome(case.plan, case.history, &verdicts);
    Judgement { verdicts, guards: notes, outcome }
}

/// The verdicts in order, worked out by as many threads as there are cores where the run is long: each expectation is
/// judged on its own.
fn verdicts(case: &Case<'_>, guards: &Guards) -> Vec<Verdict> {
    let cores = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let threads = if case.history.clients.len() < WORTH_A_THREAD { 1 } else { cores };
    let next = AtomicUsize::new(0);
    let judge_some = || {
        let numbers = std::iter::from_fn(|| Some(next.fetch_add(1, Ordering::Relaxed)));
        let expectations = numbers.map_while(|n| Some((n as u32, case.plan.expectations.get(n)?)));
        expectations.map(|(n, expectation)| verdict(case, guards, n, expectation)).collect::<Vec<_>>()
    };
    let mut verdicts = std::thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(judge_some)).collect();
        let mut all = judge_some();
        for other in others {
            all.extend(other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        }
        all
    });
    verdicts.sort_by_key(|verdict| verdict.expectation);
    verdicts
}

fn verdict(case: &Case<'_>, guards: &Guards, index: u32, expectation: &ExpectationPlan) -> Verdict {
    let info = expectation.check.info();
    let (finding, deviation) = match case.scope(expectation) {
        None => (Finding::inconclusive("", 0, "its phase never began"), None),
        Some(scope) => judge(guards, expectation, info, &scope),
    };
    let likely = (finding.outcome == Outcome::Fail)
        .then(|| explain::likely_cause_of(case.plan, case.history, &case.join, &finding.exemplars))
        .flatten();
    Verdict {
        expectation: index,
        outcome: finding.outcome,
        observed: finding.observed,
        wanted: finding.wanted,
        samples: finding.samples,
        violations: finding.violations,
        details: finding.details,
        exemplars: finding.exemplars.iter().map(ToString::to_string).collect(),
        likely,
        deviation,
    }
}

fn judge(
    guards: &Guards,
    expectation: &ExpectationPlan,
    info: CheckInfo,
    scope: &Scope<'_>,
) -> (Finding, Option<String>) {
    if let Some(missing) = scope.missing(info.needs) {
        return (Finding::inconclusive("", 0, format!("this run could not observe: {missing}")), None);
    }
    let finding = expectation.check.judge(scope);
    let excuse = (finding.outcome == Outcome::Fail)
        .then(|| deviation::excuse(&expectation.check, scope, &finding))
        .flatten();
    let (finding, deviation) = match excuse {
        Some(Excuse::Whole(what)) => (Finding { outcome: Outcome::Pass, ..finding }, Some(what)),
        Some(Excuse::Part(rest)) => (rest, None),
        None => (finding, None),
    };
    let starved = (finding.outcome == Outcome::Fail)
        .then(|| starvation::excuse(&expectation.check, info, scope))
        .flatten();
    if let Some(reason) = starved {
        return (finding.doubted(reason, false), None);
    }
    let doubt = guards.doubt(expectation, info, scope).find(|d| match finding.outcome {
        Outcome::Pass => true,
        Outcome::Fail => d.over_failures,
        Outcome::Inconclusive => false,
    });
    match doubt {
        Some(doubt) => (finding.doubted(doubt.reason, deviation.is_some()), None),
        None => (finding, deviation),
    }
}

fn outcome(plan: &Plan, history: &History, verdicts: &[Verdict]) -> Outcome {
    let is_error = |v: &&Verdict| plan.expectations[v.expectation as usize].severity == Severity::Error;
    let any = |outcome| verdicts.iter().filter(is_error).any(|v| v.outcome == outcome);
    match () {
        () if any(Outcome::Fail) || has_died(history) => Outcome::Fail,
        () if any(Outcome::Inconclusive) => Outcome::Inconclusive,
        () => Outcome::Pass,
    }
}

/// Whether the gateway's process ended by itself, where it was watched.
fn has_died(history: &History) -> bool {
    let watched = history.capabilities.missing(Capabilities::of(&[Capability::Process])).next().is_none();
    watched && history.gateway_deaths().next().is_some()
}

impl Finding {
    /// The same numbers, which may not be believed, and why.
    fn doubted(self, reason: String, deviates: bool) -> Self {
        let holds = match self.outcome {
            Outcome::Pass if deviates => "a known deviation",
            Outcome::Pass => "holds",
            _ => "does not hold",
        };
        let said = format!("without that: {} ({holds})", self.observed);
        let mut details = vec![reason, said];
        details.extend(self.details);
        Self { outcome: Outcome::Inconclusive, details, ..self }
    }
}

impl CheckInfo {
    fn rests_on_rates(&self) -> bool {
        matches!(self.rests, Rests::OnRates | Rests::OnTimes | Rests::OnLeftovers)
    }
}

#[cfg(test)]
mod tests;
