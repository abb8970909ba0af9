//! `gatecrash policy`: the policy engine of the mock S3 with nothing running.

use clap::{Args, Subcommand};

use crate::exit::{Exit, Failure};

mod inputs;
mod simulate;
mod verdicts;

/// What to ask.
#[derive(Args, Debug)]
pub(super) struct Policy {
    #[command(subcommand)]
    question: Question,
}

#[derive(Subcommand, Debug)]
enum Question {
    /// Decide whether a principal may do actions on resources, and name the statement that says so
    Simulate(simulate::Simulate),
}

impl Policy {
    pub(super) fn execute(self) -> Result<Exit, Failure> {
        match self.question {
            Question::Simulate(simulate) => simulate.execute(),
        }
    }
}
