//! Flow control (RFC 9113 5.2 and 6.9): what may be sent, and what was received and waits to be used.

use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::{Bytes, BytesMut};
use tokio::sync::Notify;

/// The largest window.
const MOST: i64 = (1 << 31) - 1;

/// Bytes that may be sent on a stream or a connection.
#[derive(Debug)]
pub(crate) struct Window {
    left: Mutex<i64>,
    grown: Notify,
}

/// Body bytes of a request that its exchange has not used yet. Its size is bounded by the window that was
/// granted.
#[derive(Debug, Default)]
pub(crate) struct Inbox {
    held: Mutex<Held>,
    more: Notify,
}

#[derive(Debug, Default)]
struct Held {
    bytes: BytesMut,
    ended: bool,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

// === impl Window ===

impl Window {
    pub(crate) fn new(left: i64) -> Self {
        Self { left: Mutex::new(left), grown: Notify::new() }
    }

    /// Adds to it; a setting may also take away. False when it would be larger than the largest.
    pub(crate) fn grow(&self, by: i64) -> bool {
        let mut left = locked(&self.left);
        *left += by;
        let fits = *left <= MOST;
        drop(left);
        self.grown.notify_waiters();
        fits
    }

    /// Takes up to `most` bytes, as soon as there is one.
    pub(crate) async fn take(&self, most: usize) -> usize {
        loop {
            let grown = self.grown.notified();
            tokio::pin!(grown);
            grown.as_mut().enable();
            {
                let mut left = locked(&self.left);
                if *left > 0 {
                    let taken = usize::try_from(*left).unwrap_or(usize::MAX).min(most);
                    *left -= taken as i64;
                    return taken;
                }
            }
            grown.await;
        }
    }
}

// === impl Inbox ===

impl Inbox {
    /// Adds bytes, and whether they are the last.
    pub(crate) fn put(&self, bytes: &[u8], last: bool) {
        let mut held = locked(&self.held);
        held.bytes.extend_from_slice(bytes);
        held.ended |= last;
        drop(held);
        self.more.notify_one();
    }

    /// All bytes there are, as soon as there is one; `None` at the end. For one reader.
    pub(crate) async fn next(&self) -> Option<Bytes> {
        loop {
            {
                let mut held = locked(&self.held);
                if !held.bytes.is_empty() {
                    return Some(held.bytes.split().freeze());
                }
                if held.ended {
                    return None;
                }
            }
            self.more.notified().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_window_gives_what_it_has_and_then_waits() {
        let window = Window::new(10);
        assert_eq!((window.take(4).await, window.take(99).await), (4, 6));
        let waits = async {
            assert!(window.grow(-5) && window.grow(5));
            tokio::task::yield_now().await;
            assert!(window.grow(3));
        };
        assert_eq!(tokio::join!(window.take(99), waits).0, 3);
        assert!(window.grow(MOST) && !window.grow(1));
    }

    #[tokio::test]
    async fn an_inbox_ends_after_its_last_byte() {
        let inbox = Inbox::default();
        inbox.put(b"ab", false);
        inbox.put(b"c", true);
        assert_eq!(inbox.next().await.as_deref(), Some(&b"abc"[..]));
        assert_eq!((inbox.next().await, inbox.next().await), (None, None));
    }
}
