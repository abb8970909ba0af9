//! Between a stream's exchange and the session that owns the socket: what the one asks of the other.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use gatecrash_core::faults::With;
use tokio::sync::{mpsc, oneshot};

use super::frame::Code;
use super::window::Window;
use crate::attempt::End;

/// What an exchange tells its session, and of which stream.
#[derive(Debug)]
pub(crate) struct Word {
    pub(crate) stream: u32,
    pub(crate) what: What,
}

/// What an exchange tells its session.
#[derive(Debug)]
pub(crate) enum What {
    /// Write this.
    Write(Segment),
    /// So many body bytes were used: grant as many again.
    Used(usize),
    /// The request may send its body.
    Admitted,
    /// The request must not be granted a window.
    Starved,
    /// The gateway may close the connection because of what comes, on account of this fault.
    Poisoned(u16),
    /// The exchange is over.
    Over(Verdict),
}

/// Whole frames, or the beginning of one that is never finished; nothing is written in between.
#[derive(Debug, Default)]
pub(crate) struct Segment {
    /// The stream it belongs to, 0 for the session's own.
    pub(crate) stream: u32,
    pub(crate) bytes: Bytes,
    /// Bytes written so far.
    pub(crate) at: usize,
    /// Where the payload that counts as body begins and how long it is.
    pub(crate) body: (usize, usize),
    /// Whether the response is whole with it.
    pub(crate) last: bool,
    /// Whether it is an interim head or a flood, which is no first byte of an answer.
    pub(crate) aside: bool,
    /// Told when it is written.
    pub(crate) done: Option<oneshot::Sender<()>>,
}

/// How an exchange ended.
#[derive(Debug)]
pub(crate) enum Verdict {
    /// Answered, all of it; the connection may be closed when idle.
    Whole(Option<(Duration, With)>),
    /// The stream is to be reset; `None` when the answer is whole all the same.
    Reset(Code, Option<End>),
    /// The connection is to end at once, by this fault unless `None`.
    Cut(End, Option<u16>),
    /// This stream and those after it are refused by GOAWAY, those before it are finished.
    Leaving { fault: u16 },
    /// GOAWAY with an error: every stream is lost.
    Failing { fault: u16 },
}

/// An exchange's way to the socket.
#[derive(Clone, Debug)]
pub(crate) struct Desk {
    pub(crate) stream: u32,
    pub(crate) words: mpsc::UnboundedSender<Word>,
    /// What may be sent on the stream, and on the connection.
    pub(crate) windows: [Arc<Window>; 2],
    /// The gateway's SETTINGS_MAX_FRAME_SIZE.
    pub(crate) max_frame: Arc<AtomicUsize>,
}

impl Segment {
    /// Bytes none of which are body.
    pub(crate) fn of(bytes: Vec<u8>) -> Self {
        Self { bytes: bytes.into(), ..Self::default() }
    }
}

impl Desk {
    /// Tells the session; one that is gone has no use for it.
    pub(crate) fn tell(&self, what: What) {
        _ = self.words.send(Word { stream: self.stream, what });
    }

    /// Writes, and waits until it has left.
    pub(crate) async fn write(&self, segment: Segment) {
        let (done, written) = oneshot::channel();
        self.tell(What::Write(Segment { done: Some(done), ..segment }));
        if written.await.is_err() {
            // The session has dropped it, and is about to end this exchange.
            std::future::pending::<()>().await;
        }
    }

    /// The longest payload of a frame.
    pub(crate) fn max_frame(&self) -> usize {
        self.max_frame.load(Ordering::Relaxed)
    }

    /// Takes up to `most` bytes off both windows.
    pub(crate) async fn allowance(&self, most: usize) -> usize {
        let [stream, connection] = &self.windows;
        let on_stream = stream.take(most.min(self.max_frame())).await;
        let both = connection.take(on_stream).await;
        stream.grow((on_stream - both) as i64);
        both
    }
}
