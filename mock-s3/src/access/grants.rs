//! What ACLs grant (S3, "Mapping of ACL permissions and access policy permissions").

use crate::policy::{Caller, Grant};
use crate::store::{Acl, BucketState, Owner, Ownership, Permission};

/// Where the ACL that counts is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Holder {
    Bucket,
    Object,
}

/// Actions that an ACL can grant, and the permission it takes.
#[rustfmt::skip]
const GRANTABLE: &[(&str, Holder, Permission)] = &[
    ("s3:ListBucket",                 Holder::Bucket, Permission::Read),
    ("s3:ListBucketVersions",         Holder::Bucket, Permission::Read),
    ("s3:ListBucketMultipartUploads", Holder::Bucket, Permission::Read),
    ("s3:PutObject",                  Holder::Bucket, Permission::Write),
    ("s3:DeleteObject",               Holder::Bucket, Permission::Write),
    ("s3:GetBucketAcl",               Holder::Bucket, Permission::ReadAcp),
    ("s3:PutBucketAcl",               Holder::Bucket, Permission::WriteAcp),
    ("s3:GetObject",                  Holder::Object, Permission::Read),
    ("s3:GetObjectVersion",           Holder::Object, Permission::Read),
    ("s3:GetObjectAcl",               Holder::Object, Permission::ReadAcp),
    ("s3:GetObjectVersionAcl",        Holder::Object, Permission::ReadAcp),
    ("s3:PutObjectAcl",               Holder::Object, Permission::WriteAcp),
    ("s3:PutObjectVersionAcl",        Holder::Object, Permission::WriteAcp),
];

/// Whose ACL can grant an action, and by what permission. None while the bucket has ACLs turned off.
pub(super) fn grantable(action: &str, bucket: &BucketState) -> Option<(Holder, Permission)> {
    if bucket.ownership == Some(Ownership::BucketOwnerEnforced) {
        return None;
    }
    let (_, holder, permission) = GRANTABLE.iter().find(|(known, ..)| *known == action)?;
    Some((*holder, *permission))
}

/// What an ACL grants a caller. A grant to everyone still asks of signed callers that their own account
/// allows them.
pub(super) fn grant(
    acl: &Acl,
    permission: Permission,
    caller: &Caller,
    owner: &Owner,
    bucket: &BucketState,
) -> Grant {
    let ignored = bucket.block.is_some_and(|block| block.ignore_acls) && acl.is_public();
    let canonical = caller.account().map(|_| caller.canonical_id.as_str());
    // An owner can always read and write the ACL, whatever it grants.
    let own = matches!(permission, Permission::ReadAcp | Permission::WriteAcp)
        && canonical == Some(&*owner.canonical);
    match canonical {
        _ if !own && (ignored || !acl.allows(permission, canonical, owner)) => Grant::None,
        Some(_) => Grant::Account,
        None => Grant::Direct,
    }
}
