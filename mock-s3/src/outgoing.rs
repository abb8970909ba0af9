//! Response bodies: slices of the pool or of an upload, without copying, counted for the journal.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::io::IoSlice;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Buf, Bytes};
use hyper::body::{Body, Frame, SizeHint};

use crate::journal::Entry;
use crate::ops::Content;
use crate::slow::Slow;
use crate::store::Chunks;

/// Handed to the connection at once; small enough that the journal's byte count stays close to the socket's.
const CHUNK: u64 = 64 * 1024;
/// The same in the middle of a long body, where that much is a small part of it: one call of the system.
const RUN: u64 = 2 * 1024 * 1024;
/// A long body has sent and has left at least this many bytes.
const LONG: u64 = 512 * 1024;
/// One piece of a run, at most: the pool is contiguous that far.
const PIECE: u64 = gatecrash_model::content::WINDOW as u64;

/// The body of one answer, and the journal entry that ends with it.
pub(crate) struct Outgoing {
    chunks: Option<Chunks>,
    /// The whole pool, shared by reference count.
    pool: Bytes,
    entry: Entry,
    /// What makes it come later than at once.
    slow: Option<Box<Slow>>,
}

/// Bytes that are handed over together.
pub(crate) struct Run {
    first: Bytes,
    more: VecDeque<Bytes>,
    left: usize,
}

impl Outgoing {
    pub(crate) fn new(content: Content, pool: Bytes, entry: Entry) -> Self {
        let chunks = match content {
            Content::None => None,
            Content::Data(data) => Some(data.chunks()),
        };
        Self { chunks, pool, entry, slow: None }
    }

    /// The same, later than at once.
    pub(crate) fn slowed(self, slow: Slow) -> Self {
        Self { slow: Some(Box::new(slow)), ..self }
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

    fn next(&mut self) -> Option<Run> {
        let sent = u64::from(self.entry.record.sent_bytes);
        let chunks = self.chunks.as_mut()?;
        let long = sent >= LONG && chunks.left() >= LONG;
        let mut run = Run::new(chunks.next(if long { PIECE } else { CHUNK }, &self.pool)?);
        if long {
            let until = RUN.min(chunks.left());
            while (run.left as u64) < until
                && let Some(chunk) = chunks.next(PIECE, &self.pool)
            {
                run.push(chunk);
            }
        }
        self.entry.sent(run.left as u64);
        if self.left() == 0 {
            self.entry.delivered();
        }
        Some(run)
    }
}

impl Body for Outgoing {
    type Data = Run;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Run>, Infallible>>> {
        let this = self.get_mut();
        if let Some(slow) = &mut this.slow {
            match slow.poll(context) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Some(bytes)) => {
                    this.entry.sent(bytes.len() as u64);
                    return Poll::Ready(Some(Ok(Frame::data(Run::new(bytes)))));
                }
                Poll::Ready(None) => {}
            }
        }
        let run = this.next();
        if let (Some(slow), Some(run)) = (&mut this.slow, &run) {
            slow.sent(run.left as u64);
        }
        Poll::Ready(run.map(|run| Ok(Frame::data(run))))
    }

    fn is_end_stream(&self) -> bool {
        self.left() == 0
    }

    fn size_hint(&self) -> SizeHint {
        match &self.slow {
            Some(slow) if slow.adds() => SizeHint::default(),
            _ => SizeHint::with_exact(self.left()),
        }
    }
}

// === impl Run ===

impl Run {
    fn new(first: Bytes) -> Self {
        Self { left: first.len(), first, more: VecDeque::new() }
    }

    fn push(&mut self, chunk: Bytes) {
        self.left += chunk.len();
        self.more.push_back(chunk);
    }
}

impl Buf for Run {
    fn remaining(&self) -> usize {
        self.left
    }

    fn chunk(&self) -> &[u8] {
        &self.first
    }

    fn chunks_vectored<'a>(&'a self, slices: &mut [IoSlice<'a>]) -> usize {
        let pieces = std::iter::once(&self.first).chain(&self.more).filter(|piece| !piece.is_empty());
        let mut filled = 0;
        for (slice, piece) in slices.iter_mut().zip(pieces) {
            *slice = IoSlice::new(piece);
            filled += 1;
        }
        filled
    }

    fn advance(&mut self, mut count: usize) {
        self.left -= count;
        while count >= self.first.len() {
            count -= self.first.len();
            match self.more.pop_front() {
                Some(next) => self.first = next,
                None => {
                    self.first.clear();
                    return;
                }
            }
        }
        self.first.advance(count);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_reads_the_same_in_every_step() {
        let pieces = [&b"hello "[..], b"wide", b" ", b"world"];
        for step in 1..=16 {
            let mut run = Run::new(Bytes::from_static(pieces[0]));
            pieces[1..].iter().for_each(|piece| run.push(Bytes::from_static(piece)));
            let mut read = Vec::new();
            while run.has_remaining() {
                let mut slices = [IoSlice::new(&[]); 8];
                let filled = run.chunks_vectored(&mut slices);
                let seen: Vec<u8> = slices[..filled].iter().flat_map(|slice| slice.to_vec()).collect();
                assert_eq!(seen.len(), run.remaining());
                let step = step.min(run.remaining());
                read.extend_from_slice(&seen[..step]);
                run.advance(step);
            }
            assert_eq!(read, b"hello wide world", "{step}");
        }
    }
}
