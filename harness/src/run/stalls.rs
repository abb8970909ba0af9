//! A witness of starvation: a thread that only sleeps, and writes down when it was woken too late.
//!
//! What is late although nothing was asked of it was late for want of a processor. The gateway, the links and the
//! load generator share the machine with it, so that their times mean little in that moment.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use gatecrash_model::{Clock, Event, Nanos, Sink};

/// How long it sleeps.
const NAP: Duration = Duration::from_millis(10);

/// Later than this is worth a word: several turns of a busy scheduler.
const LATE: Nanos = 20_000_000;

/// The witness; it ends when this is dropped.
pub(super) struct Stalls {
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Stalls {
    /// Watches from now on. Without a thread, which a starved machine may not give, nobody watches.
    pub(super) fn watch(clock: Arc<dyn Clock>, sink: Arc<dyn Sink>) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let line = Arc::clone(&over);
        let nap = move || {
            while !line.load(Ordering::Relaxed) {
                let began = clock.now();
                std::thread::sleep(NAP);
                let now = clock.now();
                if let Some(lasted) = stall(began, now) {
                    sink.event(Event::Stalled { at: now, lasted });
                }
            }
        };
        Self { over, thread: std::thread::Builder::new().name("stalls".into()).spawn(nap).ok() }
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

/// By how much a nap was too long, when that is worth a word.
fn stall(began: Nanos, ended: Nanos) -> Option<Nanos> {
    let late = ended.saturating_sub(began).saturating_sub(NAP.as_nanos() as Nanos);
    (late >= LATE).then_some(late)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nap_is_late_from_twenty_milliseconds_on() {
        let ms = 1_000_000;
        assert_eq!(stall(5 * ms, 15 * ms), None);
        assert_eq!(stall(5 * ms, 34 * ms), None);
        assert_eq!(stall(5 * ms, 35 * ms), Some(20 * ms));
        assert_eq!(stall(5 * ms, 4 * ms), None);
    }
}
