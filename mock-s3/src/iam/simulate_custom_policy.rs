//! Action=SimulateCustomPolicy

use super::answer::write;
use super::request::{Questions, add_inputs, caller_arn};
use super::{invalid, permit};
use crate::policy::{Caller, CallerKind, Simulation};
use crate::query_api::{Query, QueryError};
use crate::xml::Xml;

/// Decides questions by the policies of the request.
pub(crate) fn run(query: &Query<'_>, xml: &mut Xml) -> Result<(), QueryError> {
    permit(query, "iam:SimulateCustomPolicy", "*")?;
    if query.form.list("PolicyInputList").is_empty() {
        return Err(QueryError::missing("policyInputList"));
    }
    let questions = Questions::read(query.form)?;
    let caller = match caller_arn(query.form)? {
        Some(caller) => caller,
        None if query.form.value("ResourcePolicy").is_some() => {
            return Err(invalid("CallerArn is required when ResourcePolicy is given"));
        }
        // Nobody in particular: variables of the user have the values of context entries.
        None => Caller {
            kind: CallerKind::User,
            account: query.caller.principal.account.clone(),
            ..Caller::default()
        },
    };
    write(xml, &questions, &add_inputs(Simulation::of(caller), query.form)?)
}
