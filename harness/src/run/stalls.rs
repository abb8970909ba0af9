//! A witness of starvation: a thread that sleeps, and writes down when it was woken too late or when a thread of ours
//! or of the gateway waited for a processor.
//!
//! What is late although nothing was asked of it was late for want of a processor. The gateway, the links and the
//! load generator share the machine with it, so that their times mean little in that moment. Sleeping alone does not
//! show everything: a scheduler favours who sleeps over who works, and may have a core left for the one.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use gatecrash_core::faults::FaultSpec;
use gatecrash_core::plan::Plan;
use gatecrash_model::{Clock, Event, Nanos, Sink};

use super::waits::Waits;
use crate::gateway::Gateway;

/// How long it sleeps.
const NAP: Duration = Duration::from_millis(10);

/// At every how many naps it looks at other threads, unless it was late itself.
const LOOK_EVERY: u32 = 10;

/// At every how many looks it asks who belongs to the gateway.
const ASK_EVERY: u32 = 10;

/// Longer than this is worth a word: several turns of a busy scheduler.
const LATE: Nanos = 20_000_000;

/// The witness; it ends when this is dropped.
pub(super) struct Stalls {
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Stalls {
    /// Watches from now on: ourselves, and a gateway that the plan does not starve itself. Without a thread, which a
    /// starved machine may not give, nobody watches.
    pub(super) fn watch(
        plan: &Plan,
        clock: Arc<dyn Clock>,
        sink: Arc<dyn Sink>,
        gateway: Arc<Gateway>,
    ) -> Self {
        let starves_it = plan.faults.iter().any(|fault| matches!(fault.spec, FaultSpec::Cpu(_)));
        let over = Arc::new(AtomicBool::new(false));
        let line = Arc::clone(&over);
        let watch = move || {
            let mut waits = Waits::default();
            let (mut naps, mut looks) = (0, 0u32);
            while !line.load(Ordering::Relaxed) {
                let began = clock.now();
                std::thread::sleep(NAP);
                let late = stall(began, clock.now());
                naps += 1;
                if late < LATE && naps < LOOK_EVERY {
                    continue;
                }
                if looks.is_multiple_of(ASK_EVERY) {
                    waits.of(&if starves_it { Vec::new() } else { gateway.pids() });
                }
                (naps, looks) = (0, looks.wrapping_add(1));
                let lasted = waits.longest().max(late);
                if lasted >= LATE {
                    sink.event(Event::Stalled { at: clock.now(), lasted });
                }
            }
        };
        Self { over, thread: std::thread::Builder::new().name("stalls".into()).spawn(watch).ok() }
    }
}

impl Drop for Stalls {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // A witness that panicked has nothing more to say.
            _ = thread.join();
        }
    }
}

/// By how much a nap was too long.
fn stall(began: Nanos, ended: Nanos) -> Nanos {
    ended.saturating_sub(began).saturating_sub(NAP.as_nanos() as Nanos)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nap_is_late_by_what_it_lasted_too_long() {
        let ms = 1_000_000;
        assert_eq!(stall(5 * ms, 15 * ms), 0);
        assert_eq!(stall(5 * ms, 35 * ms), 20 * ms);
        assert_eq!(stall(5 * ms, 4 * ms), 0);
    }
}
