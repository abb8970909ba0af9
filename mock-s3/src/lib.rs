#![doc = include_str!("../README.md")]

mod access;
mod accounts;
mod auth;
mod capacity;
mod checksum;
mod compile;
mod config;
mod control;
mod dials;
mod encoding;
mod errors;
mod exchange;
mod hook;
mod identifiers;
mod incoming;
mod journal;
mod latency;
mod ops;
mod outgoing;
pub mod policy;
mod query_api;
mod received;
mod replication;
mod request;
mod server;
mod settings;
mod slow;
mod store;
mod sts;
mod time;
mod xml;
mod xml_tree;

pub use auth::{Credentials, mask};
pub use capacity::Capacity;
pub use config::{
    BucketConfig, Config, ConfigError, DEFAULT_ACCOUNT, IdentityConfig, NewBuckets, RegionConfig, RoleConfig,
};
pub use control::{ChangeId, Control, ControlError, WrongRegion, WrongRegionKind};
pub use errors::{known_code, known_codes};
pub use hook::{Action, Alteration, Facts, FaultHook, NoFaults, Point, RangeLie, Trickle};
pub use latency::Latency;
pub use policy::{Evaluation, Layer, PolicyError};
pub use replication::{Lag, ReplicationConfig, ReplicationMode, ReplicationState};
pub use server::MockS3;
