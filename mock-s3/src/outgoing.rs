//! Response bodies: slices of the pool or of an upload, without copying, counted for the journal.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};

use crate::journal::Entry;
use crate::ops::Content;
use crate::store::Chunks;

/// Handed to the connection at once; small enough that the journal's byte count stays close to the socket's.
const CHUNK: u64 = 64 * 1024;

/// The body of one answer, and the journal entry that ends with it.
pub(crate) struct Outgoing {
    chunks: Option<Chunks>,
    /// The whole pool, shared by reference count.
    pool: Bytes,
    entry: Entry,
}

impl Outgoing {
    pub(crate) fn new(content: Content, pool: Bytes, entry: Entry) -> Self {
        let chunks = match content {
            Content::None => None,
            Content::Data(data) => Some(data.chunks()),
        };
        Self { chunks, pool, entry }
    }

    /// The answer goes to its connection, which is still there: one without a body is thereby delivered.
    pub(crate) fn hand_over(&mut self) {
        self.entry.answered();
        if self.left() == 0 {
            self.entry.delivered();
        }
    }

    fn left(&self) -> u64 {
        self.chunks.as_ref().map_or(0, Chunks::left)
    }

    fn next(&mut self) -> Option<Bytes> {
        let chunk = self.chunks.as_mut()?.next(CHUNK, &self.pool)?;
        self.entry.sent(chunk.len() as u64);
        if self.left() == 0 {
            self.entry.delivered();
        }
        Some(chunk)
    }
}

impl Body for Outgoing {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.get_mut().next().map(|chunk| Ok(Frame::data(chunk))))
    }

    fn is_end_stream(&self) -> bool {
        self.left() == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left())
    }
}
