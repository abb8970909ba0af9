//! The run's one clock, as a value.

use std::time::Duration;

/// Nanoseconds of the monotonic clock since T0 of the run.
pub type Nanos = u64;

/// Where a host takes the time from. Decisions never call this: they get a [`Nanos`].
pub trait Clock: Send + Sync {
    /// Nanoseconds since T0 of the run (CLOCK_MONOTONIC, so that processes on one host share it).
    fn now(&self) -> Nanos;
    /// Seconds since the Unix epoch: the wall clock read once at T0, advanced by [`Clock::now`].
    fn wall_seconds(&self) -> i64;
}

/// A duration as nanoseconds, saturating at `u64::MAX` (584 years).
pub fn nanos(duration: Duration) -> Nanos {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// The microseconds from `from` to `to`, saturating at both ends (the records hold 32 bits: 71 minutes).
pub fn micros_between(from: Nanos, to: Nanos) -> u32 {
    u32::try_from(to.saturating_sub(from) / 1_000).unwrap_or(u32::MAX)
}
