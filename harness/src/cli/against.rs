//! What the runs of `gatecrash run` are held against, and what they are remembered as.

use std::path::Path;

use clap::Args;
use gatecrash_core::plan::Plan;
use gatecrash_core::report::RunReport;
use gatecrash_core::units::Share;

use super::compare::{compared, shown};
use super::load_scenarios::Selection;
use crate::exit::{Exit, Failure};
use crate::output::{self, Stream};
use crate::stored;

/// What the runs of the command line are called in a comparison.
const THESE: &str = "these runs";

/// Baselines.
#[derive(Args, Debug, Clone)]
pub(super) struct Against {
    /// Compare with stored runs when done; exit 6 on a regression: a run directory, a folder of runs, a run id or a label
    #[arg(long, value_name = "DIR|LABEL")]
    baseline: Option<String>,
    /// Label these runs for a later --baseline when they pass and nothing got worse, such as last-green
    #[arg(long, value_name = "NAME")]
    label: Option<String>,
    /// Run every case on this gateway as well, in turns (A B B A), and compare with it: a version before an upgrade, or
    /// `embedded` without the --defect of the others
    #[arg(long, value_name = "NAME", conflicts_with = "baseline")]
    against: Option<String>,
    /// Change a value in the runs that are compared with, such as gateway.recipe.params.tries=1 (repeatable); where
    /// --against is not given they are on the same gateway
    #[arg(long, value_name = "PATH=VALUE", conflicts_with = "baseline")]
    against_set: Vec<String>,
    /// Share by which latencies and goodput may get worse
    #[arg(long, default_value = "10%", value_name = "SHARE")]
    tolerance: Share,
}

/// What runs are compared with.
pub(super) enum Baseline {
    /// With nothing.
    None,
    /// With runs of before.
    Stored(String, Vec<RunReport>),
    /// With runs that are made in turns with them.
    InTurns(String, Vec<Plan>),
}

impl Against {
    /// The baseline of these plans; what cannot be one is said before anything runs.
    pub(super) fn baseline(
        &self,
        selection: &Selection,
        plans: &[Plan],
        out: &Path,
        strict: bool,
    ) -> Result<Baseline, Failure> {
        self.label.as_deref().map_or(Ok(()), stored::check_label)?;
        if self.against.is_some() || !self.against_set.is_empty() {
            return self.in_turns(selection, plans);
        }
        let Some(name) = &self.baseline else { return Ok(Baseline::None) };
        if self.label.as_ref() == Some(name) && stored::label(out, name)?.is_none() {
            output::note(&format!("note: nothing is labelled {name} yet: there is nothing to compare with"));
            return Ok(Baseline::None);
        }
        let mut reports = stored::judge(&stored::find(out, name)?, strict)?;
        reports.retain(|report| plans.iter().any(|plan| plan.title() == report.plan.title()));
        if reports.is_empty() {
            return Err(Failure::usage(format!("{name} has no run of what is to run"))
                .hint("cases are compared by name: the same scenarios have to run on both sides"));
        }
        Ok(Baseline::Stored(name.clone(), reports))
    }

    fn in_turns(&self, selection: &Selection, plans: &[Plan]) -> Result<Baseline, Failure> {
        let other = selection.of_baseline(self.against.as_deref(), &self.against_set).plans()?;
        let common = |plan: &Plan| plans.iter().any(|own| own.title() == plan.title());
        if !other.iter().any(common) {
            return Err(Failure::usage("the baseline has no case in common with what is to run")
                .hint("cases are compared by name, which holds the values of a matrix"));
        }
        let name = self.against.clone().unwrap_or_else(|| self.against_set.join(" "));
        Ok(Baseline::InTurns(name, other))
    }

    /// Compares, shows, and sets the label; the worse of both exits.
    pub(super) fn conclude(
        &self,
        was: Option<(&str, &[RunReport])>,
        is: &[RunReport],
        out: &Path,
        (summary, colour): (Stream, bool),
        exit: Exit,
    ) -> Result<Exit, Failure> {
        let changed = match was {
            Some(was) => shown(&compared(was, (THESE, is), self.tolerance)?, summary, colour)?,
            None => Exit::Pass,
        };
        let exit = exit.worse(changed);
        match &self.label {
            Some(name) if exit == Exit::Pass => stored::set_label(out, name, &is.iter().collect::<Vec<_>>())?,
            Some(name) => output::note(&format!("note: the label {name} stays where it is: not all is well")),
            None => {}
        }
        Ok(exit)
    }
}
