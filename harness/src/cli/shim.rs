//! `gatecrash __shim`: the small program between us and a child. Not for users.

use std::ffi::OsString;

use clap::Args;

use crate::exit::{Exit, Failure};

/// What to start.
#[derive(Args, Debug)]
pub(super) struct Shim {
    /// Program and arguments
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, required = true)]
    command: Vec<OsString>,
}

impl Shim {
    pub(super) fn execute(self) -> Result<Exit, Failure> {
        crate::gateway::shim_main(&self.command)
    }
}
