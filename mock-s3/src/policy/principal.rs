//! The principals a statement names (IAM, "AWS JSON policy elements: Principal").

use super::caller::{Caller, CallerKind};
use super::error::{PolicyError, Problem};
use super::json::{Json, Node};

/// Who a statement of a resource policy is about.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Principals {
    listed: Vec<Principal>,
    /// Everyone but them.
    complement: bool,
}

/// One principal of a statement.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Principal {
    /// `*`.
    Everyone,
    /// An account or its root.
    Account(String),
    /// A user, a role, a role's session, a federated user: by ARN or by unique id.
    Named(String),
    /// An account by its canonical user id.
    Canonical(String),
    Service(String),
    /// An identity provider.
    Federated(String),
}

/// How a statement means a caller, the weakest first.
#[derive(Clone, Copy, PartialEq, Eq, Debug, PartialOrd, Ord, Default)]
pub enum Grant {
    /// Not at all.
    #[default]
    None,
    /// Through the account: its own policies must allow too.
    Account,
    /// Through the role (or the user who federated): permissions boundary and session policy still limit.
    Role,
    /// By name, by session, or as anyone.
    Direct,
}

// === impl Principals ===

impl Principals {
    /// Reads the value of `Principal` or `NotPrincipal`.
    pub(super) fn parse(node: &Node, complement: bool) -> Result<Self, PolicyError> {
        let refused =
            |node: &Node, text: &str| PolicyError::new(Problem::Principal(text.to_owned()), node.span.start);
        let mut listed = Vec::new();
        match &node.value {
            Json::Text(all) if all == "*" => listed.push(Principal::Everyone),
            Json::Object(kinds) if !kinds.is_empty() => {
                for kind in kinds {
                    for item in kind.value.items() {
                        let text = item.text().ok_or_else(|| refused(item, &kind.name))?;
                        let one = Principal::parse(&kind.name, text).ok_or_else(|| refused(item, text))?;
                        listed.push(one);
                    }
                }
            }
            _ => return Err(refused(node, node.text().unwrap_or_default())),
        }
        if listed.is_empty() {
            return Err(refused(node, ""));
        }
        Ok(Self { listed, complement })
    }

    /// How they mean a caller.
    pub(super) fn mean(&self, caller: &Caller) -> Grant {
        if self.complement {
            return if self.leave_out(caller) { Grant::None } else { Grant::Direct };
        }
        self.listed.iter().map(|principal| principal.means(caller)).max().unwrap_or_default()
    }

    /// Whether everyone is meant, also unsigned requests.
    pub(super) fn mean_everyone(&self) -> bool {
        self.complement || self.listed.contains(&Principal::Everyone)
    }

    /// Whether a `NotPrincipal` spares a caller: everything the caller is must be listed, a user and its
    /// account, a session and its role and its account (IAM, "NotPrincipal").
    fn leave_out(&self, caller: &Caller) -> bool {
        let lists = |wanted: &dyn Fn(&Principal) -> bool| self.listed.iter().any(wanted);
        if lists(&|p| *p == Principal::Everyone) {
            return true;
        }
        let account = || lists(&|p| matches!(p.means(caller), Grant::Account) || p.is_account_of(caller));
        let named = || lists(&|p| matches!(p, Principal::Named(_)) && p.means(caller) == Grant::Direct);
        let role = || lists(&|p| matches!(p, Principal::Named(_)) && p.means(caller) == Grant::Role);
        match caller.kind {
            CallerKind::Anonymous => false,
            CallerKind::Service => lists(&|p| p.means(caller) == Grant::Direct),
            CallerKind::Root => account(),
            CallerKind::User => named() && account(),
            CallerKind::RoleSession | CallerKind::FederatedUser => named() && role() && account(),
        }
    }
}

// === impl Principal ===

impl Principal {
    fn parse(kind: &str, text: &str) -> Option<Self> {
        let plain = !text.is_empty() && !text.contains(['*', '?']);
        match kind {
            _ if text == "*" && matches!(kind, "AWS" | "Service" | "Federated") => {
                // Everyone only for AWS; the others' star is meant literally nowhere.
                (kind == "AWS").then_some(Self::Everyone)
            }
            "AWS" => Self::aws(text),
            "CanonicalUser" if plain => Some(Self::Canonical(text.to_owned())),
            "Service" if plain => Some(Self::Service(text.to_ascii_lowercase())),
            "Federated" if plain => Some(Self::Federated(text.to_owned())),
            _ => None,
        }
    }

