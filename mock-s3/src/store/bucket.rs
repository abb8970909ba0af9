//! What a bucket is in all its regions.

use std::sync::Arc;

use super::Owner;
use super::keyspace::Keyspace;

/// A bucket of the scenario, or one that was created while the mock ran.
pub(crate) struct Bucket {
    /// The scenario's name.
    pub(crate) name: Arc<str>,
    pub(crate) owner: Arc<Owner>,
    /// Created, seconds since the Unix epoch.
    pub(crate) created: i64,
    /// Of version ids.
    pub(crate) seed: u64,
    pub(crate) keyspaces: Vec<Keyspace>,
    /// Cache-Control of the synthetic objects.
    pub(crate) cache_control: Option<http::HeaderValue>,
}

impl Bucket {
    pub(crate) fn empty(name: &str, owner: Arc<Owner>, created: i64, seed: u64) -> Self {
        Self { name: name.into(), owner, created, seed, keyspaces: Vec::new(), cache_control: None }
    }
}
