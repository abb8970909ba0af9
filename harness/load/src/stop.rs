//! Ends a load before its time.

use std::sync::Arc;

use tokio::sync::watch;

/// How far a load has to come down.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
enum Level {
    #[default]
    Run,
    Drain,
    Abort,
}

/// Asks a load to end; clones ask the same load. From any thread, any number of times.
#[derive(Clone, Debug)]
pub struct Stop {
    level: Arc<watch::Sender<Level>>,
}

impl Default for Stop {
    fn default() -> Self {
        Self { level: Arc::new(watch::Sender::new(Level::Run)) }
    }
}

impl Stop {
    /// No more arrivals; requests under way may end, each within its timeout.
    pub fn drain(&self) {
        self.raise(Level::Drain);
    }

    /// No more arrivals, and requests under way are given up without a record.
    pub fn abort(&self) {
        self.raise(Level::Abort);
    }

    /// Whether the load was asked to end.
    pub fn is_asked(&self) -> bool {
        *self.level.borrow() >= Level::Drain
    }

    /// Waits until it is asked to end.
    pub(crate) async fn asked(&self) {
        self.reached(Level::Drain).await;
    }

    /// Waits until it is asked to give up.
    pub(crate) async fn aborted(&self) {
        self.reached(Level::Abort).await;
    }

    fn raise(&self, to: Level) {
        self.level.send_if_modified(|level| {
            let higher = to > *level;
            *level = to.max(*level);
            higher
        });
    }

    async fn reached(&self, at: Level) {
        let mut level = self.level.subscribe();
        // The sender lives as long as self.
        let _ = level.wait_for(|level| *level >= at).await;
    }
}
