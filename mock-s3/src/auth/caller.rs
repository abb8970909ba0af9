//! Who sent a request.

use std::fmt;
use std::ops::Deref;
use std::sync::{Arc, LazyLock};

use sha2::{Digest, Sha256};

use crate::policy::{self, Policy};
use crate::settings::Role;

/// Who sent a request, with everything policies and logs ask about it. Holds no secret.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    /// As policies see it.
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
    let principal = policy::Caller { canonical_id: ANONYMOUS_ID.to_owned(), ..policy::Caller::anonymous() };
    Arc::new(Caller { principal, identity: None, role: None, session: None })
});

/// The canonical id S3 gives unsigned callers.
const ANONYMOUS_ID: &str = "65a011a29cdf8ec533ec3d1ccaae921c";

impl Caller {
    pub(crate) fn anonymous() -> Arc<Self> {
        Arc::clone(&ANONYMOUS)
    }

    /// User number `identity` of the settings; a user without an id gets one.
    pub(crate) fn user(identity: usize, mut principal: policy::Caller) -> Self {
        if principal.user_id.is_empty() {
            principal.user_id = unique_id("AIDA", &principal.account, &principal.arn);
        }
        Self { principal, identity: Some(identity), role: None, session: None }
    }

    /// A session of `role`, number `index` of the settings, begun by `identity`.
    pub(crate) fn assumed_role(identity: Option<usize>, index: usize, role: &Role, session: Session) -> Self {
        let (account, name) = (&role.account, &session.name);
        let principal = policy::Caller {
            canonical_id: role.canonical_id.clone(),
            user_id: format!("{}:{name}", unique_id("AROA", account, &role.name)),
            ..policy::Caller::role_session(account, &role.name, name)
        };
        Self { principal, identity, role: Some(index), session: Some(session) }
    }

    /// The same user with temporary credentials.
    pub(crate) fn with_session(&self, session: Session) -> Self {
        Self { session: Some(session), ..self.clone() }
    }
}

impl Deref for Caller {
    type Target = policy::Caller;

    fn deref(&self) -> &policy::Caller {
        &self.principal
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
        let app = || policy::Caller::user("000000000001", "app");
        let user = Caller::user(3, policy::Caller { canonical_id: "c1".into(), ..app() });
        assert_eq!(user.arn, "arn:aws:iam::000000000001:user/app");
        assert_eq!((user.user_id.len(), user.canonical_id.as_str()), (21, "c1"));
        assert_eq!(user.user_id, Caller::user(0, app()).user_id);
        let session = Session { name: "s1".into(), issued: 1, expires: 2, policies: Arc::new([]) };
        let settings = crate::compile::settings_for_tests();
        let role = Caller::assumed_role(Some(3), 0, &settings.roles[0], session);
        assert_eq!(role.arn, "arn:aws:sts::000000000001:assumed-role/reader/s1");
        assert!(role.user_id.starts_with("AROA") && role.user_id.ends_with(":s1"));
        assert!(Caller::anonymous().is_anonymous());
    }
}
