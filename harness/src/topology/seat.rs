//! What stands before one upstream endpoint: a link of ours, or somebody's Toxiproxy.

use std::net::SocketAddr;

use gatecrash_wire::Link;

use super::external::External;

/// One of the two.
pub enum Seat {
    /// A link.
    Link(Link),
    /// A proxy of an existing Toxiproxy.
    External(External),
}

impl Seat {
    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        match self {
            Self::Link(link) => link.addr(),
            Self::External(proxy) => proxy.addr(),
        }
    }

    pub(super) async fn stop(self) {
        match self {
            Self::Link(link) => link.stop().await,
            Self::External(proxy) => proxy.stop().await,
        }
    }
}
