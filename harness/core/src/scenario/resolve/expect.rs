//! Expectations.

use std::str::FromStr;

use super::{Cx, World};
use crate::checks::{CheckInfo, CheckSpec};
use crate::diagnostics::Place;
use crate::plan::{ExpectationPlan, FaultPlan, Severity};
use crate::rules::Matcher;
use crate::scenario::decode::Spanned;
use crate::scenario::file::{Expectation, File};
use crate::scenario::node::Node;
use crate::units::{Rate, Share, Size, Span};

impl Cx<'_> {
    /// The expectations, in order of the file, each with a name of its own.
    pub(super) fn expectations(
        &mut self,
        file: &File,
        world: &World<'_>,
        faults: &[FaultPlan],
    ) -> Vec<ExpectationPlan> {
        if file.expect.value.is_empty() && file.capacity.is_none() {
            self.error("nothing is expected", file.expect.place, "expected at least one expectation");
        }
        let mut plans: Vec<ExpectationPlan> = Vec::new();
        for expectation in &file.expect.value {
            let mut plan = self.expectation(plans.len(), expectation, world, faults);
            let same = plans.iter().filter(|p| stem(&p.name) == plan.name).count();
            if same > 0 {
                plan.name = format!("{} #{}", plan.name, same + 1);
            }
            plans.push(plan);
        }
        plans
    }

    fn expectation(
        &mut self,
        number: usize,
        expectation: &Spanned<Expectation>,
        world: &World<'_>,
        faults: &[FaultPlan],
    ) -> ExpectationPlan {
        let Expectation { r#in, after, before, r#match, check, severity, because, min_samples, runbook } =
            &expectation.value;
        let phases = world.phases.iter().map(|p| p.name.as_str());
        let phase = r#in.as_ref().and_then(|p| self.refer("phase", &p.value, p.place, phases));
        self.part(&expectation.value, phase, world);
        self.matcher(r#match.as_ref(), world, false);
        let names: Vec<_> = faults.iter().map(|f| f.name.as_str()).collect();
        self.references(check.place, check.value.info().name, world, &names);
        self.bounds(check.place, &check.value);
        if let Some(zero) = min_samples.filter(|n| n.value == 0) {
            self.error(
                "`min-samples` is zero",
                zero.place,
                "expected at least 1: no samples is never a pass",
            );
        }
        let mut name = check.value.info().name.to_owned();
        if let Some(phase) = r#in {
            name.push_str(&format!(" in {}", phase.value));
        }
        let matcher = r#match.as_ref().map(|m| m.value.clone()).unwrap_or_default();
        if matcher != Matcher::default() {
            name.push_str(&format!(" for {}", words(&matcher)));
        }
        let at = |key: &str| format!("expectations.{number}.{key}");
        self.took(at("check"), check.place);
        ExpectationPlan {
            name,
            phase: phase.map(|p| p as u16),
            after: after.map(|s| s.value),
            before: before.map(|s| s.value),
            matcher,
            check: check.value.clone(),
            severity: self.or(at("severity"), *severity, Severity::Error),
            because: because.clone(),
            min_samples: min_samples.map(|n| n.value),
            runbook: runbook.clone(),
            line: self.line(expectation.place),
        }
    }

    /// `after` and `before` have to leave a part of the phase (or run).
    fn part(&mut self, expectation: &Expectation, phase: Option<usize>, world: &World<'_>) {
        if expectation.r#in.is_some() && phase.is_none() {
            return;
        }
        let (length, what) = match phase {
            Some(at) => {
                let plan = &world.phases[at];
                (Span(plan.until.0.saturating_sub(plan.from.0)), format!("`{}` lasts", plan.name))
            }
            None => (world.phases.last().map_or(Span(0), |p| p.until), "the run lasts".to_owned()),
        };
        if let Some(late) = expectation.after.filter(|after| after.value >= length) {
            self.error("nothing is left after this", late.place, format!("{what} {length}"));
        }
        if let Some(late) = expectation.before.filter(|before| before.value > length) {
            self.error("`before` lies beyond the end", late.place, format!("{what} {length}"));
        }
        if let (Some(after), Some(before)) = (expectation.after, expectation.before)
            && before.value <= after.value
        {
            self.error(
                "`before` is not after `after`",
                before.place,
                format!("expected more than {}", after.value),
            );
        }
    }

    /// Bounds have to say something, and their ends have to be in order.
    fn bounds(&mut self, place: Place, check: &CheckSpec) {
        let CheckInfo { name, example, .. } = check.info();
        let Some(node) = self.node(place).and_then(|n| n.get(name)) else { return };
        if node.entries().is_empty() && is_about_bounds(example, name) {
            let help = format!("for instance `check: {{ {example} }}`");
            let place = node.place;
            self.advise(format!("`{name}` expects nothing"), place, "expected a bound", help);
            return;
        }
        let (mut wrong, place) = (Vec::new(), node.place);
        find_reversed(node, &mut wrong);
        if let Some(problem) = check.problem().filter(|_| wrong.is_empty()) {
            self.error(format!("`{name}` cannot be judged like this"), place, format!("expected {problem}"));
        }
        for (place, min) in wrong {
            self.error("`max` is below `min`", place, format!("expected at least {min}"));
        }
    }
}

/// Whether the parameters of an example are bounds first of all.
fn is_about_bounds(example: &str, name: &str) -> bool {
    let parameters =
        example.strip_prefix(name).and_then(|rest| rest.strip_prefix(": {")).map(str::trim_start);
    let is_quantile =
        |p: &str| p.strip_prefix('p').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    parameters.is_some_and(|p| p.starts_with("min:") || p.starts_with("max:") || is_quantile(p))
}

/// Places of `max` below their `min`, at any depth.
fn find_reversed(node: &Node, wrong: &mut Vec<(Place, String)>) {
    let scalar = |key| node.get(key).and_then(|n| Some((n.place, n.text()?)));
    if let (Some((_, min)), Some((place, max))) = (scalar("min"), scalar("max"))
        && quantity(min).zip(quantity(max)).is_some_and(|((a, low), (b, high))| a == b && high < low)
    {
        wrong.push((place, min.to_owned()));
    }
    node.entries().iter().map(|(_, n)| n).chain(node.elements()).for_each(|n| find_reversed(n, wrong));
}

/// A quantity as a number, with the kind of its unit.
fn quantity(text: &str) -> Option<(u8, f64)> {
    let share = Share::from_str(text).map(|s| (0, s.0));
    let span = || Span::from_str(text).map(|s| (1, s.0 as f64));
    let rate = || Rate::from_str(text).map(|r| (2, r.0));
    let size = || Size::from_str(text).map(|s| (3, s.0 as f64));
    share
        .or_else(|_| span())
        .or_else(|_| rate())
        .or_else(|_| size())
        .ok()
        .or_else(|| Some((4, text.parse().ok()?)))
}

/// A match in a few words: `op=GetObject key=img/*`.
fn words(matcher: &Matcher) -> String {
    let parts = [
        matcher.op.map(|op| format!("op={op}")),
        matcher.bucket.as_ref().map(|b| format!("bucket={b}")),
        matcher.key.as_ref().map(|k| format!("key={}", k.0)),
        matcher.prefix.as_ref().map(|p| format!("prefix={p}")),
        matcher.method.as_ref().map(|m| format!("method={m}")),
        matcher.upstream_status.map(|s| format!("upstream-status={s}")),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

/// A name without its number.
fn stem(name: &str) -> &str {
    name.rsplit_once(" #").filter(|(_, n)| n.parse::<u32>().is_ok()).map_or(name, |(stem, _)| stem)
}
