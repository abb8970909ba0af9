//! `gatecrash capacity`.

use clap::Args;
use gatecrash_core::plan::Plan;
use gatecrash_core::units::Rate;

use super::run::Run;
use crate::exit::{Exit, Failure};

/// Finds the highest rate that a gateway carries within an objective, for each case of a scenario: clean, with a slow
/// endpoint, with a region down. Bounds, what breaks beyond them, and the curve are in the report.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  gatecrash capacity capacity/clean-brownout-region-down --gateway nginx --target 2000/s
  gatecrash capacity my.yaml --case region-down --set capacity.within=4m
  gatecrash capacity my.yaml --at 800/s          # is this rate carried? no search, a minute")]
pub(super) struct Capacity {
    #[command(flatten)]
    run: Run,
    /// The rate you plan for: headroom and the number of gateways it needs are computed
    #[arg(long, value_name = "RATE")]
    target: Option<Rate>,
    /// Search nothing: only tell whether this rate is carried
    #[arg(long, value_name = "RATE")]
    at: Option<Rate>,
}

impl Capacity {
    pub(super) fn execute(mut self) -> Result<Exit, Failure> {
        if self.run.selection.is_unnamed() {
            return Err(Failure::usage("no scenario is named")
                .hint("for example `gatecrash capacity capacity/finite-upstream`"));
        }
        let none = [self.target, self.at].into_iter().flatten().find(|rate| rate.0 <= 0.0);
        if let Some(rate) = none {
            return Err(Failure::usage(format!("a rate of {rate}")).hint("give more than 0/s, such as 800/s"));
        }
        // Here a case is one of the `capacity` section.
        let case = self.run.selection.case.take();
        let mut plans = self.run.selected_plans()?;
        plans.retain(|plan| plan.capacity.is_some());
        if plans.is_empty() {
            return Err(Failure::usage("no scenario here has a `capacity` section")
                .hint("`gatecrash run` runs those with a timeline"));
        }
        for plan in &mut plans {
            self.change(plan);
            if let Some(wanted) = &case {
                narrow(plan, wanted)?;
            }
        }
        self.run.make(plans)
    }

    /// What the command line says in place of the file.
    fn change(&self, plan: &mut Plan) {
        let Some(capacity) = &mut plan.capacity else { return };
        capacity.target = self.target.or(capacity.target);
        if self.at.is_some() {
            (capacity.at, capacity.search, capacity.overload) = (self.at, None, false);
        }
    }
}

/// Leaves only the cases whose name contains this text, and what is expected of them.
fn narrow(plan: &mut Plan, wanted: &str) -> Result<(), Failure> {
    let names: Vec<String> = plan.phases.iter().map(|p| p.name.clone()).collect();
    let only: Vec<u16> =
        names.iter().zip(0..).filter(|(name, _)| name.contains(wanted)).map(|(_, index)| index).collect();
    if only.is_empty() {
        return Err(Failure::usage(format!("{} has no case `{wanted}`", plan.title()))
            .hint(format!("its cases are {}", names.join(", "))));
    }
    let ratio_of_others = |check: &gatecrash_core::checks::CheckSpec| match check {
        gatecrash_core::checks::CheckSpec::CapacityRatio(ratio) => {
            ![&ratio.of, &ratio.to].iter().all(|name| only.iter().any(|i| names[usize::from(*i)] == **name))
        }
        _ => false,
    };
    plan.expectations.retain(|e| e.phase.is_none_or(|p| only.contains(&p)) && !ratio_of_others(&e.check));
    if let Some(capacity) = &mut plan.capacity {
        capacity.only = only;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use gatecrash_core::scenario::Options;

    use super::*;
    use crate::suite;

    fn plan() -> Plan {
        let source = suite::named("capacity/clean-brownout-region-down").remove(0);
        let options = Options { known: crate::gateway::known(), ..Options::default() };
        suite::load(&source, &options).expect("a shipped scenario").plans().remove(0)
    }

    #[test]
    fn a_case_leaves_only_what_is_expected_of_it() {
        let mut both = plan();
        narrow(&mut both, "clean").expect("there is one");
        assert_eq!(both.capacity.map(|c| c.only), Some(vec![0]));
        assert_eq!(both.expectations.len(), 1, "ratios need two cases");
        let said = narrow(&mut plan(), "nowhere").expect_err("no such case").to_string();
        assert!(said.contains("clean, brownout, region-down, throttled"), "{said}");
    }
}
