//! `?acl` of a bucket.

use super::acl_document::{self, Parties};
use super::{Answer, Call, document};
use crate::errors::S3Error;

/// GET
pub(super) fn get(call: &Call<'_>) -> Result<Answer, S3Error> {
    let place = call.place()?;
    let (state, owner) = (place.state(), &place.bucket.owner);
    Ok(Answer::xml(acl_document::rendered_in(&state, owner, owner, &state.acl)))
}

/// PUT
pub(super) fn put(call: &Call<'_>) -> Result<Answer, S3Error> {
    let place = call.place()?;
    let owner = &place.bucket.owner;
    let parties = Parties { accounts: &call.shared.accounts, owner, bucket_owner: owner };
    let acl = parties.requested(&call.head.headers, &call.body.document())?;
    acl_document::admit(&place.state(), owner, &acl, false)?;
    document::put(call, |state| state.acl = acl)
}
