//! How late timers of this process fire: what a busy machine adds to everything that is timed.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

use super::milliseconds;

/// Between two looks.
const EVERY: Duration = Duration::from_millis(20);

/// Watches until it is dropped.
#[derive(Debug)]
pub(super) struct Lag {
    /// Microseconds.
    worst: Arc<AtomicU64>,
    task: JoinHandle<()>,
}

// === impl Lag ===

impl Lag {
    pub(super) fn start() -> Self {
        let worst = Arc::new(AtomicU64::new(0));
        let seen = Arc::clone(&worst);
        let task = tokio::spawn(async move {
            loop {
                let before = Instant::now();
                sleep(EVERY).await;
                let late = before.elapsed().saturating_sub(EVERY).as_micros();
                seen.fetch_max(u64::try_from(late).unwrap_or(u64::MAX), Ordering::Relaxed);
            }
        });
        Self { worst, task }
    }

    /// The worst so far, milliseconds.
    pub(super) fn worst(&self) -> f64 {
        milliseconds(Duration::from_micros(self.worst.load(Ordering::Relaxed)))
    }
}

impl Drop for Lag {
    fn drop(&mut self) {
        self.task.abort();
    }
}
