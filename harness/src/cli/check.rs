//! `gatecrash check`.

use clap::Args;

use super::load_scenarios::Selection;
use crate::exit::{Exit, Failure};

/// Reads and plans scenario files, says everything that is wrong with them, starts nothing.
#[derive(Args, Debug)]
pub(super) struct Check {
    #[command(flatten)]
    selection: Selection,
    /// Print the plan with the origin of its values
    #[arg(long)]
    resolved: bool,
}

impl Check {
    pub(super) fn execute(self) -> Result<Exit, Failure> {
        for case in &self.selection.cases()? {
            let plan = &case.plan;
            if self.resolved {
                super::print(&gatecrash_core::scenario::resolved_yaml(case));
            } else {
                let problems = crate::gateway::check_plan(plan);
                if !problems.is_empty() {
                    return Err(Failure::usage(format!("{}: {}", plan.title(), problems.join("; "))));
                }
                let requests: f64 = plan
                    .workloads
                    .iter()
                    .flat_map(|w| &w.segments)
                    .map(|s| s.rate.0 * (s.until.as_seconds() - s.from.as_seconds()))
                    .sum();
                super::print(&format!(
                    "ok  {:<40} {} phases, {} faults, {} expectations, {}, about {requests:.0} requests\n",
                    plan.title(),
                    plan.phases.len(),
                    plan.faults.len(),
                    plan.expectations.len(),
                    plan.length(),
                ));
            }
        }
        Ok(Exit::Pass)
    }
}
