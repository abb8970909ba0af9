//! Journeys walked by goose 0.19: its users, pauses, reports and thresholds; our requests.
//!
//! This is the only place that names the crate. Each step of a journey is a goose transaction that makes one request
//! through our own client (which records it, phase by phase and byte by byte, as any other) and then tells goose how
//! long it took and whether it was right. So goose's tables are a second view of the same requests, and their counts
//! have to agree with ours; [`Walked`] carries them out to be compared.
//!
//! What goose would otherwise do to the process around it is prevented here and in [`quiet`], each with its reason.

mod quiet;
mod user;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use ::goose::client::GooseClientBuilder;
use ::goose::config::GooseConfiguration;
use ::goose::metrics::GooseMetrics;
use ::goose::prelude::{GooseAttack, GooseError, Scenario, Transaction};
use ::goose::threshold::Threshold;
use gatecrash_model::{JourneyCount, JourneyThreshold, Op};
use tokio::sync::Mutex;

use crate::journey::{Journey, Journeys};
use crate::live::LiveCounters;
use crate::stop::Stop;
use crate::wire::Session;
use crate::workload::Workload;

pub use quiet::leave_ctrl_c_alone;

/// Its killswitch, its log and its counter of users belong to the process, so there is one attack at a time.
static ATTACK: Mutex<()> = Mutex::const_new(());

/// How long it may take to write its reports once requests were given up.
const LAST_WORDS: Duration = Duration::from_secs(5);

/// What goose saw.
#[derive(Clone, PartialEq, Debug, Default)]
pub(crate) struct Walked {
    /// Requests by operation.
    pub(crate) counts: Vec<JourneyCount>,
    /// What became of its thresholds.
    pub(crate) thresholds: Vec<JourneyThreshold>,
    /// Requests begun.
    pub(crate) begun: u64,
    /// Of those, given up by an abort.
    pub(crate) abandoned: u64,
}

