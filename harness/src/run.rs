//! The main path: one case from plan to report.
//!
//! directory -> recorder -> topology -> T0: timeline, load, samples, guards -> teardown -> history -> verdicts.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use gatecrash_core::plan::{GatewayPlan, Plan};
use gatecrash_core::report::{Environment, RunReport};
use gatecrash_core::stats::{Interruption, run_report};
use gatecrash_load::{EvidenceBudget, LiveCounters, Load, Setup, Target, run_load};
use gatecrash_model::{Clock, Event, Pool, RunId, Sink, hash};
use tokio::sync::watch;

use crate::clock::RunClock;
use crate::environment;
use crate::exit::{Exit, Failure};
use crate::gateway::Gateway;
use crate::live::{Live, Pulse};
use crate::recorder::Recorder;
use crate::run_dir::{RunDir, RunDirError, RunFacts};
use crate::timeline;
use crate::topology::{Ground, Topology, load};

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
pub type StopLine = watch::Receiver<Option<Stop>>;

/// Runs one case and judges it. The report is also in the run directory when this returns.
pub async fn run_case(
    plan: &Plan,
    options: &Options,
    live: &Live,
    stop: StopLine,
) -> Result<(RunReport, RunDir), Failure> {
    allowed_target(plan, &options.allow_targets)?;
    let run = new_run_id();
    let dir = RunDir::create(&options.out, &plan.title(), &run.to_string())?;
    let mut stored = plan.clone();
    gatecrash_core::report::redact_plan(&mut stored);
    dir.write_plan(&stored)?;
    let recorder = Arc::new(
        Recorder::create(&dir.history_path())
            .map_err(|source| RunDirError::Io { path: dir.history_path(), source })?,
    );
    let clock = Arc::new(RunClock::start());
    let ground = Ground {
        run,
        clock: Arc::clone(&clock) as Arc<dyn Clock>,
        sink: Arc::clone(&recorder) as Arc<dyn Sink>,
        pool: Arc::new(Pool::new(plan.seed)),
    };

    live.note(&format!("{}: starting {}", plan.title(), gateway_name(plan)));
    let mut topology = Topology::start(plan, &ground, dir.path(), options).await?;
    let mut facts = RunFacts {
        version: 1,
        run: run.to_string(),
        profile: topology.gateway.profile.clone(),
        capabilities: topology.gateway.capabilities,
        environment: surroundings(plan, &topology, &dir, options),
        ended: false,
        interrupted: None,
    };
    let started = dir.write_facts(&facts);
    let ended = match started {
        Ok(()) => drive(plan, &mut topology, &ground, &clock, &recorder, live, stop).await,
        Err(error) => Err(error.into()),
    };
    topology.stop(plan, run, &*recorder).await;
    let stop = ended?;

    facts.ended = true;
    facts.interrupted = stop.map(|s| (s.exit.code(), s.why));
    recorder.finish().map_err(disk_failure)?;
    dir.write_facts(&facts)?;
    let report = judge(&dir, options.strict)?;
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
            let why = "gatecrash was killed before the run ended".to_owned();
            Some(Interruption { exit: Exit::Aborted.code(), why })
        }
    };
    let profile = if strict { facts.profile.without_deviations() } else { facts.profile };
    let run = facts.run.parse().unwrap_or(RunId(0));
    Ok(run_report(&plan, &profile, &history, facts.environment, run, interrupted))
}

/// From T0 to the last response: timeline, load, samples and guards side by side.
async fn drive(
    plan: &Plan,
    topology: &mut Topology,
    ground: &Ground,
    clock: &Arc<RunClock>,
    recorder: &Arc<Recorder>,
    live: &Live,
    mut asked: StopLine,
) -> Result<Option<Stop>, Failure> {
    let workloads = load::workloads(plan, &topology.signers()).map_err(Failure::usage)?;
    let counters = Arc::new(LiveCounters::default());
    let (halt, mut halted) = watch::channel(false);
    let (phase, phase_now) = watch::channel(None);
    let addr = topology.gateway.addr();
    let load = Load {
        setup: Setup {
            target: Target { addr, host_header: addr.to_string() },
            run: ground.run,
            clock: Arc::clone(&ground.clock),
            sink: Arc::clone(&ground.sink),
            pool: Arc::clone(&ground.pool),
            needles: topology.gateway.needles.clone().into(),
            evidence: EvidenceBudget::default(),
        },
        workloads,
        threads: 1,
        stop: gatecrash_load::Stop::default(),
        live: Arc::clone(&counters),
    };
    let brake = load.stop.clone();
    let gateway = Arc::clone(&topology.gateway);

    clock.set_zero();
    let mut driver = tokio::task::spawn_blocking(move || run_load(load));
    let watch =
        Watch { plan, recorder, clock, live, counters: &counters, phase: phase_now, gateway: &gateway };
    let work = async {
        timeline::walk(plan, topology, clock, &**recorder, &phase, &mut halted).await;
        (&mut driver).await
    };
    let stop = tokio::select! {
        ended = work => { loaded(ended)?; None }
        stop = watch.until_stop(&mut asked) => Some(stop),
    };
    if stop.is_some() {
        halt.send_replace(true);
        brake.drain();
        if tokio::time::timeout(GRACE, &mut driver).await.is_err() {
            brake.abort();
            loaded(driver.await)?;
        }
    }
    live.clear();
    match recorder.failure() {
        Some(failure) => Err(disk_failure(failure)),
        None => Ok(stop),
    }
}

