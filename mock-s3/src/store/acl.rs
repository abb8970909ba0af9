//! Owners and access control lists.

use std::sync::Arc;

use gatecrash_model::hash;

/// An account as S3 documents name it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Owner {
    /// 12 digits.
    pub(crate) account: String,
    /// Canonical user id: 64 hex digits.
    pub(crate) canonical: String,
    pub(crate) display: String,
    /// For grants by e-mail address; empty when it has none.
    pub(crate) email: String,
}

/// Who may do what beyond policies. The owner's own rights are not in it unless granted.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Acl {
    /// None: private, the owner has FULL_CONTROL.
    pub(crate) grants: Option<Arc<[Grant]>>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Grant {
    pub(crate) grantee: Grantee,
    pub(crate) permission: Permission,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Grantee {
    Account(Arc<Owner>),
    /// `http://acs.amazonaws.com/groups/global/AllUsers`
    AllUsers,
    /// `http://acs.amazonaws.com/groups/global/AuthenticatedUsers`
    AuthenticatedUsers,
    /// `http://acs.amazonaws.com/groups/s3/LogDelivery`
    LogDelivery,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Permission {
    FullControl,
    Read,
    ReadAcp,
    Write,
    WriteAcp,
}

// === impl Owner ===

impl Owner {
    /// An account of which only the number is known.
    pub(crate) fn of_account(account: &str) -> Self {
        Self {
            account: account.to_owned(),
            canonical: canonical_id(account),
            display: format!("account-{account}"),
            email: String::new(),
        }
    }
}

/// The canonical user id derived from an account number.
pub(crate) fn canonical_id(account: &str) -> String {
    let mut word = hash::bytes(account.as_bytes());
    (0..4)
        .map(|_| {
            word = hash::mix(word);
            format!("{word:016x}")
        })
        .collect()
}

// === impl Acl ===

impl Acl {
    pub(crate) fn granting(grants: Vec<Grant>) -> Self {
        Self { grants: Some(grants.into()) }
    }

    /// Whether somebody has `permission` (or FULL_CONTROL) by a grant, or as the owner of a private one.
    /// `caller` is the caller's canonical id, none for an unsigned request.
    pub(crate) fn allows(&self, permission: Permission, caller: Option<&str>, owner: &Owner) -> bool {
        let Some(grants) = &self.grants else { return caller == Some(&*owner.canonical) };
        grants.iter().any(|grant| {
            let meant = match &grant.grantee {
                Grantee::Account(account) => caller == Some(&*account.canonical),
                Grantee::AllUsers => true,
                Grantee::AuthenticatedUsers => caller.is_some(),
                Grantee::LogDelivery => false,
            };
            meant && (grant.permission == permission || grant.permission == Permission::FullControl)
        })
    }

    /// Whether anybody at all is granted something (Block Public Access calls that public).
    pub(crate) fn is_public(&self) -> bool {
        let public = |g: &Grant| matches!(g.grantee, Grantee::AllUsers | Grantee::AuthenticatedUsers);
        self.grants.iter().flat_map(|grants| grants.iter()).any(public)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grants_reach_whom_they_name() {
        let (owner, other) = (Arc::new(Owner::of_account("1")), Arc::new(Owner::of_account("2")));
        assert_eq!(owner.canonical.len(), 64);
        let private = Acl::default();
        assert!(private.allows(Permission::Write, Some(&owner.canonical), &owner));
        assert!(!private.allows(Permission::Read, Some(&other.canonical), &owner));
        assert!(!private.allows(Permission::Read, None, &owner) && !private.is_public());
        let read = |grantee| Acl::granting(vec![Grant { grantee, permission: Permission::Read }]);
        let public = read(Grantee::AllUsers);
        assert!(public.allows(Permission::Read, None, &owner) && public.is_public());
        assert!(!public.allows(Permission::ReadAcp, None, &owner));
        let signed = read(Grantee::AuthenticatedUsers);
        assert!(signed.allows(Permission::Read, Some(&other.canonical), &owner) && signed.is_public());
        assert!(!signed.allows(Permission::Read, None, &owner));
        let full =
            Grant { grantee: Grantee::Account(Arc::clone(&other)), permission: Permission::FullControl };
        let full = Acl::granting(vec![full]);
        assert!(full.allows(Permission::WriteAcp, Some(&other.canonical), &owner) && !full.is_public());
    }
}