/// Why journeys could not be walked.
#[derive(Debug, thiserror::Error)]
pub enum JourneyError {
    /// Another run of this process does.
    #[error("goose walks one workload's journeys at a time in a process, and another one's are under way")]
    Busy,
    /// The report folder or the file of goose's own words.
    #[error("cannot write {path}: {source}")]
    Reports {
        /// Which.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// What goose says about it.
    #[error("goose: {0}")]
    Goose(String),
    /// It was told to give up and did not come to an end.
    #[error("goose did not end within 5 s of being told to")]
    Stuck,
}

/// Whether goose understands these rules; what it says of the first that it does not.
pub fn check_thresholds(rules: &[String]) -> Result<(), String> {
    rules.iter().try_for_each(|rule| rule.parse::<Threshold>().map(drop).map_err(|e| in_words(&e)))
}

/// Walks the journeys of a workload until their end or until `stop` says so.
pub(crate) async fn walk(
    session: &Arc<Session>,
    workload: &Arc<Workload>,
    journeys: &Journeys,
    live: &Arc<LiveCounters>,
    stop: &Stop,
) -> Result<Walked, JourneyError> {
    let _only = ATTACK.try_lock().map_err(|_| JourneyError::Busy)?;
    quiet::take_the_log();
    let said = journeys.reports.as_deref().map(said_in).transpose()?;
    let road = Arc::new(user::Road::new(session, workload, journeys, live, stop));
    let attack = attack(&session.setup().target.host_header, journeys, &road).map_err(|e| told(&e))?;
    let ended = tokio::select! {
        biased;
        ended = attack.execute() => ended,
        () = whistle(&road, journeys.until) => return Err(JourneyError::Stuck),
    };
    drop(said);
    road.close();
    let metrics = match &ended {
        Ok(metrics) => metrics,
        Err(GooseError::ThresholdsFailed { metrics, .. }) => metrics,
        Err(error) => return Err(told(error)),
    };
    let (begun, abandoned) = road.begun();
    Ok(Walked { counts: counts(metrics), thresholds: thresholds(metrics), begun, abandoned })
}

/// Ends the attack when its time is over or somebody asks for it. Returns only when it did not end.
async fn whistle(road: &user::Road, until: Duration) {
    road.over(until).await;
    // Goose forgets a whistle that comes before its run begins, so it is blown until it is heard.
    let blow = async {
        loop {
            ::goose::trigger_killswitch("the timeline of the scenario is over");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let lost_patience = async {
        road.aborted().await;
        tokio::time::sleep(LAST_WORDS).await;
    };
    tokio::select! {
        () = blow => {}
        () = lost_patience => {}
    }
}

fn attack(host: &str, journeys: &Journeys, road: &Arc<user::Road>) -> Result<GooseAttack, GooseError> {
    // Never `initialize()`: it reads the arguments of our own process, and may end it.
    let configuration = GooseConfiguration::parse_args_default(&arguments(host, journeys))?;
    let mut attack = GooseAttack::initialize_with_config(configuration)?
        // Goose makes an HTTP client for each user, though none is ever used here: one for all is cheaper. Making it
        // needs the certificates of the system, which a small container does not have, unless it is told not to look.
        .set_client_builder_without_cookies(
            GooseClientBuilder::new().without_cookies().accept_invalid_certs(true),
        )?;
    for journey in &journeys.each {
        attack = attack.register_scenario(scenario(journey, road)?);
    }
    Ok(attack)
}

fn scenario(journey: &Journey, road: &Arc<user::Road>) -> Result<Scenario, GooseError> {
    let mut scenario = Scenario::new(&journey.name).set_weight(journey.weight as usize)?;
    let (least, most) = journey.think;
    if !most.is_zero() {
        scenario = scenario.set_wait_time(least, most)?;
    }
    for (place, step) in journey.steps.iter().enumerate() {
        // Without a sequence the order would be goose's choice.
        let transaction = Transaction::new(user::Road::transaction(road, *step, place == 0))
            .set_name(&format!("{} {}", place + 1, step.name()))
            .set_sequence(place + 1);
        scenario = scenario.register_transaction(transaction);
    }
    Ok(scenario)
}

/// A command line for goose, of which ours knows nothing.
fn arguments(host: &str, journeys: &Journeys) -> Vec<String> {
    let changes: Vec<_> =
        journeys.changes.iter().map(|change| format!("{},{}", change.users, change.over.as_secs())).collect();
    let mut arguments = [
        "--host",
        &format!("http://{host}"),
        // A stage plan is what keeps the requests of a ramp: with --users, goose forgets them once all users are there.
        "--test-plan",
        &changes.join(";"),
        // A telnet controller on 127.0.0.1:5116 is on by default: two runs would fight for it.
        "--no-telnet",
        // Tables on stdout, where our reports go.
        "--no-print-metrics",
        "--quiet",
    ]
    .map(str::to_owned)
    .to_vec();
    let mut option = |name: &str, value: String| arguments.extend([name.to_owned(), value]);
    for rule in &journeys.thresholds {
        option("--threshold", rule.clone());
    }
    for kind in ["json", "html", "md"] {
        if let Some(folder) = &journeys.reports {
            option("--report-file", folder.join(format!("report.{kind}")).display().to_string());
        }
    }
    if !journeys.thresholds.is_empty() {
        // The timeline decides when a run ends.
        arguments.push("--no-threshold-abort".to_owned());
    }
    arguments
}

/// The report folder, and goose's words to stdout in it until this is dropped.
fn said_in(folder: &Path) -> Result<quiet::Stdout, JourneyError> {
    let path = folder.join("stdout.txt");
    let said = std::fs::create_dir_all(folder).and_then(|()| quiet::Stdout::into_file(&path));
    said.map_err(|source| JourneyError::Reports { path: path.display().to_string(), source })
}

fn told(error: &GooseError) -> JourneyError {
    JourneyError::Goose(in_words(error))
}

/// What an error is about; its own text leaves that out where an option is wrong.
fn in_words(error: &GooseError) -> String {
    match error {
        GooseError::InvalidOption { value, detail, .. } => format!("`{value}`: {detail}"),
        other => other.to_string(),
    }
}

fn counts(metrics: &GooseMetrics) -> Vec<JourneyCount> {
    let mut by_op: BTreeMap<Op, (u64, u64)> = BTreeMap::new();
    for request in metrics.requests.values() {
        let (ok, failed) = by_op.entry(Op::from_name(&request.path).unwrap_or(Op::Unknown)).or_default();
        *ok += request.success_count as u64;
        *failed += request.fail_count as u64;
    }
    by_op.into_iter().map(|(op, (ok, failed))| JourneyCount { op, ok, failed }).collect()
}

fn thresholds(metrics: &GooseMetrics) -> Vec<JourneyThreshold> {
    let of = |result: &::goose::threshold::ThresholdResult| JourneyThreshold {
        rule: result.rule.clone(),
        observed: result.observed.clone(),
        passed: result.passed,
    };
    metrics.thresholds.iter().map(of).collect()
}
