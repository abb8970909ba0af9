//! Connections to the mock, one for each stream at a time, kept for the next ones.

use std::sync::{Mutex, PoisonError};

use crate::upstream::Upstream;
use crate::wire::Wire;

/// Idle connections to the mock of one connection of the gateway.
#[derive(Default)]
pub(crate) struct Pool(Mutex<Vec<Upstream>>);

impl Pool {
    /// A kept connection that still stands, or a new one.
    pub(crate) async fn take(&self, wire: &Wire) -> std::io::Result<Upstream> {
        while let Some(kept) = self.kept().pop() {
            let nothing = kept.stream.tcp().try_read(&mut [0]);
            if nothing.is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock) {
                return Ok(kept);
            }
        }
        Upstream::open(wire).await
    }

    /// Keeps a connection whose exchange is whole both ways.
    pub(crate) fn keep(&self, upstream: Upstream) {
        if upstream.input.is_empty() && !upstream.deaf {
            self.kept().push(upstream);
        }
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, Vec<Upstream>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
