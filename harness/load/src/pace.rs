//! Waits for the next arrival more precisely than the runtime's timer, which is good to a millisecond.

use std::time::Duration;

/// A timer of one thread's runtime.
#[derive(Debug)]
pub(crate) struct Pacer {
    #[cfg(target_os = "linux")]
    timer: Option<tokio::io::unix::AsyncFd<std::os::fd::OwnedFd>>,
}

impl Pacer {
    /// Must be called on a runtime. Where there is no timerfd, the runtime's timer has to do.
    pub(crate) fn new() -> Self {
        Self {
            #[cfg(target_os = "linux")]
            timer: linux::timer(),
        }
    }

    /// Waits about so long; may return early.
    pub(crate) async fn wait(&self, nanos: u64) {
        #[cfg(target_os = "linux")]
        if let Some(timer) = &self.timer
            && linux::wait(timer, nanos).await.is_some()
        {
            return;
        }
        tokio::time::sleep(Duration::from_nanos(nanos)).await;
    }
}

#[cfg(target_os = "linux")]
mod linux {
    use std::os::fd::OwnedFd;

    use rustix::time::{
        Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
        timerfd_settime,
    };
    use tokio::io::Interest;
    use tokio::io::unix::AsyncFd;

    #[expect(
        deprecated,
        reason = "its successor is unsafe, and an OwnedFd keeps the promise that is missing here"
    )]
    pub(super) fn timer() -> Option<AsyncFd<OwnedFd>> {
        let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
        let timer = timerfd_create(TimerfdClockId::Monotonic, flags).ok()?;
        AsyncFd::with_interest(timer, Interest::READABLE).ok()
    }

    /// The timer is never read: arming it again clears its count, and every expiry is a new edge.
    pub(super) async fn wait(timer: &AsyncFd<OwnedFd>, nanos: u64) -> Option<()> {
        let zero = Timespec { tv_sec: 0, tv_nsec: 0 };
        let nanos = nanos.clamp(1, 3_600_000_000_000);
        let at = Timespec {
            tv_sec: (nanos / 1_000_000_000).try_into().ok()?,
            tv_nsec: (nanos % 1_000_000_000).try_into().ok()?,
        };
        let spec = Itimerspec { it_interval: zero, it_value: at };
        timerfd_settime(timer, TimerfdTimerFlags::empty(), &spec).ok()?;
        timer.readable().await.ok()?.clear_ready();
        Some(())
    }
}
