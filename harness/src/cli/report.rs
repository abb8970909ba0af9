//! `gatecrash report RUN`.

use std::path::PathBuf;

use clap::Args;

use crate::exit::{Exit, Failure};
use crate::output::{Colour, Stream};
use crate::run;
use crate::run_dir::RunDir;

/// Re-renders a stored run: the same input gives the same bytes.
#[derive(Args, Debug)]
pub(super) struct Report {
    /// Run directory
    run: PathBuf,
    /// Format: terminal, json, junit, markdown, github, html
    #[arg(long, short, default_value = "terminal")]
    format: String,
    /// Judge without the known deviations of the gateway's profile
    #[arg(long)]
    strict: bool,
    /// More detail on the terminal
    #[arg(long)]
    full: bool,
    /// Colours in the terminal format
    #[arg(long, value_enum, default_value_t, value_name = "WHEN")]
    color: Colour,
}

impl Report {
    pub(super) fn execute(self) -> Result<Exit, Failure> {
        crate::reports::known(&self.format)?;
        let dir = RunDir::open(&self.run).map_err(|e| {
            Failure::usage(format!("{} is no run directory: {e}", self.run.display()))
                .hint("give the directory of a run, such as runs/control-1a2b3c4d")
        })?;
        let report = run::judge(&dir, self.strict)?;
        let colour = self.color.on(Stream::Stdout);
        let bytes = crate::reports::render(&self.format, std::slice::from_ref(&report), self.full, colour)?;
        Stream::Stdout.write(&bytes);
        Ok(Exit::from_code(report.exit))
    }
}
