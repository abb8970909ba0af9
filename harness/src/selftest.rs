//! gatecrash measured by gatecrash: every defect must be detected by its checks, nothing else may alarm.

use std::collections::{BTreeMap, BTreeSet};

use gatecrash_core::plan::{GatewayPlan, Plan};
use gatecrash_core::report::RunReport;
use gatecrash_core::selftest::{DEFECTS, DefectProof, Detection};
use gatecrash_core::units::Share;
use gatecrash_core::verdict::Outcome;
use serde::Serialize;

use crate::exit::{Exit, Failure};
use crate::live::Live;
use crate::run::{self, Options, StopLine};

mod benign;

/// What to measure.
#[derive(Clone, Debug)]
pub struct Course {
    /// Defects to switch on; all when empty.
    pub only: Vec<String>,
    /// Share of requests a defect touches.
    pub rate: Share,
    /// Seeds to run each case with.
    pub seeds: Vec<u64>,
}

/// One row of the result: one defect (or the correct gateway) under one scenario and seed.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Row {
    /// Defect name, `correct` for the gateway without any.
    pub gateway: String,
    /// Catalogue number, 0 for the correct gateway.
    pub number: u8,
    /// Scenario.
    pub scenario: String,
    /// Seed.
    pub seed: u64,
    /// Checks that had to fail.
    pub must: Vec<String>,
    /// Of those, the ones that did not.
    pub missed: Vec<String>,
    /// Checks that failed and were not allowed to.
    pub false_alarms: Vec<String>,
    /// Checks that could not be judged, beyond what the defect itself explains.
    pub inconclusive: Vec<String>,
    /// Run id.
    pub run: String,
}

/// All rows.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Score {
    /// Version of this structure, 1.
    pub version: u32,
    /// Share of requests the defects touched, per cent.
    pub rate: Share,
    /// Rows in order: the correct gateway first.
    pub rows: Vec<Row>,
}

/// Runs the course. `plans` holds the self-test scenarios by name.
pub async fn measure(
    course: &Course,
    plans: &BTreeMap<String, Plan>,
    options: &Options,
    live: &Live,
    stop: &StopLine,
) -> Result<Score, Failure> {
    let proofs: Vec<_> = DEFECTS
        .iter()
        .filter(|d| course.only.is_empty() || course.only.iter().any(|n| n == d.name))
        .collect();
    let scenarios: BTreeSet<_> = proofs.iter().map(|p| p.scenario).collect();
    let mut rows = Vec::new();
    for seed in &course.seeds {
        for scenario in &scenarios {
            let plan = seeded(plan_named(plans, scenario)?, *seed);
            rows.push(row("correct", None, scenario, &plan, options, live, stop).await?);
        }
        for proof in &proofs {
            let mut plan = seeded(plan_named(plans, proof.scenario)?, *seed);
            if let GatewayPlan::Embedded { defects, defect_rate, .. } = &mut plan.gateway {
                defects.push(proof.name.to_owned());
                *defect_rate = course.rate;
            }
            rows.push(row(proof.name, Some(proof), proof.scenario, &plan, options, live, stop).await?);
        }
        if course.only.is_empty() {
            let plan = seeded(plan_named(plans, benign::SCENARIO)?, *seed);
            for (name, plan) in benign::gateways(&plan) {
                rows.push(row(&name, None, benign::SCENARIO, &plan, options, live, stop).await?);
            }
        }
    }
    Ok(Score { version: 1, rate: course.rate, rows })
}

