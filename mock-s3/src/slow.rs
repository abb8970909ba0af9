//! Answers that do not come at once: white space before a document, and bodies at a limited rate.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use tokio::time::{Instant, Sleep, sleep_until};

use crate::hook::Trickle;
use crate::xml::DECLARATION;

/// What makes an answer late.
pub(crate) struct Slow {
    way: Way,
    timer: Pin<Box<Sleep>>,
}

enum Way {
    /// The XML declaration, a space every so often, then the rest.
    Trickle { begun: bool, every: Duration, until: Instant },
    /// So many nanoseconds for a byte; the time at which the next byte may go.
    Rate { nanos: f64, due: Instant },
}

impl Slow {
    pub(crate) fn trickle(trickle: &Trickle) -> Self {
        let now = Instant::now();
        let every = trickle.every.max(Duration::from_millis(1));
        let until = now + trickle.lasts;
        let way = Way::Trickle { begun: false, every, until };
        Self { way, timer: Box::pin(sleep_until(until.min(now + every))) }
    }

    /// At most so many bytes a second.
    pub(crate) fn rate(bytes: u64) -> Self {
        let now = Instant::now();
        let way = Way::Rate { nanos: 1e9 / bytes.max(1) as f64, due: now };
        Self { way, timer: Box::pin(sleep_until(now)) }
    }

    /// Whether it adds bytes of its own, so that the length is not known.
    pub(crate) fn adds(&self) -> bool {
        matches!(self.way, Way::Trickle { .. })
    }

    /// Bytes to send first; none once the answer's own bytes may go.
    pub(crate) fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<Bytes>> {
        if let Way::Trickle { begun: begun @ false, .. } = &mut self.way {
            *begun = true;
            return Poll::Ready(Some(Bytes::from_static(DECLARATION.as_bytes())));
        }
        if self.timer.as_mut().poll(context).is_pending() {
            return Poll::Pending;
        }
        match self.way {
            Way::Trickle { every, until, .. } if Instant::now() < until => {
                self.timer.as_mut().reset(until.min(Instant::now() + every));
                Poll::Ready(Some(Bytes::from_static(b" ")))
            }
            _ => Poll::Ready(None),
        }
    }

    /// Bytes of the answer were handed over.
    pub(crate) fn sent(&mut self, bytes: u64) {
        if let Way::Rate { nanos, due } = &mut self.way {
            *due = (*due).max(Instant::now()) + Duration::from_nanos((bytes as f64 * *nanos) as u64);
            self.timer.as_mut().reset(*due);
        }
    }
}
