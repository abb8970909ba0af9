//! One trial judged: the clauses of the objective over the requests that were due in its window.
//!
//! A clause that fails makes the trial bad. A harness that was not fit makes it worthless, whatever the clauses say: a
//! wrong number is worse than none.

use std::collections::BTreeMap;

use gatecrash_model::{ClientRecord, Event, Nanos, TrialOutcome};

use crate::checks::CheckSpec;
use crate::history::History;
use crate::judge::{Case, Scope, busy, held_back};
use crate::plan::{CapacityPlan, ExpectationPlan, Plan, Severity};
use crate::profile::Profile;
use crate::rules::Matcher;
use crate::stats::nearest_rank;
use crate::units::Span;
use crate::verdict::Outcome;

/// The name by which an in-flight cap that is full is a broken clause.
pub const IN_FLIGHT: &str = "max-in-flight";

/// The judged part of a trial, on intended start.
#[derive(Clone, Copy, Debug)]
pub struct Window {
    /// From.
    pub from: Nanos,
    /// Until, exclusive.
    pub until: Nanos,
}

/// What the processors of the machine did during a trial.
#[derive(Clone, Copy, Debug, Default)]
pub struct Effort {
    /// Cores of this machine.
    pub cores: u32,
    /// Cores that the harness used, 1.0 = one.
    pub harness: f64,
}

/// What came of a trial.
#[derive(Clone, Debug, PartialEq)]
pub struct Measured {
    /// What it says of the gateway.
    pub outcome: TrialOutcome,
    /// Arrivals due in the window.
    pub offered: u64,
    /// Of those, answered whole and correct.
    pub good: u64,
    /// Of those, over the in-flight cap.
    pub dropped: u64,
    /// Mean response time of successes, us.
    pub mean: Option<u64>,
    /// Median, us.
    pub p50: Option<u64>,
    /// 99th percentile, us.
    pub p99: Option<u64>,
    /// Mean number of requests under way.
    pub in_flight: f64,
    /// Mean time from the intended start to the end of everything that was sent, whatever came of it, us.
    pub stay: Option<u64>,
    /// Upstream attempts per request.
    pub attempts: Option<f64>,
    /// 99th percentile of lag behind the schedule, us.
    pub lag: u64,
    /// (fault, count) of what fired.
    pub fired: Vec<(u16, u64)>,
    /// (status, count) of what failed.
    pub failures: Vec<(u16, u64)>,
}

/// Judges the requests of the searched workload that were due in a window. The history holds this trial alone, with what
/// the generator told of itself meanwhile.
pub fn judge_trial(
    plan: &Plan,
    capacity: &CapacityPlan,
    profile: &Profile,
    history: &History,
    window: Window,
    effort: Effort,
) -> Measured {
    let case = Case::new(plan, profile, history);
    let due = |c: &&ClientRecord| (window.from..window.until).contains(&c.intended);
    let clients: Vec<&ClientRecord> = history.clients.iter().filter(due).collect();
    let dropped = clients.iter().filter(|c| c.was_dropped()).count() as u64;
    let sent = || clients.iter().filter(|c| !c.was_dropped());
    let right = |c: &&&ClientRecord| case.answers.is_right(history, c);
    let mut micros: Vec<u64> = sent().filter(right).map(|c| c.response_micros()).collect();
    micros.sort_unstable();
    let mut failures = BTreeMap::new();
    for failed in sent().filter(|c| !case.answers.is_right(history, c)) {
        *failures.entry(failed.status).or_default() += 1;
    }
    let mut fired = BTreeMap::new();
    history.firings.iter().for_each(|f| *fired.entry(f.fault).or_default() += 1);
    let lag = schedule_lag(&clients);
    let whole = expectation(CheckSpec::Latency(Default::default()), window);
    let attempts = case.scope(&whole).and_then(|scope| attempts_per_request(&scope));
    let unfit = unfit(plan, capacity, lag, effort, clients.len()).or_else(|| told(plan, history, window));
    let outcome = match unfit {
        Some(why) => TrialOutcome::Discarded { why },
        None => by_clauses(plan, capacity, &case, window, dropped, clients.len() as u64),
    };
    Measured {
        outcome,
        offered: clients.len() as u64,
        good: micros.len() as u64,
        dropped,
        mean: mean(&micros),
        p50: nearest_rank(&micros, 0.5),
        p99: nearest_rank(&micros, 0.99),
        in_flight: in_flight(history, window),
        stay: mean(&sent().map(|c| c.response_micros()).collect::<Vec<_>>()),
        attempts,
        lag,
        fired: fired.into_iter().collect(),
        failures: failures.into_iter().collect(),
    }
}

