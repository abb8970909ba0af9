//! What all links of a run count together: the tries of each request, and the evidence that may still be
//! kept.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};

use gatecrash_model::RequestId;

/// Requests per page: one byte each, so a million requests take one MiB.
const PAGE: u64 = 1024;
/// Pieces of evidence that the links of a run keep, all together.
const EVIDENCE: u32 = 500;

/// Try numbers by request, over all links.
#[derive(Debug, Default)]
pub struct AttemptCounter {
    pages: Mutex<HashMap<u64, Box<[u8; PAGE as usize]>>>,
    evidence: AtomicU32,
}

impl AttemptCounter {
    /// The number of the next try of a request: 1 for the first; stays at 255.
    pub fn next(&self, request: RequestId) -> u8 {
        let place = request.pack();
        let mut pages = self.pages.lock().unwrap_or_else(PoisonError::into_inner);
        let page = pages.entry(place / PAGE).or_insert_with(|| Box::new([0; PAGE as usize]));
        let tries = &mut page[(place % PAGE) as usize];
        *tries = tries.saturating_add(1);
        *tries
    }

    /// Whether one more piece of evidence may be kept.
    pub(crate) fn claim_evidence(&self) -> bool {
        self.evidence
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| (n < EVIDENCE).then_some(n + 1))
            .is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tries_count_per_request() {
        let counter = AttemptCounter::default();
        let id = |workload, k| RequestId { workload, k };
        for k in [0, 1, 1023, 1024, u32::MAX] {
            assert_eq!((counter.next(id(0, k)), counter.next(id(0, k)), counter.next(id(1, k))), (1, 2, 1));
        }
        (0..300).for_each(|_| _ = counter.next(id(0, 5)));
        assert_eq!(counter.next(id(0, 5)), 255);
    }

    #[test]
    fn evidence_is_bounded() {
        let counter = AttemptCounter::default();
        assert_eq!((0..1000).filter(|_| counter.claim_evidence()).count(), EVIDENCE as usize);
    }
}
