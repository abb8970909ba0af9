//! Who is told of every exchange that has ended: the journal, the metrics, the logs, and whoever else listens.
//!
//! An exchange ends in one place, where its journal entry is dropped. When somebody listens, what happened is
//! then handed over as one [`Finished`]; when nobody does, nothing of it is gathered.

mod file;
mod finished;
mod journal;
mod json;
mod notes;
mod requests;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

pub use file::{JournalFile, LineFile};
pub use finished::{Authentication, BatchItem, Finished, Principal, Source};
pub(crate) use journal::News;
pub use journal::{Journal, Numbered};
pub(crate) use json::json;
pub(crate) use notes::{Notes, Scene, is_logged, presented_key};
pub use requests::Requests;
#[cfg(test)]
pub(crate) use requests::tests as requests_tests;

use crate::metrics::Metrics;

/// Exchanges the journal keeps when nobody says how many.
const KEPT: usize = 100_000;

/// Is told of every exchange that has ended. Called on the mock's threads: must not block for long.
pub trait Observer: Send + Sync {
    /// An exchange has ended. The mock calls this before the caller has the last byte of the answer.
    fn finished(&self, exchange: &Arc<Finished>);
    /// Writes out what is buffered; called about once a second and at shutdown.
    fn flush(&self) {}
    /// Forgets what was counted and kept; called when the mock is reset.
    fn reset(&self) {}
}

/// Everyone who listens.
#[derive(Default)]
pub(crate) struct Observers {
    listening: AtomicBool,
    all: RwLock<Vec<Arc<dyn Observer>>>,
    journal: OnceLock<Arc<Journal>>,
    metrics: OnceLock<Arc<Metrics>>,
}

impl Observers {
    /// Whether exchanges that begin now are to be described.
    pub(crate) fn listening(&self) -> bool {
        self.listening.load(Ordering::Acquire)
    }

    pub(crate) fn add(&self, observer: Arc<dyn Observer>) {
        self.all.write().unwrap_or_else(PoisonError::into_inner).push(observer);
        self.listening.store(true, Ordering::Release);
    }

    /// The journal; it listens from the first call on.
    pub(crate) fn journal(&self) -> &Arc<Journal> {
        self.journal.get_or_init(|| {
            let journal = Arc::new(Journal::new(KEPT));
            self.add(Arc::clone(&journal) as Arc<dyn Observer>);
            journal
        })
    }

    /// The metrics; they are counted from the first call on.
    pub(crate) fn metrics(&self) -> &Arc<Metrics> {
        self.metrics.get_or_init(|| {
            let metrics = Arc::new(Metrics::default());
            self.add(Arc::clone(&metrics) as Arc<dyn Observer>);
            metrics
        })
    }

    pub(crate) fn finished(&self, exchange: &Arc<Finished>) {
        self.each(|observer| observer.finished(exchange));
    }

    pub(crate) fn flush(&self) {
        self.each(|observer| observer.flush());
    }

    pub(crate) fn reset(&self) {
        self.each(|observer| observer.reset());
    }

    fn each(&self, tell: impl Fn(&dyn Observer)) {
        let all = self.all.read().unwrap_or_else(PoisonError::into_inner);
        all.iter().for_each(|observer| tell(&**observer));
    }
}