/// Why the harness was not fit to measure, if it was not.
fn unfit(plan: &Plan, capacity: &CapacityPlan, lag: u64, effort: Effort, due: usize) -> Option<String> {
    let most = plan.guards.max_lag_p99;
    if due == 0 {
        return Some("no request came due".into());
    }
    if lag * 1000 > most.0 {
        let millis = lag as f64 / 1e3;
        return Some(format!("the load generator lagged: p99 {millis:.1} ms, at most {most} allowed"));
    }
    let room = f64::from(effort.cores) * capacity.max_cpu.0;
    (effort.cores > 0 && effort.harness > room).then(|| {
        let (used, cores) = (effort.harness, effort.cores);
        format!("the harness used {used:.2} of {cores} cores, at most {} allowed", capacity.max_cpu)
    })
}

/// What generator and control group told in the window, if one of them was the limit.
fn told(plan: &Plan, history: &History, window: Window) -> Option<String> {
    let during = || history.events.iter().filter(move |event| is_of(event, window));
    busy(during(), plan.guards.max_cpu).or_else(|| held_back(during()))
}

/// Whether the better part of the second that an event sums up lies in the window; of a sample, whether it does itself.
fn is_of(event: &Event, window: Window) -> bool {
    const HALF: Nanos = 500_000_000;
    match event {
        Event::Generator { at, .. } => (window.from + HALF..=window.until + HALF).contains(at),
        Event::Throttled { at, .. } => (window.from..=window.until + HALF).contains(at),
        _ => false,
    }
}

fn by_clauses(
    plan: &Plan,
    capacity: &CapacityPlan,
    case: &Case<'_>,
    window: Window,
    dropped: u64,
    due: u64,
) -> TrialOutcome {
    let mut unknown = None;
    for clause in &capacity.slo {
        let expectation = expectation(clause.clone(), window);
        let Some(scope) = case.scope(&expectation) else { continue };
        let name = clause.info().name;
        if let Some(missing) = scope.missing(clause.info().needs) {
            unknown.get_or_insert(format!("{name}: this run could not observe {missing}"));
            continue;
        }
        let finding = clause.judge(&scope);
        match finding.outcome {
            Outcome::Pass => {}
            Outcome::Fail => {
                let why = format!("{}, wanted {}", finding.observed, finding.wanted);
                return TrialOutcome::Bad { clause: name.into(), why };
            }
            Outcome::Inconclusive => {
                let why = finding.details.first().cloned().unwrap_or_default();
                unknown.get_or_insert(format!("{name}: {why}"));
            }
        }
    }
    if dropped as f64 > plan.guards.max_dropped.0 * due as f64 {
        let cap = plan.workloads.get(usize::from(capacity.workload)).map_or(0, |w| w.max_in_flight);
        let why = format!("{dropped} of {due} arrivals found {cap} requests under way");
        return TrialOutcome::Bad { clause: IN_FLIGHT.into(), why };
    }
    match unknown {
        Some(why) => TrialOutcome::Discarded { why },
        None => TrialOutcome::Good,
    }
}

/// An expectation over a window of the run's clock.
fn expectation(check: CheckSpec, window: Window) -> ExpectationPlan {
    ExpectationPlan {
        name: String::new(),
        phase: None,
        after: Some(Span(window.from)),
        before: Some(Span(window.until)),
        matcher: Matcher::default(),
        check,
        severity: Severity::Error,
        because: None,
        min_samples: None,
        runbook: None,
        line: 0,
    }
}

/// How late requests went out, by the generator's own doing.
fn schedule_lag(clients: &[&ClientRecord]) -> u64 {
    let mut lags: Vec<u64> = clients.iter().map(|c| u64::from(c.own_lag())).collect();
    lags.sort_unstable();
    nearest_rank(&lags, 0.99).unwrap_or(0)
}

fn mean(micros: &[u64]) -> Option<u64> {
    (!micros.is_empty()).then(|| micros.iter().sum::<u64>() / micros.len() as u64)
}

fn attempts_per_request(scope: &Scope<'_>) -> Option<f64> {
    let (mut requests, mut tries) = (0u64, 0usize);
    for count in scope.clients().filter_map(|c| scope.tries(c)) {
        requests += 1;
        tries += count;
    }
    (requests > 0).then(|| tries as f64 / requests as f64)
}

