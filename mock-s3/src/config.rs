//! What a mock is started with.

mod organisation;
mod role;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use gatecrash_model::{Pool, Population};
use serde_json::{Value, json};

use crate::auth::Credentials;
use crate::latency::Latency;
use crate::policy::PolicyError;
use crate::replication::ReplicationConfig;
pub use organisation::AccountControls;
pub use role::RoleConfig;

/// The account of everything that names no other.
pub const DEFAULT_ACCOUNT: &str = "000000000001";

/// A whole mock: regions, buckets, identities.
#[derive(Clone, Debug)]
pub struct Config {
    /// The contents of synthetic objects.
    pub pool: Arc<Pool>,
    /// One listener each; the position is the region index of the journal. At most 255.
    pub regions: Vec<RegionConfig>,
    /// The buckets that exist from the start.
    pub buckets: Vec<BucketConfig>,
    /// Who may sign; the position + 1 is the identity of the journal. At most 254.
    pub identities: Vec<IdentityConfig>,
    /// Whether unsigned requests may do whatever no statement denies. Without it they need a bucket that is
    /// `public` or a bucket policy that allows everyone.
    pub anonymous: bool,
    /// Seed of request ids, synthetic ETags and generated keys.
    pub seed: u64,
    /// Bytes of uploads kept in memory over all regions; more go to `spill`, or are answered 507 `MockStoreFull`.
    pub upload_capacity: u64,
    /// A directory for uploads beyond `upload_capacity`. The files have no names and go with the process.
    pub spill: Option<PathBuf>,
    /// Host names under which buckets are addressed as `<bucket>.<name>`, besides those of AWS. `localhost` is
    /// one from the start.
    pub domains: Vec<String>,
    /// How buckets are that a client creates.
    pub new_buckets: NewBuckets,
    /// Whether what keys held before is kept, for [`crate::Action::Stale`]: up to 16 states of a key, in memory.
    pub remember: bool,
    /// The roles that may be assumed with STS.
    pub roles: Vec<RoleConfig>,
    /// Service and resource control policies of the accounts that have any.
    pub controls: Vec<AccountControls>,
    /// Whether Signature Version 2 is taken, as S3 still does in its oldest regions.
    pub signature_v2: bool,
    /// How long a request's body may stall before the answer is 400 RequestTimeout, and half a head before the
    /// connection is closed.
    pub idle_timeout: Duration,
}

/// The settings of a bucket that a client creates without saying.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum NewBuckets {
    /// As before April 2023: ACLs work, nothing is blocked. What most test suites expect.
    #[default]
    Classic,
    /// As since April 2023: BucketOwnerEnforced (no ACLs) and Block Public Access with all four settings
    /// (S3 user guide, "Default settings for new S3 buckets FAQ").
    Since2023,
}

/// One region and where it listens.
#[derive(Clone, Debug)]
pub struct RegionConfig {
    /// AWS-style name, as in credential scopes.
    pub name: String,
    /// Listening address; port 0 picks a free one.
    pub bind: SocketAddr,
    /// How long it takes; none: as long as it needs.
    pub latency: Option<Latency>,
    /// Whether what stands in front of it speaks TLS with the clients: their requests count as secure
    /// (`aws:SecureTransport`).
    pub behind_tls: bool,
}

/// One bucket of the scenario, with its names in the regions.
#[derive(Clone, Debug)]
pub struct BucketConfig {
    /// The scenario's name: in the journal, in the contents, in policies.
    pub name: String,
    /// (region, name of the bucket there).
    pub regions: Vec<(String, String)>,
    /// Owner.
    pub account: String,
    /// Everyone may list, read, write and delete objects unless a statement denies it.
    pub public: bool,
    /// A bucket policy in AWS JSON.
    pub policy: Option<Value>,
    /// How what is written comes to the other regions; none: not at all.
    pub replication: Option<ReplicationConfig>,
    /// The synthetic objects, the same in every region. Their `bucket` must be this bucket's name.
    pub objects: Vec<Population>,
    /// Cache-Control of the synthetic objects; none: not sent. Must be a legal header value.
    pub cache_control: Option<String>,
}

