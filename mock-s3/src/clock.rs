//! The system's clocks, for those who bring none of their own.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use gatecrash_model::{Clock, Nanos};

/// Real time: T0 is when it was made. Tests that should come out the same every time bring a clock of their own.
#[derive(Debug)]
pub struct SystemClock {
    started: Instant,
    wall: i64,
}

impl Default for SystemClock {
    fn default() -> Self {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs() as i64);
        Self { started: Instant::now(), wall }
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Nanos {
        u64::try_from(self.started.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    fn wall_seconds(&self) -> i64 {
        self.wall + self.started.elapsed().as_secs() as i64
    }
}
