//! Finite capacity of a region: so many servers, a bounded queue, first come first served.
//!
//! Admitted work is done to its end even when the caller hangs up: it keeps its place and its server, as in a
//! real service that does not know yet that nobody waits. That is what makes an overload last.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The capacity of one region.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Capacity {
    /// Requests served at the same time.
    pub servers: u32,
    /// How long each one takes (whole milliseconds: the timer has no finer grain).
    pub service_time: Duration,
    /// Requests that may wait; one more is answered 503 SlowDown.
    pub queue: u32,
}

/// A region's servers and queue.
pub(crate) struct Station {
    capacity: Capacity,
    servers: Arc<Semaphore>,
    /// Waiting or being served.
    present: AtomicUsize,
}

/// A place in the queue or at a server.
pub(crate) struct Place {
    station: Arc<Station>,
    /// The server, once there is one. Freed after the place is given up, so that nobody is turned away too
    /// early.
    server: Option<OwnedSemaphorePermit>,
}

impl Station {
    pub(crate) fn new(capacity: Capacity) -> Self {
        let servers = Arc::new(Semaphore::new(capacity.servers as usize));
        Self { capacity, servers, present: AtomicUsize::new(0) }
    }

    /// A place, or none when all servers and the queue are full.
    pub(crate) fn enter(self: &Arc<Self>) -> Option<Place> {
        let bound = self.capacity.servers as usize + self.capacity.queue as usize;
        self.present
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |present| {
                (present < bound).then_some(present + 1)
            })
            .ok()
            .map(|_| Place { station: Arc::clone(self), server: None })
    }
}

impl Place {
    /// Waits for a server and for its service time. The server is free again when the place is dropped.
    pub(crate) async fn served(&mut self) {
        self.server = Arc::clone(&self.station.servers).acquire_owned().await.ok();
        tokio::time::sleep(self.station.capacity.service_time).await;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.station.present.fetch_sub(1, Ordering::AcqRel);
    }
}
