//! One question as a JSON object: policies by layer, caller, action, resource, context.

use gatecrash_mock_s3::policy::{Caller, Entries, Evaluation, Grant, PolicyError, Simulation};
use serde_json::{Value, json};

const ACCOUNT: &str = "000000000001";

/// Decision, deciding layer, and Sid of the deciding statement.
pub(crate) fn told(evaluation: &Evaluation) -> String {
    let statement = evaluation.statement.iter().map(|name| format!(" {name}"));
    format!("{} {}{}", evaluation.decision, evaluation.layer.name(), statement.collect::<String>())
}

/// Decides a question.
pub(crate) fn decide(vector: &Value) -> Result<Evaluation, PolicyError> {
    let known = [
        "class",
        "name",
        "caller",
        "owner",
        "identity",
        "session",
        "boundary",
        "bucket",
        "scps",
        "rcps",
        "condition",
        "acl",
        "restrict-public",
        "action",
        "resource",
        "context",
        "expect",
    ];
    let unknown = vector.as_object().unwrap().keys().find(|key| !known.contains(&key.as_str()));
    assert_eq!(unknown, None, "{vector}");
    let caller = caller(vector["caller"].as_str().unwrap_or("arn:aws:iam::000000000001:user/app"));
    let owner = vector["owner"].as_str().or(caller.account()).unwrap_or(ACCOUNT).to_owned();
    let mut simulation = Simulation::of(caller).owned_by(&owner);
    for text in documents(&vector["identity"]) {
        simulation = simulation.identity("identity", &text)?;
    }
    if let Some(condition) = vector.get("condition") {
        let statement = json!({
            "Sid": "conditional", "Effect": "Allow", "Action": "s3:*", "Resource": "*", "Condition": condition,
        });
        simulation = simulation.identity("conditional", &document(&json!([statement])))?;
    }
    for text in documents(&vector["session"]) {
        simulation = simulation.session("session", &text)?;
    }
    if let Some(boundary) = vector.get("boundary") {
        simulation = simulation.boundary("boundary", &document(boundary))?;
    }
    if let Some(bucket) = vector.get("bucket") {
        simulation = simulation.bucket("bucket", &document(bucket))?;
    }
    for level in vector["scps"].as_array().into_iter().flatten() {
        let texts = documents(level);
        let level: Vec<_> = texts.iter().map(|text| ("scp", text.as_str())).collect();
        simulation = simulation.service_control(&level)?;
    }
    for level in vector["rcps"].as_array().into_iter().flatten() {
        let texts = documents(level);
        let level: Vec<_> = texts.iter().map(|text| ("rcp", text.as_str())).collect();
        simulation = simulation.resource_control(&level)?;
    }
    simulation = match vector["acl"].as_str() {
        Some("everyone") => simulation.acl(Grant::Direct),
        Some("account") => simulation.acl(Grant::Account),
        other => {
            assert_eq!(other, None);
            simulation
        }
    };
    let simulation = simulation.restrict_public(vector["restrict-public"].as_bool().unwrap_or_default());
    let action = vector["action"].as_str().unwrap_or("s3:GetObject");
    let resource = vector["resource"].as_str().unwrap_or("arn:aws:s3:::media/a.txt");
    Ok(simulation.ask(action, resource, &context(&vector["context"])))
}

fn caller(text: &str) -> Caller {
    match text.split_once(':') {
        None if text == "anonymous" => Caller::anonymous(),
        Some(("service", name)) => Caller::service(name),
        _ => Caller::from_arn(text).unwrap(),
    }
}

fn context(values: &Value) -> Entries {
    let mut entries = Entries::new();
    for (key, value) in values.as_object().into_iter().flatten() {
        match value {
            Value::Array(values) => entries.set(key, values.iter().map(|value| value.as_str().unwrap())),
            value => entries.set(key, [value.as_str().unwrap()]),
        }
    }
    entries
}

fn documents(list: &Value) -> Vec<String> {
    list.as_array().into_iter().flatten().map(document).collect()
}

fn document(value: &Value) -> String {
    match value {
        Value::Array(statements) => json!({ "Version": "2012-10-17", "Statement": statements }).to_string(),
        whole => whole.to_string(),
    }
}
