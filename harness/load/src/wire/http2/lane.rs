//! One connection of HTTP/2, and the places on it.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use h2::Ping;
use h2::client::{Builder, SendRequest};
use tokio::sync::Notify;

use super::frames::{Frames, Tap};
use crate::wire::client::Session;
use crate::wire::head::MAX_HEAD;
use crate::wire::stream::Stream;
use crate::workload::TlsTarget;

/// Bytes of one body that may be on their way before they are read. They are read as they come, so this only has to be
/// more than a round trip's worth.
const STREAM_WINDOW: u32 = 1 << 20;
/// The same of all bodies on a connection together.
const CONNECTION_WINDOW: u32 = 16 << 20;
/// Streams that were given up and whose last frames are still told from nonsense.
const GIVEN_UP: usize = 1000;

/// A connection that stands.
pub(super) struct Lane {
    /// Its number among the client connections of the run.
    pub(super) number: u32,
    /// What came on it lately.
    pub(super) frames: Arc<Frames>,
    sender: SendRequest<Bytes>,
    /// Requests begun on it.
    used: AtomicU32,
    under_way: AtomicUsize,
}

/// One stream's place on a connection, from before it is opened until it is over.
pub(super) struct Place {
    lane: Arc<Lane>,
    reused: bool,
    freed: Arc<Notify>,
}

// === impl Lane ===

impl Lane {
    /// Connects. The connection stands when the peer's SETTINGS are here, which say how many streams it allows: the
    /// answer to a PING comes after them. `ended` is told when it is over.
    pub(super) async fn open(
        session: &Session,
        tls: Option<&TlsTarget>,
        ended: Arc<Notify>,
    ) -> io::Result<Self> {
        let stream = Stream::open(&session.setup().target, tls).await?;
        // Only fails on a socket that is closed already, which the handshake then reports.
        let _ = stream.socket().set_nodelay(true);
        if tls.is_some() && stream.protocol() != Some(b"h2") {
            return Err(io::Error::other("TLS handshake: the gateway did not choose h2 (ALPN)"));
        }
        let frames = Arc::new(Frames::default());
        let handshake = Builder::new()
            .enable_push(false)
            .initial_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .max_header_list_size(MAX_HEAD as u32)
            .max_concurrent_reset_streams(GIVEN_UP)
            .max_local_error_reset_streams(None)
            .data_frame_budget(usize::MAX)
            .handshake(Tap::new(stream, Arc::clone(&frames)));
        let (sender, mut connection) = handshake.await.map_err(|e| refused(&e, &frames))?;
        let ping = connection.ping_pong();
        tokio::spawn(async move {
            // How it ended, each of its streams learns for itself.
            let _ = connection.await;
            ended.notify_one();
        });
        if let Some(mut ping) = ping {
            ping.ping(Ping::opaque()).await.map_err(|e| refused(&e, &frames))?;
        }
        let number = session.next_connection();
        Ok(Self { number, frames, sender, used: AtomicU32::new(0), under_way: AtomicUsize::new(0) })
    }

    /// Whether more streams may be opened on it: it has not ended, nor has a GOAWAY come.
    pub(super) fn is_open(&self) -> bool {
        let mut cx = Context::from_waker(Waker::noop());
        matches!(self.sender().poll_ready(&mut cx), Poll::Ready(Ok(())))
    }

    /// Whether the peer allows one more stream now (SETTINGS_MAX_CONCURRENT_STREAMS).
    pub(super) fn has_room(&self) -> bool {
        self.under_way() < self.sender.current_max_send_streams()
    }

    /// Streams on it.
    pub(super) fn under_way(&self) -> usize {
        self.under_way.load(Ordering::Relaxed)
    }

    /// What opens a stream.
    pub(super) fn sender(&self) -> SendRequest<Bytes> {
        self.sender.clone()
    }
}

/// Why the other side is none of HTTP/2. One that knows HTTP/1 alone answers the preface with an error.
fn refused(error: &h2::Error, frames: &Frames) -> io::Error {
    let opening = frames.opening();
    if opening.starts_with(b"HTTP/") {
        let line = opening.split(|b| *b == b'\r').next().unwrap_or_default();
        let line = gatecrash_model::printable(line);
        return io::Error::other(format!("HTTP/2: the gateway answered the preface with `{line}`"));
    }
    let kind = error.get_io().map_or(io::ErrorKind::Other, io::Error::kind);
    io::Error::new(kind, format!("HTTP/2 handshake: {error}"))
}

// === impl Place ===

impl Place {
    /// Takes one.
    pub(super) fn on(lane: Arc<Lane>, freed: Arc<Notify>) -> Self {
        lane.under_way.fetch_add(1, Ordering::Relaxed);
        let reused = lane.used.fetch_add(1, Ordering::Relaxed) > 0;
        Self { lane, reused, freed }
    }

    /// The connection.
    pub(super) fn lane(&self) -> &Lane {
        &self.lane
    }

    /// Whether the connection had carried a request before.
    pub(super) fn is_reused(&self) -> bool {
        self.reused
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.lane.under_way.fetch_sub(1, Ordering::Relaxed);
        self.freed.notify_one();
    }
}
