//! The main path: one case from plan to report.
//!
//! directory -> recorder -> topology -> T0: timeline, load, samples, guards -> teardown -> history -> verdicts.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use gatecrash_core::history::History;
use gatecrash_core::plan::{GatewayPlan, Plan};
use gatecrash_core::profile::Profile;
use gatecrash_core::report::{Environment, RunReport};
use gatecrash_core::stats::{Interruption, run_report};
use gatecrash_model::{Capabilities, Capability, Clock, Pool, RunId, Sink, hash};
use tokio::sync::watch::Receiver;

use crate::capacity::{Met, Survey};
use crate::clock::RunClock;
use crate::environment;
use crate::exit::{Exit, Failure};
use crate::live::Live;
use crate::recorder::Recorder;
use crate::run_dir::{RunDir, RunDirError, RunFacts};
use crate::side_by_side;
use crate::topology::{Ground, Topology, journeys, load};

mod drive;
mod stalls;
mod target;
mod waits;
mod watch;

/// What the embedded gateway's profile calls it.
const REFERENCE: &str = "reference";

/// How to run a case.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where run directories are made.
    pub out: PathBuf,
    /// Our own executable, for child processes of ours.
    pub executable: PathBuf,
    /// Judge without the known deviations of the gateway's profile.
    pub strict: bool,
    /// The command that reproduces the run, without the seed.
    pub reproduce: String,
    /// Hosts besides loopback that may be a target.
    pub allow_targets: Vec<String>,
    /// Port that all upstream endpoints share, 0 for any free one.
    pub upstream_port: u16,
}

/// A reason to end a run before its plan does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stop {
    /// How the process then ends.
    pub exit: Exit,
    /// In words.
    pub why: String,
}

/// The line on which somebody may ask a run to end.
pub type StopLine = Receiver<Option<Stop>>;

/// Waits until somebody asks the run to end; for ever when nobody can any more.
pub async fn asked(line: &StopLine) -> Stop {
    let mut line = line.clone();
    let stop = line.wait_for(Option::is_some).await.ok().and_then(|stop| stop.clone());
    match stop {
        Some(stop) => stop,
        None => std::future::pending().await,
    }
}

/// Refuses what this program was built without, before anything is started for it.
pub fn built_for(plan: &Plan) -> Result<(), Failure> {
    load::built(plan)?;
    journeys::walkable(plan)
}

/// Runs one case and judges it. The report is also in the run directory when this returns.
pub async fn run_case(
    plan: &Plan,
    options: &Options,
    live: &Live,
    stop: &StopLine,
) -> Result<(RunReport, RunDir), Failure> {
    target::allowed(plan, &options.allow_targets)?;
    built_for(plan)?;
    let run = new_run_id();
    let dir = RunDir::create(&options.out, &plan.title(), &run.to_string())?;
    let mut stored = plan.clone();
    gatecrash_core::report::redact_plan(&mut stored);
    dir.write_plan(&stored)?;
    let recorder = Arc::new(
        Recorder::create(&dir.history_path())
            .map_err(|source| RunDirError::Write { path: dir.history_path(), source })?,
    );
    let clock = Arc::new(RunClock::start());
    let ground = Ground {
        run,
        clock: Arc::clone(&clock) as Arc<dyn Clock>,
        sink: Arc::clone(&recorder) as Arc<dyn Sink>,
        pool: Arc::new(Pool::new(plan.seed)),
    };

    live.note(&format!("{}: starting {}", plan.title(), gateway_name(plan)));
    if let Some(capacity) = &plan.capacity {
        let survey = Survey {
            plan,
            capacity,
            options,
            dir: &dir,
            run,
            clock: &clock,
            recorder: &recorder,
            live,
            stop,
        };
        let mut kept = None;
        let ended = survey
            .search(&ground, |met| {
                if kept.is_none() {
                    warn_of_another_version(&met.profile);
                    let facts = facts(plan, options, &dir, run, met);
                    dir.write_facts(&facts)?;
                    kept = Some(facts);
                }
                Ok(())
            })
            .await;
        return finish(dir, &recorder, kept, ended?, options.strict).await;
    }
    let mut topology = Topology::start(plan, &ground, dir.path(), options, stop).await?;
    warn_of_another_version(&topology.gateway.profile);
    let met = Met {
        profile: topology.gateway.profile.clone(),
        capabilities: seen(plan, topology.gateway.capabilities),
        version: topology.gateway.version.clone(),
    };
    let facts = facts(plan, options, &dir, run, met);
    let ended = match dir.write_facts(&facts) {
        Ok(()) => drive::drive(plan, &mut topology, &ground, &clock, &recorder, live, stop).await,
        Err(error) => Err(error.into()),
    };
    topology.stop(plan, run, &*recorder).await;
    finish(dir, &recorder, Some(facts), ended?, options.strict).await
}

/// What a run directory says before the load begins.
fn facts(plan: &Plan, options: &Options, dir: &RunDir, run: RunId, met: Met) -> RunFacts {
    let directory = dir.path().display().to_string();
    RunFacts {
        version: 1,
        run: run.to_string(),
        profile: met.profile,
        capabilities: met.capabilities,
        environment: surroundings(plan, options, &met.version, &directory),
        ended: false,
        interrupted: None,
    }
}

