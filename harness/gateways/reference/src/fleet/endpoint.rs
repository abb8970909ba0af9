//! One address of one region.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::health::Health;
use crate::config::Pool;
use crate::upstream::{Dialer, IdlePool};

#[derive(Debug)]
pub(crate) struct Endpoint {
    /// Index of its region.
    pub(crate) region: usize,
    pub(crate) address: SocketAddr,
    pub(crate) pool: IdlePool,
    /// How TLS begins, where it is spoken.
    pub(crate) dialer: Option<Arc<Dialer>>,
    health: Mutex<Health>,
}

// === impl Endpoint ===

impl Endpoint {
    pub(crate) fn new(region: usize, address: SocketAddr, dialer: Option<Arc<Dialer>>, pool: &Pool) -> Self {
        Self { region, address, pool: IdlePool::new(pool), dialer, health: Mutex::default() }
    }

    pub(crate) fn health(&self) -> MutexGuard<'_, Health> {
        self.health.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