    /// Account ids are not looked up: which accounts there are is not known here.
    fn aws(text: &str) -> Option<Self> {
        let account = |id: &str| {
            !id.is_empty() && id.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
        };
        if text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit()) {
            return Some(Self::Account(text.to_owned()));
        }
        let Some(rest) = text.strip_prefix("arn:") else {
            let unique = text.len() >= 16
                && ["AIDA", "AROA", "AGPA", "ANPA"].iter().any(|prefix| text.starts_with(prefix))
                && text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
            return unique.then(|| Self::Named(text.to_owned()));
        };
        let mut parts = rest.splitn(5, ':');
        let (_partition, service, region) = (parts.next()?, parts.next()?, parts.next()?);
        let (id, what) = (parts.next().filter(|id| account(id))?, parts.next()?);
        if !region.is_empty() || text.contains(['*', '?']) {
            return None;
        }
        let (kind, name) = what.split_once('/').unwrap_or((what, ""));
        match (service, kind) {
            ("iam", "root") if name.is_empty() => Some(Self::Account(id.to_owned())),
            ("iam", "user" | "role") | ("sts", "federated-user") if !name.is_empty() => {
                Some(Self::Named(text.to_owned()))
            }
            ("sts", "assumed-role") if name.contains('/') => Some(Self::Named(text.to_owned())),
            _ => None,
        }
    }

    fn is_account_of(&self, caller: &Caller) -> bool {
        match self {
            Self::Account(id) => caller.account() == Some(id),
            Self::Canonical(id) => !caller.canonical_id.is_empty() && *id == caller.canonical_id,
            _ => false,
        }
    }

    fn means(&self, caller: &Caller) -> Grant {
        match self {
            Self::Everyone => Grant::Direct,
            Self::Account(_) | Self::Canonical(_) if self.is_account_of(caller) => {
                if caller.kind == CallerKind::Root { Grant::Direct } else { Grant::Account }
            }
            Self::Named(name) if caller.arn.is_empty() || name.is_empty() => Grant::None,
            Self::Named(name) if *name == caller.arn || *name == caller.user_id => Grant::Direct,
            Self::Named(name) if *name == caller.parent => Grant::Role,
            // The unique id of a role: a session's begins with it.
            Self::Named(name) => match caller.user_id.split_once(':') {
                Some((role, _)) if role == name => Grant::Role,
                _ => Grant::None,
            },
            Self::Service(name) if caller.kind == CallerKind::Service && *name == caller.provider => {
                Grant::Direct
            }
            Self::Federated(name) if caller.kind == CallerKind::RoleSession && *name == caller.provider => {
                Grant::Direct
            }
            _ => Grant::None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::json;
    use super::*;

    const OWN: &str = "000000000001";

    fn principals(text: &str, complement: bool) -> Option<Principals> {
        Principals::parse(&json::parse(text).unwrap(), complement).ok()
    }

    #[test]
    fn callers_are_meant_by_name_by_role_or_by_account() {
        let user = Caller::user(OWN, "app");
        let session = Caller::role_session(OWN, "team/reader", "s");
        let root = Caller::root(OWN);
        let service = Caller::service("logging.s3.amazonaws.com");
        let nobody = Caller::anonymous();
        let table = [
            (r#""*""#, &nobody, Grant::Direct),
            (r#"{"AWS":"*"}"#, &nobody, Grant::Direct),
            (r#"{"AWS":"000000000001"}"#, &user, Grant::Account),
            (r#"{"AWS":["000000000002","arn:aws:iam::000000000001:root"]}"#, &session, Grant::Account),
            (r#"{"AWS":"arn:aws:iam::000000000001:root"}"#, &root, Grant::Direct),
            (r#"{"AWS":"arn:aws:iam::000000000001:user/app"}"#, &user, Grant::Direct),
            (r#"{"AWS":"arn:aws:iam::000000000001:user/App"}"#, &user, Grant::None),
            (r#"{"AWS":"arn:aws:iam::000000000001:role/team/reader"}"#, &session, Grant::Role),
            (r#"{"AWS":"arn:aws:sts::000000000001:assumed-role/reader/s"}"#, &session, Grant::Direct),
            (r#"{"AWS":"arn:aws:sts::000000000001:assumed-role/reader/t"}"#, &session, Grant::None),
            (r#"{"Service":"logging.s3.amazonaws.com"}"#, &service, Grant::Direct),
            (r#"{"Service":"logging.s3.amazonaws.com"}"#, &user, Grant::None),
            (r#"{"AWS":"000000000001"}"#, &nobody, Grant::None),
        ];
        for (text, caller, expected) in table {
            assert_eq!(principals(text, false).unwrap().mean(caller), expected, "{text}");
        }
    }

    #[test]
    fn not_principal_spares_those_listed_with_their_account() {
        let user = Caller::user(OWN, "app");
        let session = Caller::role_session(OWN, "reader", "s");
        let table = [
            (r#"{"AWS":"arn:aws:iam::000000000001:user/app"}"#, &user, Grant::Direct),
            (r#"{"AWS":["arn:aws:iam::000000000001:user/app","000000000001"]}"#, &user, Grant::None),
            (r#"{"AWS":"000000000001"}"#, &user, Grant::Direct),
            (
                r#"{"AWS":["arn:aws:sts::000000000001:assumed-role/reader/s",
                    "arn:aws:iam::000000000001:role/reader","000000000001"]}"#,
                &session,
                Grant::None,
            ),
            (r#"{"AWS":["arn:aws:iam::000000000001:role/reader","000000000001"]}"#, &session, Grant::Direct),
            (r#""*""#, &user, Grant::None),
        ];
        for (text, caller, expected) in table {
            assert_eq!(principals(text, true).unwrap().mean(caller), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_principal_is_refused() {
        let table = [
            r#""app""#,
            r#""000000000001""#,
            "{}",
            r#"{"AWS":[]}"#,
            r#"{"AWS":"0001"}"#,
            r#"{"AWS":"arn:aws:iam::000000000001:user/*"}"#,
            r#"{"AWS":"arn:aws:iam::*:root"}"#,
            r#"{"AWS":"arn:aws:iam::000000000001:group/g"}"#,
            r#"{"AWS":"arn:aws:s3:::b"}"#,
            r#"{"AWS":7}"#,
            r#"{"Aws":"*"}"#,
            r#"{"Service":"*"}"#,
        ];
        for text in table {
            assert_eq!(principals(text, false), None, "{text}");
        }
    }
}
