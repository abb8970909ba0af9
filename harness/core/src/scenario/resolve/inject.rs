//! What decides when a fault fires, and entries of `inject` that stand alone.

use std::collections::HashMap;

use super::{Cx, World, index};
use crate::diagnostics::{Diagnostic, Level, SourceText};
use crate::faults::{FaultSpec, Host, Order, Terminal};
use crate::plan::{FaultPlan, Side};
use crate::rules::{Facts, Point, Trigger};
use crate::scenario::decode::Spanned;
use crate::scenario::file::Inject;
use crate::scenario::inject::FOREVER;
use crate::scenario::node::Node;
use crate::scenario::{Fragments, Options};
use crate::units::Span;

/// Turns one entry into a fault for a link that stands outside of any scenario: nothing is known of regions,
/// buckets and identities, and its window counts from when it is put in force.
pub(in crate::scenario) fn entry(
    inject: &Spanned<Inject>,
    tree: &Node,
    source: &SourceText,
    problems: &mut Vec<Diagnostic>,
) -> Option<FaultPlan> {
    let (mut sources, options) = (vec![source.clone()], Options::default());
    let mut cx = Cx {
        nodes: index(tree),
        lines: HashMap::new(),
        sources: &mut sources,
        options: &options,
        loader: &NoFiles,
        problems,
        origins: Vec::new(),
    };
    let world =
        World { regions: &[], buckets: &[], identities: &[], phases: &[], workloads: &[], open: true };
    let window = cx.window_alone(&inject.value);
    cx.alone(&inject.value);
    if let Some(name) = &inject.value.name {
        cx.name("fault name", name);
    }
    let automatic = inject.value.fault.value.name().to_owned();
    let plan = cx.one_fault(0, inject, automatic, window, &world);
    (!problems.iter().any(|problem| problem.level == Level::Error)).then_some(plan)
}

/// An entry that stands alone names no files.
struct NoFiles;

impl Fragments for NoFiles {
    fn read(&self, _: &str, _: &str) -> Result<SourceText, String> {
        Err("no files are read here".to_owned())
    }
}

