//! Runs side by side: as many at once as leave each other's timing alone.
//!
//! Every run has its own upstreams, gateway, links and clock; what runs share is the machine. So a run takes lanes by
//! the load it offers, and one that measures the machine itself, or meets something others may meet too, takes all.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use gatecrash_core::faults::FaultSpec;
use gatecrash_core::plan::{GatewayPlan, Plan};
use gatecrash_core::report::RunReport;
use tokio::task::JoinSet;

use crate::exit::Failure;
use crate::live::Live;
use crate::run::{self, Options, StopLine};
use crate::{environment, reports};

/// Lanes for each core: runs mostly wait. Without optimisation a request costs several times as much.
const LANES_PER_CORE: usize = if cfg!(debug_assertions) { 2 } else { 5 };

/// What one lane carries, requests per second; a run that offers more takes more lanes.
const RATE_PER_LANE: f64 = 150.0;

/// What one lane carries of users that wait for their answers; without think time each keeps a core busy.
const USERS_PER_LANE: usize = 8;

/// One run to make.
#[derive(Clone, Debug)]
pub struct Errand {
    /// What to run.
    pub plan: Plan,
    /// How.
    pub options: Options,
    /// Runs of a later round start after those of an earlier one.
    pub round: u32,
}

/// A run that came to a verdict.
#[derive(Debug)]
pub struct Judged {
    /// Its report.
    pub report: RunReport,
    /// Whether every format that a run directory keeps could be written into it.
    pub kept: Result<(), Failure>,
}

/// How an errand ended.
pub type Ended = Result<Judged, Failure>;

/// How many lanes this machine has where nobody says.
pub fn usual_lanes() -> usize {
    environment::cores() as usize * LANES_PER_CORE
}

/// Makes all runs on so many lanes, the longest first, and hands each over when it ends. Nothing more is started once
/// `stop` asks for the end or `hand_over` breaks off; what is under way then comes to its own end and is handed over as
/// well.
pub async fn run_all(
    errands: Vec<Errand>,
    lanes: usize,
    live: &Live,
    stop: &StopLine,
    mut hand_over: impl FnMut(usize, Ended) -> ControlFlow<()>,
) -> Result<(), Failure> {
    let mut waiting = queue(&errands, lanes);
    let mut runs = JoinSet::new();
    let (mut taken, mut more) = (0, true);
    loop {
        more &= stop.borrow().is_none();
        while more && let Some(place) = waiting.iter().position(|(_, needs)| taken + needs <= lanes) {
            let (index, needs) = waiting.remove(place);
            taken += needs;
            let errand = errands[index].clone();
            let live =
                if lanes > 1 && errands.len() > 1 { live.beside(&errand.plan.title()) } else { live.alone() };
            let stop = stop.clone();
            runs.spawn(async move { (index, needs, made(&errand, &live, &stop).await) });
        }
        let Some(ended) = runs.join_next().await else { return Ok(()) };
        let (index, needs, result) =
            ended.map_err(|e| Failure::bug(format!("a run side by side with others panicked: {e}")))?;
        taken -= needs;
        more &= hand_over(index, result).is_continue();
    }
}

/// Puts what ends in any order back into the order of the list.
#[derive(Debug)]
pub struct InOrder<T> {
    early: BTreeMap<usize, T>,
    next: usize,
}

impl<T> Default for InOrder<T> {
    fn default() -> Self {
        Self { early: BTreeMap::new(), next: 0 }
    }
}

impl<T> InOrder<T> {
    /// What may be shown now that this one is there.
    pub fn put(&mut self, index: usize, item: T) -> Vec<(usize, T)> {
        self.early.insert(index, item);
        let mut due = Vec::new();
        while let Some(item) = self.early.remove(&self.next) {
            due.push((self.next, item));
            self.next += 1;
        }
        due
    }

    /// What waits for others that never came.
    pub fn rest(self) -> impl Iterator<Item = (usize, T)> {
        self.early.into_iter()
    }
}

async fn made(errand: &Errand, live: &Live, stop: &StopLine) -> Ended {
    let (report, dir) = run::run_case(&errand.plan, &errand.options, live, stop).await?;
    off_the_timers(move || {
        let kept = reports::keep(&dir, &report);
        Judged { report, kept }
    })
    .await
}

/// Computes where nobody's timers wait for it.
pub async fn off_the_timers<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Failure> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|e| Failure::bug(format!("judging a run panicked: {e}")))
}

/// (index, lanes) in the order in which runs start: of each round the longest first, those that run alone at the end. On
/// one lane the order of the list.
fn queue(errands: &[Errand], lanes: usize) -> Vec<(usize, usize)> {
    let mut all: Vec<_> = errands.iter().map(|e| lanes_of(&e.plan, lanes)).enumerate().collect();
    if lanes > 1 {
        all.sort_by_key(|(index, needs)| {
            let Errand { plan, round, .. } = &errands[*index];
            (*round, *needs == lanes, std::cmp::Reverse(plan.length()), *index)
        });
    }
    all
}

