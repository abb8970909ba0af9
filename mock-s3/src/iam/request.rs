//! What a request of the simulator asks, and the policies it brings.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::invalid;
use crate::policy::{Caller, CallerKind, ContextType, Entries, PolicyError, Simulation};
use crate::query_api::{Form, QueryError};

/// Actions and resources to be decided, and where in them the answer begins.
pub(super) struct Questions {
    pub(super) actions: Vec<String>,
    /// None when the request names none: then it is about all resources.
    pub(super) resources: Vec<String>,
    pub(super) context: Entries,
    /// The first action of the answer.
    pub(super) first: usize,
    /// The most actions of the answer.
    pub(super) most: usize,
}

/// Actions of an answer when the request does not say (IAM API, MaxItems).
const DEFAULT_ITEMS: usize = 100;
/// Actions of an answer at most.
const MOST_ITEMS: usize = 1000;
/// Decisions of one answer: longer ones are cut, as IAM may do.
const MOST_DECISIONS: usize = 4000;
/// The levels an organisation has at most.
const MOST_LEVELS: usize = 7;

impl Questions {
    pub(super) fn read(form: &Form) -> Result<Self, QueryError> {
        let actions = form.list("ActionNames");
        if actions.is_empty() {
            return Err(QueryError::missing("actionNames"));
        }
        for action in &actions {
            let plain = |part: &str| {
                !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            };
            let named = action.split_once(':').is_some_and(|(service, name)| plain(service) && plain(name));
            if !named || action.len() > 128 {
                return Err(invalid(format!("Invalid action name: {action}")));
            }
        }
        let resources = form.list("ResourceArns");
        for arn in &resources {
            let is_arn = arn.starts_with("arn:") && arn.splitn(6, ':').count() == 6;
            if (!is_arn && arn != "*") || arn.len() > 2048 {
                return Err(invalid(format!("Invalid ARN format: {arn}")));
            }
        }
        if resources.len() > MOST_DECISIONS {
            return Err(invalid(format!("More than {MOST_DECISIONS} resources")));
        }
        let most = items(form)?.min((MOST_DECISIONS / resources.len().max(1)).max(1));
        Ok(Self { actions, resources, context: context(form)?, first: begin(form)?, most })
    }

    /// The marker of the answer that follows, if one does.
    pub(super) fn next(&self) -> Option<String> {
        let next = self.first.saturating_add(self.most);
        (next < self.actions.len()).then(|| STANDARD.encode(format!("action {next}")))
    }
}

fn items(form: &Form) -> Result<usize, QueryError> {
    let Some(text) = form.value("MaxItems") else { return Ok(DEFAULT_ITEMS) };
    text.parse().ok().filter(|items| (1..=MOST_ITEMS).contains(items)).ok_or_else(|| {
        QueryError::validation(format!(
            "1 validation error detected: Value '{text}' at 'maxItems' failed to satisfy constraint: Member must \
             have value between 1 and {MOST_ITEMS}"
        ))
    })
}

fn begin(form: &Form) -> Result<usize, QueryError> {
    let Some(marker) = form.value("Marker") else { return Ok(0) };
    let text = STANDARD.decode(marker).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let number = text.as_deref().and_then(|text| text.strip_prefix("action ")?.parse().ok());
    number.ok_or_else(|| QueryError::validation(format!("Invalid Marker: {marker}")))
}

fn context(form: &Form) -> Result<Entries, QueryError> {
    let mut context = Entries::new();
    for entry in form.members("ContextEntries").values() {
        let name = entry.value("ContextKeyName").ok_or_else(|| QueryError::missing("contextKeyName"))?;
        if !(5..=256).contains(&name.len()) || !name.contains(':') {
            return Err(invalid(format!("Invalid context key name: {name}")));
        }
        let values = entry.list("ContextKeyValues");
        // Without a type, values are texts.
        let named = entry.value("ContextKeyType").unwrap_or("stringList");
        let kind = ContextType::parse(named)
            .ok_or_else(|| invalid(format!("Invalid type of context key {name}: {named}")))?;
        if values.len() != 1 && !kind.is_list() {
            return Err(invalid(format!("Context key {name} of type {named} has one value")));
        }
        if let Some(wrong) = values.iter().find(|value| !kind.takes(value)) {
            return Err(invalid(format!("Invalid value of context key {name} of type {named}: {wrong}")));
        }
        context.set(name, values);
    }
    Ok(context)
}

