//! The run's clock: CLOCK_MONOTONIC since T0, and a wall clock that is read once.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use gatecrash_model::{Clock, Nanos};

/// Starts before the topology does; T0 is set when everything is ready. Before T0 it reads 0.
#[derive(Debug)]
pub struct RunClock {
    started: Instant,
    /// Since the Unix epoch, at the start.
    wall: Duration,
    zero: AtomicU64,
}

impl RunClock {
    /// A clock whose T0 is not set yet.
    pub fn start() -> Self {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { started: Instant::now(), wall, zero: AtomicU64::new(u64::MAX) }
    }

    /// Makes now T0.
    pub fn set_zero(&self) {
        self.zero.store(self.elapsed(), Ordering::SeqCst);
    }

    /// The instant of a time of this run, for timers; `None` before T0.
    pub fn instant(&self, at: Nanos) -> Option<Instant> {
        let zero = self.zero.load(Ordering::SeqCst);
        (zero != u64::MAX).then(|| self.started + Duration::from_nanos(zero + at))
    }

    fn elapsed(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_nanos()).unwrap_or(u64::MAX - 1)
    }
}

impl Clock for RunClock {
    fn now(&self) -> Nanos {
        self.elapsed().saturating_sub(self.zero.load(Ordering::SeqCst))
    }

    fn wall_seconds(&self) -> i64 {
        (self.wall + self.started.elapsed()).as_secs() as i64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_reads_zero_before_t0() {
        let clock = RunClock::start();
        assert_eq!(clock.now(), 0);
        assert!(clock.instant(5).is_none());
        clock.set_zero();
        assert!(clock.instant(5).is_some_and(|i| i >= clock.started));
    }
}
