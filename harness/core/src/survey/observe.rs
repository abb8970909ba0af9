//! What clients saw, read from a history.

use std::collections::{BTreeMap, HashSet};

use gatecrash_model::{BodyCheck, ClientRecord, Ending, Op, RequestId};

use super::{Cell, Condition, Row, Seen};
use crate::faults::Host;
use crate::history::{History, Join};
use crate::plan::Plan;
use crate::rules::Point;

/// Requests sent so soon after the condition has ended may still meet what it left in the gateway's pool.
const SETTLING: u64 = 300_000_000;

/// The row of a condition that has run.
pub fn observe(condition: &Condition, plan: &Plan, history: &History, run: &str) -> Row {
    let join = Join::of(history);
    let sent_in = |phase| {
        let window = history.phase_window(phase).unwrap_or_default();
        let inside = move |c: &&ClientRecord| !c.was_dropped() && (window.0..window.1).contains(&c.sent());
        history.clients.iter().filter(inside).collect::<Vec<_>>()
    };
    let cell = |(phase, op): (u16, Op)| {
        let inside = sent_in(phase);
        let met = met(plan, history, &inside);
        let clients = inside.into_iter().filter(|c| c.op == op && met.contains(&c.id().pack()));
        Cell { op: op.name().to_owned(), seen: seen(clients, history, &join) }
    };
    let mut after = sent_in(Condition::AFTER);
    let settled = after.first().map_or(0, |c| c.sent() + SETTLING);
    after.retain(|c| c.sent() >= settled);
    Row {
        condition: condition.name.clone(),
        group: condition.group.to_owned(),
        run: run.to_owned(),
        skipped: None,
        cells: Condition::PHASES.map(cell).into(),
        after: after.len() as u64,
        recovered: after.iter().filter(|c| c.is_success()).count() as u64,
        died: history.gateway_deaths().next().map(|(_, how)| how.to_owned()),
    }
}

/// The requests that met the fault, none when it never acted. A fault that ends a connection before or between
/// requests meets whichever comes next, and an interval meets all.
fn met(plan: &Plan, history: &History, inside: &[&ClientRecord]) -> HashSet<u64> {
    let Some(index) = plan.faults.iter().position(|f| f.name == Condition::FAULT) else {
        return HashSet::new();
    };
    let info = plan.faults[index].spec.info();
    let firings: Vec<_> = history.firings.iter().filter(|f| usize::from(f.fault) == index).collect();
    let exercised = match info.host {
        Host::Link | Host::Mock => !firings.is_empty(),
        _ => history.fault_intervals(index as u16).iter().any(|(.., confirmed)| *confirmed),
    };
    if !exercised {
        return HashSet::new();
    }
    if info.points.contains(&Point::Kept) || firings.iter().all(|f| f.request == RequestId::NONE) {
        return inside.iter().map(|c| c.id().pack()).collect();
    }
    firings.iter().map(|f| f.request).collect()
}

fn seen<'c>(clients: impl Iterator<Item = &'c ClientRecord>, history: &History, join: &Join) -> Vec<Seen> {
    let mut by_outcome: BTreeMap<String, (Vec<u32>, Option<u32>)> = BTreeMap::new();
    for client in clients {
        let (times, tries) = by_outcome.entry(outcome(client)).or_default();
        times.push(client.done);
        let joined = join.attempts_of(history, client).count() as u32;
        let known = join.witnessed(client.id()).or((joined > 0).then_some(joined));
        *tries = (*tries).max(known);
    }
    let mut seen: Vec<_> = by_outcome
        .into_iter()
        .map(|(outcome, (mut times, tries))| {
            times.sort_unstable();
            let median = f64::from(times[times.len() / 2]) / 1_000.0;
            Seen { outcome, requests: times.len() as u64, tries, millis: median }
        })
        .collect();
    seen.sort_by_key(|s| std::cmp::Reverse(s.requests));
    seen
}

/// An outcome in short.
fn outcome(client: &ClientRecord) -> String {
    let told = |what: &str| match client.status {
        0 => what.to_owned(),
        status => format!("{status:03} {what}"),
    };
    let wrong = match client.shape.body() {
        BodyCheck::Wrong | BodyCheck::Other | BodyCheck::Mixed => true,
        BodyCheck::Prefix => client.ending == Ending::Complete && matches!(client.status, 200 | 206),
        BodyCheck::NotChecked | BodyCheck::Exact => false,
    };
    match client.ending {
        Ending::Complete if wrong => told("corrupt"),
        Ending::Complete => format!("{:03}", client.status),
        Ending::CutFin | Ending::CutRst | Ending::StreamReset if wrong => told("corrupt and cut"),
        Ending::CutFin | Ending::CutRst | Ending::StreamReset => told("cut"),
        Ending::DroppedFirst | Ending::DroppedReused => "drop".to_owned(),
        Ending::Hang => told("hang"),
        other => other.name().to_owned(),
    }
}
