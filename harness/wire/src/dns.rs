//! The run's own name server: authoritative over UDP and TCP (RFC 1035) for the names of the upstream regions.
//!
//! The `zone` decides every answer without a socket: questions in, answers out, as the fault in force says. The
//! `server` owns the sockets. A [`NameServer`] is asked by gateways with a resolver setting, and by our own
//! `probe`, which confirms that a fault is in force and that it is gone.

mod probe;
mod server;
mod zone;

pub use probe::look_up;
pub use server::NameServer;
pub use zone::{NamedRegion, host_name};
