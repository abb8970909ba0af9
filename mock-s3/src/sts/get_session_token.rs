//! Action=GetSessionToken

use super::{duration, signed, write_credentials};
use crate::auth::sessions::Grant;
use crate::query_api::{Query, QueryError};
use crate::xml::Xml;

/// 12 hours, and at most 36.
const DEFAULT_SECONDS: i64 = 43_200;
const LONGEST_SECONDS: i64 = 129_600;

/// Needs no permission, only long-term keys of a user.
pub(crate) fn run(query: &Query<'_>, xml: &mut Xml) -> Result<(), QueryError> {
    let caller = signed(query)?;
    let seconds = duration(query.form, DEFAULT_SECONDS, LONGEST_SECONDS)?;
    let user = caller.identity.filter(|_| caller.session.is_none());
    let user = user.map(|index| query.settings.identities[index].name.as_str()).ok_or_else(|| {
        QueryError::new(403, "AccessDenied", "Cannot call GetSessionToken with session credentials")
    })?;
    let expires = query.wall + seconds;
    let grant =
        Grant { user: Some(user), role: None, session: user, issued: query.wall, expires, policies: &[] };
    write_credentials(xml, &query.sessions.issue(grant), expires);
    Ok(())
}
