//! What access control lists allow: the resource's side of a decision, beside the bucket policy.
//!
//! Rules: S3 user guide, "Access control list (ACL) overview", "Mapping of ACL permissions and access policy
//! permissions"; Block Public Access (IgnorePublicAcls); Object Ownership (BucketOwnerEnforced).

use std::sync::Arc;

use super::acl::{Acl, Grant, Grantee, Owner, Permission};
use super::placement::Placement;
use super::state::Ownership;
use super::version::VersionId;

/// Whose ACL allows an action, and by which permission.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Means {
    Bucket(Permission),
    Object(Permission),
}

#[rustfmt::skip]
const ACTIONS: &[(&str, Means)] = &[
    ("s3:GetBucketAcl", Means::Bucket(Permission::ReadAcp)),
    ("s3:ListBucket", Means::Bucket(Permission::Read)),
    ("s3:ListBucketMultipartUploads", Means::Bucket(Permission::Read)),
    ("s3:ListBucketVersions", Means::Bucket(Permission::Read)),
    ("s3:PutBucketAcl", Means::Bucket(Permission::WriteAcp)),
    ("s3:DeleteObject", Means::Bucket(Permission::Write)),
    ("s3:PutObject", Means::Bucket(Permission::Write)),
    ("s3:GetObject", Means::Object(Permission::Read)),
    ("s3:GetObjectAcl", Means::Object(Permission::ReadAcp)),
    ("s3:GetObjectVersion", Means::Object(Permission::Read)),
    ("s3:GetObjectVersionAcl", Means::Object(Permission::ReadAcp)),
    ("s3:PutObjectAcl", Means::Object(Permission::WriteAcp)),
    ("s3:PutObjectVersionAcl", Means::Object(Permission::WriteAcp)),
];

impl Placement {
    /// Whether the ACL of the bucket, or of the object, lets `caller` do `action`. `caller` is a canonical user id,
    /// none for an unsigned request. A key that holds nothing is looked for by those who may list the bucket.
    pub(crate) fn acl_allows(
        &self,
        action: &str,
        caller: Option<&str>,
        key: &str,
        version: Option<&VersionId>,
    ) -> bool {
        let Some((_, means)) = ACTIONS.iter().find(|(known, _)| *known == action) else { return false };
        let state = self.state();
        if state.ownership == Some(Ownership::BucketOwnerEnforced) {
            return false;
        }
        let no_public = state.block.is_some_and(|block| block.ignore_acls);
        let asks = |acl: &Acl, owner: &Owner, permission| {
            let own_acp = matches!(permission, Permission::ReadAcp | Permission::WriteAcp)
                && caller == Some(&*owner.canonical);
            own_acp
                || match no_public && acl.is_public() {
                    true => without_public(acl).allows(permission, caller, owner),
                    false => acl.allows(permission, caller, owner),
                }
        };
        match *means {
            Means::Bucket(permission) => asks(&state.acl, &self.bucket.owner, permission),
            Means::Object(permission) => match self.written(key, version) {
                Some(found) => {
                    let acl = found.stored.as_ref().map(|stored| &stored.attributes.acl);
                    asks(acl.unwrap_or(&Acl::default()), &found.owner, permission)
                }
                None if self.synthetic(key).is_some() => {
                    asks(&Acl::default(), &self.bucket.owner, permission)
                }
                None => asks(&state.acl, &self.bucket.owner, Permission::Read),
            },
        }
    }

    /// The account an object belongs to; the bucket's for what is not there, and where ACLs are off.
    pub(crate) fn owner_of(&self, key: &str, version: Option<&VersionId>) -> Arc<Owner> {
        let enforced = self.state().ownership == Some(Ownership::BucketOwnerEnforced);
        let written = self.written(key, version).filter(|_| !enforced);
        written.map_or_else(|| Arc::clone(&self.bucket.owner), |version| Arc::clone(&version.owner))
    }
}

fn without_public(acl: &Acl) -> Acl {
    let private = |grant: &&Grant| !matches!(grant.grantee, Grantee::AllUsers | Grantee::AuthenticatedUsers);
    Acl::granting(acl.grants.iter().flat_map(|grants| grants.iter()).filter(private).cloned().collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Attributes, BlockPublic, Bucket, BucketState, Budget, Data, Stored};
    use gatecrash_model::Pool;

    struct World {
        placement: Placement,
        owner: Arc<Owner>,
        other: Arc<Owner>,
    }

    /// A bucket of account 1 in which account 2 has written `k` with `acl`.
    fn world(acl: Acl) -> World {
        let (owner, other) = (Arc::new(Owner::of_account("1")), Arc::new(Owner::of_account("2")));
        let bucket = Bucket::empty("b", Arc::clone(&owner), 0, 0);
        let placement = Placement::new(Arc::new(bucket), "b", BucketState::default());
        let stored = Stored {
            data: Data::memory(&b"data"[..]),
            etag: "e".into(),
            hash: None,
            headers: Arc::default(),
            checksum: None,
            parts: Arc::default(),
            attributes: Attributes { acl, ..Attributes::default() },
        };
        let world = (&Pool::new(1), &Budget::new(100, None));
        placement.put("k", stored, Arc::clone(&other), 0, world, &|_| Ok(())).unwrap();
        World { placement, owner, other }
    }

    fn public() -> Acl {
        Acl::granting(vec![Grant { grantee: Grantee::AllUsers, permission: Permission::Read }])
    }

    impl World {
        fn may(&self, action: &str, caller: Option<&Arc<Owner>>, key: &str) -> bool {
            self.placement.acl_allows(action, caller.map(|owner| &*owner.canonical), key, None)
        }
    }

    #[test]
    fn objects_are_their_writers() {
        let world = world(Acl::default());
        assert!(world.may("s3:GetObject", Some(&world.other), "k"));
        assert!(world.may("s3:PutObjectAcl", Some(&world.other), "k"));
        assert!(!world.may("s3:GetObject", Some(&world.owner), "k"));
        assert!(!world.may("s3:GetObject", None, "k"));
        assert!(!world.may("s3:PutObject", Some(&world.other), "k"));
        assert!(world.may("s3:PutObject", Some(&world.owner), "k"));
        assert!(!world.may("s3:DeleteBucket", Some(&world.owner), ""));
        assert_eq!(world.placement.owner_of("k", None), world.other);
        assert_eq!(world.placement.owner_of("none", None), world.owner);
    }

    #[test]
    fn public_acls_and_what_stops_them() {
        let world = world(public());
        assert!(world.may("s3:GetObject", None, "k") && !world.may("s3:GetObjectAcl", None, "k"));
        assert!(!world.may("s3:GetObject", None, "none"));
        world.placement.configure(|state| state.acl = public());
        assert!(world.may("s3:ListBucket", None, "") && world.may("s3:GetObject", None, "none"));
        let block = BlockPublic { ignore_acls: true, ..BlockPublic::default() };
        world.placement.configure(|state| state.block = Some(block));
        assert!(!world.may("s3:GetObject", None, "k") && !world.may("s3:ListBucket", None, ""));
        world.placement.configure(|state| state.ownership = Some(Ownership::BucketOwnerEnforced));
        assert!(!world.may("s3:GetObject", Some(&world.other), "k"));
    }
}
