//! The chaos links: HTTP/1.1 relays between the gateway under test and the mock S3, which carry out what the
//! rules of `gatecrash-core` order and write down every attempt.
//!
//! The main path: [`Link`] binds (`listener`), each connection of the gateway becomes one task
//! (`connection`), each request on it one `exchange`: its head is read (`head`), the rules are asked, the
//! request goes up (`upload`), the answer comes down (`download`, or `script` for a malformed one), and the
//! attempt becomes a record (`attempt`). Bytes are never re-encoded: heads are relayed raw, bodies by their
//! own framing (`framing`), and the only thing added is the `x-gatecrash-attempt` line. A gateway that speaks
//! HTTP/2 is served by `h2`, with the same rules and records.

mod api;
mod attempt;
mod attempts;
mod baseline;
mod closing;
mod connection;
mod cut;
mod delivery;
pub mod dns;
mod download;
mod exchange;
mod framing;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
mod h2;
mod half_request;
mod head;
mod link;
mod listener;
pub mod proxy;
mod script;
mod stream;
pub mod tls;
mod upload;
mod upstream;
mod wire;

pub use api::{ApiServer, ApiSettings, ConfigError, ControlApi, MetricsShown, TOXIPROXY_VERSION};
pub use attempts::AttemptCounter;
pub use gatecrash_core::profile::ProbePattern;
pub use link::Link;
pub use listener::ListenerState;
pub use wire::{LinkConfig, Shared};
