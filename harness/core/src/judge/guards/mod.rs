//! Guards: what casts doubt on a run, and on which verdicts.

mod fired;
mod generator;
mod journeys;

use gatecrash_model::{Capabilities, Capability, ClientRecord, Event, Nanos};

pub use fired::{Delivery, deliveries};
use generator::Breach;
pub(crate) use generator::{busy, held_back};

use super::scope::{Case, Scope};
use crate::checks::{CheckInfo, Rests};
use crate::history::{History, Intervals};
use crate::plan::ExpectationPlan;
use crate::report::GuardNote;
use crate::stats::nearest_rank;

/// From how long on a stall of the machine is worth a note.
const FELT: Nanos = 100_000_000;

/// From how long on a change of the gateway's configuration is worth a note.
const SLOW: Nanos = 1_000_000_000;

/// Share of attempts and responses that may stay unjoined.
const MAX_UNJOINED: f64 = 0.01;

/// What the guards of one run have to say.
#[derive(Debug)]
pub(super) struct Guards {
    /// For the report.
    pub(super) notes: Vec<GuardNote>,
    generator: Vec<Breach>,
    join: Option<String>,
    miscounted: Option<String>,
    undelivered: Vec<(u16, String)>,
    cut_short: Vec<u16>,
}

/// Why a verdict may not be believed.
#[derive(Debug)]
pub(super) struct Doubt {
    /// One sentence.
    pub(super) reason: String,
    /// Whether it takes back failures too, not only passes.
    pub(super) over_failures: bool,
}

// === impl Guards ===

impl Guards {
    pub(super) fn of(case: &Case<'_>) -> Self {
        let mut guards = Self {
            notes: Vec::new(),
            // A search asks of each trial whether the generator was its limit.
            generator: match case.plan.capacity {
                None => generator::breaches(case),
                Some(_) => Vec::new(),
            },
            join: join(case),
            miscounted: journeys::miscounted(case),
            undelivered: Vec::new(),
            cut_short: unfinished_phases(case.history),
        };
        // A search keeps no firings; its trials count them.
        if case.plan.guards.fault_fired && case.plan.capacity.is_none() {
            guards.fault_fired(case);
        }
        let breaches = guards.generator.iter().map(|breach| ("generator", breach.text.clone()));
        let others = [("join", guards.join.clone()), ("journeys", guards.miscounted.clone())];
        let others = others.into_iter().filter_map(|(guard, text)| Some((guard, text?)));
        let spoiling: Vec<_> = breaches.chain(others).collect();
        guards.notes.extend(spoiling.into_iter().map(|(guard, text)| note(guard, true, text)));
        guards.notes.extend(journeys::thresholds(case));
        for (at, how) in case.history.gateway_deaths() {
            let text = format!("the gateway's process died at +{:.2}s: {how}", at as f64 / 1e9);
            guards.notes.push(note("crash", false, text));
        }
        guards.notes.extend(slow_changes(case));
        guards.notes.extend(stalls(case.history));
        for phase in &guards.cut_short {
            let name = case.plan.phases.get(usize::from(*phase)).map_or("?", |p| p.name.as_str());
            guards.notes.push(note("interrupted", true, format!("phase {name} was cut short")));
        }
        guards
    }

    fn fault_fired(&mut self, case: &Case<'_>) {
        for delivery in deliveries(case) {
            let reached = |phase: &u16| case.history.phase_window(*phase).is_some();
            let name = &case.plan.faults[usize::from(delivery.fault)].name;
            if let Some(why) = &delivery.undelivered {
                let text = format!("fault {name} {why}");
                let begun = phase_of(case, delivery.fault).as_ref().is_none_or(reached);
                self.notes.push(note("fault-fired", begun, text.clone()));
                self.undelivered.push((delivery.fault, text));
            }
            self.notes.extend(
                delivery
                    .remark
                    .iter()
                    .map(|text| note("fault-fired", false, format!("fault {name}: {text}"))),
            );
        }
    }

