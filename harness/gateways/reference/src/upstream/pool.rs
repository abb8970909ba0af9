//! Idle connections to one endpoint, newest first.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::{Connection, Stream};
use crate::config::Pool;

#[derive(Debug)]
pub(crate) struct IdlePool {
    idle: Mutex<Vec<Idle>>,
    max_idle: usize,
    lifetime: Duration,
}

#[derive(Debug)]
struct Idle {
    connection: Connection,
    since: Instant,
    /// Whether nobody looks at what it says.
    unseen: bool,
}

// === impl IdlePool ===

impl IdlePool {
    pub(crate) fn new(config: &Pool) -> Self {
        Self {
            idle: Mutex::default(),
            max_idle: config.max_idle,
            lifetime: Duration::from_millis(config.idle_ms),
        }
    }

    /// A connection that is young enough and silent; the others found on the way are closed.
    pub(crate) fn take(&self) -> Option<Connection> {
        let mut idle = self.lock();
        while let Some(candidate) = idle.pop() {
            if candidate.usable(self.lifetime) {
                return Some(candidate.connection);
            }
        }
        None
    }

    pub(crate) fn put(&self, stream: Stream) {
        self.keep(Connection::new(stream, true), false);
    }

    /// Keeps a connection that may not be clean, with what was read ahead, for the defects that do.
    pub(crate) fn put_unseen(&self, connection: Connection) {
        self.keep(Connection { reused: true, place: None, ..connection }, true);
    }

    fn keep(&self, connection: Connection, unseen: bool) {
        let mut idle = self.lock();
        if idle.len() < self.max_idle {
            idle.push(Idle { connection, since: Instant::now(), unseen });
        }
    }

    /// Closes what has grown old or was closed by the other side.
    pub(crate) fn prune(&self) {
        self.lock().retain(|idle| idle.usable(self.lifetime));
    }

    pub(crate) fn clear(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Idle>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Idle ===

impl Idle {
    /// An idle connection has nothing to say: bytes, an end or an error on it make it useless.
    fn usable(&self, lifetime: Duration) -> bool {
        (self.unseen || self.connection.stream.is_silent()) && self.since.elapsed() < lifetime
    }
}
