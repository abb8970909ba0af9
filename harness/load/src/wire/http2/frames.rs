//! Watches the frames that come off the wire on their way to the `h2` crate, which does not tell all about them.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Frames remembered of a connection.
const RECENT: usize = 256;
/// Bytes kept of the very beginning.
const OPENING: usize = 64;

/// DATA (RFC 9113 6.1).
const DATA: u8 = 0;
/// GOAWAY (RFC 9113 6.8).
const GOAWAY: u8 = 7;
/// Flag of DATA and HEADERS.
const END_STREAM: u8 = 1;
/// Flag of DATA: its payload begins with a byte that counts padding at its end.
const PADDED: u8 = 8;

/// What came on a connection lately.
#[derive(Debug, Default)]
pub(super) struct Frames(Mutex<Seen>);

#[derive(Debug, Default)]
struct Seen {
    recent: VecDeque<Frame>,
    opening: Vec<u8>,
    /// The last stream that a GOAWAY names.
    last_stream: Option<u32>,
    /// A frame's head (9 bytes), and of a GOAWAY the 4 bytes after it, as far as they are here.
    head: Vec<u8>,
    /// Payload bytes still to come of the frame whose head was read last.
    payload: usize,
}

/// The head of a frame (RFC 9113 4.1).
#[derive(Clone, Copy, Debug)]
struct Frame {
    kind: u8,
    flags: u8,
    stream: u32,
    length: u32,
}

/// The last DATA frame of a stream.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct LastData {
    /// Bytes in it, padding included.
    pub(super) bytes: u64,
    /// Whether it ended the stream.
    pub(super) ends: bool,
}

// === impl Frames ===

impl Frames {
    /// The first bytes of all.
    pub(super) fn opening(&self) -> Vec<u8> {
        self.lock().opening.clone()
    }

    /// The last stream that a GOAWAY names as one it may have acted on.
    pub(super) fn last_stream(&self) -> Option<u32> {
        self.lock().last_stream
    }

    /// The last DATA frame of a stream, if it is not too long ago.
    pub(super) fn last_data(&self, stream: u32) -> Option<LastData> {
        let seen = self.lock();
        let last = seen.recent.iter().rev().find(|frame| frame.kind == DATA && frame.stream == stream)?;
        let padding = u64::from(last.flags & PADDED != 0);
        let bytes = u64::from(last.length).saturating_sub(padding);
        Some(LastData { bytes, ends: last.flags & END_STREAM != 0 })
    }

    /// Takes bytes as they came.
    fn take(&self, mut bytes: &[u8]) {
        let mut seen = self.lock();
        let room = OPENING.saturating_sub(seen.opening.len()).min(bytes.len());
        seen.opening.extend_from_slice(&bytes[..room]);
        while !bytes.is_empty() {
            bytes = seen.step(bytes);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seen {
    /// Reads on in a head or a payload; what is left.
    fn step<'b>(&mut self, bytes: &'b [u8]) -> &'b [u8] {
        if self.payload > 0 && self.head.is_empty() {
            let skipped = self.payload.min(bytes.len());
            self.payload -= skipped;
            return &bytes[skipped..];
        }
        // Of a GOAWAY the stream in its payload is wanted, too.
        let wanted = if self.head.len() >= 9 { 13 } else { 9 };
        let taken = (wanted - self.head.len()).min(bytes.len());
        self.head.extend_from_slice(&bytes[..taken]);
        if self.head.len() >= 9 {
            self.read_head();
        }
        &bytes[taken..]
    }

    fn read_head(&mut self) {
        let number = |bytes: &[u8]| bytes.iter().fold(0_u32, |n, b| n << 8 | u32::from(*b));
        let head = &self.head;
        let length = number(&head[..3]);
        let frame =
            Frame { kind: head[3], flags: head[4], stream: number(&head[5..9]) & 0x7fff_ffff, length };
        if frame.kind == GOAWAY && length >= 4 {
            if head.len() < 13 {
                return;
            }
            self.last_stream = Some(number(&head[9..13]) & 0x7fff_ffff);
        }
        self.payload = (length as usize + 9).saturating_sub(head.len());
        self.head.clear();
        if self.recent.len() == RECENT {
            self.recent.pop_front();
        }
        self.recent.push_back(frame);
    }
}

/// A stream whose incoming frames are watched.
pub(super) struct Tap<S> {
    stream: S,
    frames: Arc<Frames>,
}

// === impl Tap ===

impl<S> Tap<S> {
    pub(super) fn new(stream: S, frames: Arc<Frames>) -> Self {
        Self { stream, frames }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Tap<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buf.filled().len();
        let read = Pin::new(&mut this.stream).poll_read(cx, buf);
        this.frames.take(&buf.filled()[before..]);
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Tap<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write_vectored(cx, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
        let mut bytes = (payload.len() as u32).to_be_bytes()[1..].to_vec();
        bytes.extend_from_slice(&[kind, flags]);
        bytes.extend_from_slice(&stream.to_be_bytes());
        bytes.extend_from_slice(payload);
        bytes
    }

    #[test]
    fn frames_are_read_however_they_are_cut() {
        let mut wire = frame(4, 0, 0, &[]);
        wire.extend(frame(1, 4, 1, &[0; 20]));
        wire.extend(frame(DATA, 0, 1, &[7; 300]));
        wire.extend(frame(DATA, END_STREAM, 3, &[7; 5]));
        wire.extend(frame(DATA, END_STREAM | PADDED, 1, &[0; 12]));
        wire.extend(frame(GOAWAY, 0, 0, &[0, 0, 0, 3, 0, 0, 0, 0, b'b', b'y', b'e']));
        wire.extend(frame(DATA, 0, 5, &[1; 9]));
        for piece in [1, 2, 8, 9, 10, 13, 1000] {
            let frames = Frames::default();
            wire.chunks(piece).for_each(|bytes| frames.take(bytes));
            assert_eq!(frames.last_data(1), Some(LastData { bytes: 11, ends: true }), "pieces of {piece}");
            assert_eq!(frames.last_data(3), Some(LastData { bytes: 5, ends: true }));
            assert_eq!(frames.last_data(5), Some(LastData { bytes: 9, ends: false }));
            assert_eq!((frames.last_data(7), frames.last_stream()), (None, Some(3)));
            assert_eq!(frames.opening(), wire[..OPENING]);
        }
    }
}
