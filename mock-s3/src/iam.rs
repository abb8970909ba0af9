//! Identity and Access Management: the policy simulator (IAM API Reference).

mod answer;
mod request;
pub(crate) mod simulate_custom_policy;
pub(crate) mod simulate_principal_policy;

use crate::auth;
use crate::policy::{Ask, Entries, Layers, evaluate};
use crate::query_api::{Query, QueryError};

/// Refuses callers who have not signed, or whose policies do not allow `action` on `resource`.
fn permit(query: &Query<'_>, action: &str, resource: &str) -> Result<(), QueryError> {
    let (caller, settings): (&auth::Caller, _) = (&query.caller, query.settings);
    if caller.is_anonymous() {
        let message = "Request is missing Authentication Token";
        return Err(QueryError::new(403, "MissingAuthenticationToken", message));
    }
    let session = caller.session.as_ref().map(|session| &*session.policies);
    let user = caller.as_user(settings);
    let resources = [resource];
    let context = Entries::new();
    let layers = Layers {
        identity: caller.policies(settings),
        boundary: match caller.role.map(|index| &settings.roles[index]) {
            Some(role) => role.boundary.as_ref(),
            None => user.and_then(|user| user.boundary.as_ref()),
        },
        session: session.filter(|policies| !policies.is_empty()),
        service_control: settings.service_control(&caller.principal.account),
        ..Layers::default()
    };
    let ask = Ask {
        layers,
        withdrawn: user.map_or(&[], |user| &user.withdrawn),
        ..Ask::new(&caller.principal, action, &resources, &context)
    };
    if evaluate(&ask).is_allowed() {
        return Ok(());
    }
    let who = &caller.principal.arn;
    let message = format!("User: {who} is not authorized to perform: {action} on resource: {resource}");
    Err(QueryError::new(403, "AccessDenied", message))
}

/// The error of what does not make sense.
fn invalid(message: impl Into<String>) -> QueryError {
    QueryError::new(400, "InvalidInput", message)
}
