//! Phase edges and fault edges, carried out at their instant and written down with the time they were in force.

use std::time::Duration;

use gatecrash_core::plan::Plan;
use gatecrash_model::{Clock, Event, Nanos, Sink};
use tokio::sync::watch;

use crate::clock::RunClock;
use crate::exit::Exit;
use crate::run::Stop;
use crate::topology::Topology;

/// Something that happens at a planned offset from T0. The order of the variants is the order at one instant.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Edge {
    /// A phase ends, while its faults still bite.
    PhaseEnd(u16),
    /// A fault ends.
    FaultOff(u16),
    /// A phase begins.
    PhaseStart(u16),
    /// A fault begins.
    FaultOn(u16),
    /// Clients learn the key that a rotation gave them.
    Learn(u16),
}

/// All edges of a plan, in order.
pub fn edges(plan: &Plan) -> Vec<(Nanos, Edge)> {
    let mut all = Vec::new();
    for (index, phase) in plan.phases.iter().enumerate() {
        all.push((phase.from.0, Edge::PhaseStart(index as u16)));
        all.push((phase.until.0, Edge::PhaseEnd(index as u16)));
    }
    for (index, fault) in plan.faults.iter().enumerate() {
        all.push((fault.from.0, Edge::FaultOn(index as u16)));
        all.push((fault.until.0, Edge::FaultOff(index as u16)));
        if let gatecrash_core::faults::FaultSpec::RotateKey(rotate) = &fault.spec {
            let learn = rotate.clients_learn_after.map_or(fault.until.0, |after| fault.from.0 + after.0);
            all.push((learn.min(fault.until.0), Edge::Learn(index as u16)));
        }
    }
    all.sort();
    all
}

/// Walks the edges from T0 to the end. A fault that cannot be switched ends the walk: what follows would be judged as
/// if it had been in force.
pub async fn walk(
    plan: &Plan,
    topology: &mut Topology,
    clock: &RunClock,
    sink: &dyn Sink,
    phase_now: &watch::Sender<Option<u16>>,
) -> Result<(), Stop> {
    for (at, edge) in edges(plan) {
        tokio::time::sleep(Duration::from_nanos(at.saturating_sub(clock.now()))).await;
        match edge {
            Edge::PhaseStart(phase) => {
                phase_now.send_replace(Some(phase));
                sink.event(Event::PhaseStart { phase, at: clock.now() });
            }
            Edge::PhaseEnd(phase) => sink.event(Event::PhaseEnd { phase, at: clock.now() }),
            // An interval that takes time to begin or end counts from the first to the last instant it may bite.
            Edge::FaultOn(fault) => {
                let before = clock.now();
                let switched = topology.switch_on(plan, fault).await;
                let confirmed = *switched.as_ref().unwrap_or(&Some(false));
                let now = clock.now();
                let at = if confirmed.is_some() { before } else { now };
                sink.event(Event::Switching { fault, from: before, until: now });
                sink.event(Event::FaultOn { fault, at, confirmed });
                if let Some(by) = topology.means_of(fault) {
                    sink.event(Event::CarriedOut { fault, by });
                }
                switched.map_err(|why| stuck(plan, fault, "put in force", &why))?;
            }
            Edge::FaultOff(fault) => {
                if let Some(queries) = topology.asked_under(fault) {
                    sink.event(Event::Asked { fault, queries });
                }
                let before = clock.now();
                let switched = topology.switch_off(plan, fault).await;
                let confirmed = *switched.as_ref().unwrap_or(&Some(false));
                let now = clock.now();
                sink.event(Event::Switching { fault, from: before, until: now });
                sink.event(Event::FaultOff { fault, at: now, confirmed });
                switched.map_err(|why| stuck(plan, fault, "taken back", &why))?;
            }
            Edge::Learn(fault) => topology.clients_learn(fault),
        }
    }
    Ok(())
}

fn stuck(plan: &Plan, fault: u16, what: &str, why: &str) -> Stop {
    let name = &plan.faults[usize::from(fault)].name;
    Stop { exit: Exit::Environment, why: format!("the fault {name} could not be {what}: {why}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// So that a phase holds no instant in which its faults are going, and the next one none of them.
    #[test]
    fn a_phase_ends_before_its_faults_and_the_next_begins_after_them() {
        let mut at_once = [Edge::FaultOn(1), Edge::PhaseStart(1), Edge::FaultOff(0), Edge::PhaseEnd(0)];
        at_once.sort();
        assert_eq!(at_once, [Edge::PhaseEnd(0), Edge::FaultOff(0), Edge::PhaseStart(1), Edge::FaultOn(1)]);
    }
}
