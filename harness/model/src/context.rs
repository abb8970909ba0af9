//! How the mock learns which attempt it is serving: by connection, never by an injected request header.
//!
//! A link connects to the mock, registers the local port of that socket with a cell, and keeps the cell current
//! before it forwards each request head. The mock finds the cell by its peer's port when the first head arrives.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// The attempt a link is forwarding on one of its upstream connections.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct AttemptContext {
    /// Packed attempt id, or [`crate::AttemptId::NONE`].
    pub attempt: u64,
    /// Packed request id, or [`crate::RequestId::NONE`].
    pub request: u64,
    /// Which try of that request this is, over all links: 1 for the first.
    pub number: u8,
}

/// Shared between one link connection and the mock connection it feeds.
pub type AttemptCell = Arc<Mutex<AttemptContext>>;

/// Local port of a link's upstream socket -> its cell.
#[derive(Default, Debug)]
pub struct AttemptRegistry {
    cells: Mutex<HashMap<(std::net::IpAddr, u16), AttemptCell>>,
}

impl AttemptContext {
    /// A caller that is not a link.
    pub const STRANGER: Self =
        Self { attempt: crate::AttemptId::NONE, request: crate::RequestId::NONE, number: 1 };
}

impl AttemptRegistry {
    /// Announces a link's socket, before it sends its first byte.
    pub fn register(&self, local: std::net::SocketAddr) -> AttemptCell {
        let cell = Arc::new(Mutex::new(AttemptContext::STRANGER));
        self.lock().insert((local.ip(), local.port()), Arc::clone(&cell));
        cell
    }

    /// Forgets a closed socket.
    pub fn forget(&self, local: std::net::SocketAddr) {
        self.lock().remove(&(local.ip(), local.port()));
    }

    /// The cell of a mock connection's peer, if a link stands there.
    pub fn find(&self, peer: std::net::SocketAddr) -> Option<AttemptCell> {
        self.lock().get(&(peer.ip(), peer.port())).cloned()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<(std::net::IpAddr, u16), AttemptCell>> {
        self.cells.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is in a cell now.
pub fn read_cell(cell: &AttemptCell) -> AttemptContext {
    *cell.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Makes a cell current.
pub fn write_cell(cell: &AttemptCell, context: AttemptContext) {
    *cell.lock().unwrap_or_else(PoisonError::into_inner) = context;
}
