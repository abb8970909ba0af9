//! One rate offered for a while to a topology that stays up, and what was seen meanwhile.

use std::sync::Arc;
use std::time::Duration;

use gatecrash_core::plan::{Plan, SegmentPlan};
use gatecrash_core::units::{Rate, Span};
use gatecrash_load::{EvidenceBudget, LiveCounters, Load, Setup, Workload, process_cpu, run_load};
use gatecrash_model::{Clock, Event, Nanos};

use crate::clock::RunClock;
use crate::exit::{Exit, Failure};
use crate::gateway::throttling;
use crate::run::Stop;
use crate::topology::{Ground, Topology, load};

/// From the decision to the first arrival: what it takes to start threads.
const LEAD: Nanos = 20_000_000;

/// A rate and its window.
#[derive(Clone, Copy, Debug)]
pub(super) struct Offer {
    /// Arrivals per second of the searched workload.
    pub(super) rate: f64,
    /// Not judged.
    pub(super) settle: Nanos,
    /// Judged.
    pub(super) measure: Nanos,
}

/// When it was judged, and what the processors did then.
#[derive(Clone, Copy, Debug)]
pub(super) struct Offered {
    pub(super) from: Nanos,
    pub(super) until: Nanos,
    /// Cores of the harness in the window.
    pub(super) harness_cpu: f64,
    /// Cores of the gateway, where it has processes of ours.
    pub(super) gateway_cpu: Option<f64>,
}

/// The parts of a case that stay up.
pub(super) struct Stage<'a> {
    pub(super) plan: &'a Plan,
    pub(super) topology: &'a Topology,
    pub(super) ground: &'a Ground,
    pub(super) clock: &'a RunClock,
    /// Which workload is searched.
    pub(super) workload: usize,
    /// First arrival number of the next load, by workload: ids stay unique over all trials.
    pub(super) next: &'a mut Vec<u64>,
}

/// Ends the load when whoever waits for it is gone.
struct Brake(gatecrash_load::Stop);

impl Drop for Brake {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Stage<'_> {
    /// Offers a rate and waits until the last request has ended.
    pub(super) async fn offer(&mut self, offer: Offer) -> Result<Offered, Failure> {
        let start = self.clock.now() + LEAD;
        let (from, until) = (start + offer.settle, start + offer.settle + offer.measure);
        let load = self.load(offer.rate, start, until)?;
        let brake = Brake(load.stop.clone());
        let driver = tokio::task::spawn_blocking(move || run_load(load));
        let before = self.used_at(from).await;
        let after = self.used_at(until).await;
        let done = driver.await;
        drop(brake);
        done.map_err(|panic| Failure::bug(format!("the load generator panicked: {panic}")))?
            .map_err(|error| Failure::environment(error.to_string()))?;
        let seconds = (after.at - before.at).max(1) as f64;
        let gateway = after.gateway.zip(before.gateway);
        Ok(Offered {
            from,
            until,
            harness_cpu: after.harness.saturating_sub(before.harness) as f64 / seconds,
            gateway_cpu: gateway.map(|(a, b)| a.saturating_sub(b) as f64 * 1e3 / seconds),
        })
    }

    /// Processor time of harness (ns) and gateway (us) so far, at an instant; and how long a quota has held us back, into
    /// the history.
    async fn used_at(&self, at: Nanos) -> Used {
        tokio::time::sleep(Duration::from_nanos(at.saturating_sub(self.clock.now()))).await;
        if let Some(throttling) = throttling() {
            let (micros, periods) = (throttling.micros, throttling.periods);
            self.ground.sink.event(Event::Throttled { at: self.clock.now(), micros, periods });
        }
        let sample = self.topology.gateway.sample(self.clock.now());
        let gateway = (sample.processes > 0).then_some(sample.cpu_micros);
        Used { at: self.clock.now(), harness: process_cpu(), gateway }
    }

    fn load(&mut self, rate: f64, start: Nanos, until: Nanos) -> Result<Load, Failure> {
        let mut plan = self.plan.clone();
        for (index, workload) in plan.workloads.iter_mut().enumerate() {
            let own = workload.segments.first().map_or(Rate(0.0), |s| s.rate);
            let rate = if index == self.workload { Rate(rate) } else { own };
            workload.segments = vec![SegmentPlan { from: Span(start), until: Span(until), rate, to: None }];
        }
        let mut workloads = load::workloads(&plan, &self.topology.signers()).map_err(Failure::usage)?;
        self.next.resize(workloads.len(), 0);
        for (workload, next) in workloads.iter_mut().zip(self.next.iter_mut()) {
            number_on(workload, next)?;
        }
        let gateway = &self.topology.gateway;
        Ok(Load {
            setup: Setup {
                target: self.topology.target(),
                run: self.ground.run,
                clock: Arc::clone(&self.ground.clock),
                sink: Arc::clone(&self.ground.sink),
                pool: Arc::clone(&self.ground.pool),
                needles: gateway.needles.clone().into(),
                evidence: EvidenceBudget::default(),
            },
            workloads,
            threads: 1,
            stop: gatecrash_load::Stop::default(),
            live: Arc::new(LiveCounters::default()),
        })
    }
}

#[derive(Clone, Copy)]
struct Used {
    at: Nanos,
    harness: Nanos,
    gateway: Option<u64>,
}

/// Goes on where the load before stopped counting.
fn number_on(workload: &mut Arc<Workload>, next: &mut u64) -> Result<(), Failure> {
    let Some(own) = Arc::get_mut(workload) else {
        return Err(Failure::bug("a workload that nobody has seen yet is shared"));
    };
    let after = *next + own.schedule.len();
    if after > u64::from(u32::MAX) {
        return Err(Failure::usage("the search would make more than 4294967295 requests")
            .hint("shorten the trials, or lower `search.to`"));
    }
    own.schedule = own.schedule.clone().numbered_from(*next);
    *next = after;
    Ok(())
}

/// The stop of a case whose fault could not be switched.
pub(super) fn stuck(plan: &Plan, fault: u16, what: &str, why: &str) -> Stop {
    let name = &plan.faults[usize::from(fault)].name;
    Stop { exit: Exit::Environment, why: format!("the fault {name} could not be {what}: {why}") }
}
