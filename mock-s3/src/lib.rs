//! A mock of Amazon S3 for tests of what stands in front of S3.
//!
//! It speaks enough of S3 that official SDKs work against it, checks signatures and evaluates permissions for
//! real, serves synthetic objects without storing them, writes down every request, and lets a test break it
//! in the ways S3 breaks: errors, permissions, keys, clocks, places, capacity.
//!
//! A request goes through the phases of `exchange.rs`: head, auth, place, policy, body, handle, respond. Each
//! is a function; three of them are fault points ([`Point`]). An operation is one file in `ops/` and one line
//! in its route table. What can change at run time is changed through [`Control`].

mod access;
mod auth;
mod capacity;
mod chunked;
mod compile;
mod config;
mod control;
mod crc32;
mod encoding;
mod errors;
mod exchange;
mod hook;
mod incoming;
mod journal;
mod ops;
mod outgoing;
mod policy;
mod request;
mod server;
mod settings;
mod store;
mod time;
mod xml;

pub use auth::{Credentials, mask};
pub use capacity::Capacity;
pub use config::{BucketConfig, Config, ConfigError, DEFAULT_ACCOUNT, IdentityConfig, RegionConfig};
pub use control::{ChangeId, Control, ControlError, WrongRegion, WrongRegionKind};
pub use errors::{known_code, known_codes};
pub use hook::{Action, Facts, FaultHook, NoFaults, Point};
pub use policy::{Evaluation, Layer, PolicyError};
pub use server::MockS3;
