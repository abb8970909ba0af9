//! The users of journeys: beside the threads of the schedules, on the one that asked for the load.

use super::{Done, LoadError, Shared};

/// Walks the journeys of the workload that has some, to their end, as number `thread` of the load's threads. Without such
/// a workload there is nothing to do.
pub(super) fn walk(shared: &Shared, thread: usize) -> Result<Done, LoadError> {
    let mut with = shared.workloads.iter().filter_map(|w| w.journeys.as_ref().map(|j| (w, j)));
    let Some((workload, journeys)) = with.next() else { return Ok(Done::default()) };
    let failed = |why: String| LoadError::Journeys(workload.name.clone(), why);
    if let Some((other, _)) = with.next() {
        return Err(failed(format!("{} has journeys, too; there may be one such workload", other.name)));
    }
    walked(shared, thread, workload, journeys).map_err(|why| {
        // The rest of the load is of no use without it.
        shared.stop.drain();
        failed(why)
    })
}

#[cfg(feature = "goose")]
fn walked(
    shared: &Shared,
    thread: usize,
    workload: &std::sync::Arc<crate::Workload>,
    journeys: &crate::Journeys,
) -> Result<Done, String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|e| e.to_string())?;
    let (session, live, stop) = (&shared.session, &shared.live, &shared.stop);
    let walk = async {
        shared.measure(thread);
        crate::goose::walk(session, workload, journeys, live, stop).await
    };
    let walked = runtime.block_on(walk).map_err(|e| e.to_string())?;
    session.setup().sink.event(gatecrash_model::Event::Journeys {
        workload: workload.index,
        counts: walked.counts,
        thresholds: walked.thresholds,
    });
    Ok(Done { arrivals: walked.begun, abandoned: walked.abandoned, ..Done::default() })
}

#[cfg(not(feature = "goose"))]
fn walked(
    _: &Shared,
    _: usize,
    _: &std::sync::Arc<crate::Workload>,
    _: &crate::Journeys,
) -> Result<Done, String> {
    Err("this gatecrash was built without goose; build it with --features goose".to_owned())
}