impl Cx<'_> {
    /// The window of an entry that stands alone, counted from when it is put in force.
    fn window_alone(&mut self, inject: &Inject) -> (Span, Span) {
        self.positive("for", inject.r#for);
        let from = inject.at.map_or(Span(0), |at| at.value);
        (from, inject.r#for.map_or(FOREVER, |lasts| Span(from.0.saturating_add(lasts.value.0))))
    }

    /// Refuses what only a scenario can mean.
    fn alone(&mut self, inject: &Inject) {
        if let Some(until) = &inject.until {
            self.error("`until` outside of a scenario", until.place, "there are no phases: write `for`");
        }
        let target = &inject.target;
        let places = [
            target.region.as_ref().map(|r| r.place),
            target.endpoint.map(|e| e.place),
            target.side.map(|s| s.place),
        ];
        if let Some(place) = places.into_iter().flatten().next() {
            self.error("`target` outside of a scenario", place, "there is only one link");
        }
        let fault = &inject.fault;
        if fault.value.info().host != Host::Link {
            let message = format!("`{}` outside of a scenario", fault.value.name());
            self.error(message, fault.place, "it is not carried out by a link");
        }
    }

    // === when it fires ===

    /// Counts, ramp and rate.
    pub(super) fn trigger(&mut self, inject: &Inject) -> Trigger {
        if let Some(zero) = inject.first.filter(|first| first.value == 0) {
            self.error("`first` is zero", zero.place, "expected at least 1");
        }
        if let Some(ramp) = inject.ramp {
            if inject.probability.is_none() {
                let help = "write `probability: 0%` to begin with none";
                self.advise("a ramp from where?", ramp.place, "it begins with `probability`", help);
            }
            if ramp.value.over == Span(0) || ramp.value.steps == Some(0) {
                let (label, place) = ("expected more than 0s, in at least 1 step", ramp.place);
                self.error("a ramp without a way", place, label);
            }
            if inject.probability.is_some_and(|start| start.value == ramp.value.to) {
                self.error("a ramp that goes nowhere", ramp.place, "it ends as it begins");
            }
        }
        if let Some((problem, place)) = inject.rate.and_then(|rate| Some((rate.value.problem()?, rate.place)))
        {
            self.error("`rate` cannot work like this", place, format!("expected {problem}"));
        }
        Trigger {
            after: inject.after.map(|after| after.value).filter(|after| *after > 0),
            first: inject.first.map(|first| first.value),
            ramp: inject.ramp.map(|ramp| ramp.value),
            rate: inject.rate.map(|rate| rate.value),
        }
    }

    /// What its host can see of an exchange.
    pub(super) fn visible(&mut self, inject: &Inject) {
        let (Some(given), spec) = (&inject.r#match, &inject.fault.value) else { return };
        let (name, in_mock) = (spec.name(), spec.info().host == Host::Mock);
        if given.value.connection.is_some_and(|c| c.age.is_some()) && in_mock {
            let place = self.within(given.place, &["connection", "age"]);
            self.error(format!("`age` on `{name}`"), place, "the mock does not know the age of connections");
        }
        if given.value.upstream_status.is_some() && (in_mock || acts_before_the_answer(spec)) {
            let place = self.within(given.place, &["upstream-status"]);
            self.error(
                format!("`upstream-status` on `{name}`"),
                place,
                "it acts before the upstream has answered",
            );
        }
    }

    // === where ===

    /// On which side of the gateway it acts.
    pub(super) fn side(&mut self, inject: &Inject, world: &World<'_>) -> Side {
        let (spec, target) = (&inject.fault.value, &inject.target);
        let side = target.side.map_or(Side::Upstream, |side| side.value);
        let name = spec.name();
        let places = [target.region.as_ref().map(|r| r.place), target.endpoint.map(|e| e.place)];
        if world.open {
            return Side::Upstream;
        }
        match (side, target.side) {
            (Side::Client, Some(given)) => {
                if let Some(place) = places.into_iter().flatten().next() {
                    self.error("a region on the clients' side", place, "all clients come through one link");
                }
                if !spec.sides().contains(&Side::Client) {
                    let label = "it is something that upstreams do";
                    self.error(format!("`{name}` on the clients' side"), given.place, label);
                } else if keeps_the_gateway_out(spec) {
                    let label = "nothing of the request would reach the gateway";
                    self.error(format!("`{name}` on the clients' side"), inject.fault.place, label);
                }
            }
            _ if !spec.sides().contains(&Side::Upstream) => {
                let help = "write `target: { side: client }` beside it";
                let label = "it is something that clients do";
                self.advise(format!("`{name}` on the upstreams' side"), inject.fault.place, label, help);
            }
            _ => {}
        }
        side
    }
}

/// Whether all that a fault does, it does before there is an answer.
fn acts_before_the_answer(spec: &FaultSpec) -> bool {
    !acts(spec, Point::ResponseHead) && !acts(spec, Point::Kept)
}

/// Whether a fault ends the exchange before the gateway could have a byte of it.
fn keeps_the_gateway_out(spec: &FaultSpec) -> bool {
    let facts = Facts::connection(0, 1, 0, 0);
    [Point::Accept, Point::RequestHead].into_iter().any(|point| {
        let order = if spec.acts_at(point) { spec.order(point, &facts, 0) } else { Order::Continue };
        matches!(order, Order::End(Terminal::Close(_) | Terminal::Swallow))
    })
}

fn acts(spec: &FaultSpec, point: Point) -> bool {
    let facts = Facts { ordinal: 1, status: 200, ..Facts::connection(0, 1, 0, 0) };
    spec.acts_at(point) && spec.order(point, &facts, 0) != Order::Continue
}
