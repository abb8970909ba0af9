//! A run in numbers, for reports: per phase, per fault, per second.

use std::collections::BTreeMap;

use gatecrash_model::{AttemptRecord, BodyCheck, ClientRecord, Ending, Nanos};

use super::{nearest_rank, settled};
use crate::history::{Answers, History, IdMap, Join};
use crate::judge::{Case, deliveries};
use crate::plan::{EnginePlan, Plan};
use crate::profile::Profile;
use crate::report::{FaultSummary, PhaseSummary, Second};

/// Share of the requests that have to be whole and correct from the moment on at which a phase has settled.
const SETTLED: f64 = 0.99;

/// The numbers of a run: phases, faults, seconds.
pub fn summarise(
    plan: &Plan,
    history: &History,
    join: &Join,
) -> (Vec<PhaseSummary>, Vec<FaultSummary>, Vec<Second>) {
    (phases(plan, history, join), faults(plan, history), seconds(plan, history))
}

fn phases(plan: &Plan, history: &History, join: &Join) -> Vec<PhaseSummary> {
    let answers = Answers::of(plan);
    let again: IdMap<u32> = history.client_tries().collect();
    let retrying = |c: &&ClientRecord| {
        let workload = plan.workloads.get(usize::from(c.workload));
        workload.is_some_and(|w| w.client.engine == EnginePlan::AwsSdk)
    };
    let windows = plan.phases.iter().enumerate().filter_map(|(index, phase)| {
        let (from, until) = history.phase_window(index as u16)?;
        Some((phase, from, until))
    });
    windows
        .map(|(phase, from, until)| {
            let sent: Vec<_> = due(history, from, until).filter(|c| !c.was_dropped()).collect();
            let times = response_times(&answers, history, sent.iter().copied());
            let right = sent.iter().filter(|c| answers.is_right(history, c));
            let service = sorted(right.map(|c| u64::from(c.done)));
            let lag = sorted(sent.iter().map(|c| u64::from(c.lag)));
            let tries = |c: &ClientRecord| join.attempts_of(history, c).count();
            let attempts = counted(sent.iter().map(|c| tries(c) as u32));
            let all: u64 = attempts.iter().map(|(tries, requests)| u64::from(*tries) * requests).sum();
            let good: Vec<_> = sent.iter().map(|c| (c.intended, answers.is_right(history, c))).collect();
            PhaseSummary {
                name: phase.name.clone(),
                from: in_seconds(from),
                until: in_seconds(until),
                requests: sent.len() as u64,
                succeeded: times.len() as u64,
                p50_ms: in_millis(&times, 0.5),
                p99_ms: in_millis(&times, 0.99),
                client_tries_per_request: sent.iter().any(&retrying).then(|| {
                    let tries = |c: &ClientRecord| again.get(&c.id().pack()).copied().unwrap_or(1);
                    sent.iter().map(|c| f64::from(tries(c))).sum::<f64>() / sent.len() as f64
                }),
                attempts_per_request: (!sent.is_empty()).then(|| all as f64 / sent.len() as f64),
                statuses: counted(sent.iter().map(|c| c.status)),
                attempts,
                endings: counted(sent.iter().filter_map(|c| fault_of(c))),
                settled: settled(&good, SETTLED).map(|at| in_seconds(at.saturating_sub(from))),
                service_p50_ms: in_millis(&service, 0.5),
                service_p99_ms: in_millis(&service, 0.99),
                lag_p99_ms: in_millis(&lag, 0.99),
            }
        })
        .collect()
}

/// What is wrong with the message that a client got; `None` for one that is whole and unambiguous.
fn fault_of(client: &ClientRecord) -> Option<String> {
    let body = match client.shape.body() {
        BodyCheck::Prefix if client.ending == Ending::Complete => Some("complete, but short"),
        BodyCheck::Wrong => Some("wrong bytes"),
        BodyCheck::Other => Some("another object's bytes"),
        BodyCheck::Mixed => Some("bytes of two versions"),
        _ => None,
    };
    let flag = |bit, text| client.has(bit).then_some(text);
    let ending = (client.ending != Ending::Complete).then(|| client.ending.name());
    body.or_else(|| flag(ClientRecord::AMBIGUOUS, "ambiguous head"))
        .or_else(|| flag(ClientRecord::SURPLUS, "bytes after the end"))
        .or(ending)
        .map(str::to_owned)
}

/// How often each comes, in order.
fn counted<T: Ord>(all: impl Iterator<Item = T>) -> Vec<(T, u64)> {
    let mut counts = BTreeMap::new();
    all.for_each(|one| *counts.entry(one).or_default() += 1);
    counts.into_iter().collect()
}

fn faults(plan: &Plan, history: &History) -> Vec<FaultSummary> {
    let nobody = Profile::strict("");
    let case = Case::new(plan, &nobody, history);
    let delivered = deliveries(&case);
    plan.faults
        .iter()
        .zip(delivered)
        .map(|(fault, delivery)| FaultSummary {
            name: fault.name.clone(),
            kind: fault.spec.name().into(),
            intervals: case
                .intervals
                .of_fault(delivery.fault)
                .iter()
                .map(|i| (in_seconds(i.from), in_seconds(i.until)))
                .collect(),
            fired: delivery.fired,
            eligible: delivery.eligible,
        })
        .collect()
}

