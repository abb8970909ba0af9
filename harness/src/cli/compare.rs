//! `gatecrash compare`.

use std::path::PathBuf;

use clap::Args;
use gatecrash_core::compare::{self, CHANGE_RENDERERS, Changes, Side, Terms, change_renderer};
use gatecrash_core::report::RunReport;
use gatecrash_core::units::Share;

use super::wanted_reports::Wanted;
use crate::exit::{Exit, Failure};
use crate::output::{self, Colour, Stream};
use crate::stored;

/// Compares two sets of stored runs: what changed beyond noise, and nothing where nothing did. Exit 6 when something got
/// worse. Behaviour (verdicts, statuses, damage to messages, tries, time to settle) is compared from one run a side on;
/// latencies, goodput and failures take five, from the same machine.
#[derive(Args, Debug)]
#[command(after_long_help = EXAMPLES)]
pub(super) struct Compare {
    /// The baseline: a run directory, a folder of runs, a run id or a label
    #[arg(value_name = "BASELINE")]
    was: String,
    /// What is held against it, named in the same ways
    #[arg(value_name = "RUNS")]
    is: String,
    /// Where run ids and labels are looked up
    #[arg(long, default_value = "runs", value_name = "DIR")]
    out: PathBuf,
    /// Share by which latencies and goodput may get worse
    #[arg(long, default_value = "10%", value_name = "SHARE")]
    tolerance: Share,
    /// Write a report: FORMAT or FORMAT:PATH, `-` is stdout (repeatable); terminal, json, junit, markdown, github
    #[arg(long, value_name = "FORMAT:PATH")]
    report: Vec<String>,
    /// Judge without the known deviations of the gateway's profile
    #[arg(long)]
    strict: bool,
    /// Colours in the terminal format
    #[arg(long, value_enum, default_value_t, value_name = "WHEN")]
    color: Colour,
}

const EXAMPLES: &str = "Examples:
  gatecrash compare last-green runs/slowdown-1a2b3c4d
  gatecrash compare runs-before/ runs-after/ --report markdown:changes.md
  gatecrash run smoke --repeat 5 --baseline last-green --label last-green";

impl Compare {
    pub(super) fn execute(self) -> Result<Exit, Failure> {
        let whole = |text: &String| if text.contains(':') { text.clone() } else { format!("{text}:-") };
        let wanted = self.report.iter().map(|text| Wanted::of(&whole(text), known));
        let wanted = wanted.collect::<Result<Vec<_>, _>>()?;
        let side = |name: &str| stored::judge(&stored::find(&self.out, name)?, self.strict);
        let (was, is) = (side(&self.was)?, side(&self.is)?);
        let changes = compared((&self.was, &was), (&self.is, &is), self.tolerance)?;
        let summary = if wanted.iter().any(Wanted::is_stdout) { Stream::Stderr } else { Stream::Stdout };
        let mut exit = shown(&changes, summary, self.color.on(summary))?;
        for one in &wanted {
            if let Err(failure) = one.put(rendered(one.format(), &changes, false)?) {
                output::note(&failure.to_string());
                exit = exit.worse(failure.exit());
            }
        }
        Ok(exit)
    }
}

/// Compares two named sets of runs.
pub(super) fn compared(
    (was, before): (&str, &[RunReport]),
    (is, after): (&str, &[RunReport]),
    tolerance: Share,
) -> Result<Changes, Failure> {
    let (before, after) = (Side { name: was, runs: before }, Side { name: is, runs: after });
    compare::compare(before, after, Terms { tolerance: tolerance.0 }).ok_or_else(|| {
        Failure::usage(format!("{was} and {is} have no case in common that came to its end"))
            .hint("cases are compared by name: the same scenarios have to run on both sides")
    })
}

/// Shows what changed, and how the process ends for it.
pub(super) fn shown(changes: &Changes, summary: Stream, colour: bool) -> Result<Exit, Failure> {
    changes.notes.iter().for_each(|note| output::note(&format!("note: {note}")));
    summary.write(&rendered("terminal", changes, colour)?);
    if changes.changes.is_empty() {
        output::note(&changes.summary());
    }
    if std::env::var_os("GITHUB_ACTIONS").is_some_and(|v| v == "true") {
        summary.write(&rendered("github", changes, false)?);
    }
    Ok(if changes.regressed { Exit::Regression } else { Exit::Pass })
}

fn rendered(format: &str, changes: &Changes, colour: bool) -> Result<Vec<u8>, Failure> {
    known(format)?;
    Ok(change_renderer(format).map_or_else(Vec::new, |renderer| (renderer.render)(changes, colour)))
}

fn known(format: &str) -> Result<(), Failure> {
    change_renderer(format).map(|_| ()).ok_or_else(|| {
        let names: Vec<_> = CHANGE_RENDERERS.iter().map(|renderer| renderer.name).collect();
        Failure::usage(format!("a comparison has no report format `{format}`"))
            .hint(format!("formats: {}", names.join(", ")))
    })
}
