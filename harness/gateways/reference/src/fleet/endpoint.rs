//! One address of one region.

use std::net::SocketAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::health::Health;
use crate::config::Pool;
use crate::upstream::IdlePool;

#[derive(Debug)]
pub(crate) struct Endpoint {
    /// Index of its region.
    pub(crate) region: usize,
    pub(crate) address: SocketAddr,
    pub(crate) pool: IdlePool,
    health: Mutex<Health>,
}

// === impl Endpoint ===

impl Endpoint {
    pub(crate) fn new(region: usize, address: SocketAddr, pool: &Pool) -> Self {
        Self { region, address, pool: IdlePool::new(pool), health: Mutex::default() }
    }

    pub(crate) fn health(&self) -> MutexGuard<'_, Health> {
        self.health.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
