//! `gatecrash schema`.

use clap::Args;

use crate::exit::{Exit, Failure};

/// No options: the schema goes to stdout.
#[derive(Args, Debug)]
pub(super) struct Schema {}

impl Schema {
    pub(super) fn execute(self) -> Result<Exit, Failure> {
        super::print(&text());
        Ok(Exit::Pass)
    }
}

/// The schema as it is committed.
fn text() -> String {
    let schema = gatecrash_core::scenario::schema();
    format!("{schema:#}\n")
}