async fn row(
    gateway: &str,
    proof: Option<&DefectProof>,
    scenario: &str,
    plan: &Plan,
    options: &Options,
    live: &Live,
    stop: &StopLine,
) -> Result<Row, Failure> {
    let mut options = options.clone();
    if let Some(proof) = proof {
        options.reproduce.push_str(&format!(" --defect {}", proof.name));
    }
    let (report, dir) = run::run_case(plan, &options, live, stop).await?;
    crate::reports::keep(&dir, &report)?;
    if let Some(stop) = stop.borrow().as_ref() {
        return Err(Failure::stopped(stop));
    }
    // A run cut short measures nothing, whatever its verdicts are.
    if let Some(why) = report.interrupted {
        let directory = report.environment.directory;
        return Err(Failure::environment(format!(
            "a run of the self-test was cut short: {why} ({directory})"
        )));
    }
    let failed = checks_with(&report, Outcome::Fail);
    let detection = match proof {
        Some(proof) => proof.detection(failed.iter().map(String::as_str)),
        None => Detection { missed: Vec::new(), false_alarms: failed.iter().cloned().collect() },
    };
    let row = Row {
        gateway: gateway.to_owned(),
        number: proof.map_or(0, |p| p.number),
        scenario: scenario.to_owned(),
        seed: plan.seed,
        must: proof.map_or_else(Vec::new, |p| p.must.iter().map(|m| (*m).to_owned()).collect()),
        missed: detection.missed,
        false_alarms: detection.false_alarms,
        inconclusive: checks_with(&report, Outcome::Inconclusive)
            .into_iter()
            .filter(|c| proof.is_none() && !failed.contains(c))
            .collect(),
        run: report.run.clone(),
    };
    live.note(&row.line());
    Ok(row)
}

fn checks_with(report: &RunReport, outcome: Outcome) -> BTreeSet<String> {
    let named = |v: &gatecrash_core::verdict::Verdict| {
        report.plan.expectations.get(v.expectation as usize).map(|e| e.check.info().name.to_owned())
    };
    report.verdicts.iter().filter(|v| v.outcome == outcome).filter_map(named).collect()
}

fn plan_named<'a>(plans: &'a BTreeMap<String, Plan>, scenario: &str) -> Result<&'a Plan, Failure> {
    plans
        .get(scenario)
        .ok_or_else(|| Failure::environment(format!("the self-test scenario {scenario} is not shipped")))
}

fn seeded(plan: &Plan, seed: u64) -> Plan {
    Plan { seed, ..plan.clone() }
}

impl Row {
    /// Whether it is as it should be.
    pub fn good(&self) -> bool {
        self.missed.is_empty() && self.false_alarms.is_empty() && self.inconclusive.is_empty()
    }

    fn line(&self) -> String {
        let mark = if self.good() { "ok  " } else { "BAD " };
        let mut text = format!("{mark}{:>2} {:<24} {:<22}", self.number, self.gateway, self.scenario);
        for (what, list) in [
            ("must", &self.must),
            ("MISSED", &self.missed),
            ("FALSE ALARM", &self.false_alarms),
            ("INCONCLUSIVE", &self.inconclusive),
        ] {
            if !list.is_empty() {
                text.push_str(&format!(" {what}: {}", list.join(", ")));
            }
        }
        text.trim_end().to_owned()
    }
}

impl Score {
    /// The table with its totals.
    pub fn table(&self) -> String {
        let mut text: String = self.rows.iter().map(|r| format!("{}\n", r.line())).collect();
        let defects: Vec<_> = self.rows.iter().filter(|r| r.number > 0).collect();
        let detected = defects.iter().filter(|r| r.missed.is_empty()).count();
        let alarms: usize = self.rows.iter().map(|r| r.false_alarms.len()).sum();
        let unsure: usize = self.rows.iter().map(|r| r.inconclusive.len()).sum();
        text.push_str(&format!(
            "\n{detected} of {} defects detected at a rate of {}, {alarms} false alarms, {unsure} inconclusive on the correct gateway\n",
            defects.len(),
            self.rate
        ));
        text
    }

    /// 0 when the harness is as good as it claims, 1 when it is not, 3 when the correct gateway could not be judged.
    pub fn exit(&self) -> Exit {
        let bad = self.rows.iter().any(|r| !r.missed.is_empty() || !r.false_alarms.is_empty());
        let unsure = self.rows.iter().any(|r| !r.inconclusive.is_empty());
        match (bad, unsure) {
            (true, _) => Exit::Failed,
            (false, true) => Exit::Inconclusive,
            (false, false) => Exit::Pass,
        }
    }
}
