//! `?ownershipControls` of a bucket.

use super::{Answer, Call, document};
use crate::errors::S3Error;
use crate::store::{Acl, Grantee, Owner, Ownership};
use crate::xml::Xml;

/// GET
pub(super) fn get(call: &Call<'_>) -> Result<Answer, S3Error> {
    let ownership = call.place()?.state().ownership;
    let ownership = ownership.ok_or_else(|| document::absent(call, "OwnershipControlsNotFoundError"))?;
    let mut xml = Xml::root("OwnershipControls");
    xml.open("Rule");
    xml.text("ObjectOwnership", name(ownership));
    xml.close("Rule");
    xml.close("OwnershipControls");
    Ok(Answer::xml(xml.finish()))
}

/// PUT: ACLs that grant others something must go before they are turned off.
pub(super) fn put(call: &Call<'_>) -> Result<Answer, S3Error> {
    let given = document::of(call, "OwnershipControls")?;
    let mut rules = given.all("Rule");
    let (Some(rule), None) = (rules.next(), rules.next()) else { return Err(document::malformed()) };
    let ownership = rule.value("ObjectOwnership").and_then(named).ok_or_else(document::malformed)?;
    let place = call.place()?;
    if ownership == Ownership::BucketOwnerEnforced && grants_others(&place.state().acl, &place.bucket.owner) {
        return Err(with_acl());
    }
    document::put(call, |state| state.ownership = Some(ownership))
}

/// DELETE
pub(super) fn delete(call: &Call<'_>) -> Result<Answer, S3Error> {
    document::delete(call, |state| state.ownership = None)
}

/// A value of `x-amz-object-ownership`, or of ObjectOwnership.
pub(super) fn named(text: &str) -> Option<Ownership> {
    let all = [Ownership::BucketOwnerEnforced, Ownership::BucketOwnerPreferred, Ownership::ObjectWriter];
    all.into_iter().find(|ownership| name(*ownership) == text)
}

/// ACLs that say something, and ownership that turns them off.
pub(super) fn with_acl() -> S3Error {
    S3Error::of("InvalidBucketAclWithObjectOwnership")
}

fn name(ownership: Ownership) -> &'static str {
    match ownership {
        Ownership::BucketOwnerEnforced => "BucketOwnerEnforced",
        Ownership::BucketOwnerPreferred => "BucketOwnerPreferred",
        Ownership::ObjectWriter => "ObjectWriter",
    }
}

/// Whether anybody but the owner is granted something.
pub(super) fn grants_others(acl: &Acl, owner: &Owner) -> bool {
    let is_owner = |grantee: &Grantee| matches!(grantee, Grantee::Account(account) if account.canonical == owner.canonical);
    acl.grants.iter().flat_map(|grants| grants.iter()).any(|grant| !is_owner(&grant.grantee))
}
