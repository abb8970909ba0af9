//! The latency an endpoint has anyway: a lognormal law by median and 99th percentile, drawn by identity.

use std::time::Duration;

use gatecrash_core::plan::LatencyPlan;
use gatecrash_model::draw::{DrawKey, Lognormal, draw};
use gatecrash_model::{AttemptContext, RequestId, hash};

/// A latency law with the seed of its draws.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Baseline {
    law: Lognormal,
    seed: u64,
}

impl Baseline {
    pub(crate) fn new(plan: LatencyPlan, seed: u64) -> Self {
        Self { law: Lognormal::of_quantiles(plan.p50.0 as f64, plan.p99.0 as f64), seed }
    }

    /// The latency of an attempt: the same in every run of a seed. Strangers draw by their attempt id.
    pub(crate) fn latency(&self, attempt: AttemptContext) -> Duration {
        let key = if attempt.request == RequestId::NONE {
            DrawKey::Attempt { request: attempt.attempt, attempt: 0 }
        } else {
            DrawKey::Attempt { request: attempt.request, attempt: attempt.number }
        };
        Duration::from_nanos(self.law.at(draw(self.seed, hash::bytes(b"baseline latency"), key)) as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gatecrash_core::units::Span;

    fn drawn(p50: u64, p99: u64) -> Vec<f64> {
        let law = Baseline::new(LatencyPlan { p50: Span::millis(p50), p99: Span::millis(p99) }, 7);
        let at = |k| AttemptContext { attempt: 0, request: RequestId { workload: 0, k }.pack(), number: 1 };
        let mut all: Vec<_> = (0..20_000).map(|k| law.latency(at(k)).as_secs_f64() * 1e3).collect();
        all.sort_by(f64::total_cmp);
        all
    }

    #[test]
    fn the_two_quantiles_hold() {
        let all = drawn(20, 60);
        assert!((all[10_000] - 20.0).abs() < 0.5, "{}", all[10_000]);
        assert!((all[19_800] - 60.0).abs() < 4.0, "{}", all[19_800]);
    }

    #[test]
    fn equal_quantiles_are_a_constant() {
        assert!(drawn(15, 15).iter().all(|ms| (ms - 15.0).abs() < 1e-6));
    }
}
