//! Journeys in the load generator's terms.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use gatecrash_core::plan::{ClosedPlan, JourneyPlan, Plan, StepPlan, WorkloadPlan};
use gatecrash_core::units::Span;
use gatecrash_load::journey::{Journey, Step};
use gatecrash_load::{Change, Journeys, Parts, Workload};

use super::load::range;
use crate::exit::Failure;

/// Refuses journeys that nobody here can walk, before anything is started.
pub fn walkable(plan: &Plan) -> Result<(), Failure> {
    let with = plan.workloads.iter().find_map(|w| w.journeys.as_ref().map(|journeys| (w, journeys)));
    let Some((workload, journeys)) = with else { return Ok(()) };
    #[cfg(not(feature = "goose"))]
    {
        let _ = journeys;
        Err(Failure::usage(format!(
            "workload {} has journeys, and this gatecrash was built without goose",
            workload.name
        ))
        .hint("build it with `cargo build --release --features goose`"))
    }
    #[cfg(feature = "goose")]
    gatecrash_load::goose::check_thresholds(&journeys.thresholds).map_err(|why| {
        Failure::usage(format!("workload {}: goose does not understand a threshold: {why}", workload.name))
            .hint("such as `p95<500ms`, `error-rate<1%`, or `p95<500ms for GET GetObject`")
    })
}

/// The journeys of a workload.
pub(super) fn journeys(plan: &Plan, workload: &WorkloadPlan) -> Option<Journeys> {
    let (journeys, closed) = (workload.journeys.as_ref()?, workload.closed.as_ref()?);
    Some(Journeys {
        each: journeys.each.iter().map(journey).collect(),
        changes: changes(closed),
        until: plan.length().duration(),
        thresholds: journeys.thresholds.clone(),
        reports: None,
    })
}

/// Has the engines of journeys put their own reports into the folder of the run.
pub fn report_into(run: &Path, workloads: &mut [Arc<Workload>]) {
    // Nobody else holds workloads that were made just now.
    for workload in workloads.iter_mut().filter_map(Arc::get_mut) {
        if let Some(journeys) = &mut workload.journeys {
            journeys.reports = Some(run.join("goose"));
        }
    }
}

fn journey(plan: &JourneyPlan) -> Journey {
    Journey {
        name: plan.name.clone(),
        weight: plan.weight,
        think: (plan.think.duration(), plan.think.duration()),
        steps: plan.steps.iter().map(step).collect(),
    }
}

fn step(plan: &StepPlan) -> Step {
    match *plan {
        StepPlan::Put => Step::Put,
        StepPlan::Multipart(parts) => Step::Multipart(Parts { count: parts.count, size: parts.size.0 }),
        StepPlan::Head => Step::Head,
        StepPlan::Get => Step::Get,
        StepPlan::Range(part) => Step::Range(range(part)),
        StepPlan::List => Step::List,
        StepPlan::Delete => Step::Delete,
    }
}

/// From stretches with a number of users at both ends to changes, each from the end of the one before.
fn changes(closed: &ClosedPlan) -> Vec<Change> {
    let mut changes: Vec<Change> = Vec::new();
    for stretch in &closed.stages {
        if changes.last().map_or(0, |last| last.users) != stretch.users {
            changes.push(Change { users: stretch.users, over: Duration::ZERO });
        }
        // Goose counts whole seconds; edges are cut, not lengths, so that no later change moves.
        let over = Duration::from_secs(second(stretch.until) - second(stretch.from));
        changes.push(Change { users: stretch.to.unwrap_or(stretch.users), over });
    }
    // The last one lasts until the end of the timeline, which goose is told by whistle.
    if let Some(last) = changes.last_mut().filter(|last| last.users > 0) {
        last.over += Duration::from_secs(3600);
    }
    changes
}

fn second(at: Span) -> u64 {
    at.0 / 1_000_000_000
}

#[cfg(test)]
mod tests {
    use super::*;
    use gatecrash_core::plan::{ThinkPlan, UsersPlan};

    #[test]
    fn stretches_become_changes() {
        let stretch = |from, until, users, to| UsersPlan {
            from: Span::millis(from),
            until: Span::millis(until),
            users,
            to,
        };
        let closed = ClosedPlan {
            stages: vec![
                stretch(0, 2_000, 0, Some(8)),
                stretch(2_000, 3_500, 8, None),
                stretch(3_500, 5_000, 8, None),
                stretch(5_000, 9_000, 3, None),
            ],
            think: ThinkPlan::Constant(Span(0)),
        };
        let changes: Vec<_> =
            changes(&closed).iter().map(|change| (change.users, change.over.as_secs())).collect();
        assert_eq!(changes, [(8, 2), (8, 1), (8, 2), (3, 0), (3, 3604)]);
    }
}
