//! What a proxy tells while it runs.

use std::net::SocketAddr;

use gatecrash_core::faults::With;
use gatecrash_model::Nanos;

/// Hears what happens on a proxy. Called from the tasks of connections: it must not wait.
pub trait ProxyEvents: Send + Sync {
    /// One thing that happened.
    fn event(&self, event: ProxyEvent);
}

/// Hears nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoEvents;

impl ProxyEvents for NoEvents {
    fn event(&self, _: ProxyEvent) {}
}

/// Something that happened. Times are the clock's, connections count from 0 on each proxy.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ProxyEvent {
    /// A client was accepted.
    Opened {
        /// When.
        at: Nanos,
        /// The connection.
        conn: u32,
        /// The client.
        peer: SocketAddr,
    },
    /// The upstream could not be reached; the client gets a FIN.
    DialFailed {
        /// When.
        at: Nanos,
        /// The connection.
        conn: u32,
        /// Why.
        error: String,
    },
    /// A toxic did something to a connection for the first time.
    ToxicFired {
        /// When.
        at: Nanos,
        /// The connection.
        conn: u32,
        /// The toxic's name.
        toxic: String,
    },
    /// A connection is over.
    Closed(ClosedConnection),
}

/// The record of a connection.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ClosedConnection {
    /// Its number.
    pub conn: u32,
    /// The client.
    pub peer: SocketAddr,
    /// When it was accepted.
    pub opened: Nanos,
    /// When it was over.
    pub closed: Nanos,
    /// Bytes from the client to the upstream.
    pub upstream: Traffic,
    /// Bytes from the upstream to the client.
    pub downstream: Traffic,
    /// Who ended it.
    pub ended_by: EndedBy,
    /// How.
    pub with: With,
    /// The toxics that did something to it, in the order in which they began.
    pub fired: Vec<String>,
}

/// Bytes of one direction.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Traffic {
    /// Read from the sender.
    pub received: u64,
    /// Written to the receiver.
    pub sent: u64,
}

/// Who ended a connection.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum EndedBy {
    /// The client, first.
    Client,
    /// The upstream, first.
    Upstream,
    /// The toxic of this name.
    Toxic(String),
    /// The proxy: stopped, disabled or moved.
    Proxy,
    /// Nobody answered for the upstream.
    DialFailed,
}
