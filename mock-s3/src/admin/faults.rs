//! GET, POST and DELETE /faults, DELETE /faults/{id}

use http::StatusCode;
use serde_json::json;

use super::{Answer, Ask, Refused};
use crate::rules::{Rule, RuleError};

/// The rules in force, each with how often it matched and acted.
pub(super) fn list(ask: &Ask) -> Result<Answer, Refused> {
    Ok(Answer::json(&json!({ "faults": ask.shared.rules.list() })))
}

/// Puts a rule in force.
pub(super) fn add(ask: &Ask) -> Result<Answer, Refused> {
    let rule: Rule = ask.json()?;
    let id = ask.shared.rules.add(rule).map_err(|why| {
        let status = if matches!(why, RuleError::Twice(_)) { 409 } else { 400 };
        Refused::new(status, why.to_string())
    })?;
    Ok(Answer::json(&json!({ "id": id })).status(StatusCode::CREATED))
}

/// Takes all rules back.
pub(super) fn clear(ask: &Ask) -> Result<Answer, Refused> {
    ask.shared.rules.clear();
    Ok(Answer::json(&json!({ "faults": [] })))
}

/// Takes one rule back.
pub(super) fn remove(ask: &Ask) -> Result<Answer, Refused> {
    match ask.shared.rules.remove(&ask.id) {
        true => list(ask),
        false => Err(Refused::new(404, format!("there is no fault {:?}", ask.id))),
    }
}
