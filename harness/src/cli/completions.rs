//! `gatecrash completions SHELL`.

use clap::Args;
use clap_complete::Shell;

use crate::exit::{Exit, Failure};

/// Which shell.
#[derive(Args, Debug)]
pub(super) struct Completions {
    /// Shell to complete in
    shell: Shell,
}

impl Completions {
    pub(super) fn execute(self) -> Result<Exit, Failure> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut super::description(), "gatecrash", &mut script);
        super::print(&String::from_utf8_lossy(&script));
        Ok(Exit::Pass)
    }
}