/// One user who may sign requests.
#[derive(Clone, Debug)]
pub struct IdentityConfig {
    /// The scenario's name; the ARN is `arn:aws:iam::<account>:user/<name>`.
    pub name: String,
    /// Its account.
    pub account: String,
    /// Stands for the whole account: its ARN is `arn:aws:iam::<account>:root`, and it needs no identity policy.
    pub root: bool,
    /// The account's name in S3 documents; the first identity's name when absent. Of several identities of an
    /// account, the first that gives this or one of the next two speaks for the account.
    pub display_name: Option<String>,
    /// The account's address, for grants.
    pub email: Option<String>,
    /// The account's canonical user id, 64 hex digits; derived from the account number when absent.
    pub canonical_id: Option<String>,
    /// Its keys; generated from the seed when absent ([`crate::MockS3::credentials`] tells them).
    pub credentials: Option<Credentials>,
    /// Identity policies in AWS JSON. None means: nothing but what bucket policies allow.
    pub policies: Vec<Value>,
    /// The permissions boundary in AWS JSON: what the policies can allow at most.
    pub boundary: Option<Value>,
}

/// Why a configuration cannot be started.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// No region, or more than 255.
    #[error("a mock has 1 to 255 regions, not {0}")]
    Regions(usize),
    /// More identities than the journal can tell apart.
    #[error("a mock has at most 254 identities, not {0}")]
    Identities(usize),
    /// A name used twice.
    #[error("the {what} {name:?} is declared twice")]
    Twice {
        /// What kind of thing.
        what: &'static str,
        /// Its name.
        name: String,
    },
    /// A name that was never declared.
    #[error("bucket {bucket:?} is in region {region:?}, which is not declared")]
    UnknownRegion {
        /// The bucket.
        bucket: String,
        /// The region it names.
        region: String,
    },
    /// Synthetic objects of another bucket.
    #[error("bucket {bucket:?} holds synthetic objects of bucket {named:?}")]
    ForeignObjects {
        /// The bucket.
        bucket: String,
        /// The bucket the population names.
        named: String,
    },
    /// A policy that cannot be read.
    #[error("the policy of {owner:?}: {source}")]
    Policy {
        /// Bucket or identity.
        owner: String,
        /// Why.
        source: PolicyError,
    },
    /// A listener that cannot be opened.
    #[error("region {region:?} cannot listen on {address}: {source}")]
    Listen {
        /// The region.
        region: String,
        /// Where.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
}

// === impl Config ===

impl Config {
    /// An empty mock with one region.
    pub fn new(pool: Arc<Pool>, region: &str) -> Self {
        Self {
            pool,
            regions: vec![region.into()],
            buckets: Vec::new(),
            identities: Vec::new(),
            anonymous: false,
            seed: 0,
            upload_capacity: 1 << 30,
            spill: None,
            domains: vec!["localhost".to_owned()],
            new_buckets: NewBuckets::default(),
            remember: false,
            roles: Vec::new(),
            controls: Vec::new(),
            signature_v2: true,
            idle_timeout: Duration::from_secs(20),
        }
    }
}

// === impl RegionConfig ===

impl From<&str> for RegionConfig {
    fn from(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            bind: (Ipv4Addr::LOCALHOST, 0).into(),
            latency: None,
            behind_tls: false,
        }
    }
}

// === impl BucketConfig ===

impl BucketConfig {
    /// An empty private bucket, with one name in all the given regions.
    pub fn new(name: &str, regions: &[&str]) -> Self {
        Self {
            name: name.to_owned(),
            regions: regions.iter().map(|r| ((*r).to_owned(), name.to_owned())).collect(),
            account: DEFAULT_ACCOUNT.to_owned(),
            public: false,
            policy: None,
            replication: None,
            objects: Vec::new(),
            cache_control: None,
        }
    }
}

// === impl IdentityConfig ===

impl IdentityConfig {
    /// A user of the default account without any permission.
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            account: DEFAULT_ACCOUNT.to_owned(),
            root: false,
            display_name: None,
            email: None,
            canonical_id: None,
            credentials: None,
            policies: Vec::new(),
            boundary: None,
        }
    }

    /// May do `actions` on `resources` (both with `*` and `?`).
    pub fn allow(self, actions: &[&str], resources: &[&str]) -> Self {
        self.statement("Allow", actions, resources)
    }

    /// May not do `actions` on `resources`, whatever else allows it.
    pub fn deny(self, actions: &[&str], resources: &[&str]) -> Self {
        self.statement("Deny", actions, resources)
    }

    fn statement(mut self, effect: &str, actions: &[&str], resources: &[&str]) -> Self {
        self.policies.push(json!({
            "Version": "2012-10-17",
            "Statement": [{ "Effect": effect, "Action": actions, "Resource": resources }],
        }));
        self
    }
}
