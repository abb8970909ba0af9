//! Journeys in the load generator's terms.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use gatecrash_core::plan::{ClosedPlan, JourneyPlan, Plan, StepPlan, WorkloadPlan};
use gatecrash_load::workload::ByteRange;
use gatecrash_load::{Journey, Journeys, Stage, Step, Workload};

use crate::exit::Failure;

/// Refuses journeys that nobody here can walk, before anything is started.
pub fn walkable(plan: &Plan) -> Result<(), Failure> {
    let with = plan.workloads.iter().find_map(|w| w.journeys.as_ref().map(|journeys| (w, journeys)));
    let Some((workload, journeys)) = with else { return Ok(()) };
    #[cfg(not(feature = "goose"))]
    {
        let _ = journeys;
        Err(Failure::usage(format!("workload {} has journeys, and this gatecrash was built without goose", workload.name))
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
        stages: stages(closed),
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
        StepPlan::Head => Step::Head,
        StepPlan::Get => Step::Get,
        StepPlan::Range(first, last) => Step::Range(ByteRange { first, last }),
        StepPlan::List => Step::List,
        StepPlan::Delete => Step::Delete,
    }
}

/// From stretches with a number of users at both ends to changes, each from the end of the one before.
fn stages(closed: &ClosedPlan) -> Vec<Stage> {
    let mut stages: Vec<Stage> = Vec::new();
    for stretch in &closed.stages {
        if stages.last().map_or(0, |last| last.users) != stretch.users {
            stages.push(Stage { users: stretch.users, over: Duration::ZERO });
        }
        let over = Duration::from_nanos(stretch.until.0 - stretch.from.0);
        stages.push(Stage { users: stretch.to.unwrap_or(stretch.users), over });
    }
    // The last one lasts until the end of the timeline, which goose is told by whistle.
    if let Some(last) = stages.last_mut().filter(|last| last.users > 0) {
        last.over += Duration::from_secs(3600);
    }
    stages
}

#[cfg(test)]
mod tests {
    use super::*;
    use gatecrash_core::plan::{ThinkPlan, UsersPlan};
    use gatecrash_core::units::Span;

    #[test]
    fn stretches_become_changes() {
        let stretch = |from, until, users, to| UsersPlan {
            from: Span::seconds(from),
            until: Span::seconds(until),
            users,
            to,
        };
        let closed = ClosedPlan {
            stages: vec![stretch(0, 2, 0, Some(8)), stretch(2, 5, 8, None), stretch(5, 9, 3, None)],
            think: ThinkPlan::Constant(Span(0)),
        };
        let stages: Vec<_> =
            stages(&closed).iter().map(|stage| (stage.users, stage.over.as_secs())).collect();
        assert_eq!(stages, [(8, 2), (8, 3), (3, 0), (3, 3604)]);
    }
}
