//! Requests that clients make too fast are turned away.

use tokio::time::Instant;

use crate::config;
use crate::config::RetryBudget;
use crate::retry::Budget;

/// A token bucket with a token for each request. It is full at first, and again after a reload.
#[derive(Debug)]
pub(crate) struct Throttle(Budget);

// === impl Throttle ===

impl Throttle {
    /// A full bucket.
    pub(crate) fn new(rules: config::Throttle, now: Instant) -> Self {
        let bucket = RetryBudget {
            ratio: 0.0,
            min_per_second: rules.rate,
            burst: rules.burst,
            ..RetryBudget::default()
        };
        Self(Budget::new(bucket, now))
    }

    /// Whether there is a token for one more request, which takes it.
    pub(crate) fn admits(&self, now: Instant) -> bool {
        self.0.withdraw(now, 1.0)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_burst_is_there_at_once_and_the_rate_from_then_on() {
        let now = Instant::now();
        let throttle = Throttle::new(config::Throttle { rate: 10.0, burst: 20.0 }, now);
        let admitted = |at| (0..100).filter(|_| throttle.admits(at)).count();
        assert_eq!(admitted(now), 20);
        assert_eq!(admitted(now + Duration::from_millis(550)), 5);
        assert_eq!(admitted(now + Duration::from_secs(60)), 20);
    }
}
