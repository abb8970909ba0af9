//! gatecrash measured by gatecrash: every defect must be detected by its checks, nothing else may alarm.
//!
//! Every trial is a run of its own, several side by side. A row is kept as soon as its run ends, so that a long
//! measurement goes on where it was ended.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use gatecrash_core::plan::{GatewayPlan, Plan};
use gatecrash_core::selftest::{DEFECTS, DefectProof, Kind, Row, Score, Trial};
use gatecrash_core::units::{Rate, Share};
use gatecrash_model::hash;

use crate::environment;
use crate::exit::{Failure, Side};
use crate::live::Live;
use crate::run::{Options, StopLine};
use crate::side_by_side::{Ended, Errand, run_all};

mod benign;
pub mod rows;

use rows::Rows;

/// At a rate below this, the load is so many times the scenario's: else too few requests could show a defect.
const FEW: (Share, u32) = (Share(0.05), 3);

/// Most runs that the environment may break off before the measurement ends for it.
const AGAIN: usize = 3;

/// What to measure.
#[derive(Clone, Debug)]
pub struct Course {
    /// Defects to switch on; all when empty, and gateways without a defect then run every scenario.
    pub only: Vec<String>,
    /// Shares of requests a defect touches.
    pub rates: Vec<Share>,
    /// Seeds to run each case with.
    pub seeds: Vec<u64>,
    /// How often gateways without a defect run each scenario and seed.
    pub repeat: u32,
    /// Runs side by side: lanes.
    pub lanes: usize,
    /// Whether the run directories of rows that are as they should be are removed.
    pub tidy: bool,
    /// The command, for the tables.
    pub command: String,
}

/// One trial with all that it takes.
struct Planned {
    trial: Trial,
    proof: Option<&'static DefectProof>,
    plan: Plan,
    /// Hash of the plan.
    hash: String,
}

/// Runs the course. `plans` holds the self-test scenarios by name; rows that `rows` holds already are not measured
/// again.
pub async fn measure(
    course: &Course,
    plans: &BTreeMap<String, Plan>,
    rows: &mut Rows,
    options: &Options,
    live: &Live,
    stop: &StopLine,
) -> Result<Score, Failure> {
    let started = environment::now_rfc3339();
    let planned = planned(course, plans)?;
    let (done, due): (Vec<_>, Vec<_>) =
        planned.iter().partition(|p: &&Planned| rows.holds(&p.trial, &p.hash));
    if !done.is_empty() {
        live.note(&format!("{} of {} runs were made before", done.len(), planned.len()));
    }
    let (mut broken, mut ended) = (Vec::new(), 0);
    let mut failure = None;
    // One run that the environment broke off is made again; many of them are no accident.
    for attempt in 1..=2 {
        let round: Vec<usize> = match attempt {
            1 => (0..due.len()).collect(),
            _ => broken.iter().map(|(index, _): &(usize, String)| *index).collect(),
        };
        let errands = round.iter().map(|index| due[*index].errand(options)).collect();
        let lanes = if attempt == 1 { course.lanes } else { 1 };
        let hand_over = |at: usize, result: Ended| {
            let index = round[at];
            let kept = row(due[index], result, course, stop).and_then(|row| {
                ended += 1;
                live.note(&format!("{:>4}/{} {}", done.len() + ended, planned.len(), row.line()));
                rows.keep(row)
            });
            match kept {
                Ok(()) => ControlFlow::Continue(()),
                Err(why) if attempt == 1 && broken.len() < AGAIN && is_accident(&why) => {
                    let trial = &due[index].trial;
                    let what = format!("{} on {}: {}", trial.gateway, trial.scenario, why.message);
                    live.note(&format!("to be made again: {what}"));
                    broken.push((index, what));
                    ControlFlow::Continue(())
                }
                Err(why) => {
                    failure.get_or_insert(why);
                    ControlFlow::Break(())
                }
            }
        };
        run_all(errands, lanes, live, stop, hand_over).await?;
        if broken.is_empty() || failure.is_some() {
            break;
        }
    }
    if let Some(failure) = failure {
        return Err(failure);
    }
    if let Some(stop) = stop.borrow().as_ref() {
        return Err(Failure::stopped(stop));
    }
    let again = broken.into_iter().map(|(_, what)| what).collect();
    let rows = planned.iter().filter_map(|p| rows.row(&p.trial, &p.hash).cloned()).collect();
    let gatecrash = env!("CARGO_PKG_VERSION").into();
    Ok(Score { version: 2, command: course.command.clone(), gatecrash, started, rows, again })
}

