//! Who sent a request.

use std::fmt;
use std::sync::{Arc, LazyLock};

use sha2::{Digest, Sha256};

use crate::policy::{self, Policy};
use crate::settings::{Identity, Role, Settings};

/// Who sent a request. Holds no secret.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    /// As policies see it: kind, account, ARN, unique id, canonical id.
    pub(crate) principal: policy::Caller,
    /// The user's index in the settings; of a session, the user who began it. None for an unsigned request.
    pub(crate) identity: Option<usize>,
    /// The role's index in the settings, for a session of a role.
    pub(crate) role: Option<usize>,
    /// Present for temporary credentials.
    pub(crate) session: Option<Session>,
}

/// Temporary credentials.
#[derive(Clone)]
pub(crate) struct Session {
    /// The session's name; of GetSessionToken, the user's.
    pub(crate) name: String,
    /// When it was issued, seconds since the Unix epoch: `aws:TokenIssueTime`.
    pub(crate) issued: i64,
    /// When it ends.
    pub(crate) expires: i64,
    /// Session policies: they limit what the role or user may do.
    pub(crate) policies: Arc<[Policy]>,
}

static ANONYMOUS: LazyLock<Arc<Caller>> = LazyLock::new(|| {
    Arc::new(Caller { principal: policy::Caller::anonymous(), identity: None, role: None, session: None })
});

impl Caller {
    /// Nobody: an unsigned request.
    pub(crate) fn anonymous() -> Arc<Self> {
        Arc::clone(&ANONYMOUS)
    }

    /// User number `identity` of the settings, with its long-term keys.
    pub(crate) fn user(identity: usize, principal: policy::Caller) -> Self {
        Self { principal, identity: Some(identity), role: None, session: None }
    }

    /// A session of `role`, number `index` of the settings, begun by `identity`.
    pub(crate) fn assumed_role(identity: Option<usize>, index: usize, role: &Role, session: Session) -> Self {
        let principal = policy::Caller {
            user_id: format!("{}:{}", role.unique_id(), session.name),
            canonical_id: role.canonical_id.clone(),
            ..policy::Caller::role_session(&role.account, &role.name, &session.name)
        };
        Self { principal, identity, role: Some(index), session: Some(session) }
    }

    /// The same user with temporary credentials.
    pub(crate) fn with_session(&self, session: Session) -> Self {
        Self { session: Some(session), ..self.clone() }
    }

    pub(crate) fn is_anonymous(&self) -> bool {
        self.principal.is_anonymous()
    }

    /// The user, unless it acts in a role.
    pub(crate) fn as_user<'s>(&self, settings: &'s Settings) -> Option<&'s Identity> {
        self.identity.filter(|_| self.role.is_none()).map(|index| &settings.identities[index])
    }

    /// The policies of the role, or of the user.
    pub(crate) fn policies<'s>(&self, settings: &'s Settings) -> &'s [Policy] {
        match self.role {
            Some(index) => &settings.roles[index].policies,
            None => self.as_user(settings).map_or(&[], |user| &user.policies),
        }
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("name", &self.name)
            .field("issued", &self.issued)
            .field("expires", &self.expires)
            .finish_non_exhaustive()
    }
}

/// `AIDA…` and the like: 21 characters, always the same for a name of an account.
pub(crate) fn unique_id(prefix: &str, account: &str, name: &str) -> String {
    let digest = Sha256::digest(format!("{prefix} {account} {name}"));
    format!("{prefix}{}", super::credentials::letters(&digest[..17]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_aws() {
        let settings = crate::compile::settings_for_tests();
        let user = &settings.identities[0].caller;
        assert_eq!((user.principal.user_id.len(), &user.principal.user_id[..4]), (21, "AIDA"));
        let session = Session { name: "s1".into(), issued: 1, expires: 2, policies: Arc::new([]) };
        let role = Caller::assumed_role(Some(0), 0, &settings.roles[0], session);
        assert_eq!(role.principal.arn, "arn:aws:sts::000000000001:assumed-role/reader/s1");
        assert!(role.principal.user_id.starts_with("AROA") && role.principal.user_id.ends_with(":s1"));
        assert!(role.as_user(&settings).is_none() && user.as_user(&settings).is_some());
        assert!(Caller::anonymous().is_anonymous());
    }
}