/// How many of so many lanes a run takes.
fn lanes_of(plan: &Plan, lanes: usize) -> usize {
    if is_alone(plan) {
        return lanes;
    }
    const STEP: u64 = 100_000_000;
    let offered = |at| plan.workloads.iter().filter_map(|w| w.rate_at(at)).sum::<f64>();
    let peak = (0..plan.length().0.div_ceil(STEP)).map(|step| offered(step * STEP)).fold(0.0, f64::max);
    let users: u32 = plan.workloads.iter().filter_map(|w| w.users()).map(|(_, most)| most).sum();
    ((peak / RATE_PER_LANE).ceil() as usize + users as usize / USERS_PER_LANE).clamp(1, lanes)
}

/// Whether a run measures what others would disturb (capacity most of all), or meets something that is not its own:
/// quotas of processor and memory, a gateway that already runs or whose command may name fixed ports, somebody else's
/// proxy, the one goose that a process can have.
fn is_alone(plan: &Plan) -> bool {
    let foreign = matches!(plan.gateway, GatewayPlan::Url { .. } | GatewayPlan::Command { .. });
    let quota = |spec: &FaultSpec| matches!(spec, FaultSpec::Cpu(_) | FaultSpec::Memory(_));
    foreign
        || plan.capacity.is_some()
        || plan.faults.iter().any(|f| quota(&f.spec))
        || plan.regions.iter().any(|r| r.toxiproxy.is_some())
        || plan.workloads.iter().any(|w| w.journeys.is_some())
}

#[cfg(test)]
mod tests {
    use gatecrash_core::golden::Story;
    use gatecrash_core::plan::{PhasePlan, SegmentPlan};
    use gatecrash_core::units::{Rate, Share, Span};

    use super::*;

    /// A plan of one phase at one rate.
    fn plan(seconds: u64, rate: f64) -> Plan {
        let mut plan = Story::new().plan;
        plan.gateway = GatewayPlan::Embedded {
            preset: "strict".into(),
            defects: Vec::new(),
            defect_rate: Share(1.0),
            params: BTreeMap::new(),
        };
        let (from, until) = (Span(0), Span::millis(seconds * 1000));
        plan.phases = vec![PhasePlan { name: "only".into(), from, until }];
        plan.workloads[0].segments = vec![SegmentPlan::constant(from, until, Rate(rate))];
        plan
    }

    fn order(plans: Vec<Plan>, lanes: usize) -> Vec<(usize, usize)> {
        order_of_rounds(plans, &[], lanes)
    }

    fn order_of_rounds(plans: Vec<Plan>, rounds: &[u32], lanes: usize) -> Vec<(usize, usize)> {
        let options = Options {
            out: "runs".into(),
            executable: "gatecrash".into(),
            strict: false,
            reproduce: String::new(),
            allow_targets: Vec::new(),
            upstream_port: 0,
        };
        let rounds = plans.into_iter().zip(rounds.iter().copied().chain(std::iter::repeat(0)));
        let errands = rounds.map(|(plan, round)| Errand { plan, options: options.clone(), round });
        queue(&errands.collect::<Vec<_>>(), lanes)
    }

    #[test]
    fn load_takes_lanes() {
        let lanes = |rate| lanes_of(&plan(1, rate), 8);
        assert_eq!([lanes(0.0), lanes(150.0), lanes(151.0), lanes(5000.0)], [1, 1, 2, 8]);
    }

    #[test]
    fn rates_of_one_time_add_up_and_others_do_not() {
        let mut plan = plan(2, 100.0);
        let segment =
            |from, until| vec![SegmentPlan::constant(Span::millis(from), Span::millis(until), Rate(100.0))];
        plan.workloads.push(plan.workloads[0].clone());
        (plan.workloads[0].segments, plan.workloads[1].segments) = (segment(0, 1000), segment(1000, 2000));
        assert_eq!(lanes_of(&plan, 8), 1);
        plan.workloads[0].segments = segment(0, 1500);
        assert_eq!(lanes_of(&plan, 8), 2);
    }

    #[test]
    fn what_is_not_the_runs_own_is_met_alone() {
        let mut plan = plan(1, 1.0);
        plan.gateway = GatewayPlan::Url { base: "http://127.0.0.1:8080".into(), ca: None };
        assert_eq!(lanes_of(&plan, 8), 8);
    }

    #[test]
    fn the_longest_start_first_and_those_alone_last() {
        let plans = || vec![plan(1, 10.0), plan(9, 5000.0), plan(5, 10.0), plan(1, 10.0)];
        assert_eq!(order(plans(), 4), [(2, 1), (0, 1), (3, 1), (1, 4)]);
        assert_eq!(order(plans(), 1), [(0, 1), (1, 1), (2, 1), (3, 1)]);
    }

    #[test]
    fn a_second_round_waits_for_the_first() {
        let plans = vec![plan(1, 10.0), plan(9, 10.0), plan(1, 10.0), plan(9, 10.0)];
        assert_eq!(order_of_rounds(plans, &[0, 0, 1, 1], 4), [(1, 1), (0, 1), (3, 1), (2, 1)]);
    }

    #[test]
    fn what_ends_early_waits_for_those_before_it() {
        let mut order = InOrder::default();
        assert_eq!(order.put(1, 'b'), []);
        assert_eq!(order.put(0, 'a'), [(0, 'a'), (1, 'b')]);
        assert_eq!(order.put(3, 'd'), []);
        assert_eq!(order.rest().collect::<Vec<_>>(), [(3, 'd')]);
    }
}
