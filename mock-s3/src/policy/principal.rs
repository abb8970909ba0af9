//! Callers, and the principals a bucket policy names.

use serde_json::Value;

use super::document::{PolicyError, texts};

/// Who asks.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Caller {
    /// An unsigned request.
    Anonymous,
    /// A signed request of a known user.
    User {
        /// `arn:aws:iam::<account>:user/<name>`.
        arn: String,
        account: String,
    },
}

/// One principal of a statement.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Principal {
    /// `*`.
    Everyone,
    /// An account or its root. A grant to it is a delegation: the user's own policies must allow too.
    Account(String),
    /// Exactly this user.
    Arn(String),
}

/// How a principal matches a caller.
#[derive(Clone, Copy, PartialEq, Eq, Debug, PartialOrd, Ord)]
pub(crate) enum Match {
    No,
    /// Through the account.
    Delegated,
    /// By name, or as anyone.
    Direct,
}

impl Caller {
    pub(crate) fn account(&self) -> Option<&str> {
        match self {
            Self::Anonymous => None,
            Self::User { account, .. } => Some(account),
        }
    }
}

impl Principal {
    /// Reads the value of `Principal`.
    pub(super) fn list(value: &Value) -> Result<Vec<Self>, PolicyError> {
        match value {
            Value::String(all) if all == "*" => Ok(vec![Self::Everyone]),
            Value::Object(kinds) => {
                if let Some(kind) = kinds.keys().find(|k| *k != "AWS") {
                    return Err(PolicyError::Unsupported(format!("Principal {kind}")));
                }
                let aws = kinds.get("AWS").ok_or(PolicyError::Malformed("Principal"))?;
                texts(aws, "Principal")?.iter().map(|text| Self::aws(text)).collect()
            }
            _ => Err(PolicyError::Malformed("Principal")),
        }
    }

    fn aws(text: &str) -> Result<Self, PolicyError> {
        if text == "*" {
            return Ok(Self::Everyone);
        }
        if text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit()) {
            return Ok(Self::Account(text.to_owned()));
        }
        let rest = text.strip_prefix("arn:aws:iam::").ok_or(PolicyError::Malformed("Principal"))?;
        match rest.split_once(':') {
            Some((account, "root")) => Ok(Self::Account(account.to_owned())),
            Some((_, user)) if user.starts_with("user/") && !user.contains(['*', '?']) => {
                Ok(Self::Arn(text.to_owned()))
            }
            Some((_, role)) if role.starts_with("role/") => {
                Err(PolicyError::Unsupported("a role as Principal".to_owned()))
            }
            _ => Err(PolicyError::Malformed("Principal")),
        }
    }

    pub(super) fn matches(&self, caller: &Caller) -> Match {
        match (self, caller) {
            (Self::Everyone, _) => Match::Direct,
            (Self::Arn(named), Caller::User { arn, .. }) if named == arn => Match::Direct,
            (Self::Account(named), Caller::User { account, .. }) if named == account => Match::Delegated,
            _ => Match::No,
        }
    }
}
