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
            entry.or_insert_with(|| Arc::new(named(identity)));
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

fn named(identity: &IdentityConfig) -> Owner {
    Owner {
        account: identity.account.clone(),
        canonical: identity.canonical_id.clone().unwrap_or_else(|| canonical_id(&identity.account)),
        display: identity.display_name.clone().unwrap_or_else(|| identity.name.clone()),
        email: identity.email.clone().unwrap_or_default(),
    }
}
