//! `gatecrash report RUN`.

use std::path::PathBuf;

use clap::Args;

use crate::exit::{Exit, Failure};
use crate::output::{Colour, Stream};
use crate::run;

/// Re-renders a stored run: the same input gives the same bytes.
#[derive(Args, Debug)]
pub(super) struct Report {
    /// Run directory, or the 8 digits of a run
    run: String,
    /// Where run directories are
    #[arg(long, default_value = "runs", value_name = "DIR")]
    out: PathBuf,
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
        let dir = super::explain::run::find(&self.out, &self.run)?;
        let report = run::judge(&dir, self.strict)?;
        let colour = self.color.on(Stream::Stdout);
        let bytes = crate::reports::render(&self.format, std::slice::from_ref(&report), self.full, colour)?;
        Stream::Stdout.write(&bytes);
        Ok(Exit::from_code(report.exit))
    }
}
