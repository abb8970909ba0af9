//! Connections that send half a head and then no more.
//!
//! A body that stalls is the exchange's affair ([`crate::incoming`]); before there is an exchange there is only
//! the connection. A stream counts what goes over it, and once in a while somebody looks whether a head was
//! begun long ago. That costs a request nothing but two stores.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, MissedTickBehavior, interval_at};

/// A stream whose traffic is seen.
pub(crate) struct Watched<S> {
    stream: S,
    traffic: Arc<Traffic>,
}

/// What went over a connection.
#[derive(Debug, Default)]
pub(crate) struct Traffic {
    /// A request is being worked on: what arrives is its body.
    busy: AtomicBool,
    /// Bytes have arrived that belong to no request yet.
    begun: AtomicBool,
    /// How often something was written.
    writes: AtomicU64,
}

impl<S> Watched<S> {
    pub(crate) fn new(stream: S, traffic: Arc<Traffic>) -> Self {
        Self { stream, traffic }
    }

    pub(crate) fn into_inner(self) -> S {
        self.stream
    }
}

impl Traffic {
    /// A head has arrived whole.
    pub(crate) fn request_began(&self) {
        self.busy.store(true, Ordering::Relaxed);
    }

    /// Its answer is under way: what arrives now is the next head.
    pub(crate) fn request_ended(&self) {
        self.begun.store(false, Ordering::Relaxed);
        self.busy.store(false, Ordering::Relaxed);
    }

    /// Returns when a head has been half there for at least `patience`, and at most twice that.
    pub(crate) async fn stalled(&self, patience: Duration) {
        let patience = patience.max(Duration::from_millis(1));
        let mut ticks = interval_at(Instant::now() + patience, patience);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut before = None;
        loop {
            ticks.tick().await;
            let now = self.half_sent();
            if now.is_some() && now == before {
                return;
            }
            before = now;
        }
    }

    /// While a head is half there: a number that changes when something else goes on.
    fn half_sent(&self) -> Option<u64> {
        let half = self.begun.load(Ordering::Relaxed) && !self.busy.load(Ordering::Relaxed);
        half.then(|| self.writes.load(Ordering::Relaxed))
    }

    fn wrote(&self) {
        self.writes.fetch_add(1, Ordering::Relaxed);
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(cx, buffer);
        if buffer.filled().len() > before {
            self.traffic.begun.store(true, Ordering::Relaxed);
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.traffic.wrote();
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.traffic.wrote();
        Pin::new(&mut self.stream).poll_write_vectored(cx, pieces)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
