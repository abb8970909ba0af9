//! The search for capacity: each case with a topology of its own that stays up for all of its trials.
//!
//! case -> topology, faults on -> (rate offered -> judged -> calm again) until the search is done -> overload -> down.
//! What a trial showed is one event in the history; the rest follows from these alone.

use std::sync::Arc;

use gatecrash_core::plan::{CapacityPlan, Plan};
use gatecrash_core::profile::Profile;
use gatecrash_core::units::Span;
use gatecrash_model::{Capabilities, Clock, Event, RunId, Sink};

use crate::clock::RunClock;
use crate::exit::{Exit, Failure};
use crate::live::Live;
use crate::recorder::Recorder;
use crate::run::{Options, Stop, StopLine, asked};
use crate::run_dir::RunDir;
use crate::topology::{Ground, Topology};

mod offer;
mod search;
mod sink;

use offer::stuck;
use search::Searching;
use sink::TrialSink;

/// What all cases of a search share.
pub(crate) struct Survey<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) capacity: &'a CapacityPlan,
    pub(crate) options: &'a Options,
    pub(crate) dir: &'a RunDir,
    pub(crate) run: RunId,
    pub(crate) clock: &'a Arc<RunClock>,
    pub(crate) recorder: &'a Arc<Recorder>,
    pub(crate) live: &'a Live,
    pub(crate) stop: &'a StopLine,
}

/// What is known of the gateway once it runs.
pub(crate) struct Met {
    pub(crate) profile: Profile,
    pub(crate) capabilities: Capabilities,
    pub(crate) version: String,
}

impl Survey<'_> {
    /// Searches case after case. Returns why it ended before the last one, if it did. `met` is told of the gateway
    /// before the first trial.
    pub(crate) async fn search(
        &self,
        ground: &Ground,
        mut met: impl FnMut(Met) -> Result<(), Failure>,
    ) -> Result<Option<Stop>, Failure> {
        let sink = Arc::new(TrialSink::new(Arc::clone(self.recorder)));
        let ground = Ground { sink: Arc::clone(&sink) as Arc<dyn Sink>, ..ground.clone() };
        let mut next = Vec::new();
        self.clock.set_zero();
        let wanted = |phase: &u16| self.capacity.only.is_empty() || self.capacity.only.contains(phase);
        for phase in (0..self.plan.phases.len() as u16).filter(wanted) {
            let place = self.dir.path().join(format!("case-{}", self.plan.phases[usize::from(phase)].name));
            std::fs::create_dir_all(&place)
                .map_err(|e| Failure::environment(format!("cannot make {}: {e}", place.display())))?;
            let mut topology = Topology::start(self.plan, &ground, &place, self.options, self.stop).await?;
            let capabilities = crate::run::seen(self.plan, topology.gateway.capabilities);
            let stop = match met(Met {
                profile: topology.gateway.profile.clone(),
                capabilities,
                version: topology.gateway.version.clone(),
            }) {
                Ok(()) => self.case(phase, &mut topology, &ground, &sink, &mut next, capabilities).await,
                Err(failure) => Err(failure),
            };
            topology.stop(self.plan, self.run, &*sink).await;
            drop(sink.take(capabilities));
            self.live.clear();
            if let Some(stop) = stop? {
                return Ok(Some(stop));
            }
        }
        Ok(None)
    }

    async fn case(
        &self,
        phase: u16,
        topology: &mut Topology,
        ground: &Ground,
        sink: &Arc<TrialSink>,
        next: &mut Vec<u64>,
        capabilities: Capabilities,
    ) -> Result<Option<Stop>, Failure> {
        sink.event(Event::PhaseStart { phase, at: self.clock.now() });
        for fault in self.faults_of(phase) {
            let switched = topology.switch_on(self.plan, fault).await;
            let confirmed = *switched.as_ref().unwrap_or(&Some(false));
            sink.event(Event::FaultOn { fault, at: self.clock.now(), confirmed });
            if let Err(why) = switched {
                return Ok(Some(stuck(self.plan, fault, "put in force", &why)));
            }
        }
        let profile = match self.options.strict {
            true => topology.gateway.profile.without_deviations(),
            false => topology.gateway.profile.clone(),
        };
        let searching =
            Searching { survey: self, phase, topology, ground, sink, next, capabilities, profile };
        let stop = tokio::select! {
            done = searching.all() => done?,
            stop = asked(self.stop) => Some(stop),
            stop = self.deadline() => Some(stop),
        };
        if let Some(stop) = &stop {
            sink.event(Event::SearchStopped { phase, why: stop.why.clone() });
        }
        for fault in self.faults_of(phase) {
            let switched = topology.switch_off(self.plan, fault).await;
            let confirmed = *switched.as_ref().unwrap_or(&Some(false));
            sink.event(Event::FaultOff { fault, at: self.clock.now(), confirmed });
            if let (Err(why), None) = (switched, &stop) {
                return Ok(Some(stuck(self.plan, fault, "taken back", &why)));
            }
        }
        sink.event(Event::PhaseEnd { phase, at: self.clock.now() });
        Ok(stop)
    }

    /// The faults of a case, by their place in the plan.
    fn faults_of(&self, phase: u16) -> Vec<u16> {
        let window = &self.plan.phases[usize::from(phase)];
        let here = |from: Span| window.from <= from && from < window.until;
        let faults = self.plan.faults.iter().enumerate();
        faults.filter(|(_, fault)| here(fault.from)).map(|(index, _)| index as u16).collect()
    }

    /// The guard on the whole run.
    async fn deadline(&self) -> Stop {
        let deadline = self.plan.guards.deadline;
        let left = deadline.0.saturating_sub(self.clock.now());
        tokio::time::sleep(std::time::Duration::from_nanos(left)).await;
        Stop { exit: Exit::Aborted, why: format!("the deadline of {deadline} passed") }
    }
}
