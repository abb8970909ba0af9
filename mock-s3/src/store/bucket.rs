//! What a bucket is in all its regions.

use std::sync::Arc;

use super::keyspace::Keyspace;

/// A bucket of the scenario, or one that was created while the mock ran.
pub(crate) struct Bucket {
    /// The scenario's name.
    pub(crate) name: Arc<str>,
    /// Owner.
    pub(crate) account: String,
    /// Created, seconds since the Unix epoch.
    pub(crate) created: i64,
    pub(crate) keyspaces: Vec<Keyspace>,
}

impl Bucket {
    pub(crate) fn empty(name: &str, account: &str, created: i64) -> Self {
        Self { name: name.into(), account: account.to_owned(), created, keyspaces: Vec::new() }
    }
}
