//! The result of one case, out of the trials that a history kept: the search is walked through again, so that a stored
//! run says the same as the live one.

use gatecrash_model::{Event, Nanos, TrialOutcome, TrialPurpose, TrialRecord};

use super::{Bounds, Class, Ended, Goal, Outcome, Search, Step, Trial, classify};
use crate::checks::CheckSpec;
use crate::faults::Host;
use crate::history::History;
use crate::plan::{CapacityPlan, Plan, SearchPlan};
use crate::stats::required_samples;
use crate::units::Share;

/// Most trials of one search; time ends it long before.
const MOST_TRIALS: u32 = 1000;

/// What became of the search of one case.
#[derive(Clone, Debug)]
pub struct CaseResult {
    /// The bounds, as far as they were confirmed.
    pub bounds: Bounds,
    /// Every trial, in order.
    pub trials: Vec<TrialRecord>,
    /// Why the search was given up before its end, if it was.
    pub stopped: Option<String>,
    /// Faults of the case that strike exchange by exchange, and never did.
    pub unfired: Vec<String>,
    goal: Goal,
}

// === impl CaseResult ===

impl CaseResult {
    /// Reads it off a history. `None` where the case never began or is no case of a capacity scenario.
    pub fn of(of: &Plan, history: &History, phase: u16) -> Option<Self> {
        let plan = of.capacity.as_ref()?;
        history.phase_window(phase)?;
        let trials: Vec<TrialRecord> = history.trials().filter(|t| t.phase == phase).cloned().collect();
        let stopped = history.events.iter().find_map(|e| match e {
            Event::SearchStopped { phase: of, why } if *of == phase => Some(why.clone()),
            _ => None,
        });
        let goal = goal(plan);
        let mut search = Search::new(goal.clone()).ok()?;
        for trial in trials.iter().filter(|t| t.purpose != TrialPurpose::Overload) {
            search.record(as_trial(trial));
        }
        let bounds = match (search.next(), plan.search.is_some(), stopped.is_some()) {
            (Step::Done(bounds), true, _) => bounds,
            // Rates that somebody asked for are no search: what they show is the bounds, and that is all.
            (_, false, false) if decided(&search) => Bounds { ended: Ended::Converged, ..search.so_far() },
            _ => Bounds { ended: ended_so_far(&search), ..search.so_far() },
        };
        let unfired = unfired(of, phase, &trials);
        Some(Self { bounds, trials, stopped, unfired, goal })
    }

    /// The highest rate that is carried, requests per second.
    pub fn lower(&self) -> Option<f64> {
        self.bounds.lower.as_ref().map(|bound| bound.rate)
    }

    /// The lowest rate that is not.
    pub fn upper(&self) -> Option<f64> {
        self.bounds.upper.as_ref().map(|bound| bound.rate)
    }

    /// What the trials say of a rate: it is carried where a rate at or above it is, and not where one at or below it is
    /// not.
    pub fn class_of(&self, rate: f64) -> Class {
        let holds = |class: Class, fits: fn(f64, f64) -> bool| {
            self.bounds.loads.iter().any(|load| load.class == class && fits(load.rate, rate))
        };
        if !self.unfired.is_empty() {
            return Class::Undecided;
        }
        let carried = self.bounds.lower.as_ref().is_some_and(|lower| lower.rate >= rate);
        match () {
            () if carried => Class::Lower,
            () if holds(Class::Upper, |load, rate| load <= rate) => Class::Upper,
            // Above the bounds a rate may pass by chance (loss inversion): only what lies below them is believed.
            () => Class::Undecided,
        }
    }

    /// Why it cannot be told, for an undecided rate: the reason of the last discarded trial, or why the search ended.
    pub fn doubt(&self) -> String {
        if let Some(why) = &self.stopped {
            return why.clone();
        }
        if let Some(fault) = self.unfired.first() {
            return format!("the fault {fault} never fired");
        }
        let discarded = self.trials.iter().rev().find_map(|t| match &t.outcome {
            TrialOutcome::Discarded { why } => Some(why.clone()),
            _ => None,
        });
        match (&self.bounds.ended, discarded) {
            (Ended::GeneratorLimited(why), _) => format!("the harness was the limit: {why}"),
            (_, Some(why)) => format!("trials had to be discarded: {why}"),
            (Ended::TimeUp, None) => "the time of the case was over before it was decided".into(),
            _ => "it lies between the two bounds".into(),
        }
    }