fn seconds(plan: &Plan, history: &History) -> Vec<Second> {
    const SECOND: Nanos = 1_000_000_000;
    let length = history.end().div_ceil(SECOND).min(u64::from(u16::MAX)) as u32;
    let regions = plan.regions.len();
    let links = plan.links();
    let answers = Answers::of(plan);
    let mut attempts = vec![vec![0; regions]; length as usize];
    for attempt in history.attempts.iter().filter(|a| !a.has(AttemptRecord::PROBE)) {
        let region = links.get(usize::from(attempt.link())).map(|(region, _)| usize::from(*region));
        let slot = attempts.get_mut((attempt.start / SECOND) as usize);
        if let (Some(slot), Some(region)) = (slot, region) {
            slot[region] += 1;
        }
    }
    (0..length)
        .zip(attempts)
        .map(|(at, attempts)| {
            let from = u64::from(at) * SECOND;
            let due: Vec<_> = due(history, from, from + SECOND).collect();
            let times = response_times(&answers, history, due.iter().copied());
            let mut classes = [0; 5];
            due.iter().filter_map(|c| class(c)).for_each(|class| classes[class] += 1);
            Second {
                at,
                offered: due.len() as u64,
                good: times.len() as u64,
                p50_ms: in_millis(&times, 0.5),
                p99_ms: in_millis(&times, 0.99),
                classes,
                attempts,
            }
        })
        .collect()
}

fn due(history: &History, from: Nanos, until: Nanos) -> impl Iterator<Item = &ClientRecord> {
    let begin = history.clients.partition_point(|c| c.intended < from);
    let end = history.clients.partition_point(|c| c.intended < until);
    history.clients[begin..end.max(begin)].iter()
}

/// Which of 2xx, 3xx, 4xx, 5xx, broken; arrivals that were never sent have none.
fn class(client: &ClientRecord) -> Option<usize> {
    match (client.ending, client.status) {
        (Ending::Dropped, _) => None,
        (Ending::Complete, status @ 200..=599) => Some(usize::from(status / 100) - 2),
        _ => Some(4),
    }
}

/// Sorted response times of successes, us.
fn response_times<'a>(
    answers: &Answers,
    history: &History,
    clients: impl Iterator<Item = &'a ClientRecord>,
) -> Vec<u64> {
    sorted(clients.filter(|c| answers.is_right(history, c)).map(ClientRecord::response_micros))
}

fn sorted(values: impl Iterator<Item = u64>) -> Vec<u64> {
    let mut values: Vec<_> = values.collect();
    values.sort_unstable();
    values
}

fn in_millis(sorted: &[u64], q: f64) -> Option<f64> {
    nearest_rank(sorted, q).map(|micros| micros as f64 / 1e3)
}

fn in_seconds(nanos: Nanos) -> f64 {
    nanos as f64 / 1e9
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::faults::{FaultSpec, Swallow};
    use crate::golden::{Story, Try};

    #[test]
    fn phases_faults_and_seconds_add_up() {
        let story = Story::new()
            .standby("b")
            .fault(FaultSpec::Swallow(Swallow {}), 1000, 2000)
            .every(100, 0, 1000, |r| r.took(20))
            .every(100, 1100, 1600, |r| r.tries([Try::silent().by(0), Try::served().link(1)]).took(1050))
            .every(100, 1600, 1800, |r| r.tries([Try::silent().by(0)]))
            .every(100, 2100, 2200, |r| r.lag(30).took(20));
        let (phases, faults, seconds) = summarise(&story.plan, &story.history, &Join::of(&story.history));
        let phase = &phases[0];
        assert_eq!((phase.requests, phase.succeeded), (18, 16));
        assert_eq!(phase.statuses, [(200, 16), (504, 2)]);
        assert_eq!(phase.p50_ms, Some(20.0));
        assert_eq!(phase.p99_ms, Some(1050.0));
        assert_eq!((phase.service_p50_ms, phase.lag_p99_ms), (Some(20.0), Some(30.0)));
        assert_eq!(phase.attempts_per_request, Some(23.0 / 18.0));
        assert_eq!(phase.attempts, [(1, 13), (2, 5)]);
        assert_eq!((phase.endings.len(), phase.settled.is_some()), (0, true));
        assert_eq!((faults[0].fired, faults[0].eligible), (Some(7), Some(7)));
        assert_eq!(faults[0].intervals, [(1.0, 2.0)]);
        assert_eq!((seconds[0].offered, seconds[0].good, seconds[0].attempts.clone()), (10, 10, vec![10, 0]));
        assert_eq!((seconds[1].classes, seconds[1].attempts.clone()), ([5, 0, 0, 2, 0], vec![7, 0]));
        assert_eq!(seconds[2].attempts, [1, 5]);
        assert_eq!(seconds.len(), 10);
    }
}
