//! When each fault was on, as recorded: computed once, asked often.

use gatecrash_model::{Event, Nanos};

use super::History;
use crate::faults::FaultSpec;
use crate::plan::Plan;

/// One stretch of time in which a fault was on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Interval {
    /// In force from here.
    pub from: Nanos,
    /// Until here.
    pub until: Nanos,
    /// Connect faults: our own probe saw both edges. Settings: both edges took effect. Others: always true.
    pub confirmed: bool,
}

/// The recorded intervals of every fault of a plan.
#[derive(Clone, Debug, Default)]
pub struct Intervals {
    by_fault: Vec<Vec<Interval>>,
    changing: Vec<(u16, Interval)>,
}

// === impl Intervals ===

impl Intervals {
    /// Reads them off the events of a history.
    pub fn of(plan: &Plan, history: &History) -> Self {
        let interval = |(from, until, confirmed)| Interval { from, until, confirmed };
        let by_fault = (0..plan.faults.len())
            .map(|fault| history.fault_intervals(fault as u16).into_iter().map(interval).collect())
            .collect();
        let changing = |event: &Event| match *event {
            Event::Switching { fault, from, until } if is_change(plan, fault) => {
                Some((fault, Interval { from, until, confirmed: true }))
            }
            _ => None,
        };
        Self { by_fault, changing: history.events.iter().filter_map(changing).collect() }
    }

    /// When a change of the gateway's configuration was coming into force, or being taken back: old and new both served
    /// meanwhile, and nobody can say which.
    pub fn changing(&self) -> &[(u16, Interval)] {
        &self.changing
    }

    /// From when on a fault was in force of which this is the first instant: later where it was a change of the
    /// configuration.
    pub fn settled(&self, fault: u16, on: Nanos) -> Nanos {
        let own = self.changing.iter().find(|(changed, i)| *changed == fault && i.from == on);
        own.map_or(on, |(_, i)| i.until)
    }

    /// The intervals of one fault, in order.
    pub fn of_fault(&self, fault: u16) -> &[Interval] {
        self.by_fault.get(usize::from(fault)).map_or(&[], Vec::as_slice)
    }

    /// Whether a fault was on at some instant of `from..=until`.
    pub fn active(&self, fault: u16, from: Nanos, until: Nanos) -> bool {
        self.of_fault(fault).iter().any(|i| i.overlaps(from, until))
    }

    /// All of them with their fault, by fault.
    pub fn all(&self) -> impl Iterator<Item = (u16, Interval)> + use<'_> {
        let faults = self.by_fault.iter().enumerate();
        faults.flat_map(|(fault, list)| list.iter().map(move |i| (fault as u16, *i)))
    }

    /// Whether any fault was on at some instant of `from..=until`.
    pub fn any_active(&self, from: Nanos, until: Nanos) -> bool {
        self.by_fault.iter().flatten().any(|i| i.overlaps(from, until))
    }
}

// === impl Interval ===

impl Interval {
    /// Whether it shares an instant with `from..=until`.
    pub fn overlaps(self, from: Nanos, until: Nanos) -> bool {
        self.from <= until && from <= self.until
    }
}

/// Of other faults of the gateway's process, such as a reload, the switch itself is what is to be judged.
fn is_change(plan: &Plan, fault: u16) -> bool {
    plan.faults.get(usize::from(fault)).is_some_and(|f| matches!(f.spec, FaultSpec::Misconfigure(_)))
}
