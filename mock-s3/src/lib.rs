#![doc = include_str!("../README.md")]

mod access;
mod access_log;
mod accounts;
mod admin;
mod auth;
mod builder;
mod capacity;
mod checksum;
mod clock;
mod compile;
mod config;
mod control;
mod cors;
mod deposit;
mod dials;
mod encoding;
mod errors;
mod exchange;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
mod half_sent;
mod hook;
mod iam;
mod identifiers;
mod incoming;
mod journal;
mod latency;
mod metrics;
mod observe;
mod ops;
mod outgoing;
pub mod policy;
mod query_api;
mod received;
mod replication;
mod request;
mod reset;
mod rules;
mod server;
mod settings;
mod slow;
mod store;
mod sts;
mod time;
mod xml;
mod xml_tree;

pub use access_log::{AccessLogFile, AccessLogFormat};
pub use admin::AdminError;
pub use auth::{Credentials, mask};
pub use builder::{BuildError, Builder};
pub use capacity::Capacity;
pub use clock::SystemClock;
pub use config::{
    AccountControls, BucketConfig, Config, ConfigError, DEFAULT_ACCOUNT, IdentityConfig, NewBuckets,
    RegionConfig, RoleConfig,
};
pub use control::{ChangeId, Control, ControlError, WrongRegion, WrongRegionKind};
pub use errors::{known_code, known_codes};
pub use hook::{Action, Alteration, Facts, FaultHook, NoFaults, Point, RangeLie, Trickle};
pub use latency::Latency;
pub use metrics::{Distribution, Metric, Metrics};
pub use observe::{
    Authentication, BatchItem, Finished, Journal, JournalFile, LineFile, Numbered, Observer, Principal,
    Requests, Source,
};
pub use policy::{Evaluation, Layer, PolicyError};
pub use replication::{Lag, ReplicationConfig, ReplicationMode, ReplicationState};
pub use rules::{At, Closing, Rule, RuleError, RuleState, Rules};
pub use server::MockS3;
