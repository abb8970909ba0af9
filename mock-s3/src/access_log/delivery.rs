//! Access logs delivered as objects into the buckets that PutBucketLogging names.
//!
//! Records are gathered by target and written in batches: when the oldest is some seconds old, when they are many,
//! and at shutdown. Writing a log object is no request, and so is not logged.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use gatecrash_model::{Nanos, hash};

use super::Line;
use crate::observe::Finished;
use crate::server::Shared;
use crate::store::Logging;
use crate::time::dashed_date;

/// How old the oldest record of a batch gets.
const AGE: Nanos = 5_000_000_000;
/// A batch of this many bytes is delivered at once.
const FULL: usize = 4 << 20;

/// Records waiting for delivery.
pub(crate) struct Deliveries {
    /// By region index, target bucket and prefix.
    waiting: Mutex<BTreeMap<(usize, Arc<Logging>), Batch>>,
    made: AtomicU64,
    seed: u64,
}

#[derive(Default)]
struct Batch {
    text: String,
    /// When the first record came.
    since: Nanos,
}

/// Which batches are delivered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Due {
    /// Those that have waited long enough.
    Old,
    All,
}

impl Deliveries {
    pub(crate) fn new(seed: u64) -> Self {
        Self { waiting: Mutex::default(), made: AtomicU64::new(0), seed }
    }

    /// Takes the records of an exchange, if its bucket is logged. Whether a batch is full.
    pub(crate) fn take(&self, exchange: &Finished) -> bool {
        let mut full = false;
        let mut keep = |logging: &Option<Arc<Logging>>, line: Line<'_>| {
            let Some(logging) = logging else { return };
            let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            let target = (usize::from(exchange.record.region), Arc::clone(logging));
            let batch = waiting.entry(target).or_default();
            if batch.text.is_empty() {
                batch.since = exchange.record.received;
            }
            batch.text.push_str(&line.text());
            batch.text.push('\n');
            full |= batch.text.len() >= FULL;
        };
        if exchange.logging.is_some() {
            Line::requests(exchange).for_each(|line| keep(&exchange.logging, line));
        }
        if let Some(source) = exchange.source.as_ref()
            && let Some(line) = Line::source(exchange)
        {
            keep(&source.logging, line);
        }
        full
    }

    /// Forgets what waits.
    pub(crate) fn reset(&self) {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).clear();
        self.made.store(0, Ordering::Relaxed);
    }

    fn due(&self, due: Due, now: Nanos) -> Vec<((usize, Arc<Logging>), Batch)> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.is_empty() {
            return Vec::new();
        }
        let is_due = |batch: &Batch| {
            due == Due::All || batch.text.len() >= FULL || now.saturating_sub(batch.since) >= AGE
        };
        waiting.extract_if(.., |_, batch| is_due(batch)).collect()
    }

    /// `<prefix>YYYY-mm-DD-HH-MM-SS-<unique>`
    fn key(&self, prefix: &str, wall: i64) -> String {
        let unique = hash::combine(&[self.seed, 0x106, self.made.fetch_add(1, Ordering::Relaxed)]);
        format!("{prefix}{}-{unique:016X}", dashed_date(wall))
    }
}

impl Shared {
    /// Writes log objects. A target that is gone meanwhile, or has no room, loses its records, as at S3.
    pub(crate) fn deliver_access_logs(&self, due: Due) {
        for ((region, target), batch) in self.deliveries.due(due, self.clock.now()) {
            let Some(placement) = self.store.find(region, &target.bucket) else { continue };
            let key = self.deliveries.key(&target.prefix, self.wall());
            // Nobody to tell.
            let _ = self.deposit(&placement, &key, batch.text.into(), "text/plain");
        }
    }
}
