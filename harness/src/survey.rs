//! The survey of a gateway: every condition as a run of its own, several side by side.

use gatecrash_core::diagnostics::SourceText;
use gatecrash_core::plan::{GatewayPlan, Plan};
use gatecrash_core::scenario;
use gatecrash_core::survey::{Condition, Row, Survey, observe};
use tokio::task::JoinSet;

use crate::exit::{Failure, Side};
use crate::live::Live;
use crate::run::{self, Options, StopLine};
use crate::{environment, gateway, suite};

/// What to measure.
#[derive(Clone, Debug)]
pub struct Course {
    /// Conditions, in order.
    pub conditions: Vec<Condition>,
    /// How the scenarios are read: which gateway takes the place of the embedded one, which values differ.
    pub scenario: scenario::Options,
    /// The gateway of a scenario, where it is not the one of the options with the parameters of a survey.
    pub own: Option<Own>,
    /// Runs side by side, at least 1.
    pub jobs: usize,
}

/// A gateway as a scenario has it.
#[derive(Clone, Debug)]
pub struct Own {
    /// The gateway with its parameters.
    pub gateway: GatewayPlan,
    /// Whether upstreams of its scenario speak TLS: of a gateway without a recipe nobody else says whether it can.
    pub tls: bool,
    /// The same for HTTP/2.
    pub http2: bool,
}

/// Runs the course.
pub async fn measure(
    course: &Course,
    options: &Options,
    live: &Live,
    stop: &StopLine,
) -> Result<Survey, Failure> {
    let mut rows: Vec<Option<Row>> = vec![None; course.conditions.len()];
    let mut name = String::new();
    let mut failed = Vec::new();
    let mut runs = JoinSet::new();
    let mut waiting = course.conditions.iter().cloned().enumerate();
    let started = environment::now_rfc3339();
    loop {
        while runs.len() < course.jobs.max(1)
            && let Some((index, condition)) = waiting.next()
        {
            let (course, options, stop) = (course.clone(), options.clone(), stop.clone());
            runs.spawn(async move { (index, surveyed(&course, &condition, &options, &stop).await) });
        }
        let Some(ended) = runs.join_next().await else { break };
        let (index, row) = ended.map_err(|e| Failure::bug(format!("a run of the survey panicked: {e}")))?;
        let (row, of) = match row {
            Err(failure) if matches!(failure.side, Side::Gateway | Side::Environment) => {
                let why = failure.message.lines().next().unwrap_or_default();
                let row = skipped(&course.conditions[index], why.to_owned());
                failed.push(failure);
                (row, String::new())
            }
            row => row?,
        };
        // Where nothing works, the rest will not either.
        if name.is_empty() && failed.len() > course.jobs {
            return Err(failed.swap_remove(0));
        }
        let told = row.skipped.clone().or(row.cells.first().map(|c| c.text())).unwrap_or_default();
        live.note(&format!("{:<28} {}", row.condition, told.lines().next().unwrap_or_default()));
        rows[index] = Some(row);
        if !of.is_empty() {
            name = of;
        }
    }
    if name.is_empty() && !failed.is_empty() {
        return Err(failed.swap_remove(0));
    }
    let rows: Vec<_> = rows.into_iter().flatten().collect();
    // What holds for every condition is no finding about one.
    if let Some(why) = rows.first().and_then(|r| r.skipped.as_ref())
        && rows.iter().all(|r| r.skipped.as_ref() == Some(why))
    {
        return Err(Failure::usage(format!("the gateway cannot be surveyed: {why}")));
    }
    Ok(Survey { version: 1, gateway: name, gatecrash: env!("CARGO_PKG_VERSION").into(), started, rows })
}

