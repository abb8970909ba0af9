//! Action=SimulatePrincipalPolicy

use super::answer::write;
use super::request::{Questions, add_inputs, caller_arn, entity};
use super::{invalid, permit};
use crate::policy::{Caller, Policy, Simulation};
use crate::query_api::{Query, QueryError};
use crate::settings::Settings;
use crate::xml::Xml;

/// Decides questions by the policies of a user or role, its boundary and its organisation's controls, beside
/// those of the request.
pub(crate) fn run(query: &Query<'_>, xml: &mut Xml) -> Result<(), QueryError> {
    let arn = query.form.value("PolicySourceArn").ok_or_else(|| QueryError::missing("policySourceArn"))?;
    permit(query, "iam:SimulatePrincipalPolicy", arn)?;
    if query.form.value("PolicyExclusionList.member.1.PolicyType").is_some()
        || !query.form.members("PolicyExclusionList").is_empty()
    {
        return Err(invalid("PolicyExclusionList: policies here have no names to exclude them by"));
    }
    let questions = Questions::read(query.form)?;
    let source = source(query, arn)?;
    let caller = caller_arn(query.form)?.unwrap_or(source.caller);
    let account = caller.account.clone();
    let simulation = Simulation::of(caller)
        .with_identity(source.policies)
        .with_boundary(source.boundary.cloned())
        .with_service_control(query.settings.service_control(&account).to_vec());
    write(xml, &questions, &add_inputs(simulation, query.form)?)
}

/// Whose policies are simulated.
struct Source<'s> {
    caller: Caller,
    policies: Vec<Policy>,
    boundary: Option<&'s Policy>,
}

/// The user or role of an ARN, in the account of who asks.
fn source<'s>(query: &Query<'s>, arn: &str) -> Result<Source<'s>, QueryError> {
    let settings: &'s Settings = query.settings;
    let named = entity(arn)?;
    let (kind, name) = arn.rsplit(':').next().and_then(|what| what.split_once('/')).unwrap_or_default();
    let own = named.account == query.caller.principal.account;
    if kind == "role" {
        let role = settings.roles.iter().find(|role| own && role.arn() == arn);
        let role = role.ok_or_else(|| not_found(kind, name))?;
        return Ok(Source {
            caller: Caller {
                canonical_id: role.canonical_id.clone(),
                user_id: format!("{}:session", role.unique_id()),
                ..named
            },
            policies: identified(&role.policies, kind, &role.name),
            boundary: role.boundary.as_ref(),
        });
    }
    let user = settings.identities.iter().find(|user| own && user.caller.principal.arn == arn);
    let user = user.ok_or_else(|| not_found(kind, name))?;
    Ok(Source {
        caller: user.caller.principal.clone(),
        policies: identified(&user.policies, kind, &user.name),
        boundary: user.boundary.as_ref(),
    })
}

/// The policies under the ids IAM gives to policies inside a user or role: `user_ann_policy-1`.
fn identified(policies: &[Policy], kind: &str, name: &str) -> Vec<Policy> {
    let id =
        |(at, policy): (usize, &Policy)| policy.clone().named(&format!("{kind}_{name}_policy-{}", at + 1));
    policies.iter().enumerate().map(id).collect()
}

fn not_found(kind: &str, name: &str) -> QueryError {
    QueryError::new(404, "NoSuchEntity", format!("The {kind} with name {name} cannot be found."))
}
