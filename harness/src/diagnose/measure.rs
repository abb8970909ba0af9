//! How good the diagnosis is: each seed cause is injected into a gateway, a mock S3 and links of our own, the probes look
//! at them as a user's would, and what is named first is compared with what was injected.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use tokio::task::JoinSet;

use crate::exit::{Exit, Failure};
use crate::{live::Live, output};

mod injections;
mod matrix;
mod trial;

use injections::{INJECTIONS, Injection};
pub use matrix::Outcome;

/// What to measure.
#[derive(Clone, Debug)]
pub struct Options {
    /// A line for each case that was run.
    pub results: PathBuf,
    /// The confusion matrix.
    pub matrix: Option<PathBuf>,
    /// Cases of each cause.
    pub cases: u32,
    /// Causes whose name contains one of these; all when empty.
    pub only: Vec<String>,
    /// Cases side by side.
    pub jobs: usize,
    /// Our own executable.
    pub executable: PathBuf,
}

/// Least share of right answers, and most cases without one (issue: "the judge", done when).
const RIGHT: f64 = 0.95;
const UNANSWERED: f64 = 0.10;

/// Runs what is not in the results yet, and sums up.
pub async fn measure(options: &Options) -> Result<Exit, Failure> {
    let wanted =
        |i: &&Injection| options.only.is_empty() || options.only.iter().any(|text| i.cause.contains(text));
    let wanted: Vec<_> = INJECTIONS.iter().filter(wanted).collect();
    if wanted.is_empty() {
        return Err(Failure::usage("no cause has this text in its name").hint("docs/diagnose.md lists them"));
    }
    let mut done = read(&options.results)?;
    let mut waiting: Vec<(&'static Injection, u32)> = Vec::new();
    for case in 0..options.cases {
        let fresh = wanted.iter().filter(|i| !done.contains_key(&(i.cause.to_owned(), case)));
        waiting.extend(fresh.map(|injection| (*injection, case)));
    }
    let live = Live::new(false);
    let all = waiting.len();
    let mut waiting = waiting.into_iter();
    let mut trials = JoinSet::new();
    let (mut ended, mut not_run) = (0, 0);
    loop {
        while trials.len() < options.jobs.max(1)
            && let Some((injection, case)) = waiting.next()
        {
            let options = options.clone();
            trials.spawn(async move { trial::run(injection, case, &options).await });
        }
        let Some(trial) = trials.join_next().await else { break };
        ended += 1;
        let outcome = match trial.map_err(|e| Failure::bug(format!("a case panicked: {e}")))? {
            Ok(outcome) => outcome,
            // A machine that is short of something now may not be so the next time.
            Err(failure) => {
                live.note(&format!("{ended}/{all} not run: {failure}"));
                not_run += 1;
                continue;
            }
        };
        live.note(&format!("{ended}/{all} {}", outcome.line()));
        append(&options.results, &outcome)?;
        done.insert((outcome.cause.clone(), outcome.case), outcome);
    }
    let outcomes: Vec<_> = wanted
        .iter()
        .flat_map(|i| (0..options.cases).map(|case| (i.cause.to_owned(), case)))
        .filter_map(|key| done.remove(&key))
        .collect();
    let table = matrix::markdown(&outcomes);
    output::print(&table);
    if let Some(path) = &options.matrix {
        fs::write(path, matrix::page(&table)).map_err(|e| unwritable(path, &e))?;
    }
    if not_run > 0 {
        return Err(Failure::environment(format!("{not_run} cases could not be run"))
            .hint("the same command again runs those that are missing; fewer --jobs may help"));
    }
    let sum = matrix::Sum::of(&outcomes);
    Ok(if sum.right() >= RIGHT && sum.unanswered() <= UNANSWERED { Exit::Pass } else { Exit::Failed })
}

fn read(path: &Path) -> Result<BTreeMap<(String, u32), Outcome>, Failure> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(e) => return Err(Failure::usage(format!("cannot read {}: {e}", path.display()))),
    };
    // The last line of a run that was killed may be half a line: that case is run again.
    let outcomes = text.lines().filter_map(|line| serde_json::from_str::<Outcome>(line).ok());
    Ok(outcomes.map(|outcome| ((outcome.cause.clone(), outcome.case), outcome)).collect())
}

fn append(path: &Path, outcome: &Outcome) -> Result<(), Failure> {
    let line = serde_json::to_string(outcome).map_err(|e| Failure::bug(e.to_string()))?;
    let file = fs::OpenOptions::new().create(true).append(true).open(path);
    file.and_then(|mut file| file.write_all(format!("{line}\n").as_bytes())).map_err(|e| unwritable(path, &e))
}

fn unwritable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::environment(format!("cannot write {}: {error}", path.display()))
}
