//! Which region serves a request that any region may serve: the traffic dials of a Multi-Region Access Point.

use gatecrash_model::draw::{DrawKey, draw, unit};
use gatecrash_model::{AttemptContext, RequestId, hash};

/// Weights by region.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Dials(Vec<f64>);

impl Dials {
    pub(crate) fn new(weights: Vec<f64>) -> Self {
        Self(weights)
    }

    /// The region that serves an attempt: the same in every run of a seed.
    pub(crate) fn region(&self, seed: u64, attempt: AttemptContext, request_id: &str) -> usize {
        let key = identity(attempt, request_id);
        let total: f64 = self.0.iter().sum();
        let mut left = unit(draw(seed, hash::bytes(b"traffic dials"), key)) * total;
        for (region, weight) in self.0.iter().enumerate().filter(|(_, weight)| **weight > 0.0) {
            if left < *weight {
                return region;
            }
            left -= weight;
        }
        self.0.iter().rposition(|weight| *weight > 0.0).unwrap_or(0)
    }
}

/// What a draw for one request is keyed by; strangers draw by their request id.
pub(crate) fn identity(attempt: AttemptContext, request_id: &str) -> DrawKey {
    match attempt.request {
        RequestId::NONE => DrawKey::Key(hash::bytes(request_id.as_bytes())),
        request => DrawKey::Attempt { request, attempt: attempt.number },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_hold_and_a_region_at_zero_serves_nothing() {
        let dials = Dials::new(vec![0.0, 3.0, 1.0]);
        let mut served = [0; 3];
        (0..40_000).for_each(|n| served[dials.region(7, AttemptContext::STRANGER, &format!("{n}"))] += 1);
        assert_eq!(served[0], 0);
        assert!((29_500..=30_500).contains(&served[1]), "{served:?}");
    }
}
