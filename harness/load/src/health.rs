//! The generator's own health, once a second.

use std::sync::Arc;
use std::time::Duration;

use gatecrash_model::{Event, Nanos};

use crate::live::LiveCounters;
use crate::wire::Session;

/// Writes a [`Event::Generator`] each second until it is dropped.
pub(crate) async fn watch(session: Arc<Session>, live: Arc<LiveCounters>) {
    let setup = session.setup();
    let mut ticks = tokio::time::interval(Duration::from_secs(1));
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    ticks.tick().await;
    let (mut then, mut used) = (setup.clock.now(), process_cpu());
    loop {
        ticks.tick().await;
        let (now, cpu) = (setup.clock.now(), process_cpu());
        let share = cpu.saturating_sub(used) as f64 / now.saturating_sub(then).max(1) as f64;
        let in_flight = u32::try_from(live.in_flight()).unwrap_or(u32::MAX);
        setup.sink.event(Event::Generator { at: now, in_flight, cpu: share });
        (then, used) = (now, cpu);
    }
}

/// User and system time of this process so far, ns; 0 where the system does not tell.
pub fn process_cpu() -> Nanos {
    #[cfg(unix)]
    {
        let at = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
        let seconds = u64::try_from(at.tv_sec).unwrap_or(0);
        seconds * 1_000_000_000 + u64::try_from(at.tv_nsec).unwrap_or(0)
    }
    #[cfg(not(unix))]
    0
}
