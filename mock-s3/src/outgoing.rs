//! Response bodies: slices of the pool or of an upload, without copying, counted for the journal.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};

use crate::journal::Entry;
use crate::ops::Content;

/// Handed to the connection at once; small enough that the journal's byte count stays close to the socket's.
const CHUNK: u64 = 64 * 1024;

/// The body of one answer, and the journal entry that ends with it.
pub(crate) struct Outgoing {
    content: Content,
    /// The whole pool, shared by reference count.
    pool: Bytes,
    left: u64,
    entry: Entry,
}

impl Outgoing {
    pub(crate) fn new(content: Content, pool: Bytes, entry: Entry) -> Self {
        let left = content.length().unwrap_or(0);
        Self { content, pool, left, entry }
    }

    /// The answer goes to its connection, which is still there: one without a body is thereby delivered.
    pub(crate) fn hand_over(&mut self) {
        if self.left == 0 {
            self.entry.delivered();
        }
    }

    fn next(&mut self) -> Option<Bytes> {
        let length = self.left.min(CHUNK);
        if length == 0 {
            return None;
        }
        self.left -= length;
        let chunk = match &mut self.content {
            Content::None => return None,
            Content::Memory(bytes) => bytes.split_to(length as usize),
            Content::Pool { content, offset, .. } => {
                let place = content.place(*offset);
                *offset += length;
                self.pool.slice(place..place + length as usize)
            }
        };
        self.entry.sent(length);
        if self.left == 0 {
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
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}