    /// The trials at one rate, overload apart, and what they say together.
    pub fn class_at(&self, rate: f64) -> Class {
        let here = self.trials.iter().filter(|t| t.rate == rate && t.purpose != TrialPurpose::Overload);
        classify(&self.goal, &here.map(as_trial).collect::<Vec<_>>())
    }
}

/// Faults of a case that a link or the mock carries out on single exchanges, and that never fired in its trials.
fn unfired(plan: &Plan, phase: u16, trials: &[TrialRecord]) -> Vec<String> {
    let Some(window) = plan.phases.get(usize::from(phase)).filter(|_| plan.guards.fault_fired) else {
        return Vec::new();
    };
    let fired =
        |index: usize| trials.iter().flat_map(|t| &t.fired).any(|(fault, _)| usize::from(*fault) == index);
    let faults =
        plan.faults.iter().enumerate().filter(|(_, f)| window.from <= f.from && f.from < window.until);
    let single = faults.filter(|(_, f)| matches!(f.spec.info().host, Host::Link | Host::Mock));
    single.filter(|(index, _)| !trials.is_empty() && !fired(*index)).map(|(_, f)| f.name.clone()).collect()
}

/// The goal of a search.
pub fn goal(plan: &CapacityPlan) -> Goal {
    let any = SearchPlan {
        from: crate::units::Rate(1.0),
        to: crate::units::Rate(1e6),
        grow: 2.0,
        precision: crate::units::Share(0.05),
    };
    let SearchPlan { from, to, grow, precision } = plan.search.unwrap_or(any);
    // A deciding trial is never shorter than a coarse one.
    let trial_final = plan.confirm.0.max(plan.measure.0);
    Goal {
        from: from.0,
        to: to.0,
        grow,
        trial_initial: plan.measure.0,
        trial_final,
        duration_sum: trial_final.saturating_mul(u64::from(plan.times)),
        requests: requests(plan),
        coarse_requests: least_requests(plan),
        exceed: plan.exceed.0,
        width: precision.0,
        max_trials: MOST_TRIALS,
        max_time: plan.within.0,
    }
}

/// The requests that a deciding trial offers at least: ten that may be on the wrong side of a share, or bursts of few
/// would decide.
fn requests(plan: &CapacityPlan) -> u32 {
    let share = |share: Option<Share>| share.map_or(0, |min| required_samples(min.0.min(0.9999)));
    let resolving = plan.slo.iter().map(|clause| match clause {
        CheckSpec::SuccessRate(rate) => share(rate.min),
        CheckSpec::Goodput(goodput) => share(goodput.of_offered),
        _ => 0,
    });
    u32::try_from(resolving.max().unwrap_or(0)).unwrap_or(u32::MAX).max(least_requests(plan))
}

/// The requests without which a clause says nothing at all: those of its quantiles, and a few more, since not all of them
/// succeed.
fn least_requests(plan: &CapacityPlan) -> u32 {
    let needed = plan.slo.iter().map(|clause| match clause {
        CheckSpec::Latency(latency) => {
            latency.limits().map(|(q, _)| required_samples(q) * 23 / 20).max().unwrap_or(0)
        }
        _ => 0,
    });
    u32::try_from(needed.max().unwrap_or(0).max(50)).unwrap_or(u32::MAX)
}

/// A kept trial in the terms of the search.
pub fn as_trial(record: &TrialRecord) -> Trial {
    Trial {
        rate: record.rate,
        duration: duration(record),
        spent: record.spent,
        goodput: record.goodput(),
        outcome: match &record.outcome {
            TrialOutcome::Good => Outcome::Good,
            TrialOutcome::Bad { clause, .. } => Outcome::Bad(clause.clone()),
            TrialOutcome::Discarded { why } => Outcome::Discarded(why.clone()),
        },
    }
}

fn duration(record: &TrialRecord) -> Nanos {
    record.until.saturating_sub(record.from)
}

/// Whether every rate that was tried has its class.
fn decided(search: &Search) -> bool {
    let loads = search.so_far().loads;
    !loads.is_empty() && loads.iter().all(|load| load.class != Class::Undecided)
}

/// How a search that was not walked to its end would be called.
fn ended_so_far(search: &Search) -> Ended {
    match search.next() {
        Step::Done(Bounds { ended: limited @ Ended::GeneratorLimited(_), .. }) => limited,
        _ => Ended::TimeUp,
    }
}