/// Once for each gateway, however many cases run on it.
fn warn_of_another_version(profile: &Profile) {
    static WARNED: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    let gateway = format!("{} {}", profile.gateway, profile.version);
    let is_new = || WARNED.lock().unwrap_or_else(PoisonError::into_inner).insert(gateway);
    if !profile.was_measured() && is_new() {
        let measured = profile.measured_on.split_whitespace().map(|v| v.trim_end_matches('.'));
        crate::output::note(&format!(
            "warning: {} {} is another version than those whose profile was measured ({}): its known \
             deviations may differ",
            profile.gateway,
            profile.version,
            measured.collect::<Vec<_>>().join(", ")
        ));
    }
}

/// Closes the history, writes down how the run ended, and judges it.
async fn finish(
    dir: RunDir,
    recorder: &Recorder,
    facts: Option<RunFacts>,
    stop: Option<Stop>,
    strict: bool,
) -> Result<(RunReport, RunDir), Failure> {
    recorder.finish().map_err(disk_failure)?;
    if let Some(mut facts) = facts {
        facts.ended = true;
        facts.interrupted = stop.map(|s| (s.exit.code(), s.why));
        dir.write_facts(&facts)?;
    }
    let judged = dir.clone();
    let report = side_by_side::off_the_timers(move || judge(&judged, strict)).await??;
    Ok((report, dir))
}

/// Judges a run directory: the same for a run that just ended and for one of last year.
pub fn judge(dir: &RunDir, strict: bool) -> Result<RunReport, Failure> {
    let (plan, facts) = (dir.plan()?, dir.facts()?);
    let history = dir.history()?;
    let interrupted = match (facts.interrupted, facts.ended) {
        (Some((exit, why)), _) => Some(Interruption { exit, why }),
        (None, true) => None,
        (None, false) => {
            let why = "gatecrash was killed before the run ended, or could write no more".to_owned();
            Some(Interruption { exit: Exit::Aborted.code(), why })
        }
    };
    let profile = if strict { facts.profile.without_deviations() } else { facts.profile };
    let run = facts.run.parse().map_err(|_| RunDirError::Damaged {
        path: dir.path().join("run.json"),
        why: format!("no run id: {}", facts.run),
    })?;
    Ok(run_report(&plan, &profile, &history, facts.environment, run, interrupted))
}

/// The report of a case that could not be run: it expects nothing, and says why there was no run.
pub fn report_without_run(plan: &Plan, failure: &Failure, options: &Options) -> RunReport {
    let mut plan = plan.clone();
    gatecrash_core::report::redact_plan(&mut plan);
    plan.expectations.clear();
    let why = Interruption { exit: failure.exit().code(), why: failure.message.clone() };
    // Under the name of the runs that there are, so that tables show one gateway.
    let name = match &plan.gateway {
        GatewayPlan::Embedded { .. } => REFERENCE.to_owned(),
        _ => gateway_name(&plan),
    };
    let (profile, history) = (Profile::strict(&name), History::default());
    run_report(&plan, &profile, &history, surroundings(&plan, options, "", ""), RunId(0), Some(why))
}

/// What a run can observe: no attempts where somebody else's proxy stands in for a link.
pub(crate) fn seen(plan: &Plan, of_gateway: Capabilities) -> Capabilities {
    match plan.regions.iter().any(|region| region.toxiproxy.is_some()) {
        true => of_gateway.without(Capability::Attempts),
        false => of_gateway,
    }
}

fn surroundings(plan: &Plan, options: &Options, gateway: &str, directory: &str) -> Environment {
    Environment {
        gatecrash: env!("CARGO_PKG_VERSION").into(),
        gateway: gateway.into(),
        system: environment::system(),
        cores: environment::cores(),
        processor: environment::processor(),
        started: environment::now_rfc3339(),
        reproduce: format!("{} --seed {}", options.reproduce, plan.seed),
        directory: directory.into(),
    }
}

fn new_run_id() -> RunId {
    let now =
        std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |d| d.as_nanos() as u64);
    RunId(hash::combine(&[now, u64::from(std::process::id())]) as u32)
}

/// The gateway of a plan in words.
pub fn gateway_name(plan: &Plan) -> String {
    match &plan.gateway {
        GatewayPlan::Embedded { preset, defects, .. } if defects.is_empty() => {
            format!("the reference gateway ({preset})")
        }
        GatewayPlan::Embedded { defects, .. } => format!("the reference gateway with {}", defects.join(", ")),
        GatewayPlan::Recipe { name, version: None, .. } => name.clone(),
        GatewayPlan::Recipe { name, version: Some(version), .. } => format!("{name} {version}"),
        GatewayPlan::Command { run, .. } => run.first().cloned().unwrap_or_default(),
        GatewayPlan::Url { base, .. } => base.clone(),
    }
}

fn disk_failure(what: String) -> Failure {
    Failure::environment(what).hint("free some space, or choose another place with --out DIR")
}

impl From<RunDirError> for Failure {
    fn from(error: RunDirError) -> Self {
        let hint = match &error {
            RunDirError::Write { .. } => "the run directory must be writable; choose another with --out DIR",
            RunDirError::Read { .. } | RunDirError::Damaged { .. } => {
                "the run directory is not whole: it can no longer be judged"
            }
        };
        Self::environment(error.to_string()).hint(hint)
    }
}

/// Our own executable, whose path children need.
pub fn own_executable() -> Result<PathBuf, Failure> {
    std::env::current_exe().map_err(|e| Failure::environment(format!("cannot find my own executable: {e}")))
}

/// Whether a path looks like a run directory.
pub fn is_run_dir(path: &Path) -> bool {
    path.join("run.json").is_file()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_gateway_has_one_name() {
        let described = crate::gateway::described().expect("every recipe can be read");
        assert_eq!(described.first().map(|gateway| gateway.profile.gateway.as_str()), Some(REFERENCE));
    }
}