/// Mean number of requests under way in the window.
fn in_flight(history: &History, window: Window) -> f64 {
    let overlap = |c: &ClientRecord| {
        let (from, until) = (c.intended.max(window.from), c.ended().min(window.until));
        until.saturating_sub(from)
    };
    let sent = history.clients.iter().filter(|c| !c.was_dropped());
    let sum: u64 = sent.map(overlap).sum();
    sum as f64 / window.until.saturating_sub(window.from).max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::{Goodput, Latency, SpanBounds, SuccessRate};
    use crate::golden::Story;
    use crate::units::{Rate, Share};

    const WINDOW: Window = Window { from: 1_000_000_000, until: 3_000_000_000 };

    fn measured(story: &Story, slo: Vec<CheckSpec>, effort: Effort) -> Measured {
        let capacity = crate::capacity::fixtures::plan(slo);
        judge_trial(&story.plan, &capacity, &story.profile, &story.history, WINDOW, effort)
    }

    fn slo() -> Vec<CheckSpec> {
        let p50 = Some(SpanBounds { min: None, max: Some(Span::millis(50)) });
        vec![
            SuccessRate { min: Some(Share(0.99)), max: None }.into(),
            Latency { p50, ..Latency::default() }.into(),
        ]
    }

    #[test]
    fn only_what_is_due_in_the_window_counts() {
        let story = Story::new().every(10, 0, 1000, |r| r.answer(503)).every(10, 1000, 3000, |r| r.took(20));
        let seen = measured(&story, slo(), Effort::default());
        assert_eq!(seen.outcome, TrialOutcome::Good);
        assert_eq!((seen.offered, seen.good, seen.dropped), (200, 200, 0));
        assert_eq!(seen.attempts, Some(1.0));
        assert!(seen.failures.is_empty());
        // A hundred a second of 20 ms each.
        assert_eq!((seen.stay, (seen.in_flight * 10.0).round()), (Some(20_000), 20.0));
    }

    #[test]
    fn the_clause_that_broke_is_named() {
        let failing = Story::new().every(10, 1000, 3000, |r| r.answer(503));
        let slow = Story::new().every(10, 1000, 3000, |r| r.took(200));
        let clause = |story: &Story| match measured(story, slo(), Effort::default()).outcome {
            TrialOutcome::Bad { clause, why } => (clause, why),
            other => panic!("{other:?}"),
        };
        assert_eq!(clause(&failing).0, "success-rate");
        let (name, why) = clause(&slow);
        assert_eq!(name, "latency");
        assert!(why.contains("wanted"), "{why}");
        assert_eq!(measured(&failing, slo(), Effort::default()).failures, [(503, 200)]);
    }

    #[test]
    fn goodput_is_of_everything_that_came_due() {
        let clause = |min, share: f64| Goodput { min, of_offered: Some(Share(share)), within: None }.into();
        let story = Story::new().every(10, 1000, 2900, |r| r.took(20));
        let story = story.every(10, 2900, 3000, |r| r.ending(gatecrash_model::Ending::Dropped));
        let outcome = |clause| measured(&story, vec![clause], Effort::default()).outcome;
        let bad = |why: &str| TrialOutcome::Bad { clause: "goodput".into(), why: why.into() };
        let seen = "95.0/s, 95.00% of what was offered";
        assert_eq!(
            outcome(clause(None, 0.96)),
            bad(&format!("{seen}, wanted at least 96% of what is offered"))
        );
        let both = format!("{seen}, wanted at least 100/s, at least 90% of what is offered");
        assert_eq!(outcome(clause(Some(Rate(100.0)), 0.9)), bad(&both));
        assert_eq!(measured(&story, Vec::new(), Effort::default()).dropped, 10);
    }

    #[test]
    fn a_harness_that_is_not_fit_says_nothing_of_the_gateway() {
        let story = || Story::new().every(10, 1000, 3000, |r| r.took(20));
        let busy = Effort { cores: 2, harness: 1.9 };
        let why = |seen: Measured| match seen.outcome {
            TrialOutcome::Discarded { why } => why,
            other => panic!("{other:?}"),
        };
        assert!(why(measured(&story(), slo(), busy)).contains("1.90 of 2 cores"));
        let none = Story::new();
        assert!(why(measured(&none, slo(), Effort::default())).contains("no request"));
        let few = Story::new().every(100, 1000, 3000, |r| r.took(20));
        assert!(why(measured(&few, slo(), Effort::default())).contains("30 needed"));
    }

    #[test]
    fn what_the_generator_tells_of_itself_counts_where_it_is_of_the_window() {
        let second = |at: Nanos, share: f64| Event::Generator {
            at: at * 1_000_000,
            in_flight: 1,
            cpu: 1.0,
            busiest: Some(share),
        };
        let quota =
            |at: Nanos, micros: u64| Event::Throttled { at: at * 1_000_000, micros, periods: micros / 1000 };
        let outcome = |events: Vec<Event>| {
            let story = Story::new().every(10, 1000, 3000, |r| r.took(20));
            measured(&events.into_iter().fold(story, Story::event), slo(), Effort::default()).outcome
        };
        let discarded = |why: &str| TrialOutcome::Discarded { why: why.into() };
        // The first second is of the settling.
        let settling = vec![second(1000, 0.99), second(2000, 0.5), second(3000, 0.5)];
        assert_eq!(outcome(settling), TrialOutcome::Good);
        let said =
            "a thread of the load generator used more than 85% of its core in 1 of 2 seconds (up to 99%)";
        assert_eq!(outcome(vec![second(2000, 0.5), second(3005, 0.99)]), discarded(said));
        assert_eq!(
            outcome(vec![quota(0, 1_000), quota(1000, 600_000), quota(3001, 610_000)]),
            TrialOutcome::Good
        );
        let said = "a CPU quota kept gatecrash from running for 100 ms of 2.0 s";
        assert_eq!(outcome(vec![quota(1000, 600_000), quota(3001, 700_000)]), discarded(said));
    }
}
