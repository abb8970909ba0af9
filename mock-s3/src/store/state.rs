//! What is configured on a bucket in one region, and changes by its own API.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::acl::Acl;
use super::version::Retention;
use crate::cors::Cors;
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
    /// Object lock; none: it was never turned on.
    pub(crate) lock: Option<ObjectLock>,
    pub(crate) cors: Option<Arc<Cors>>,
    pub(crate) replication: Option<Arc<ReplicationRules>>,
    /// Documents as they are sent back.
    pub(crate) documents: BTreeMap<Document, Arc<str>>,
}

/// Configurations that are kept as documents.
#[derive(Clone, Copy, PartialEq, Eq, Debug, PartialOrd, Ord)]
pub(crate) enum Document {
    Accelerate,
    Encryption,
    Lifecycle,
    Logging,
    Notification,
    Replication,
    RequestPayment,
    Website,
}

/// A replication configuration.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct ReplicationRules {
    /// ARN of the role S3 would assume.
    pub(crate) role: String,
    /// In the order of the document.
    pub(crate) rules: Vec<ReplicationRule>,
}

/// One rule of a replication configuration.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct ReplicationRule {
    pub(crate) id: String,
    pub(crate) enabled: bool,
    /// Higher wins where rules meet.
    pub(crate) priority: u32,
    /// Of keys.
    pub(crate) prefix: String,
    /// All of them must be on the object.
    pub(crate) tags: Vec<(String, String)>,
    /// Delete markers too.
    pub(crate) delete_markers: bool,
    /// Name of the target bucket.
    pub(crate) bucket: String,
    /// Replicas belong to this account; none: to the source's owner.
    pub(crate) account: Option<String>,
    /// Of replicas; none: as the source.
    pub(crate) storage_class: Option<String>,
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

/// Object lock as a bucket has it on.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct ObjectLock {
    /// For new objects that come without a retention of their own.
    pub(crate) default: Option<DefaultRetention>,
}

/// How long new objects are retained.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct DefaultRetention {
    pub(crate) compliance: bool,
    pub(crate) period: Period,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Period {
    Days(u32),
    /// Of 365 days each.
    Years(u32),
}

impl DefaultRetention {
    /// Of an object written at `now`, seconds since the Unix epoch.
    pub(crate) fn from(self, now: i64) -> Retention {
        let days = match self.period {
            Period::Days(days) => i64::from(days),
            Period::Years(years) => i64::from(years) * 365,
        };
        Retention { compliance: self.compliance, until: now.saturating_add(days * 86_400) }
    }
}
