//! How long one attempt may take.

use std::time::Duration;

use tokio::time::{self, Instant};

use crate::config::Timeouts;

#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) connect: Duration,
    /// To the response head, and between body bytes.
    pub(crate) read: Option<Duration>,
    /// End of the whole request.
    pub(crate) deadline: Option<Instant>,
}

/// Time ran out.
#[derive(Debug)]
pub(crate) struct Late;

// === impl Limits ===

impl Limits {
    /// Limits for a request that started at `start`.
    pub(crate) fn new(timeouts: &Timeouts, start: Instant) -> Self {
        Self {
            connect: Duration::from_millis(timeouts.connect),
            read: Some(Duration::from_millis(timeouts.read)),
            deadline: Some(start + Duration::from_millis(timeouts.total)),
        }
    }

    /// When something that starts now and may take `limit` is due.
    pub(crate) fn due(&self, limit: Option<Duration>) -> Option<Instant> {
        let limit = limit.map(|limit| Instant::now() + limit);
        match (limit, self.deadline) {
            (Some(limit), Some(deadline)) => Some(limit.min(deadline)),
            (limit, deadline) => limit.or(deadline),
        }
    }

    /// Runs `work` under `limit` and the deadline.
    pub(crate) async fn within<T>(
        &self,
        limit: Option<Duration>,
        work: impl Future<Output = T>,
    ) -> Result<T, Late> {
        match self.due(limit) {
            Some(due) => time::timeout_at(due, work).await.map_err(|_| Late),
            None => Ok(work.await),
        }
    }

    /// Whether the deadline comes before a pause of `pause` is over.
    pub(crate) fn passes_during(&self, pause: Duration) -> bool {
        let over = Instant::now().checked_add(pause);
        self.deadline.is_some_and(|deadline| over.is_none_or(|over| over >= deadline))
    }
}

/// Sleeps until `due`, or for ever.
pub(crate) async fn until(due: Option<Instant>) {
    match due {
        Some(due) => time::sleep_until(due).await,
        None => std::future::pending().await,
    }
}
