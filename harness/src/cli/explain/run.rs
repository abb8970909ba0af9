//! Requests of a stored run: the story of one, or which ones its verdicts point to.

use std::fmt::Write as _;
use std::path::Path;

use gatecrash_core::explain::Waterfall;
use gatecrash_core::history::Join;
use gatecrash_model::{RequestId, RunId};

use crate::exit::Failure;
use crate::run_dir::RunDir;

/// Columns of a waterfall's bars.
const BAR: usize = 60;

/// The page of `RUN/WORKLOAD-K`, or what `RUN` alone has to show.
pub(super) fn page(out: &Path, request: &str) -> Result<String, Failure> {
    // A directory has slashes of its own.
    let is_request = |id: &str| RequestId::parse(id.trim_start_matches("req-")).is_some();
    match request.rsplit_once('/') {
        Some((_, id)) if is_request(id) => story(out, request),
        Some(_) => find(out, request).map_or_else(|_| story(out, request), |dir| exemplars(&dir, request)),
        None => exemplars(&find(out, request)?, request),
    }
}

/// The requests that the verdicts of a run point to.
fn exemplars(dir: &RunDir, run: &str) -> Result<String, Failure> {
    let report = crate::run::judge(dir, false)?;
    let mut text = String::new();
    for verdict in report.verdicts.iter().filter(|verdict| !verdict.exemplars.is_empty()) {
        let check = report.plan.expectations.get(verdict.expectation as usize);
        let check = check.map_or("?", |expectation| expectation.check.info().name);
        let _ = writeln!(text, "{check}: {}", verdict.observed);
        for request in &verdict.exemplars {
            let _ = writeln!(text, "  gatecrash explain run:{run}/{request}");
        }
    }
    Ok(match text.is_empty() {
        true => format!(
            "no verdict of {} points to a request; any of them can be told, such as run:{run}/0-0\n",
            report.plan.title()
        ),
        false => format!("{}: requests that its verdicts point to\n\n{text}", report.plan.title()),
    })
}

fn story(out: &Path, request: &str) -> Result<String, Failure> {
    let bad = || {
        Failure::usage(format!("run:{request} is not run:RUN/WORKLOAD-K"))
            .hint("for example run:1a2b3c4d/0-4410")
    };
    let (run, id) = request.rsplit_once('/').ok_or_else(bad)?;
    let id = RequestId::parse(id.trim_start_matches("req-")).ok_or_else(bad)?;
    let dir = find(out, run)?;
    let (plan, history) = (dir.plan()?, dir.history()?);
    let join = Join::of(&history);
    let mut lines = gatecrash_core::explain::story(&history, &join, &plan, id);
    if let Some(fall) = Waterfall::of(&history, &join, &plan, id) {
        let drawn = fall.lines(BAR).into_iter().chain([String::new()]);
        lines.splice(1..1, [String::new()].into_iter().chain(drawn));
    }
    Ok(format!("{}\n", lines.join("\n")))
}

/// A run directory by its path or by its run id.
pub(in crate::cli) fn find(out: &Path, run: &str) -> Result<RunDir, Failure> {
    let is_dir = crate::run::is_run_dir(Path::new(run)) || Path::new(run).join("plan.json").is_file();
    if is_dir {
        return RunDir::open(Path::new(run)).map_err(|e| {
            Failure::usage(format!("{run} is no run directory: {e}"))
                .hint("give the directory of a run, such as runs/control-1a2b3c4d")
        });
    }
    if run.len() != 8 || run.parse::<RunId>().is_err() {
        return Err(Failure::usage(format!("`{run}` is neither a run directory nor a run id")).hint(
            "a run id has 8 hex digits, such as 1a2b3c4d; a directory is one like runs/control-1a2b3c4d",
        ));
    }
    match RunDir::of_run(out, run).as_slice() {
        [] => Err(Failure::usage(format!("there is no run {run} in {}", out.display()))
            .hint("give --out DIR or the run directory itself")),
        [path] => Ok(RunDir::open(path)?),
        several => {
            let names: Vec<_> = several.iter().map(|p| p.display().to_string()).collect();
            Err(Failure::usage(format!("several directories hold run {run}: {}", names.join(", ")))
                .hint("give the directory that is meant"))
        }
    }
}
