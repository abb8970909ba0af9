//! Whether the engine that walked journeys saw the requests that the history holds.

use std::collections::BTreeMap;

use gatecrash_model::{Event, JourneyCount, Op};

use super::note;
use crate::judge::scope::Case;
use crate::report::GuardNote;

/// Why the records of a workload are in doubt: its engine counted others. `None` where the counts agree, or where there
/// was no such engine.
pub(super) fn miscounted(case: &Case<'_>) -> Option<String> {
    case.history.events.iter().find_map(|event| match event {
        Event::Journeys { workload, counts, .. } => of_workload(case, *workload, counts),
        _ => None,
    })
}

fn of_workload(case: &Case<'_>, workload: u8, counts: &[JourneyCount]) -> Option<String> {
    let mut both: BTreeMap<Op, (u64, u64)> = BTreeMap::new();
    for count in counts {
        both.entry(count.op).or_default().0 += count.ok + count.failed;
    }
    for client in case.history.clients.iter().filter(|c| c.workload == workload && !c.was_dropped()) {
        both.entry(client.op).or_default().1 += 1;
    }
    let differing = both.iter().filter(|(_, (theirs, ours))| theirs != ours);
    let told: Vec<_> =
        differing.map(|(op, (theirs, ours))| format!("{op}: {theirs} counted, {ours} recorded")).collect();
    let name = case.plan.workloads.get(usize::from(workload)).map_or("?", |w| w.name.as_str());
    (!told.is_empty())
        .then(|| format!("goose's counts of {name} are not those of the records: {}", told.join(", ")))
}

/// What became of the engine's own thresholds, for information: expectations decide.
pub(super) fn thresholds(case: &Case<'_>) -> Vec<GuardNote> {
    let rules = case.history.events.iter().filter_map(|event| match event {
        Event::Journeys { thresholds, .. } => Some(thresholds),
        _ => None,
    });
    let told = rules.flatten().map(|rule| {
        let became = if rule.passed { "held" } else { "did not hold" };
        note("journeys", false, format!("goose's threshold {} {became}: {}", rule.rule, rule.observed))
    });
    told.collect()
}
