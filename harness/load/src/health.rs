//! The generator's own health, once a second.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use gatecrash_model::{Event, Nanos};

use crate::live::LiveCounters;
use crate::wire::Session;

/// The share of one core that each load thread used over its last second.
#[derive(Debug)]
pub(crate) struct Meters {
    shares: Vec<AtomicU64>,
    teller: usize,
}

/// The meter of the thread it runs on; a thread that is gone is busy no more.
struct Meter {
    meters: Arc<Meters>,
    thread: usize,
}

// === impl Meters ===

impl Meters {
    /// For so many threads, of which `teller` writes the events: the one that lives as long as the load.
    pub(crate) fn new(threads: usize, teller: usize) -> Self {
        Self { shares: (0..threads).map(|_| AtomicU64::new(0)).collect(), teller }
    }

    fn set(&self, thread: usize, share: f64) {
        self.shares[thread].store(share.to_bits(), Ordering::Relaxed);
    }

    fn busiest(&self) -> f64 {
        self.shares.iter().map(|share| f64::from_bits(share.load(Ordering::Relaxed))).fold(0.0, f64::max)
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        self.meters.set(self.thread, 0.0);
    }
}

/// Measures the load thread that it runs on each second until it is dropped; the teller also writes a
/// [`Event::Generator`].
pub(crate) async fn measure(
    session: Arc<Session>,
    live: Arc<LiveCounters>,
    meters: Arc<Meters>,
    thread: usize,
) {
    let setup = session.setup();
    let meter = Meter { meters, thread };
    let mut ticks = tokio::time::interval(Duration::from_secs(1));
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    ticks.tick().await;
    let mut then = (setup.clock.now(), thread_cpu(), process_cpu());
    loop {
        ticks.tick().await;
        let now = (setup.clock.now(), thread_cpu(), process_cpu());
        let share = |used: Nanos, before: Nanos| {
            used.saturating_sub(before) as f64 / now.0.saturating_sub(then.0).max(1) as f64
        };
        meter.meters.set(thread, share(now.1, then.1));
        if thread == meter.meters.teller {
            setup.sink.event(Event::Generator {
                at: now.0,
                in_flight: u32::try_from(live.in_flight()).unwrap_or(u32::MAX),
                cpu: share(now.2, then.2),
                busiest: cfg!(unix).then(|| meter.meters.busiest()),
            });
        }
        then = now;
    }
}

/// User and system time of this process so far, ns; 0 where the system does not tell.
pub fn process_cpu() -> Nanos {
    #[cfg(unix)]
    return read(rustix::time::ClockId::ProcessCPUTime);
    #[cfg(not(unix))]
    0
}

/// User and system time of this thread so far, ns; 0 where the system does not tell.
fn thread_cpu() -> Nanos {
    #[cfg(unix)]
    return read(rustix::time::ClockId::ThreadCPUTime);
    #[cfg(not(unix))]
    0
}

#[cfg(unix)]
fn read(clock: rustix::time::ClockId) -> Nanos {
    let at = rustix::time::clock_gettime(clock);
    let seconds = u64::try_from(at.tv_sec).unwrap_or(0);
    seconds * 1_000_000_000 + u64::try_from(at.tv_nsec).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_busiest_thread_counts_until_it_is_gone() {
        let meters = Arc::new(Meters::new(2, 1));
        meters.set(0, 0.3);
        let meter = Meter { meters: Arc::clone(&meters), thread: 1 };
        meters.set(1, 0.9);
        assert_eq!(meters.busiest(), 0.9);
        drop(meter);
        assert_eq!(meters.busiest(), 0.3);
    }
}
