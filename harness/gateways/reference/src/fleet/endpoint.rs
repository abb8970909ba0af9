//! One address of one region.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::health::Health;
use crate::config::Pool;
use crate::upstream::{Connection, Dialer, Failure, IdlePool, Limits};

#[derive(Debug)]
pub(crate) struct Endpoint {
    /// Index of its region.
    pub(crate) region: usize,
    pub(crate) address: SocketAddr,
    pub(crate) pool: IdlePool,
    /// How TLS begins, where it is spoken.
    pub(crate) dialer: Option<Arc<Dialer>>,
    health: Mutex<Health>,
    /// For exchanges under way.
    places: Arc<Semaphore>,
    /// What the leaking defect never closes.
    leaked: Mutex<Vec<Connection>>,
}

// === impl Endpoint ===

impl Endpoint {
    pub(crate) fn new(region: usize, address: SocketAddr, dialer: Option<Arc<Dialer>>, pool: &Pool) -> Self {
        let places = if pool.max_active == 0 { Semaphore::MAX_PERMITS } else { pool.max_active };
        Self {
            region,
            address,
            pool: IdlePool::new(pool),
            dialer,
            health: Mutex::default(),
            places: Arc::new(Semaphore::new(places.min(Semaphore::MAX_PERMITS))),
            leaked: Mutex::default(),
        }
    }

    /// A place for one more exchange, waited for as long as connecting may take.
    pub(crate) async fn place(&self, limits: &Limits) -> Result<OwnedSemaphorePermit, Failure> {
        match limits.within(Some(limits.connect), Arc::clone(&self.places).acquire_owned()).await {
            Ok(Ok(place)) => Ok(place),
            _ => Err(Failure::Full),
        }
    }

    pub(crate) fn leak(&self, connection: Connection) {
        self.leaked.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
    }

    pub(crate) fn health(&self) -> MutexGuard<'_, Health> {
        self.health.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