/// How long requests under way may take to end once a run is stopped.
const GRACE: Duration = Duration::from_secs(1);

fn loaded(
    ended: Result<Result<gatecrash_load::LoadSummary, gatecrash_load::LoadError>, tokio::task::JoinError>,
) -> Result<(), Failure> {
    match ended {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(Failure::environment(error.to_string())),
        Err(panic) => Err(Failure::bug(format!("the load generator panicked: {panic}"))),
    }
}

/// What is watched beside the load: the gateway's process, the disk, the deadline, the user.
struct Watch<'a> {
    plan: &'a Plan,
    recorder: &'a Recorder,
    clock: &'a RunClock,
    live: &'a Live,
    counters: &'a LiveCounters,
    phase: watch::Receiver<Option<u16>>,
    gateway: &'a Gateway,
}

impl Watch<'_> {
    async fn until_stop(&self, asked: &mut StopLine) -> Stop {
        let mut tick = tokio::time::interval(Duration::from_millis(250));
        let mut dead = false;
        loop {
            tokio::select! {
                _ = tick.tick() => {}
                Ok(stop) = asked.wait_for(Option::is_some) => {
                    if let Some(stop) = stop.clone() { return stop; }
                }
            }
            let at = self.clock.now();
            match self.gateway.exited() {
                None => self.recorder.event(Event::Sample(self.gateway.sample(at))),
                Some(how) if !dead => {
                    dead = true;
                    self.recorder.event(Event::GatewayDied { at, how });
                }
                Some(_) => {}
            }
            self.live.show(&Pulse {
                plan: self.plan,
                at,
                phase: *self.phase.borrow(),
                load: self.counters.snapshot(),
                attempts: self.recorder.attempts(),
            });
            if let Some(failure) = self.recorder.failure() {
                return Stop { exit: Exit::Environment, why: failure };
            }
            if at > self.plan.guards.deadline.0 {
                let why = format!("the deadline of {} passed", self.plan.guards.deadline);
                return Stop { exit: Exit::Aborted, why };
            }
        }
    }
}

fn surroundings(plan: &Plan, topology: &Topology, dir: &RunDir, options: &Options) -> Environment {
    let mut reproduce = options.reproduce.clone();
    if !reproduce.contains("--seed") {
        reproduce.push_str(&format!(" --seed {}", plan.seed));
    }
    Environment {
        gatecrash: env!("CARGO_PKG_VERSION").into(),
        gateway: topology.gateway.version.clone(),
        system: environment::system(),
        cores: environment::cores(),
        started: environment::now_rfc3339(),
        reproduce,
        directory: dir.path().display().to_string(),
    }
}

fn allowed_target(plan: &Plan, allowed: &[String]) -> Result<(), Failure> {
    let GatewayPlan::Url { base } = &plan.gateway else { return Ok(()) };
    let host = base.split("://").nth(1).unwrap_or(base).split(['/', ':']).next().unwrap_or_default();
    let loopback = host == "localhost" || host.starts_with("127.") || host == "[";
    if loopback || allowed.iter().any(|a| a == host) {
        return Ok(());
    }
    Err(Failure::usage(format!("{host} is not a loopback address"))
        .hint(format!("load against other hosts needs --allow-target {host}")))
}

fn new_run_id() -> RunId {
    let now =
        std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |d| d.as_nanos() as u64);
    RunId(hash::combine(&[now, u64::from(std::process::id())]) as u32)
}

fn gateway_name(plan: &Plan) -> String {
    match &plan.gateway {
        GatewayPlan::Embedded { preset, defects, .. } if defects.is_empty() => {
            format!("the reference gateway ({preset})")
        }
        GatewayPlan::Embedded { defects, .. } => format!("the reference gateway with {}", defects.join(", ")),
        GatewayPlan::Recipe { name, .. } => name.clone(),
        GatewayPlan::Command { run, .. } => run.first().cloned().unwrap_or_default(),
        GatewayPlan::Url { base } => base.clone(),
    }
}

fn disk_failure(what: String) -> Failure {
    Failure::environment(what).hint("free some space, or choose another place with --out DIR")
}

impl From<RunDirError> for Failure {
    fn from(error: RunDirError) -> Self {
        Self::environment(error.to_string())
            .hint("the run directory must be writable; choose another with --out DIR")
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
