//! One entry of `inject` on its own, for links that take their faults while they run.

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::decode::Spanned;
use super::file::Inject;
use super::{mistakes, resolve, yaml};
use crate::diagnostics::{Diagnostics, SourceText};
use crate::plan::{FaultPlan, Per};
use crate::rules::Matcher;
use crate::units::{Share, Span};

/// The end of a window that has none.
pub const FOREVER: Span = Span(1_000_000_000_000_000_000);

/// Reads one `inject` entry, as YAML or JSON: what stands below `timeline.*.inject` in a scenario, without `target`
/// and `until`. `at` and `for` count from when it is put in force; without a `name` it is called after its fault.
/// Only faults that links carry out are taken.
pub fn inject_entry(source: &SourceText) -> Result<FaultPlan, Diagnostics> {
    let failed = |problems| Diagnostics::new(vec![source.clone()], problems);
    let tree = yaml::parse(&source.text, 0).map_err(|problem| failed(vec![problem]))?;
    let inject: Spanned<Inject> = mistakes::read(&tree).map_err(failed)?;
    let mut problems = Vec::new();
    resolve::entry(&inject, &tree, source, &mut problems).ok_or_else(|| failed(problems))
}

/// The entry that [`inject_entry`] reads as this fault.
pub fn inject_json(plan: &FaultPlan) -> Value {
    let mut entry = Map::new();
    entry.insert("name".into(), json!(plan.name));
    let trigger = &plan.trigger;
    let window = (plan.until < FOREVER).then(|| Span(plan.until.0.saturating_sub(plan.from.0)));
    let parts = [
        ("match", given(&plan.matcher, plan.matcher != Matcher::default())),
        ("probability", given(&plan.probability, plan.probability != Share(1.0) || trigger.ramp.is_some())),
        ("per", given(&plan.per, plan.per != Per::Attempt)),
        ("at", given(&plan.from, plan.from != Span(0))),
        ("for", given(&window, window.is_some())),
        ("limit", given(&plan.limit, plan.limit.is_some())),
        ("first", given(&trigger.first, trigger.first.is_some())),
        ("after", given(&trigger.after, trigger.after.is_some())),
        ("ramp", given(&trigger.ramp, trigger.ramp.is_some())),
        ("rate", given(&trigger.rate, trigger.rate.is_some())),
        ("fault", given(&plan.spec, true)),
    ];
    entry.extend(parts.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))));
    Value::Object(entry)
}

fn given(part: &impl Serialize, given: bool) -> Option<Value> {
    given.then(|| serde_json::to_value(part).expect("parts of a plan are plain data"))
}
