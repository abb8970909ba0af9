//! The JSON schema of the format, generated from the same types that read it.

use schemars::generate::SchemaSettings;
use serde_json::{Value, json};

use super::file::File;

/// How a variable is written, as a regular expression.
const VARIABLE: &str = r"\$\{[A-Za-z0-9_.-]+\}";

/// The schema of scenario files, version 1 (JSON Schema 2020-12). Published as
/// `scenarios/schema/scenario.v1.json`.
pub fn schema() -> Value {
    let generator = SchemaSettings::draft2020_12().into_generator();
    let mut schema = generator.into_root_schema_for::<File>();
    schema.insert("title".into(), "gatecrash scenario, version 1".into());
    let mut schema = schema.to_value();
    allow_variables(&mut schema);
    schema
}

/// Quantities, numbers and names of fixed sets may also be variables: the schema sees files before variables are
/// put in.
fn allow_variables(schema: &mut Value) {
    match schema {
        Value::Array(list) => list.iter_mut().for_each(allow_variables),
        Value::Object(map) => {
            if let Some(Value::String(pattern)) = map.get_mut("pattern") {
                *pattern = format!("{pattern}|{VARIABLE}");
            } else if let Some(kinds) = map.get("type").and_then(with_text) {
                map.insert("type".into(), kinds);
                map.insert("pattern".into(), json!(format!("^{VARIABLE}$")));
            }
            map.values_mut().for_each(allow_variables);
            let variable = json!({ "type": "string", "pattern": format!("^{VARIABLE}$") });
            if map.get("type") == Some(&json!("string"))
                && let Some(names) = map.remove("enum")
            {
                map.insert("anyOf".into(), json!([{ "enum": names }, variable]));
            } else if let Some(Value::Array(choices)) = map.get_mut("oneOf")
                && choices.iter().all(|choice| choice.get("const").is_some())
            {
                choices.push(variable);
            }
        }
        _ => {}
    }
}

/// The types of a number or a flag, and text.
fn with_text(kinds: &Value) -> Option<Value> {
    let mut kinds: Vec<_> = kinds.as_array().cloned().unwrap_or_else(|| vec![kinds.clone()]);
    let is_scalar = |kind: &Value| ["integer", "number", "boolean"].iter().any(|scalar| kind == scalar);
    if kinds.contains(&json!("string")) || !kinds.iter().any(is_scalar) {
        return None;
    }
    kinds.push(json!("string"));
    Some(Value::Array(kinds))
}
