//! Types to plan: every default made explicit, every reference and every sum checked, all mistakes collected.

mod arrivals;
mod capacity;
mod client;
mod expect;
mod gateway;
mod inject;
mod journeys;
mod key_files;
mod load;
mod references;
mod replay;
mod requests;
mod signing;
mod sizes;
mod timeline;
mod trace;
mod world;

use std::collections::HashMap;

use super::decode::Spanned;
use super::file::File;
use super::mistakes::unknown;
use super::node::{Node, Via};
use super::resolved::Origin;
use super::{Case, Fragments, Options};
use crate::diagnostics::{Diagnostic, Place, SourceText};
use crate::plan::{
    BucketPlan, GuardsPlan, IdentityPlan, PhasePlan, Plan, RegionPlan, WorkloadPlan, default_max_cpu,
    default_min_achieved,
};
use crate::units::Span;

/// Seed of a file that gives none.
const DEFAULT_SEED: u64 = 1;

/// Turns one file into one plan. Without an error in `problems` the plan is whole.
pub(super) fn resolve(
    file: &File,
    tree: &Node,
    case: &str,
    sources: &mut Vec<SourceText>,
    loader: &dyn Fragments,
    options: &Options,
    problems: &mut Vec<Diagnostic>,
) -> Option<Case> {
    let before = problems.len();
    let mut cx = Cx {
        nodes: index(tree),
        lines: HashMap::new(),
        sources,
        loader,
        options,
        problems,
        origins: Vec::new(),
    };
    cx.name("scenario name", &file.name);
    let regions = cx.regions(file);
    let mut buckets = cx.buckets(file, &regions);
    let identities = cx.identities(file);
    let gateway = cx.gateway(file);
    let phases = cx.phases(file);
    let mut workloads = cx.workloads(file, &mut buckets, &identities, &phases);
    if gateway.is_https() {
        workloads.iter_mut().for_each(|workload| workload.client.tls = true);
    }
    let world = World {
        regions: &regions,
        buckets: &buckets,
        identities: &identities,
        phases: &phases,
        workloads: &workloads,
        open: false,
    };
    let faults = cx.faults(file, &world);
    cx.only_on(file, &gateway);
    cx.capabilities(file, &gateway);
    let expectations = cx.expectations(file, &world, &faults);
    let capacity = cx.capacity(file, &world, &expectations);
    let guards = cx.guards(file, phases.last().map_or(Span(0), |p| p.until));
    cx.unused(file);
    let seed = match options.seed {
        Some(seed) => cx.given("seed", Origin::Option("--seed"), seed),
        None => cx.or("seed", file.seed, DEFAULT_SEED),
    };
    cx.took("name", file.name.place);
    let plan = Plan {
        name: file.name.value.clone(),
        about: file.about.value.clone(),
        case: case.to_owned(),
        tags: file.tags.iter().map(|t| t.value.clone()).collect(),
        source: cx.sources[0].name.clone(),
        seed,
        gateway,
        regions,
        buckets,
        identities,
        workloads,
        phases,
        faults,
        expectations,
        guards,
        capacity,
    };
    let origins = cx.origins;
    let errors = problems[before..].iter().any(|d| d.level == crate::diagnostics::Level::Error);
    (!errors).then_some(Case { plan, origins })
}

pub(super) use capacity::either_timeline_or_capacity;
pub(super) use inject::entry;

/// What names may refer to.
struct World<'a> {
    regions: &'a [RegionPlan],
    buckets: &'a [BucketPlan],
    identities: &'a [IdentityPlan],
    phases: &'a [PhasePlan],
    workloads: &'a [WorkloadPlan],
    /// Whether there may be more than is known here: names are taken as they are.
    open: bool,
}

/// What the resolvers of all blocks share.
struct Cx<'a> {
    /// Every value by its place.
    nodes: HashMap<Place, &'a Node>,
    /// Where the lines of each source begin, once asked for.
    lines: HashMap<u16, Vec<u32>>,
    sources: &'a mut Vec<SourceText>,
    /// Reads the files that a scenario names.
    loader: &'a dyn Fragments,
    options: &'a Options,
    problems: &'a mut Vec<Diagnostic>,
    origins: Vec<(String, Origin)>,
}

/// Every value by its place; the first where several share one.
fn index(tree: &Node) -> HashMap<Place, &Node> {
    let mut nodes = HashMap::new();
    let mut rest = vec![tree];
    while let Some(node) = rest.pop() {
        nodes.entry(node.place).or_insert(node);
        let below = node.entries().iter().map(|(_, below)| below).chain(node.elements());
        rest.extend(below.rev());
    }
    nodes
}

impl<'a> Cx<'a> {
    // === problems ===

    /// Notes an error.
    fn error(&mut self, message: impl Into<String>, place: Place, label: impl Into<String>) {
        self.problems.push(Diagnostic::error(message, place, label));
    }

    /// Notes an error with advice.
    fn advise(&mut self, message: impl Into<String>, place: Place, label: &str, help: impl Into<String>) {
        self.problems.push(Diagnostic::error(message, place, label).help(help));
    }

    /// Notes a warning.
    fn warn(&mut self, message: impl Into<String>, place: Place, label: impl Into<String>) {
        self.problems.push(Diagnostic::warning(message, place, label));
    }

