//! The Security Token Service: temporary credentials for users and roles (AWS STS API Reference).

pub(crate) mod assume_role;
pub(crate) mod get_caller_identity;
pub(crate) mod get_session_token;

use serde_json::Value;

use crate::auth::sessions::Issued;
use crate::policy::{Kind, Policy};
use crate::query_api::{Form, Query, QueryError};
use crate::time::document_date;
use crate::xml::Xml;

/// The shortest session STS gives.
const SHORTEST_SECONDS: i64 = 900;
/// The longest inline session policy, in characters.
const LONGEST_POLICY: usize = 2048;

/// `DurationSeconds` within its bounds, or `default`.
fn duration(form: &Form, default: i64, longest: i64) -> Result<i64, QueryError> {
    let Some(text) = form.value("DurationSeconds") else { return Ok(default.min(longest)) };
    let seconds: i64 = text
        .parse()
        .map_err(|_| QueryError::new(400, "MalformedInput", "DurationSeconds is not a number"))?;
    let constraint = |what: &str, bound: i64| {
        QueryError::validation(format!(
            "1 validation error detected: Value '{seconds}' at 'durationSeconds' failed to satisfy constraint: \
             Member must have value {what} than or equal to {bound}"
        ))
    };
    match seconds {
        _ if seconds < SHORTEST_SECONDS => Err(constraint("greater", SHORTEST_SECONDS)),
        _ if seconds > longest => Err(constraint("less", longest)),
        _ => Ok(seconds),
    }
}

/// The inline session policy.
fn session_policy(form: &Form) -> Result<Vec<Value>, QueryError> {
    let Some(text) = form.value("Policy") else { return Ok(Vec::new()) };
    let malformed = |why: String| QueryError::new(400, "MalformedPolicyDocument", why);
    if text.len() > LONGEST_POLICY {
        return Err(QueryError::validation(format!(
            "1 validation error detected: Value at 'policy' failed to satisfy constraint: Member must have length \
             less than or equal to {LONGEST_POLICY}"
        )));
    }
    let document: Value = serde_json::from_str(text).map_err(|error| malformed(error.to_string()))?;
    Policy::parse(&document, Kind::Identity).map_err(|error| malformed(error.to_string()))?;
    Ok(vec![document])
}

/// `<Credentials>`.
fn write_credentials(xml: &mut Xml, issued: &Issued, expires: i64) {
    xml.open("Credentials");
    xml.text("AccessKeyId", &issued.credentials.access_key);
    xml.text("SecretAccessKey", &issued.credentials.secret_key);
    xml.text("SessionToken", &issued.token);
    xml.text("Expiration", &document_date(expires).replace(".000Z", "Z"));
    xml.close("Credentials");
}

/// The caller, who has to have signed.
fn signed<'q>(query: &'q Query<'_>) -> Result<&'q crate::auth::Caller, QueryError> {
    match query.caller.is_anonymous() {
        false => Ok(&query.caller),
        true => {
            Err(QueryError::new(403, "MissingAuthenticationToken", "Request is missing Authentication Token"))
        }
    }
}
