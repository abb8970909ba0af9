//! Counters that a progress view reads while the load runs.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use gatecrash_model::ClientRecord;

use crate::histogram::{Counts, Histogram};
use crate::plan::RequestPlan;

/// Written by the load's threads, read by anybody.
#[derive(Debug, Default)]
pub struct LiveCounters {
    sent: AtomicU64,
    ok: AtomicU64,
    failed: AtomicU64,
    dropped: AtomicU64,
    in_flight: AtomicUsize,
    response: Histogram,
    lag: Histogram,
}

/// The counters at one instant.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct LiveSnapshot {
    /// Exchanges that ended, however they did.
    pub sent: u64,
    /// Of those, whole and correct answers (a 404 for a key that does not exist is one).
    pub ok: u64,
    /// Of those, all others.
    pub failed: u64,
    /// Arrivals over the in-flight cap.
    pub dropped: u64,
    /// Arrivals under way.
    pub in_flight: usize,
    /// Response times from the intended start, us.
    pub response: Counts,
    /// From due to sent, us.
    pub lag: Counts,
}

impl LiveCounters {
    /// The counters now.
    pub fn snapshot(&self) -> LiveSnapshot {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        LiveSnapshot {
            sent: read(&self.sent),
            ok: read(&self.ok),
            failed: read(&self.failed),
            dropped: read(&self.dropped),
            in_flight: self.in_flight.load(Ordering::Relaxed),
            response: self.response.counts(),
            lag: self.lag.counts(),
        }
    }

    pub(crate) fn in_flight(&self) -> usize {
        self.in_flight.load(Ordering::Relaxed)
    }

    pub(crate) fn begin(&self) {
        self.in_flight.fetch_add(1, Ordering::Relaxed);
    }

    /// An arrival is over, with all its requests.
    pub(crate) fn leave(&self) {
        self.in_flight.fetch_sub(1, Ordering::Relaxed);
    }

    /// The one request of an arrival has ended, and the arrival with it.
    pub fn end(&self, plan: &RequestPlan, record: &ClientRecord) {
        self.leave();
        self.count(plan, record);
    }

    /// An exchange has ended.
    pub(crate) fn count(&self, plan: &RequestPlan, record: &ClientRecord) {
        if plan.is_answered_by(record) { &self.ok } else { &self.failed }.fetch_add(1, Ordering::Relaxed);
        self.sent.fetch_add(1, Ordering::Relaxed);
        self.response.add(record.response_micros());
        self.lag.add(u64::from(record.lag));
    }

    pub(crate) fn drop_one(&self) {
        self.dropped.fetch_add(1, Ordering::Relaxed);
    }
}
