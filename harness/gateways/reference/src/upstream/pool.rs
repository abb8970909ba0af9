//! Idle connections to one endpoint, newest first.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::Stream;
use crate::config::Pool;

#[derive(Debug)]
pub(crate) struct IdlePool {
    idle: Mutex<Vec<Idle>>,
    max_idle: usize,
    lifetime: Duration,
}

#[derive(Debug)]
struct Idle {
    stream: Stream,
    since: Instant,
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
    pub(crate) fn take(&self) -> Option<Stream> {
        let mut idle = self.lock();
        while let Some(candidate) = idle.pop() {
            if candidate.usable(self.lifetime) {
                return Some(candidate.stream);
            }
        }
        None
    }

    pub(crate) fn put(&self, stream: Stream) {
        let mut idle = self.lock();
        if idle.len() < self.max_idle {
            idle.push(Idle { stream, since: Instant::now() });
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
        self.stream.is_silent() && self.since.elapsed() < lifetime
    }
}
