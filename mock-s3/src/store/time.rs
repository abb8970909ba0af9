//! By which clock the synthetic objects change.

use std::sync::{Arc, OnceLock};

use gatecrash_model::{Clock, Nanos};

/// The clock of a store, or an instant at which it stands still.
#[derive(Clone)]
pub(crate) struct Time {
    clock: Arc<dyn Clock>,
    /// The wall clock at the start of the run, seconds since the Unix epoch; read once, so that a version keeps its
    /// date.
    epoch: Arc<OnceLock<i64>>,
    then: Option<Nanos>,
}

impl Time {
    pub(crate) fn new(clock: &Arc<dyn Clock>) -> Self {
        Self { clock: Arc::clone(clock), epoch: Arc::default(), then: None }
    }

    /// The same, standing still.
    pub(super) fn stopped(&self, then: Nanos) -> Self {
        Self { then: Some(then), ..self.clone() }
    }

    pub(super) fn now(&self) -> Nanos {
        self.then.unwrap_or_else(|| self.clock.now())
    }

    /// The wall clock's seconds at an instant after the start.
    pub(super) fn wall(&self, at: Nanos) -> i64 {
        let seconds = |nanos: Nanos| (nanos / 1_000_000_000) as i64;
        let epoch = self.epoch.get_or_init(|| self.clock.wall_seconds() - seconds(self.clock.now()));
        epoch + seconds(at)
    }
}
