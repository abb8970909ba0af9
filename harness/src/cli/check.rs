//! `gatecrash check`.

use clap::Args;
use gatecrash_core::plan::Plan;
use gatecrash_core::report::replayed;

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
        let mut problems = Vec::new();
        for case in &self.selection.cases()? {
            let found = crate::gateway::check_plan(&case.plan);
            if self.resolved {
                super::print(&gatecrash_core::scenario::resolved_yaml(case));
            } else if found.is_empty() {
                super::print(&line(&case.plan));
                let logs = case.plan.workloads.iter().filter_map(|w| Some((&w.name, replayed(w)?)));
                logs.for_each(|(name, said)| super::print(&format!("    {name}: {said}\n")));
            }
            problems.extend(found.iter().map(|problem| format!("{}: {problem}", case.plan.title())));
        }
        if !problems.is_empty() {
            return Err(Failure::usage(problems.join("\nerror: ")));
        }
        Ok(Exit::Pass)
    }
}

fn line(plan: &Plan) -> String {
    let requests: f64 = plan.workloads.iter().filter_map(|w| w.expected(plan.length())).sum();
    let users: u32 = plan.workloads.iter().filter_map(|w| w.users()).map(|(_, most)| most).sum();
    let load = match (requests > 0.0, users > 0) {
        (_, false) => format!("about {requests:.0} requests"),
        (false, true) => format!("up to {users} users"),
        _ => format!("about {requests:.0} requests and those of up to {users} users"),
    };
    format!(
        "ok  {:<40} {} phases, {} faults, {} expectations, {}, {load}\n",
        plan.title(),
        plan.phases.len(),
        plan.faults.len(),
        plan.expectations.len(),
        plan.length(),
    )
}
