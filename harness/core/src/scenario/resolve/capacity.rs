//! The `capacity` block.

use super::{Cx, World};
use crate::capacity::Goal;
use crate::checks::{CheckSpec, Goodput};
use crate::diagnostics::{Diagnostic, Place};
use crate::plan::{CapacityPlan, ExpectationPlan, SearchPlan};
use crate::scenario::decode::Spanned;
use crate::scenario::file::{Capacity, File, Offered, Search, Workload};
use crate::scenario::node::Node;
use crate::units::{Rate, Share, Span};

const SETTLE: Span = Span::seconds(2);
/// Fewest trials that decide about a rate, so that none of them does so alone.
const LEAST_TIMES: u64 = 3;
/// Share of all cores; above it the harness may be what limits.
const MAX_CPU: Share = Share(0.85);
/// Highest rate of one workload.
const MAX_RATE: Rate = Rate(1e6);
/// Longest stretch of deciding trials at one rate.
const MAX_TIMES: u32 = 100;

/// What a trial can be judged by: the clauses of an objective.
const CLAUSES: [&str; 6] =
    ["success-rate", "goodput", "latency", "error-latency", "amplification", "statuses"];
/// What can be expected of a case.
const EXPECTED: [&str; 2] = ["capacity", "capacity-ratio"];

/// A file has phases or cases, not both and not neither; without cases it expects something.
pub(in crate::scenario) fn either_timeline_or_capacity(file: &File, tree: &Node) -> Vec<Diagnostic> {
    let mut wrong = Vec::new();
    let has_timeline = tree.get("timeline").is_some();
    match &file.capacity {
        Some(capacity) if has_timeline => {
            let both = Diagnostic::error(
                "both `timeline` and `capacity`",
                capacity.place,
                "expected one of the two",
            );
            wrong.push(both.help("the cases of `capacity` take the place of phases"));
        }
        Some(_) => {}
        None => {
            let missing = |key: &str, label: &str| {
                Diagnostic::error(format!("missing key `{key}`"), tree.place, label.to_owned())
            };
            if !has_timeline {
                wrong.push(missing("timeline", "`timeline` (or `capacity`) has to be given here"));
            }
            if tree.get("expect").is_none() {
                wrong.push(missing("expect", "`expect` has to be given here"));
            }
        }
    }
    wrong
}

/// The goal that a search has by itself, with deciding trials that outlast the latency limits of the objective.
fn lasting(precision: Option<Share>, slo: &[Spanned<CheckSpec>]) -> Goal {
    let width = precision.map_or(Goal::default().width, |precision| precision.0.max(0.001));
    let goal = Goal { width, ..Goal::default() };
    let latencies = slo.iter().filter_map(|clause| match &clause.value {
        CheckSpec::Latency(latency) => Some(latency.limits()),
        _ => None,
    });
    let limits = latencies.flatten().filter_map(|(quantile, bounds)| Some((quantile, bounds.max?)));
    limits.fold(goal, |goal, (quantile, limit)| goal.outlasting(limit.0, quantile))
}

/// The rate of an open workload, where it has one for the whole run.
fn offered(workload: &Workload) -> Option<Spanned<Offered>> {
    workload.open.as_ref()?.value.rate
}