/// One condition's row, and the gateway's name and version.
async fn surveyed(
    course: &Course,
    condition: &Condition,
    options: &Options,
    stop: &StopLine,
) -> Result<(Row, String), Failure> {
    let plan = match plan(course, condition)? {
        Ok(plan) => plan,
        Err(why) => return Ok((skipped(condition, why), String::new())),
    };
    let (report, dir) = run::run_case(&plan, options, &Live::new(true), stop).await?;
    crate::reports::keep(&dir, &report)?;
    if let Some(stop) = stop.borrow().as_ref() {
        return Err(Failure::stopped(stop));
    }
    let row = observe(condition, &plan, &dir.history()?, &report.run);
    // A gateway that died under the condition is a finding; anything else that ended a run early is not.
    if let (Some(why), None) = (&report.interrupted, &row.died) {
        return Err(Failure::environment(format!(
            "the run of {} was cut short: {why} ({})",
            condition.name, report.environment.directory
        )));
    }
    let (name, version) = (&report.profile.gateway, &report.environment.gateway);
    let set = match &plan.gateway {
        GatewayPlan::Embedded { params, .. } | GatewayPlan::Recipe { params, .. } => params.clone(),
        GatewayPlan::Command { .. } | GatewayPlan::Url { .. } => Default::default(),
    };
    let set: Vec<_> = set.iter().map(|(parameter, value)| format!("{parameter}: {value}")).collect();
    let with = if set.is_empty() { String::new() } else { format!(", with {}", set.join(", ")) };
    Ok((row, format!("{} {version}", name).trim_end().to_owned() + &with))
}

/// The plan of a condition; in words, why the gateway cannot be put under it.
fn plan(course: &Course, condition: &Condition) -> Result<Result<Plan, String>, Failure> {
    let source = SourceText::new(format!("survey/{}", condition.name), condition.scenario());
    let loaded = match suite::load(&source, &course.scenario) {
        Ok(loaded) => loaded,
        Err(why) if why.is_about_the_gateway() => {
            return Ok(Err(why.iter().map(|d| d.message.as_str()).collect::<Vec<_>>().join(", ")));
        }
        Err(why) => return Err(Failure::usage(why.to_string())),
    };
    let case = loaded.cases.into_iter().next().ok_or_else(|| Failure::bug("a condition has no case"))?;
    let mut plan = case.plan;
    match &course.own {
        Some(own) => {
            if let Some(why) = own.cannot(&plan) {
                return Ok(Err(why.to_owned()));
            }
            plan.gateway = own.gateway.clone();
        }
        None => {
            let parameters = gateway::survey_parameters(&plan.gateway);
            if let GatewayPlan::Embedded { params, .. } | GatewayPlan::Recipe { params, .. } =
                &mut plan.gateway
            {
                params.extend(parameters);
            }
        }
    }
    let cannot = gateway::check_plan(&plan);
    Ok(if cannot.is_empty() { Ok(plan) } else { Err(cannot.join(", ")) })
}

impl Own {
    /// The gateway of a scenario's first case.
    pub fn of(plan: &Plan) -> Self {
        Self {
            gateway: plan.gateway.clone(),
            tls: plan.regions.iter().any(|region| region.tls.is_some()),
            http2: plan.regions.iter().any(|region| region.http2),
        }
    }

    /// Why a gateway without a recipe is not asked to speak to these upstreams.
    fn cannot(&self, plan: &Plan) -> Option<&'static str> {
        let asked = Self::of(plan);
        match self.gateway {
            GatewayPlan::Embedded { .. } | GatewayPlan::Recipe { .. } => None,
            _ if asked.tls && !self.tls => Some("no upstream of its scenario speaks TLS (tls: true)"),
            _ if asked.http2 && !self.http2 => Some("no upstream of its scenario speaks HTTP/2 (http: h2c)"),
            GatewayPlan::Command { .. } | GatewayPlan::Url { .. } => None,
        }
    }
}

fn skipped(condition: &Condition, why: String) -> Row {
    Row {
        condition: condition.name.clone(),
        group: condition.group.to_owned(),
        run: String::new(),
        skipped: Some(why),
        cells: Vec::new(),
        after: 0,
        recovered: 0,
        died: None,
    }
}
