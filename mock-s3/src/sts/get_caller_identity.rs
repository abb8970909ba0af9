//! Action=GetCallerIdentity

use super::signed;
use crate::query_api::{Query, QueryError};
use crate::xml::Xml;

/// Needs no permission.
pub(crate) fn run(query: &Query<'_>, xml: &mut Xml) -> Result<(), QueryError> {
    let caller = &signed(query)?.principal;
    xml.text("Arn", &caller.arn);
    xml.text("UserId", &caller.user_id);
    xml.text("Account", &caller.account);
    Ok(())
}