    /// Doubts about one expectation, gravest first.
    pub(super) fn doubt<'g>(
        &'g self,
        expectation: &'g ExpectationPlan,
        info: CheckInfo,
        scope: &Scope<'g>,
    ) -> impl Iterator<Item = Doubt> + use<'g> {
        let plan = scope.plan;
        let on_attempts = Capabilities::of(&[Capability::Attempts]).0 & info.needs.0 != 0;
        let rates = info.rests_on_rates();
        let join = self.join.iter().filter(move |_| on_attempts).map(|r| (r.clone(), true));
        // A late arrival blurs times, and a very late one windows; what was delivered to it is a fact all the same.
        let blurred = move |breach: &&Breach| info.rests == Rests::OnTimes || (rates && breach.grave);
        let generator = self.generator.iter().filter(blurred).map(|breach| (breach.text.clone(), true));
        let starts_before = move |fault: u16| {
            let end = expectation.phase.and_then(|p| plan.phases.get(usize::from(p))).map(|p| p.until);
            end.is_none_or(|end| plan.faults[usize::from(fault)].from < end)
        };
        let undelivered = self.undelivered.iter().filter(move |(f, _)| starts_before(*f));
        let undelivered = undelivered.map(move |(_, r)| (r.clone(), rates));
        let cut = self.cut_short.iter().any(|p| expectation.phase.is_none_or(|own| own == *p));
        let cut = cut.then(|| ("its window was cut short".to_owned(), false));
        // Records that somebody else counted differently prove nothing, whatever they say.
        let miscounted = self.miscounted.iter().map(|reason| (reason.clone(), true));
        join.chain(generator)
            .chain(miscounted)
            .chain(undelivered)
            .chain(cut)
            .map(|(reason, over_failures)| Doubt { reason, over_failures })
    }
}

/// Scheduler slack: the 99th percentile of schedule lag where no fault was on; 0 without such a part.
pub(super) fn slack(history: &History, intervals: &Intervals) -> Nanos {
    let calm = |c: &&ClientRecord| !c.was_dropped() && !intervals.any_active(c.intended, c.ended());
    let mut lags: Vec<_> = history.clients.iter().filter(calm).map(|c| u64::from(c.own_lag())).collect();
    lags.sort_unstable();
    nearest_rank(&lags, 0.99).unwrap_or(0) * 1000
}

fn note(guard: &str, spoils: bool, text: String) -> GuardNote {
    GuardNote { guard: guard.into(), spoils, text }
}

/// Changes of the configuration that took their time, of which the phases around them have less.
fn slow_changes(case: &Case<'_>) -> impl Iterator<Item = GuardNote> {
    let slow = case.intervals.changing().iter().filter(|(_, i)| i.until - i.from >= SLOW);
    slow.map(|(fault, i)| {
        let name = &case.plan.faults[usize::from(*fault)].name;
        let taken_back = case.intervals.of_fault(*fault).iter().any(|on| on.until == i.until);
        let what = if taken_back { "to be taken back" } else { "to come into force" };
        let took = (i.until - i.from) as f64 / 1e9;
        note(
            "change",
            false,
            format!("{name} took the gateway {took:.1} s {what}: no phase judges that time"),
        )
    })
}

/// That the machine had no processor for us for a while, when that was long enough to be felt.
fn stalls(history: &History) -> Option<GuardNote> {
    let longest = history.stalls().map(|(_, lasted)| lasted).max().filter(|lasted| *lasted >= FELT)?;
    let all: Nanos = history.stalls().map(|(_, lasted)| lasted).sum();
    let text = format!(
        "the machine had no processor for us for up to {:.0} ms, {:.1} s in all",
        longest as f64 / 1e6,
        all as f64 / 1e9
    );
    Some(note("stalls", false, text))
}

fn join(case: &Case<'_>) -> Option<String> {
    let share = case.join.unjoined_share();
    let stats = case.join.stats;
    (share > MAX_UNJOINED).then(|| {
        format!(
            "{:.1}% of attempts and responses could not be joined ({} without an id, {} of unknown requests, \
             {} responses of unknown attempts)",
            share * 100.0,
            stats.strangers,
            stats.orphans,
            stats.dangling
        )
    })
}

fn unfinished_phases(history: &History) -> Vec<u16> {
    let ended = |phase: u16| {
        history.events.iter().any(|e| matches!(e, Event::PhaseEnd { phase: p, .. } if *p == phase))
    };
    let started = history.events.iter().filter_map(|e| match e {
        Event::PhaseStart { phase, .. } => Some(*phase),
        _ => None,
    });
    started.filter(|phase| !ended(*phase)).collect()
}

fn phase_of(case: &Case<'_>, fault: u16) -> Option<u16> {
    let from = case.plan.faults[usize::from(fault)].from;
    case.plan.phases.iter().position(|p| p.from <= from && from < p.until).map(|i| i as u16)
}
