//! From T0 to the last response: timeline, load, samples and guards side by side.

use std::sync::Arc;
use std::time::Duration;

use gatecrash_core::plan::Plan;
use gatecrash_load::{EvidenceBudget, LiveCounters, Load, LoadError, LoadSummary, Setup, run_load};
use tokio::sync::watch;
use tokio::task::{JoinError, JoinHandle};

use super::stalls::Stalls;
use super::watch::Watch;
use super::{Stop, StopLine, disk_failure};
use crate::clock::RunClock;
use crate::exit::{Exit, Failure};
use crate::live::Live;
use crate::recorder::Recorder;
use crate::timeline;
use crate::topology::{Ground, Topology, journeys, load};

/// How long requests under way may take to end once a run is stopped.
const GRACE: Duration = Duration::from_secs(1);

type LoadResult = Result<LoadSummary, LoadError>;

/// Drives a case that has started. Returns why it ended before its plan, if it did.
pub(super) async fn drive(
    plan: &Plan,
    topology: &mut Topology,
    ground: &Ground,
    clock: &RunClock,
    recorder: &Recorder,
    live: &Live,
    line: &StopLine,
) -> Result<Option<Stop>, Failure> {
    let load = load(plan, topology, ground)?;
    let (brake, counters) = (load.stop.clone(), Arc::clone(&load.live));
    let gateway = Arc::clone(&topology.gateway);
    let (phase, phase_now) = watch::channel(None);
    let mut watch = Watch::new(plan, recorder, clock, live, &counters, phase_now, &gateway);

    clock.set_zero();
    let stalls =
        Stalls::watch(plan, Arc::clone(&ground.clock), Arc::clone(&ground.sink), Arc::clone(&gateway));
    let mut driver = tokio::task::spawn_blocking(move || run_load(load));
    let work = async {
        let timeline = timeline::walk(plan, topology, clock, recorder, &phase);
        let load = async { loaded((&mut driver).await) };
        tokio::try_join!(timeline, load).err()
    };
    let mut stop = tokio::select! {
        ended = work => ended,
        stop = watch.until_stop(line) => Some(stop),
    };
    if stop.is_some() {
        let worse = wind_down(&brake, &mut driver).await;
        stop = worse.or(stop);
    }
    drop(stalls);
    watch.note_death();
    live.clear();
    match recorder.failure() {
        Some(failure) => Err(disk_failure(failure)),
        None => Ok(stop),
    }
}

fn load(plan: &Plan, topology: &Topology, ground: &Ground) -> Result<Load, Failure> {
    let mut workloads = load::workloads(plan, &topology.signers()).map_err(Failure::usage)?;
    journeys::report_into(topology.dir(), &mut workloads);
    Ok(Load {
        setup: Setup {
            target: topology.target(),
            run: ground.run,
            clock: Arc::clone(&ground.clock),
            sink: Arc::clone(&ground.sink),
            pool: Arc::clone(&ground.pool),
            needles: topology.gateway.needles.clone().into(),
            evidence: EvidenceBudget::default(),
        },
        workloads,
        threads: 1,
        stop: gatecrash_load::Stop::default(),
        live: Arc::new(LiveCounters::default()),
    })
}

/// Ends a load that still runs; says so when it was broken anyway.
async fn wind_down(brake: &gatecrash_load::Stop, driver: &mut JoinHandle<LoadResult>) -> Option<Stop> {
    if driver.is_finished() {
        return None;
    }
    brake.drain();
    let ended = match tokio::time::timeout(GRACE, &mut *driver).await {
        Ok(ended) => ended,
        Err(_) => {
            brake.abort();
            driver.await
        }
    };
    loaded(ended).err()
}

fn loaded(ended: Result<LoadResult, JoinError>) -> Result<(), Stop> {
    match ended {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(Stop { exit: Exit::Environment, why: error.to_string() }),
        Err(panic) => Err(Stop { exit: Exit::Bug, why: format!("the load generator panicked: {panic}") }),
    }
}
