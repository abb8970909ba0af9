//! GET and PUT /bucket/key?acl

use std::sync::Arc;

use http::StatusCode;

use super::acl_document::{self, Parties};
use super::{Answer, Call, found};
use crate::errors::S3Error;
use crate::store::{Acl, Object, Owner, Placement};

pub(super) fn read(call: &Call<'_>) -> Result<Answer, S3Error> {
    let (placement, object) = (call.place()?, found::object(call)?);
    let acl = object.stored().map_or_else(Acl::default, |stored| stored.attributes.acl.clone());
    let (state, owner) = (placement.state(), owner(placement, &object));
    let document = acl_document::rendered_in(&state, &placement.bucket.owner, &owner, &acl);
    Ok(Answer::xml(document).of_version(placement, &object.version_id()))
}

pub(super) fn write(call: &Call<'_>) -> Result<Answer, S3Error> {
    let (placement, object) = (call.place()?, found::object(call)?);
    let (bucket_owner, owner) = (&placement.bucket.owner, owner(placement, &object));
    let parties = Parties { accounts: &call.shared.accounts, owner: &owner, bucket_owner };
    let acl = parties.requested(&call.head.headers, &call.body.document())?;
    acl_document::admit(&placement.state(), bucket_owner, &acl, false)?;
    found::change(call, placement, &object, |attributes| attributes.acl = acl)?;
    Ok(Answer::new(StatusCode::OK).body_empty().of_version(placement, &object.version_id()).applied(true))
}

fn owner(placement: &Placement, object: &Object) -> Arc<Owner> {
    object.version.as_ref().map_or_else(|| Arc::clone(&placement.bucket.owner), |v| Arc::clone(&v.owner))
}
