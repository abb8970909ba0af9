//! Decisions as a table and as JSON, in the words of the IAM policy simulator and the mock's journal.

use gatecrash_mock_s3::policy::{Evaluation, Matched};
use serde_json::{Value, json};

/// One line for each decision, and below it why.
pub(super) fn table(decided: &[Evaluation]) -> String {
    let widest = |widths: &mut dyn Iterator<Item = usize>| widths.max().unwrap_or_default();
    let action = widest(&mut decided.iter().map(|one| one.action.len()).chain(["ACTION".len()]));
    let resources = decided.iter().map(|one| one.resource.chars().count());
    let resource = widest(&mut resources.chain(["RESOURCE".len()]));
    let head = format!("DECISION      {:<action$}  {:<resource$}  BY\n", "ACTION", "RESOURCE");
    head + &decided.iter().map(|one| rows(one, action, resource)).collect::<String>()
}

fn rows(one: &Evaluation, action: usize, resource: usize) -> String {
    let decision = one.decision.name();
    let mut rows = format!("{decision:<12}  {:<action$}  {:<resource$}  ", one.action, one.resource);
    match one.deciding() {
        Some(statement) => rows.push_str(&format!("{} {}", one.layer.source_type(), place(statement))),
        None => rows.push_str(one.layer.source_type()),
    }
    rows.push('\n');
    let why = one.explain();
    rows.push_str(&format!("              {why}\n"));
    for matched in one.matched.iter().filter(|matched| Some(*matched) != one.deciding()) {
        let effect = if matched.denies { "denies" } else { "allows" };
        let (layer, statement) = (matched.layer.source_type(), &matched.statement);
        rows.push_str(&format!("              also {effect}: {layer} {} {statement}\n", place(matched)));
    }
    if one.layers.len() > 1 {
        let said = one.layers.iter().map(|(layer, said)| format!("{} {}", layer.source_type(), said.name()));
        rows.push_str(&format!("              layers: {}\n", said.collect::<Vec<_>>().join(", ")));
    }
    if !one.missing_context.is_empty() {
        rows.push_str(&format!("              missing context: {}\n", one.missing_context.join(", ")));
    }
    rows
}

/// `file:line:column-line:column`
fn place(matched: &Matched) -> String {
    let Matched { policy, span, .. } = matched;
    let (start, end) = (span.start, span.end);
    format!("{policy}:{}:{}-{}:{}", start.line, start.column, end.line, end.column)
}

/// Everything that is known of the decisions.
pub(super) fn json(principal: &str, decided: &[Evaluation]) -> String {
    let results: Vec<Value> = decided.iter().map(result).collect();
    let allowed = decided.iter().all(Evaluation::is_allowed);
    format!("{:#}\n", json!({ "principal": principal, "allowed": allowed, "results": results }))
}

fn result(one: &Evaluation) -> Value {
    let layers = one.layers.iter().map(|(layer, said)| (layer.source_type().to_owned(), said.name().into()));
    json!({
        "action": one.action,
        "resource": one.resource,
        "decision": one.decision.name(),
        "layer": one.layer.source_type(),
        "deciding_statement": one.deciding().map(Matched::json),
        "explanation": one.explain(),
        "layers": layers.collect::<serde_json::Map<String, Value>>(),
        "matched_statements": one.matched.iter().map(Matched::json).collect::<Vec<_>>(),
        "missing_context": one.missing_context,
    })
}