/// Who makes the simulated calls, when the request says so.
pub(super) fn caller_arn(form: &Form) -> Result<Option<Caller>, QueryError> {
    form.value("CallerArn").map(entity).transpose()
}

/// The user or role of an ARN.
pub(super) fn entity(arn: &str) -> Result<Caller, QueryError> {
    let what = arn.splitn(6, ':').nth(5).unwrap_or_default();
    let caller = Caller::from_arn(arn).filter(|caller| {
        caller.kind == CallerKind::User
            || (caller.kind == CallerKind::RoleSession && what.starts_with("role/"))
    });
    caller.ok_or_else(|| {
        invalid(format!("Invalid Entity Arn: {arn} does not clearly define entity type and name."))
    })
}

/// The simulation with all policies of the request, under the names answers give them.
pub(super) fn add_inputs(mut simulation: Simulation, form: &Form) -> Result<Simulation, QueryError> {
    let malformed = |id: &str, error: &PolicyError| invalid(format!("Syntax errors in policy {id}: {error}"));
    for (number, text) in texts(form, "PolicyInputList") {
        let id = format!("PolicyInputList.{number}");
        simulation = simulation.identity(&id, &text).map_err(|error| malformed(&id, &error))?;
    }
    let boundaries = texts(form, "PermissionsBoundaryPolicyInputList");
    if boundaries.len() > 1 {
        return Err(invalid("There can be one permissions boundary only"));
    }
    for (number, text) in boundaries {
        let id = format!("PermissionsBoundaryPolicyInputList.{number}");
        simulation = simulation.boundary(&id, &text).map_err(|error| malformed(&id, &error))?;
    }
    let levels = form.members("OrderedOrganizationPolicyInputList");
    if levels.len() > MOST_LEVELS {
        return Err(invalid(format!("An organization has {MOST_LEVELS} levels at most")));
    }
    for (number, level) in levels {
        let id = format!("OrderedOrganizationPolicyInputList.{number}");
        let texts = level.list("ServiceControlPolicyInputList");
        let named: Vec<_> = texts.iter().map(|text| (id.as_str(), text.as_str())).collect();
        simulation = simulation.service_control(&named).map_err(|error| malformed(&id, &error))?;
    }
    if let Some(text) = form.value("ResourcePolicy") {
        simulation =
            simulation.bucket("ResourcePolicy", text).map_err(|e| malformed("ResourcePolicy", &e))?;
    }
    match form.value("ResourceOwner") {
        Some(owner) => Ok(simulation.owned_by(account(owner)?)),
        None => Ok(simulation),
    }
}

fn texts(form: &Form, name: &str) -> BTreeMap<u32, String> {
    let text =
        |member: &Form| member.pairs().iter().find(|(inner, _)| inner.is_empty()).map(|(_, v)| v.clone());
    form.members(name).iter().filter_map(|(number, member)| Some((*number, text(member)?))).collect()
}

/// The account of `arn:aws:iam::<account>:root`.
fn account(owner: &str) -> Result<&str, QueryError> {
    let account = owner.strip_prefix("arn:aws:iam::").and_then(|rest| rest.strip_suffix(":root"));
    let number = |id: &&str| id.len() == 12 && id.bytes().all(|byte| byte.is_ascii_digit());
    account.filter(number).ok_or_else(|| invalid(format!("Invalid ResourceOwner: {owner}")))
}
