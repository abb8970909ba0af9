//! The accounts of a mock: how they appear in owners and grants.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use sha2::{Digest, Sha256};

use crate::config::{Config, ConfigError};

/// One account.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Account {
    /// Twelve digits.
    pub id: String,
    /// 64 hex digits: the id in owners and grants.
    pub canonical_id: String,
    /// The name in owners and grants.
    pub display_name: String,
    /// Its address, where one is known.
    pub email: Option<String>,
}

/// All accounts that a configuration names.
#[derive(Clone, Debug, Default)]
pub struct Accounts(BTreeMap<String, Account>);

// === impl Account ===

impl Account {
    /// An account that nothing is known of but its number.
    pub fn new(id: &str) -> Self {
        let canonical_id = derived_id(id);
        Self { id: id.to_owned(), canonical_id, display_name: id.to_owned(), email: None }
    }
}

// === impl Accounts ===

impl Accounts {
    /// The accounts of a configuration's identities and buckets. Of several identities of one account, what
    /// the root user says comes first, then what the first one says.
    pub(crate) fn of(config: &Config) -> Result<Self, ConfigError> {
        let mut accounts = BTreeMap::new();
        for bucket in &config.buckets {
            accounts.insert(bucket.account.clone(), Account::new(&bucket.account));
        }
        let (roots, users): (Vec<_>, Vec<_>) = config.identities.iter().partition(|i| i.root);
        for identity in users.into_iter().rev().chain(roots.into_iter().rev()) {
            let account =
                accounts.entry(identity.account.clone()).or_insert_with(|| Account::new(&identity.account));
            account.display_name = identity.display_name.clone().unwrap_or_else(|| identity.name.clone());
            if identity.email.is_some() {
                account.email.clone_from(&identity.email);
            }
        }
        let accounts = Self(accounts).with_canonical_ids(config)?;
        accounts.agree("canonical id", |account| Some(&account.canonical_id))?;
        accounts.agree("e-mail", |account| account.email.as_ref())?;
        Ok(accounts)
    }

    /// The account with this number.
    pub fn by_id(&self, id: &str) -> Option<&Account> {
        self.0.get(id)
    }

    /// The account with this canonical id.
    pub fn by_canonical_id(&self, id: &str) -> Option<&Account> {
        self.iter().find(|account| account.canonical_id == id)
    }

    /// The account with this address.
    pub fn by_email(&self, email: &str) -> Option<&Account> {
        self.iter().find(|account| account.email.as_deref() == Some(email))
    }

    /// All of them, in the order of their numbers.
    pub fn iter(&self) -> impl Iterator<Item = &Account> {
        self.0.values()
    }

    fn with_canonical_ids(mut self, config: &Config) -> Result<Self, ConfigError> {
        let mut given: BTreeMap<&str, &str> = BTreeMap::new();
        for identity in &config.identities {
            let Some(id) = &identity.canonical_id else { continue };
            match given.insert(&identity.account, id) {
                Some(before) if before != id => {
                    return Err(ConfigError::Account {
                        what: "canonical id",
                        value: before.to_owned(),
                        account: identity.account.clone(),
                        other: id.clone(),
                    });
                }
                _ => {}
            }
            if let Some(account) = self.0.get_mut(&identity.account) {
                account.canonical_id.clone_from(id);
            }
        }
        Ok(self)
    }

    /// No value belongs to two accounts.
    fn agree(
        &self,
        what: &'static str,
        value: impl Fn(&Account) -> Option<&String>,
    ) -> Result<(), ConfigError> {
        let mut owners: BTreeMap<&str, &str> = BTreeMap::new();
        for account in self.iter() {
            let Some(value) = value(account) else { continue };
            if let Some(owner) = owners.insert(value, &account.id) {
                let (value, account, other) = (value.clone(), owner.to_owned(), account.id.clone());
                return Err(ConfigError::Account { what, value, account, other });
            }
        }
        Ok(())
    }
}

/// The canonical id of an account that was given none: always the same, and no other account's.
fn derived_id(account: &str) -> String {
    let digest = Sha256::digest(format!("canonical id of {account}"));
    digest.iter().fold(String::with_capacity(64), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use gatecrash_model::Pool;

    use super::*;
    use crate::config::{BucketConfig, IdentityConfig};

    const OTHER: &str = "222222222222";

    fn config(identities: Vec<IdentityConfig>) -> Config {
        Config { identities, ..Config::new(Arc::new(Pool::new(1)), "us-east-1") }
    }

    fn user(name: &str, account: &str) -> IdentityConfig {
        IdentityConfig { account: account.to_owned(), ..IdentityConfig::new(name) }
    }

    #[test]
    fn the_root_user_speaks_for_its_account() {
        let app = IdentityConfig { email: Some("app@example.com".into()), ..user("app", OTHER) };
        let boss = IdentityConfig {
            root: true,
            display_name: Some("The boss".into()),
            email: Some("boss@example.com".into()),
            canonical_id: Some("a".repeat(64)),
            ..user("boss", OTHER)
        };
        let accounts = Accounts::of(&config(vec![app, boss])).expect("they agree");
        let account = accounts.by_id(OTHER).expect("named");
        assert_eq!((account.display_name.as_str(), account.canonical_id.len()), ("The boss", 64));
        assert_eq!(accounts.by_email("boss@example.com"), Some(account));
        assert_eq!(accounts.by_canonical_id(&"a".repeat(64)), Some(account));
        assert_eq!(accounts.by_email("app@example.com"), None);
    }

    #[test]
    fn owners_of_buckets_are_accounts_and_ids_differ() {
        let mut config = config(vec![user("app", OTHER)]);
        config.buckets = vec![BucketConfig::new("media", &["us-east-1"])];
        let accounts = Accounts::of(&config).expect("they agree");
        let ids: Vec<_> = accounts.iter().map(|account| account.canonical_id.as_str()).collect();
        assert_eq!(ids.len(), 2);
        assert_ne!(ids[0], ids[1]);
        assert!(ids.iter().all(|id| id.len() == 64 && id.bytes().all(|b| b.is_ascii_hexdigit())));
    }

    #[test]
    fn contradictions_are_refused() {
        let with_id = |name: &str, account: &str, digit: &str| IdentityConfig {
            canonical_id: Some(digit.repeat(64)),
            ..user(name, account)
        };
        let email = |name: &str, account: &str| IdentityConfig {
            email: Some("same@example.com".into()),
            ..user(name, account)
        };
        let refused = [
            vec![with_id("a", OTHER, "a"), with_id("b", OTHER, "b")],
            vec![with_id("a", OTHER, "a"), with_id("b", "333333333333", "a")],
            vec![email("a", OTHER), email("b", "333333333333")],
        ];
        for identities in refused {
            assert!(matches!(Accounts::of(&config(identities)), Err(ConfigError::Account { .. })));
        }
        let agreed = config(vec![with_id("a", OTHER, "a"), with_id("b", OTHER, "a"), email("c", OTHER)]);
        assert!(Accounts::of(&agreed).is_ok());
    }
}
