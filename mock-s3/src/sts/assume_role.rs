//! Action=AssumeRole

use gatecrash_model::Decision;
use serde_json::json;

use super::{duration, session_policy, signed, write_credentials};
use crate::auth::Caller;
use crate::auth::sessions::Grant;
use crate::policy::{Ask, BucketSide, Entries, Kind, Layers, Policy, evaluate};
use crate::query_api::{Query, QueryError};
use crate::settings::Role;
use crate::xml::Xml;

/// One hour; sessions of sessions never last longer.
const DEFAULT_SECONDS: i64 = 3600;

/// Gives a session of a role to whom its trust policy allows it.
pub(crate) fn run(query: &Query<'_>, xml: &mut Xml) -> Result<(), QueryError> {
    let caller = signed(query)?;
    let arn = query.form.value("RoleArn").ok_or_else(|| QueryError::missing("roleArn"))?;
    let session =
        query.form.value("RoleSessionName").ok_or_else(|| QueryError::missing("roleSessionName"))?;
    check_name(session)?;
    let role = query.settings.roles.iter().find(|role| role.arn() == arn);
    // A role that does not exist is refused like one that may not be assumed.
    let role = role.filter(|role| may_assume(query, caller, role)).ok_or_else(|| {
        let who = &caller.principal.arn;
        let message = format!("User: {who} is not authorized to perform: sts:AssumeRole on resource: {arn}");
        QueryError::new(403, "AccessDenied", message)
    })?;
    if caller.role.is_some()
        && query.form.value("DurationSeconds").is_some_and(|text| text.len() > 4 || text > "3600")
    {
        return Err(QueryError::validation(
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.",
        ));
    }
    let seconds = duration(query.form, DEFAULT_SECONDS, role.longest)?;
    let policies = session_policy(query.form)?;
    let expires = query.wall + seconds;
    let issued = query.sessions.issue(Grant {
        user: caller.identity.map(|index| query.settings.identities[index].name.as_str()),
        role: Some((&role.account, &role.name)),
        session,
        issued: query.wall,
        expires,
        policies: &policies,
    });
    write_credentials(xml, &issued, expires);
    xml.open("AssumedRoleUser");
    xml.text("Arn", &format!("arn:aws:sts::{}:assumed-role/{}/{session}", role.account, role.name));
    xml.text("AssumedRoleId", &format!("{}:{session}", role.unique_id()));
    xml.close("AssumedRoleUser");
    Ok(())
}

/// The trust policy has to mean the caller, and beside it the caller's own policies count as for any resource
/// policy: a user named there needs no more, an account named there hands the decision to its own policies.
fn may_assume(query: &Query<'_>, caller: &Caller, role: &Role) -> bool {
    let given = [("sts:ExternalId", "ExternalId"), ("sts:RoleSessionName", "RoleSessionName")];
    let mut context = Entries::default();
    for (key, parameter) in given {
        if let Some(value) = query.form.value(parameter) {
            context.set(key, [value]);
        }
    }
    let (policies, arn) = ([&role.trust], role.arn());
    let trust = |owner| Some(BucketSide { policies: &policies, owner, ..BucketSide::default() });
    let session = caller.session.as_ref().map(|session| &*session.policies);
    let ask = Ask {
        caller: &caller.principal,
        action: "sts:AssumeRole",
        resources: &[&arn],
        layers: Layers {
            identity: caller.policies(query.settings),
            session: session.filter(|policies| !policies.is_empty()),
            bucket: trust(&role.account),
            ..Layers::default()
        },
        context: &context,
        withdrawn: caller.as_user(query.settings).map_or(&[], |user| &user.withdrawn),
        open: false,
    };
    // As for a caller from elsewhere whose own policies allow everything: only the trust policy is left.
    let all = Policy::parse(
        &json!({ "Statement": { "Effect": "Allow", "Action": "*", "Resource": "*" } }),
        Kind::Identity,
    );
    let everything = all.as_ref().map_or(&[][..], std::slice::from_ref);
    let layers = Layers { identity: everything, bucket: trust("elsewhere"), ..Layers::default() };
    let trusted = Ask { layers, withdrawn: &[], ..ask };
    [ask, trusted].iter().all(|ask| evaluate(ask).decision == Decision::Allowed)
}

fn check_name(name: &str) -> Result<(), QueryError> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"_+=,.@-".contains(&byte);
    match (2..=64).contains(&name.len()) && name.bytes().all(fits) {
        true => Ok(()),
        false => Err(QueryError::validation(format!(
            "1 validation error detected: Value '{name}' at 'roleSessionName' failed to satisfy constraint: Member \
             must satisfy regular expression pattern: [\\w+=,.@-]{{2,64}}"
        ))),
    }
}
