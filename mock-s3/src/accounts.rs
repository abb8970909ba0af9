//! The accounts the mock knows, as S3 names them in documents and grants.

use std::collections::HashMap;
use std::sync::Arc;

use crate::config::{Config, DEFAULT_ACCOUNT, IdentityConfig};
use crate::store::{Owner, canonical_id};

/// All accounts of a configuration.
#[derive(Debug, Default)]
pub(crate) struct Accounts {
    by_number: HashMap<String, Arc<Owner>>,
}

impl Accounts {
    /// The accounts of all identities and buckets. What an identity leaves out is derived from the number.
    pub(crate) fn new(config: &Config) -> Self {
        let mut by_number: HashMap<String, Arc<Owner>> = HashMap::new();
        for identity in &config.identities {
            let entry = by_number.entry(identity.account.clone());
            entry.or_insert_with(|| Arc::new(named(&identity.account, &config.identities)));
        }
        let bare = config.buckets.iter().map(|bucket| bucket.account.as_str()).chain([DEFAULT_ACCOUNT]);
        for account in bare {
            let entry = by_number.entry(account.to_owned());
            entry.or_insert_with(|| Arc::new(Owner::of_account(account)));
        }
        Self { by_number }
    }

    /// The account of a number, made up when it is unknown.
    pub(crate) fn of(&self, account: &str) -> Arc<Owner> {
        self.by_number.get(account).cloned().unwrap_or_else(|| Arc::new(Owner::of_account(account)))
    }

    pub(crate) fn by_canonical(&self, canonical: &str) -> Option<Arc<Owner>> {
        self.by_number.values().find(|owner| owner.canonical == canonical).cloned()
    }

    pub(crate) fn by_email(&self, email: &str) -> Option<Arc<Owner>> {
        let mut owners = self.by_number.values();
        owners.find(|owner| !email.is_empty() && owner.email.eq_ignore_ascii_case(email)).cloned()
    }
}

/// An account as its identities describe it: of each property, the first that is given.
fn named(account: &str, identities: &[IdentityConfig]) -> Owner {
    let of_account = || identities.iter().filter(|identity| identity.account == account);
    let canonical = of_account().find_map(|identity| identity.canonical_id.clone());
    let display = of_account().find_map(|identity| identity.display_name.clone());
    let first = of_account().next().map(|identity| identity.name.clone());
    Owner {
        account: account.to_owned(),
        canonical: canonical.unwrap_or_else(|| canonical_id(account)),
        display: display.or(first).unwrap_or_default(),
        email: of_account().find_map(|identity| identity.email.clone()).unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use gatecrash_model::Pool;

    use super::*;

    #[test]
    fn an_account_is_what_its_identities_say() {
        let mut config = Config::new(Arc::new(Pool::new(1)), "us-east-1");
        let one = IdentityConfig { display_name: Some("One".into()), ..IdentityConfig::new("one") };
        let two = IdentityConfig {
            display_name: Some("Two".into()),
            email: Some("Two@example.com".into()),
            canonical_id: Some("2".repeat(64)),
            ..IdentityConfig::new("two")
        };
        let bare = IdentityConfig { account: "222222222222".into(), ..IdentityConfig::new("bare") };
        config.identities = vec![one, two, bare];
        let accounts = Accounts::new(&config);
        let owner = accounts.by_canonical(&"2".repeat(64)).expect("given by the second");
        assert_eq!((owner.account.as_str(), owner.display.as_str()), (DEFAULT_ACCOUNT, "One"));
        assert_eq!(accounts.by_email("two@example.com"), Some(owner));
        assert_eq!(accounts.of("222222222222").display, "bare");
        assert!(accounts.by_email("").is_none());
    }
}
