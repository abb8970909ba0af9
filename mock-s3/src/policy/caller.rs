//! Who asks.

use super::context::Values;

/// Who makes a request.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Caller {
    /// What kind of principal.
    pub kind: CallerKind,
    /// Account id; empty without an account.
    pub account: String,
    /// The principal's ARN: of the user, the root, or the session. Empty when there is none.
    pub arn: String,
    /// Whose session it is: the role's ARN, or the ARN of the user who federated. Empty without a session.
    pub parent: String,
    /// The unique id, `AIDA...` of a user, `AROA...:session` of a role's session.
    pub user_id: String,
    /// The account's canonical user id, as in ACLs.
    pub canonical_id: String,
    /// A service principal's name (`logging.s3.amazonaws.com`), or the identity provider of a federated
    /// session.
    pub provider: String,
    /// Tags of the user, the role or the session.
    pub tags: Vec<(String, String)>,
}

/// The kinds of principals.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum CallerKind {
    /// An unsigned request.
    #[default]
    Anonymous,
    /// The root user of an account.
    Root,
    /// An IAM user.
    User,
    /// A session of a role.
    RoleSession,
    /// A session of `GetFederationToken`.
    FederatedUser,
    /// An AWS service.
    Service,
}

static ANONYMOUS: Caller = Caller {
    kind: CallerKind::Anonymous,
    account: String::new(),
    arn: String::new(),
    parent: String::new(),
    user_id: String::new(),
    canonical_id: String::new(),
    provider: String::new(),
    tags: Vec::new(),
};

impl Caller {
    /// An unsigned request.
    pub fn anonymous() -> Self {
        Self::default()
    }

    /// An unsigned request, for whom a reference will do.
    pub(crate) fn nobody() -> &'static Self {
        &ANONYMOUS
    }

    /// An IAM user.
    pub fn user(account: &str, name: &str) -> Self {
        Self {
            kind: CallerKind::User,
            account: account.to_owned(),
            arn: format!("arn:aws:iam::{account}:user/{name}"),
            ..Self::default()
        }
    }

    /// The root user of an account.
    pub fn root(account: &str) -> Self {
        Self {
            kind: CallerKind::Root,
            account: account.to_owned(),
            arn: format!("arn:aws:iam::{account}:root"),
            user_id: account.to_owned(),
            ..Self::default()
        }
    }

    /// A session of a role; the role's name may have a path (`team/reader`).
    pub fn role_session(account: &str, role: &str, session: &str) -> Self {
        let name = role.rsplit('/').next().unwrap_or(role);
        Self {
            kind: CallerKind::RoleSession,
            account: account.to_owned(),
            arn: format!("arn:aws:sts::{account}:assumed-role/{name}/{session}"),
            parent: format!("arn:aws:iam::{account}:role/{role}"),
            ..Self::default()
        }
    }

    /// An AWS service, by its principal (`logging.s3.amazonaws.com`).
    pub fn service(name: &str) -> Self {
        Self { kind: CallerKind::Service, provider: name.to_owned(), ..Self::default() }
    }

    /// Whoever an ARN names: a user, a root, a role (then any session of it), a role's session, a federated
    /// user. Nobody for other texts.
    pub fn from_arn(arn: &str) -> Option<Self> {
        let mut parts = arn.splitn(6, ':');
        let (Some("arn"), Some(_), Some(service), Some(_), Some(account), Some(what)) =
            (parts.next(), parts.next(), parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return None;
        };
        let (kind, name) = what.split_once('/').unwrap_or((what, ""));
        let of = |caller: Self| Some(Self { arn: arn.to_owned(), ..caller });
        match (service, kind, name) {
            ("iam", "root", "") => of(Self::root(account)),
            ("iam", "user", name) if !name.is_empty() => of(Self::user(account, name)),
            ("iam", "role", role) if !role.is_empty() => {
                let session = Self::role_session(account, role, "session");
                Some(Self { parent: arn.to_owned(), ..session })
            }
            ("sts", "assumed-role", name) => {
                let (role, session) = name.split_once('/')?;
                of(Self::role_session(account, role, session))
            }
            ("sts", "federated-user", name) if !name.is_empty() => {
                of(Self { kind: CallerKind::FederatedUser, account: account.to_owned(), ..Self::default() })
            }
            _ => None,
        }
    }

    /// The account; none of an unsigned request or a service.
    pub fn account(&self) -> Option<&str> {
        Some(self.account.as_str()).filter(|account| !account.is_empty())
    }

    /// Whether the request is unsigned.
    pub fn is_anonymous(&self) -> bool {
        self.kind == CallerKind::Anonymous
    }

    /// The condition keys that follow from who asks (IAM, "AWS global condition context keys", properties of
    /// the principal).
    pub(super) fn values(&self, key: &str) -> Values<'_> {
        let some = |text: &'_ str| -> Option<()> { (!text.is_empty()).then_some(()) };
        match key {
            "aws:principalarn" => {
                let arn = if self.kind == CallerKind::RoleSession { &self.parent } else { &self.arn };
                some(arn).map(|()| arn.as_str()).into()
            }
            "aws:principalaccount" => match self.kind {
                CallerKind::Anonymous => "anonymous".into(),
                _ => self.account().into(),
            },
            "aws:principaltype" => match self.kind {
                CallerKind::Anonymous => "Anonymous".into(),
                CallerKind::Root => "Account".into(),
                CallerKind::User => "User".into(),
                CallerKind::RoleSession => "AssumedRole".into(),
                CallerKind::FederatedUser => "FederatedUser".into(),
                CallerKind::Service => Values::Missing,
            },
            "aws:userid" if self.is_anonymous() => "anonymous".into(),
            "aws:userid" => some(&self.user_id).map(|()| self.user_id.as_str()).into(),
            "aws:username" if self.kind == CallerKind::User => {
                some(&self.arn).and_then(|()| self.arn.rsplit('/').next()).into()
            }
            "aws:principalisawsservice" => match self.kind {
                CallerKind::Service => "true".into(),
                CallerKind::Anonymous => Values::Missing,
                _ => "false".into(),
            },
            "aws:principalservicename" if self.kind == CallerKind::Service => self.provider.as_str().into(),
            "aws:federatedprovider" if self.kind != CallerKind::Service => {
                some(&self.provider).map(|()| self.provider.as_str()).into()
            }
            _ => match key.strip_prefix("aws:principaltag/") {
                Some(name) => self
                    .tags
                    .iter()
                    .find(|(tag, _)| tag.eq_ignore_ascii_case(name))
                    .map(|(_, value)| value.as_str())
                    .into(),
                None => Values::Missing,
            },
        }
    }
}