/// Every trial of a course, in the order of the tables.
fn planned(course: &Course, plans: &BTreeMap<String, Plan>) -> Result<Vec<Planned>, Failure> {
    let wanted = |d: &&DefectProof| course.only.is_empty() || course.only.iter().any(|n| n == d.name);
    let proofs: Vec<_> = DEFECTS.iter().filter(wanted).collect();
    let mut all = Vec::new();
    let everything = course.only.is_empty();
    let shows = |scenario: &str| everything || proofs.iter().any(|p| p.scenario == scenario);
    let benign = plans.get(benign::SCENARIO).filter(|_| everything).map_or_else(Vec::new, benign::gateways);
    for seed in &course.seeds {
        for repeat in 1..=course.repeat {
            for (scenario, plan) in plans.iter().filter(|(name, _)| shows(name)) {
                let trial = trial(Kind::Correct, "correct", scenario, *seed, repeat);
                all.push(Planned::new(trial, None, plan));
            }
            for (name, plan) in &benign {
                all.push(Planned::new(
                    trial(Kind::Benign, name, benign::SCENARIO, *seed, repeat),
                    None,
                    plan,
                ));
            }
        }
        for proof in &proofs {
            let scenario = proof.scenario;
            let plan = plans.get(scenario).ok_or_else(|| {
                Failure::environment(format!("the self-test scenario {scenario} is not shipped"))
            })?;
            for rate in &course.rates {
                let load = if *rate < FEW.0 { FEW.1 } else { 1 };
                let trial = Trial {
                    number: proof.number,
                    rate: *rate,
                    load,
                    ..trial(Kind::Defect, proof.name, scenario, *seed, 1)
                };
                all.push(Planned::new(trial, Some(proof), plan));
            }
        }
    }
    all.sort_by(|a, b| a.trial.order(&b.trial));
    Ok(all)
}

/// Whether a run came to nothing by what is around it: a port taken, a process that would not start.
fn is_accident(failure: &Failure) -> bool {
    matches!(failure.side, Side::Environment | Side::Gateway)
}

fn trial(kind: Kind, gateway: &str, scenario: &str, seed: u64, repeat: u32) -> Trial {
    let (gateway, scenario) = (gateway.to_owned(), scenario.to_owned());
    Trial { kind, gateway, number: 0, scenario, rate: Share(1.0), load: 1, seed, repeat }
}

fn row(planned: &Planned, ended: Ended, course: &Course, stop: &StopLine) -> Result<Row, Failure> {
    let judged = ended?;
    judged.kept?;
    if let Some(stop) = stop.borrow().as_ref() {
        return Err(Failure::stopped(stop));
    }
    let report = judged.report;
    let directory = &report.environment.directory;
    // A run cut short measures nothing, whatever its verdicts are.
    if let Some(why) = &report.interrupted {
        return Err(Failure::environment(format!(
            "a run of the self-test was cut short: {why} ({directory})"
        )));
    }
    let (trial, hash) = (planned.trial.clone(), planned.hash.clone());
    let row =
        Row::of(trial, hash, report.run.clone(), planned.proof, &report.plan.expectations, &report.verdicts);
    if course.tidy && row.good() {
        std::fs::remove_dir_all(directory)
            .map_err(|e| Failure::environment(format!("cannot remove {directory}: {e}")))?;
    }
    Ok(row)
}

// === impl Planned ===

impl Planned {
    fn new(trial: Trial, proof: Option<&'static DefectProof>, scenario: &Plan) -> Self {
        let mut plan = Plan { seed: trial.seed, ..scenario.clone() };
        if let (Some(proof), GatewayPlan::Embedded { defects, defect_rate, .. }) = (proof, &mut plan.gateway)
        {
            defects.push(proof.name.to_owned());
            *defect_rate = trial.rate;
        }
        for workload in &mut plan.workloads {
            workload.max_in_flight = workload.max_in_flight.saturating_mul(trial.load);
            for segment in &mut workload.segments {
                segment.rate = Rate(segment.rate.0 * f64::from(trial.load));
                segment.to = segment.to.map(|to| Rate(to.0 * f64::from(trial.load)));
            }
            for stage in workload.closed.iter_mut().flat_map(|closed| &mut closed.stages) {
                stage.users *= trial.load;
                stage.to = stage.to.map(|to| to * trial.load);
            }
        }
        let text = serde_json::to_vec(&plan).unwrap_or_default();
        let hash = format!("{:016x}", hash::bytes(&text));
        Self { trial, proof, plan, hash }
    }

    fn errand(&self, options: &Options) -> Errand {
        let mut options = options.clone();
        if let Some(proof) = self.proof {
            options.reproduce.push_str(&format!(" --defect {} --rates {}", proof.name, self.trial.rate));
        }
        Errand { plan: self.plan.clone(), options, round: 0 }
    }
}
