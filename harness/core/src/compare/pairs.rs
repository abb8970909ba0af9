//! Which runs are compared with which: those of the same case, as far as they can be trusted.

use super::Side;
use crate::checks::CheckSpec;
use crate::plan::{FaultPlan, Plan};
use crate::report::{PhaseSummary, RunReport};
use crate::units::Share;

/// The runs of one case on both sides.
pub(super) struct Pair<'a> {
    pub(super) title: String,
    /// Runs that came to their own end.
    pub(super) was: Vec<&'a RunReport>,
    pub(super) is: Vec<&'a RunReport>,
    /// Why latencies of the two sides cannot be held against each other, if they cannot.
    pub(super) unlike: Option<String>,
}

/// The cases that both sides have, in the order of the second, and what is to be said about the rest.
pub(super) fn pairs<'a>(was: Side<'a>, is: Side<'a>) -> (Vec<Pair<'a>>, Vec<String>) {
    let several = [was, is].iter().any(|side| has_several_gateways(side.runs));
    let key = |run: &RunReport| match several {
        true => format!("{} on {}", run.plan.title(), run.profile.gateway),
        false => run.plan.title(),
    };
    let (mut pairs, mut notes) = (Vec::<Pair<'_>>::new(), Vec::new());
    let mut titles: Vec<String> = Vec::new();
    for title in is.runs.iter().chain(was.runs).map(key) {
        if !titles.contains(&title) {
            titles.push(title);
        }
    }
    for title in titles {
        let of = |side: Side<'a>| side.runs.iter().filter(|run| key(run) == title).collect::<Vec<_>>();
        let (before, after) = (of(was), of(is));
        for (side, runs) in [(was, &before), (is, &after)] {
            let broken = runs.iter().filter(|run| run.interrupted.is_some()).count();
            if runs.is_empty() {
                notes.push(format!("{title} was not compared: {} has no run of it", side.name));
            } else if broken > 0 {
                notes.push(format!(
                    "{title}: {broken} of {} runs of {} did not come to their end and were left out",
                    runs.len(),
                    side.name
                ));
            }
        }
        let ended = |runs: Vec<&'a RunReport>| -> Vec<_> {
            runs.into_iter().filter(|run| run.interrupted.is_none()).collect()
        };
        let (before, after) = (ended(before), ended(after));
        if let (Some(one), Some(other)) = (before.first(), after.first()) {
            let unlike = difference(one, other);
            let pair = Pair { title, was: before, is: after, unlike };
            notes.extend(
                pair.unlike.as_ref().map(|why| format!("{}: {why}: latencies only warn", pair.title)),
            );
            pairs.push(pair);
        }
    }
    (pairs, notes)
}

impl<'a> Pair<'a> {
    /// The scenario file of the later side.
    pub(super) fn source(&self) -> &str {
        self.is.first().map_or("", |run| &run.plan.source)
    }

    /// Names of the phases that both sides have, in order.
    pub(super) fn phases(&self) -> Vec<&'a str> {
        let has = |run: &&RunReport, name: &str| run.phases.iter().any(|phase| phase.name == name);
        let first = self.is.first().map(|run| run.phases.as_slice()).unwrap_or_default();
        let both = first.iter().filter(|phase| self.was.iter().any(|run| has(run, &phase.name)));
        both.map(|phase| phase.name.as_str()).collect()
    }

    /// A phase of each run in which nothing spoke against the run itself: (before, after).
    pub(super) fn phase(&self, name: &str) -> (Vec<&'a PhaseSummary>, Vec<&'a PhaseSummary>) {
        let of = |runs: &[&'a RunReport]| {
            let sound = runs.iter().filter(|run| !run.guards.iter().any(|guard| guard.spoils));
            sound.filter_map(|run| run.phases.iter().find(|phase| phase.name == name)).collect()
        };
        (of(&self.was), of(&self.is))
    }
}

/// What, besides the gateway, is not the same on both sides.
fn difference(was: &RunReport, is: &RunReport) -> Option<String> {
    let (a, b) = (&was.environment, &is.environment);
    let machine = [
        (a.gatecrash != b.gatecrash, "gatecrash"),
        (a.system != b.system, "system"),
        (a.cores != b.cores, "cores"),
        (a.processor != b.processor, "processor"),
    ];
    let (p, q) = (&was.plan, &is.plan);
    let scenario = [
        (p.workloads != q.workloads, "load"),
        (p.phases != q.phases, "phases"),
        (faults(p) != faults(q), "faults"),
        (p.regions != q.regions, "upstreams"),
        (p.buckets != q.buckets, "buckets"),
        (objective(p) != objective(q), "objective"),
    ];
    let named = |parts: &[(bool, &str)]| {
        let names: Vec<_> = parts.iter().filter(|(differs, _)| *differs).map(|(_, name)| *name).collect();
        (!names.is_empty()).then(|| names.join(", "))
    };
    let machine = named(&machine).map(|names| format!("another machine ({names})"));
    let scenario = named(&scenario).map(|names| format!("another scenario ({names})"));
    machine.into_iter().chain(scenario).reduce(|all, one| format!("{all}, {one}"))
}

/// Where a fault stands in its file makes no difference.
fn faults(plan: &Plan) -> Vec<FaultPlan> {
    plan.faults.iter().map(|fault| FaultPlan { line: 0, ..fault.clone() }).collect()
}

/// What decides whether a rate is carried.
fn objective(plan: &Plan) -> Option<(&[CheckSpec], Share)> {
    plan.capacity.as_ref().map(|capacity| (capacity.slo.as_slice(), capacity.exceed))
}

fn has_several_gateways(runs: &[RunReport]) -> bool {
    runs.iter().any(|run| run.profile.gateway != runs[0].profile.gateway)
}