impl Cx<'_> {
    /// How each case is searched; refuses what only a timeline can mean.
    pub(super) fn capacity(
        &mut self,
        file: &File,
        world: &World<'_>,
        expectations: &[ExpectationPlan],
    ) -> Option<CapacityPlan> {
        self.expected_of_capacity(file);
        let Some(Spanned { value: given, place }) = &file.capacity else {
            self.nobody_searches(file);
            return None;
        };
        let workload = self.searched(file, given, *place, world);
        self.always_on(file);
        self.clauses(&given.slo, given.search.map(|search| search.value.from.value));
        let search = given.search.map(|search| self.search_range(search.value));
        if search.is_none() && !expectations.iter().any(|e| matches!(e.check, CheckSpec::Capacity(_))) {
            let help = "write `search: { from: 50/s, to: 5000/s }`, or expect a `capacity`";
            self.advise("no rate to try", *place, "nothing is searched and no rate is expected", help);
        }
        let (step, confirm) = (given.step, given.confirm);
        self.positive("measure", step.measure);
        self.positive("for", confirm.r#for);
        if let Some(times) = confirm.times.filter(|t| t.value == 0 || t.value > MAX_TIMES) {
            self.error(
                format!("`times` is {}", times.value),
                times.place,
                format!("expected 1 to {MAX_TIMES}"),
            );
        }
        if let Some(exceed) = given.exceed.filter(|e| e.value.0 >= 1.0) {
            self.error("every rate would be carried", exceed.place, "expected less than 100%");
        }
        if let Some(none) = given.target.filter(|t| t.value.0 <= 0.0) {
            self.error("a target of nothing", none.place, "expected more than 0/s");
        }
        let best = lasting(search.map(|search| search.precision), &given.slo.value);
        let measure = self.or("capacity.measure", step.measure, Span(best.trial_initial));
        let longest = Span(best.trial_final.max(measure.0));
        let each = self.or("capacity.confirm", confirm.r#for, longest);
        let enough = best.duration_sum.div_ceil(each.0.max(1)).clamp(LEAST_TIMES, u64::from(MAX_TIMES));
        let plan = CapacityPlan {
            workload,
            search,
            settle: self.or("capacity.settle", step.settle, SETTLE),
            measure,
            confirm: each,
            times: self.or("capacity.times", confirm.times, enough as u32),
            exceed: self.or("capacity.exceed", given.exceed, Share(best.exceed)),
            overload: self.or("capacity.overload", given.overload, search.is_some()),
            slo: given.slo.value.iter().map(|clause| clause.value.clone()).collect(),
            at: None,
            only: Vec::new(),
            within: world.phases.first().map_or(Span(0), |p| p.until),
            target: given.target.map(|t| t.value),
            max_cpu: MAX_CPU,
        };
        self.time_enough(&plan, *place);
        Some(plan)
    }

    /// The workload whose rate is searched: the one that is named, else the only one.
    fn searched(&mut self, file: &File, given: &Capacity, place: Place, world: &World<'_>) -> u16 {
        let index = match (&given.workload, world.workloads) {
            (Some(name), all) => {
                self.refer("workload", &name.value, name.place, all.iter().map(|w| w.name.as_str()))
            }
            (None, [_]) => Some(0),
            (None, _) => {
                self.error(
                    "which workload is searched?",
                    place,
                    "expected `workload`, since there are several",
                );
                None
            }
        };
        for (number, (name, workload)) in file.load.value.iter().enumerate() {
            let Some(rate) = offered(workload) else {
                if index == Some(number) {
                    let message = format!("the rate of `{}` is what is searched", name.value);
                    self.error(message, name.place, "expected `open: { rate: search }`");
                }
                continue;
            };
            match (rate.value, index) {
                (Offered::Search, Some(index)) if index != number => {
                    let message = format!("the rate of `{}` is not searched", name.value);
                    self.error(message, rate.place, "only the workload of `capacity` is");
                }
                (Offered::At(_), Some(index)) if index == number => {
                    let message = format!("the rate of `{}` is what is searched", name.value);
                    self.advise(message, rate.place, "expected `search`", "the range stands in `capacity`");
                }
                _ => {}
            }
        }
        index.unwrap_or(0) as u16
    }

    /// Without a search no rate can be `search`.
    fn nobody_searches(&mut self, file: &File) {
        for (_, workload) in file.load.value.iter() {
            if let Some(rate) = offered(workload).filter(|rate| rate.value == Offered::Search) {
                let help = "write a rate such as 150/s, or a `capacity` section in place of the timeline";
                self.advise("nothing searches this rate", rate.place, "there is no `capacity`", help);
            }
        }
    }

    fn search_range(&mut self, search: Search) -> SearchPlan {
        let Search { from, to, grow, precision } = search;
        if from.value.0 <= 0.0 {
            self.error("the search begins at zero", from.place, "expected more than 0/s");
        }
        if to.value.0 <= from.value.0 {
            self.error("`to` is not above `from`", to.place, format!("expected more than {}", from.value));
        }
        if to.value.0 > MAX_RATE.0 {
            self.error(
                format!("rate {} too high", to.value),
                to.place,
                format!("expected at most {MAX_RATE}"),
            );
        }
        if let Some(grow) = grow.filter(|g| !(g.value > 1.0 && g.value <= 100.0)) {
            self.error(format!("a growth of {}", grow.value), grow.place, "expected above 1, at most 100");
        }
        if let Some(wide) = precision.filter(|p| p.value.0 <= 0.0 || p.value.0 > 0.5) {
            self.error(
                format!("a precision of {}", wide.value),
                wide.place,
                "expected above 0%, at most 50%",
            );
        }
        SearchPlan {
            from: from.value,
            to: to.value,
            grow: self.or("capacity.search.grow", grow, Goal::default().grow),
            precision: self.or("capacity.search.precision", precision, Share(Goal::default().width)),
        }
    }

    /// The faults of a case are on from its beginning to its end: all trials meet the same.
    fn always_on(&mut self, file: &File) {
        for inject in file.timeline.value.iter().flat_map(|case| &case.inject) {
            let inject = &inject.value;
            let times = [
                ("at", inject.at.map(|at| at.place)),
                ("for", inject.r#for.map(|lasts| lasts.place)),
                ("until", inject.until.as_ref().map(|until| until.place)),
                ("ramp", inject.ramp.map(|ramp| ramp.place)),
            ];
            for (key, place) in times.into_iter().filter_map(|(key, place)| Some((key, place?))) {
                let label = "the faults of a case are the same in all of its trials";
                self.error(format!("`{key}` in a case of `capacity`"), place, label);
            }
        }
    }

    /// What a trial is judged by.
    fn clauses(&mut self, slo: &Spanned<Vec<Spanned<CheckSpec>>>, from: Option<Rate>) {
        if slo.value.is_empty() {
            self.error("an objective without a clause", slo.place, "expected at least one");
        }
        for clause in &slo.value {
            let name = clause.value.info().name;
            if !CLAUSES.contains(&name) {
                let message = format!("`{name}` is no clause of an objective");
                self.advise(message, clause.place, "", format!("clauses are {}", CLAUSES.join(", ")));
            }
            if let Some(problem) = clause.value.problem() {
                let message = format!("`{name}` cannot be judged like this");
                self.error(message, clause.place, format!("expected {problem}"));
            }
            let (CheckSpec::Goodput(Goodput { min: Some(min), .. }), Some(from)) = (&clause.value, from)
            else {
                continue;
            };
            if min.0 > from.0 {
                let message = format!("the search begins at {from}, where goodput is never {min}");
                let help = "begin at that rate, or write `of-offered`, a share of what is offered";
                self.advise(message, clause.place, "breaks in the first trial", help);
            }
        }
    }

    /// A case is judged by its trials; of single requests nothing is kept.
    fn expected_of_capacity(&mut self, file: &File) {
        for expectation in &file.expect.value {
            let (check, name) = (&expectation.value.check, expectation.value.check.value.info().name);
            match (EXPECTED.contains(&name), file.capacity.is_some()) {
                (true, false) => {
                    let help = "a scenario with a `capacity` section measures it";
                    self.advise(
                        format!("`{name}` without a search"),
                        check.place,
                        "nothing measures it",
                        help,
                    );
                }
                (false, true) => {
                    let help = format!("expect {}, and put the rest into `slo`", EXPECTED.join(" or "));
                    self.advise(
                        format!("`{name}` of a whole search"),
                        check.place,
                        "trials are judged one by one",
                        help,
                    );
                }
                _ => {}
            }
            if file.capacity.is_some() {
                let given = &expectation.value;
                let places =
                    [("after", given.after.map(|a| a.place)), ("before", given.before.map(|b| b.place))];
                for (key, place) in places.into_iter().filter_map(|(key, place)| Some((key, place?))) {
                    self.error(
                        format!("`{key}` in a capacity scenario"),
                        place,
                        "a case is judged as a whole",
                    );
                }
            }
        }
    }

    /// The deciding trials of one rate have to fit into the time of a case.
    fn time_enough(&mut self, plan: &CapacityPlan, place: Place) {
        let one = Span(plan.settle.0.saturating_add(plan.confirm.0).saturating_mul(u64::from(plan.times)));
        if one > plan.within {
            let label = format!("the deciding trials of one rate alone take {one}");
            self.error(format!("a case may take {}", plan.within), place, label);
        }
    }
}
