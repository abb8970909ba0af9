//! What is configured on a bucket in one region, and changes by its own API.

use std::sync::Arc;

use super::acl::Acl;
use crate::policy::Policy;

/// The configuration of a bucket. Replaced as a whole when a part of it changes.
#[derive(Clone, Debug, Default)]
pub(crate) struct BucketState {
    pub(crate) versioning: Versioning,
    pub(crate) policy: Option<Arc<BucketPolicy>>,
    pub(crate) block: Option<BlockPublic>,
    /// None: as if ObjectWriter, and GetBucketOwnershipControls finds nothing.
    pub(crate) ownership: Option<Ownership>,
    pub(crate) acl: Acl,
    pub(crate) tags: Vec<(String, String)>,
    pub(crate) logging: Option<Arc<Logging>>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) enum Versioning {
    /// Never turned on.
    #[default]
    Off,
    Enabled,
    Suspended,
}

/// A bucket policy as it was put, and compiled.
#[derive(Debug)]
pub(crate) struct BucketPolicy {
    pub(crate) text: String,
    pub(crate) compiled: Policy,
}

/// Block Public Access.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct BlockPublic {
    pub(crate) acls: bool,
    pub(crate) ignore_acls: bool,
    pub(crate) policy: bool,
    pub(crate) restrict: bool,
}

/// Where the access log of a bucket goes.
#[derive(Clone, PartialEq, Eq, Debug, PartialOrd, Ord)]
pub(crate) struct Logging {
    pub(crate) bucket: String,
    pub(crate) prefix: String,
}

/// Object ownership.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Ownership {
    /// ACLs are off.
    BucketOwnerEnforced,
    BucketOwnerPreferred,
    ObjectWriter,
}
