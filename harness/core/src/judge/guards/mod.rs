//! Guards: what casts doubt on a run, and on which verdicts.

mod fired;

use gatecrash_model::{Capabilities, Capability, ClientRecord, Event, Nanos};

pub use fired::{Delivery, deliveries};

use super::scope::{Case, Scope};
use crate::checks::{CheckInfo, Rests};
use crate::history::{History, Intervals};
use crate::plan::ExpectationPlan;
use crate::report::GuardNote;
use crate::stats::nearest_rank;
use crate::units::Span;

/// A lag this many times the allowed one blurs windows and shares too, not only response times.
const WINDOW_LAG: u64 = 10;

/// Share of attempts and responses that may stay unjoined.
const MAX_UNJOINED: f64 = 0.01;

/// What the guards of one run have to say.
#[derive(Debug)]
pub(super) struct Guards {
    /// For the report.
    pub(super) notes: Vec<GuardNote>,
    generator: Option<Lag>,
    join: Option<String>,
    undelivered: Vec<(u16, String)>,
    cut_short: Vec<u16>,
}

/// How the load fell behind its schedule.
#[derive(Clone, Debug)]
struct Lag {
    text: String,
    /// Whether it blurs windows and shares too.
    grave: bool,
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
            generator: generator(case),
            join: join(case),
            undelivered: Vec::new(),
            cut_short: unfinished_phases(case.history),
        };
        // A search keeps no firings; its trials count them.
        if case.plan.guards.fault_fired && case.plan.capacity.is_none() {
            guards.fault_fired(case);
        }
        let lag = guards.generator.as_ref().map(|lag| lag.text.clone());
        let spoiling = [("generator", lag), ("join", guards.join.clone())];
        for (guard, text) in spoiling {
            guards.notes.extend(text.map(|text| note(guard, true, text)));
        }
        for (at, how) in case.history.gateway_deaths() {
            let text = format!("the gateway's process died at +{:.2}s: {how}", at as f64 / 1e9);
            guards.notes.push(note("crash", false, text));
        }
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
        let blurred = move |lag: &&Lag| info.rests == Rests::OnTimes || (rates && lag.grave);
        let generator = self.generator.iter().filter(blurred).map(|lag| (lag.text.clone(), true));
        let starts_before = move |fault: u16| {
            let end = expectation.phase.and_then(|p| plan.phases.get(usize::from(p))).map(|p| p.until);
            end.is_none_or(|end| plan.faults[usize::from(fault)].from < end)
        };
        let undelivered = self.undelivered.iter().filter(move |(f, _)| starts_before(*f));
        let undelivered = undelivered.map(move |(_, r)| (r.clone(), rates));
        let cut = self.cut_short.iter().any(|p| expectation.phase.is_none_or(|own| own == *p));
        let cut = cut.then(|| ("its window was cut short".to_owned(), false));
        join.chain(generator)
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

fn generator(case: &Case<'_>) -> Option<Lag> {
    let (sent, dropped): (Vec<&ClientRecord>, Vec<_>) =
        case.history.clients.iter().partition(|c| !c.was_dropped());
    let mut lags: Vec<_> = sent.iter().map(|c| u64::from(c.own_lag())).collect();
    lags.sort_unstable();
    let lag = Span(nearest_rank(&lags, 0.99)? * 1000);
    let limits = &case.plan.guards;
    if lag > limits.max_lag_p99 {
        let millis = lag.0 as f64 / 1e6;
        let text =
            format!("the load generator lagged: p99 {millis:.1} ms, at most {} allowed", limits.max_lag_p99);
        return Some(Lag { text, grave: lag.0 > limits.max_lag_p99.0 * WINDOW_LAG });
    }
    let share = dropped.len() as f64 / case.history.clients.len().max(1) as f64;
    (share > limits.max_dropped.0).then(|| {
        let (count, all) = (dropped.len(), case.history.clients.len());
        let most = limits.max_dropped;
        Lag {
            text: format!(
                "{count} of {all} arrivals were dropped at the in-flight cap, at most {most} allowed"
            ),
            grave: true,
        }
    })
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
