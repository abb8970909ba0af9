//! Timers of microseconds: one timerfd for all connections of a proxy. The runtime's own timers are of
//! milliseconds and round up, which a latency of 50 ms shows.

use std::collections::BTreeMap;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Waker;
use std::time::{Duration, Instant};

use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create, timerfd_settime,
};
use tokio::io::unix::AsyncFd;

/// Deadlines of many tasks.
pub(super) struct Alarm {
    timer: AsyncFd<OwnedFd>,
    ids: AtomicU64,
    waiting: Mutex<Waiting>,
}

#[derive(Default)]
struct Waiting {
    by_time: BTreeMap<(Instant, u64), Waker>,
    /// What the timer is set to.
    armed: Option<Instant>,
}

/// One task's deadline.
pub(super) struct Bell {
    alarm: Arc<Alarm>,
    id: u64,
    set: Option<Instant>,
}

// === impl Alarm ===

impl Alarm {
    pub(super) fn new() -> io::Result<Self> {
        let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
        let timer = timerfd_create(TimerfdClockId::Monotonic, flags)?;
        #[expect(deprecated, reason = "its successor is unsafe, for types that give away another descriptor")]
        let timer = AsyncFd::new(timer)?;
        Ok(Self { timer, ids: AtomicU64::new(0), waiting: Mutex::default() })
    }

    /// Wakes tasks at their time, for ever.
    pub(super) async fn ring(&self) {
        loop {
            match self.timer.readable().await {
                // The expiry is not read: each is an edge of its own, and setting the timer forgets it.
                Ok(mut ready) => ready.clear_ready(),
                Err(_) => return std::future::pending().await,
            }
            self.wake(Instant::now());
        }
    }

    fn wake(&self, now: Instant) {
        let mut waiting = self.lock();
        waiting.armed = None;
        let later = waiting.by_time.split_off(&(now, u64::MAX));
        let due = std::mem::replace(&mut waiting.by_time, later);
        if let Some(next) = waiting.by_time.keys().next().map(|(at, _)| *at) {
            self.arm(&mut waiting, next, now);
        }
        drop(waiting);
        due.into_values().for_each(Waker::wake);
    }

    fn arm(&self, waiting: &mut Waiting, at: Instant, now: Instant) {
        // Zero would disarm it.
        let span = at.saturating_duration_since(now).max(Duration::from_nanos(1));
        let it_value = Timespec { tv_sec: span.as_secs() as i64, tv_nsec: i64::from(span.subsec_nanos()) };
        let once = Itimerspec { it_interval: Timespec { tv_sec: 0, tv_nsec: 0 }, it_value };
        // The descriptor is ours and the span is valid: nothing is left that could fail.
        _ = timerfd_settime(self.timer.get_ref(), TimerfdTimerFlags::empty(), &once);
        waiting.armed = Some(at);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Bell ===

impl Bell {
    pub(super) fn new(alarm: &Arc<Alarm>) -> Self {
        let id = alarm.ids.fetch_add(1, Ordering::Relaxed);
        Self { alarm: Arc::clone(alarm), id, set: None }
    }

    /// Wakes the task then, and at no other time.
    pub(super) fn set(&mut self, at: Option<Instant>, waker: &Waker) {
        if at == self.set && at.is_none() {
            return;
        }
        let mut waiting = self.alarm.lock();
        if let Some(old) = self.set
            && at != self.set
        {
            waiting.by_time.remove(&(old, self.id));
        }
        self.set = at;
        let Some(at) = at else { return };
        waiting.by_time.entry((at, self.id)).or_insert_with(|| waker.clone()).clone_from(waker);
        if waiting.armed.is_none_or(|armed| at < armed) {
            self.alarm.arm(&mut waiting, at, Instant::now());
        }
    }
}

impl Drop for Bell {
    fn drop(&mut self) {
        if let Some(old) = self.set {
            self.alarm.lock().by_time.remove(&(old, self.id));
        }
    }
}
