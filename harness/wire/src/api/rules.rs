//! Rules as the API shows and takes them: entries of `inject`, as in a scenario, and how often they fired.

use gatecrash_core::diagnostics::SourceText;
use gatecrash_core::plan::FaultPlan;
use gatecrash_core::rules::RuleView;
use gatecrash_core::scenario::{inject_entry, inject_json};
use serde_json::Value;

use super::reply::ApiError;

/// Members of a reply that are no part of the rule: ignored when they are sent back.
const COUNTERS: [&str; 2] = ["matched", "fired"];

/// A rule with its counters.
pub(crate) fn view(rule: &RuleView) -> String {
    let mut json = inject_json(&rule.plan);
    if let Value::Object(members) = &mut json {
        members
            .extend(COUNTERS.map(str::to_owned).into_iter().zip([rule.matched, rule.fired].map(Value::from)));
    }
    json.to_string()
}

/// A rule as it is kept: what reads back as the same rule.
pub(crate) fn kept(plan: &FaultPlan) -> String {
    inject_json(plan).to_string()
}

/// Reads a rule.
pub(crate) fn read(text: &str) -> Result<FaultPlan, ApiError> {
    // JSON loses its counters; anything else is read as the YAML of a scenario.
    let text = match serde_json::from_str(text) {
        Ok(Value::Object(mut members)) => {
            COUNTERS.iter().for_each(|counter| _ = members.remove(*counter));
            Value::Object(members).to_string()
        }
        _ => text.to_owned(),
    };
    entry(&text)
}

/// A rule with some of its members replaced; `null` takes one away. Its name stays.
pub(crate) fn merged(old: &FaultPlan, text: &str) -> Result<FaultPlan, ApiError> {
    let changes: Value = serde_json::from_str(text).map_err(ApiError::bad_body)?;
    let (Value::Object(mut rule), Value::Object(changes)) = (inject_json(old), changes) else {
        return Err(ApiError::bad_body("expected an object"));
    };
    for (key, value) in
        changes.into_iter().filter(|(key, _)| key != "name" && !COUNTERS.contains(&key.as_str()))
    {
        match value {
            Value::Null => _ = rule.remove(&key),
            value => _ = rule.insert(key, value),
        }
    }
    entry(&Value::Object(rule).to_string())
}

fn entry(text: &str) -> Result<FaultPlan, ApiError> {
    let read = inject_entry(&SourceText::new("rule", text));
    read.map_err(|problems| {
        let told = problems.iter().map(|problem| format!("{}: {}", problem.message, problem.label));
        ApiError::new(400, format!("invalid rule: {}", told.collect::<Vec<_>>().join("; ")))
    })
}