    /// The index of a name among those that exist, or an error with what was meant.
    fn refer<'n>(
        &mut self,
        what: &str,
        name: &str,
        place: Place,
        all: impl IntoIterator<Item = &'n str>,
    ) -> Option<usize> {
        let all: Vec<_> = all.into_iter().collect();
        let at = all.iter().position(|n| *n == name);
        if at.is_none() {
            self.problems.push(unknown(what, name, &all, place));
        }
        at
    }

    /// Refuses names that paths, ids and reports could not carry.
    fn name(&mut self, what: &str, name: &Spanned<String>) {
        let fine = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        if name.value.is_empty() || !name.value.chars().all(fine) {
            let label = "expected letters, digits, `-`, `_` and `.`";
            self.error(format!("invalid {what} `{}`", name.value), name.place, label);
        }
    }

    /// Refuses a duration of zero.
    fn positive(&mut self, what: &str, span: Option<Spanned<Span>>) {
        if let Some(zero) = span.filter(|s| s.value == Span(0)) {
            self.error(format!("`{what}` is zero"), zero.place, "expected more than 0s");
        }
    }

    /// The place of what stands at a path below a place; the place itself when there is nothing.
    fn within(&self, place: Place, path: &[&str]) -> Place {
        let found = self.node(place).and_then(|start| path.iter().try_fold(start, |node, key| node.get(key)));
        found.map_or(place, |node| node.place)
    }

    // === origins ===

    /// The given value or the default, and notes which.
    fn or<T>(&mut self, path: impl Into<String>, given: Option<Spanned<T>>, default: T) -> T {
        match given {
            Some(given) => {
                self.took(path, given.place);
                given.value
            }
            None => {
                self.origins.push((path.into(), Origin::Default));
                default
            }
        }
    }

    /// Notes that a value stands at a place.
    fn took(&mut self, path: impl Into<String>, place: Place) {
        let via = self.node(place).map(|node| node.via).unwrap_or_default();
        let line = self.line(place);
        let file = self.sources[usize::from(place.source)].name.clone();
        let origin = match via {
            Via::Set => Origin::Option("--set"),
            Via::Matrix => Origin::Matrix { file, line },
            Via::Variable => Origin::Variable { file, line },
            Via::Text => Origin::File { file, line },
        };
        self.origins.push((path.into(), origin));
    }

    /// Notes where a value comes from.
    fn given<T>(&mut self, path: &str, origin: Origin, value: T) -> T {
        self.origins.push((path.to_owned(), origin));
        value
    }

    /// Line of a place in its file.
    fn line(&mut self, place: Place) -> u32 {
        let text = &self.sources[usize::from(place.source)].text;
        let begins = || text.match_indices('\n').map(|(at, _)| at as u32 + 1).collect();
        let lines = self.lines.entry(place.source).or_insert_with(begins);
        lines.partition_point(|begin| *begin <= place.start) as u32 + 1
    }

    /// The value at a place.
    fn node(&self, place: Place) -> Option<&'a Node> {
        self.nodes.get(&place).copied()
    }

    /// A source for what the command line gave, so that diagnostics can point at it.
    fn option(&mut self, name: &str, value: &str) -> Place {
        let number = self.sources.len() as u16;
        self.sources.push(SourceText::new(name, value));
        Place::new(number, 0, value.len())
    }

    // === whole file ===

    /// Warns of what nothing uses; fragments may hold more than one file needs.
    fn unused(&mut self, file: &File) {
        let buckets =
            || file.load.value.iter().filter_map(|(_, w)| w.bucket.as_ref().map(|b| b.value.as_str()));
        for (name, _) in file.buckets.iter().filter(|(n, _)| n.place.source == 0) {
            if file.buckets.0.len() > 1 && buckets().all(|b| b != name.value) {
                self.warn(format!("unused bucket `{}`", name.value), name.place, "no workload uses it");
            }
        }
        let identities =
            || file.load.value.iter().filter_map(|(_, w)| w.r#as.as_ref().map(|i| i.value.as_str()));
        for (name, _) in file.identities.iter().filter(|(n, _)| n.place.source == 0) {
            if file.identities.0.len() > 1 && identities().all(|i| i != name.value) {
                self.warn(format!("unused identity `{}`", name.value), name.place, "no workload is `as` it");
            }
        }
    }

    /// Limits on the run itself.
    fn guards(&mut self, file: &File, planned: Span) -> GuardsPlan {
        let guards = &file.guards;
        let deadline = Span(planned.0.saturating_add(planned.0 / 2).saturating_add(Span::seconds(30).0));
        if let Some(early) = guards.deadline.filter(|d| d.value <= planned) {
            let label = format!("the phases alone take {planned}");
            self.error("the deadline is before the end", early.place, label);
        }
        GuardsPlan {
            deadline: self.or("guards.deadline", guards.deadline, deadline),
            max_lag_p99: self.or("guards.max-lag-p99", guards.generator.max_lag_p99, Span::millis(20)),
            max_dropped: self.or(
                "guards.max-dropped",
                guards.generator.max_dropped,
                crate::units::Share(0.001),
            ),
            max_cpu: self.or("guards.max-cpu", guards.generator.max_cpu, default_max_cpu()),
            min_achieved: self.or(
                "guards.min-achieved",
                guards.generator.min_achieved,
                default_min_achieved(),
            ),
            fault_fired: self.or("guards.fault-fired", guards.fault_fired, true),
        }
    }
}
