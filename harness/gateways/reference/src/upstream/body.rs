//! A response body as it arrives. It ends as a whole or with an error, and only a whole one gives its
//! connection back to the pool.

use std::collections::VecDeque;
use std::io;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::io::AsyncReadExt;

use super::chunks::{Chunks, Step};
use super::head::{Framing, Head};
use super::{Connection, Failure, Limits, Stage};
use crate::defects::Active;
use crate::fleet::Peer;

/// Bytes asked of the socket at a time.
const READ_SIZE: usize = 32 * 1024;
/// How long bytes after a message without a body may be late.
const STRAY: Duration = Duration::from_millis(50);

/// Body of an [`Answer`](super::Answer).
#[derive(Debug)]
pub(crate) struct UpstreamBody {
    /// Read ahead of the client.
    held: VecDeque<Bytes>,
    /// `None` once the connection was given back or closed.
    connection: Option<Connection>,
    left: Left,
    keep: bool,
    /// Whether the end of the body decides about the peer's health; the status decided for a 5xx.
    judged: bool,
    peer: Peer,
    limits: Limits,
    active: Active,
}

/// What is still to come.
#[derive(Debug)]
enum Left {
    Length(u64),
    Chunked(Chunks),
    UntilClose,
}

/// Why a body is not whole.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BodyError {
    #[error("upstream closed before the end of the body")]
    Cut,
    #[error("upstream connection failed in the body: {0}")]
    Reset(#[from] io::Error),
    #[error("upstream body stalled")]
    Stalled,
    #[error("invalid upstream body: {0}")]
    Invalid(&'static str),
}

impl From<BodyError> for Failure {
    /// A broken body that nothing was handed on of: worth no more than no answer.
    fn from(error: BodyError) -> Self {
        match error {
            BodyError::Stalled => Self::Timeout(Stage::Body),
            BodyError::Cut => Self::Dropped(io::ErrorKind::UnexpectedEof.into()),
            BodyError::Reset(error) => Self::Dropped(error),
            BodyError::Invalid(what) => Self::Invalid { what, raw: Bytes::new() },
        }
    }
}

// === impl UpstreamBody ===

impl UpstreamBody {
    pub(super) fn new(
        connection: Connection,
        head: &Head,
        peer: Peer,
        limits: Limits,
        active: Active,
    ) -> Self {
        let left = match head.framing {
            Framing::Empty => Left::Length(0),
            Framing::Length(length) => Left::Length(length),
            Framing::Chunked => Left::Chunked(Chunks::Size),
            Framing::UntilClose => Left::UntilClose,
        };
        let judged = !head.status.is_server_error();
        let held = VecDeque::new();
        let mut body =
            Self { held, connection: Some(connection), left, keep: head.keep, judged, peer, limits, active };
        if matches!(body.left, Left::Length(0)) && !active.relays_undue_bodies() {
            body.finish();
        }
        body
    }

    /// What follows the head of a response without a body, for the defect that relays it.
    pub(crate) async fn stray(mut self) -> Bytes {
        let mut stray = Bytes::new();
        if let Some(connection) = &mut self.connection {
            let buffer = &mut connection.buffer;
            if buffer.is_empty() {
                let _ = self.limits.within(Some(STRAY), connection.stream.read_buf(buffer)).await;
            }
            stray = buffer.split().freeze();
        }
        self.keep &= stray.is_empty();
        self.finish();
        stray
    }

    /// The next bytes, `None` at the end of a whole body.
    pub(crate) async fn next(&mut self) -> Result<Option<Bytes>, BodyError> {
        if let Some(bytes) = self.held.pop_front() {
            return Ok(Some(bytes));
        }
        let next = self.read().await;
        if next.is_err() {
            self.broke();
        }
        next
    }

    fn broke(&mut self) {
        if let Some(connection) = self.connection.take()
            && self.active.leaks_connections()
        {
            self.peer.endpoint().leak(connection);
        }
        if self.judged {
            self.peer.failed();
        }
    }

    /// Reads ahead up to `limit` bytes and keeps them for [`next`](Self::next).
    pub(crate) async fn hold(&mut self, limit: usize) -> Result<&VecDeque<Bytes>, BodyError> {
        let mut size = 0;
        while size < limit
            && let Some(bytes) = self.read().await?
        {
            size += bytes.len();
            self.held.push_back(bytes);
        }
        Ok(&self.held)
    }

    /// What was read ahead, kept for [`next`](Self::next).
    pub(crate) fn held(&self) -> &VecDeque<Bytes> {
        &self.held
    }

    /// All of it, unless it is longer than `limit` bytes: then what was read is kept for [`next`](Self::next).
    pub(crate) async fn collect(&mut self, limit: usize) -> Result<Option<Bytes>, BodyError> {
        if let Err(error) = self.hold(limit.saturating_add(1)).await {
            self.broke();
            return Err(error);
        }
        let size: usize = self.held.iter().map(Bytes::len).sum();
        Ok((self.connection.is_none() && size <= limit).then(|| self.arrived()))
    }

    /// What was read ahead.
    pub(crate) fn arrived(&mut self) -> Bytes {
        self.held
            .drain(..)
            .fold(BytesMut::new(), |mut all, bytes| {
                all.extend_from_slice(&bytes);
                all
            })
            .freeze()
    }

    /// Bytes missing to the declared length, where one was declared.
    pub(crate) fn missing(&self) -> u64 {
        if let Left::Length(left) = self.left { left } else { 0 }
    }

    async fn read(&mut self) -> Result<Option<Bytes>, BodyError> {
        loop {
            let Some(connection) = &mut self.connection else { return Ok(None) };
            let buffer = &mut connection.buffer;
            match &mut self.left {
                Left::Length(left) if !buffer.is_empty() => {
                    let take = usize::try_from(*left).unwrap_or(usize::MAX).min(buffer.len());
                    let bytes = buffer.split_to(take).freeze();
                    *left -= take as u64;
                    if *left == 0 {
                        self.finish();
                    }
                    return Ok(Some(bytes));
                }
                Left::UntilClose if !buffer.is_empty() => return Ok(Some(buffer.split().freeze())),
                Left::Chunked(chunks) => match chunks.decode(buffer) {
                    Ok(Step::Data(bytes)) => return Ok(Some(bytes)),
                    Ok(Step::NeedMore) => {}
                    Ok(Step::End) => {
                        self.finish();
                        return Ok(None);
                    }
                    Err(rule) if self.active.panics_on_bad_chunk() => panic!("malformed chunk: {rule}"),
                    Err(rule) => return Err(BodyError::Invalid(rule)),
                },
                Left::Length(_) | Left::UntilClose => {}
            }
            buffer.reserve(READ_SIZE);
            let reading = connection.stream.read_buf(buffer);
            let read = self.limits.within(self.limits.read, reading).await.map_err(|_| BodyError::Stalled)?;
            let count = match read {
                Err(_) if matches!(self.left, Left::UntilClose) && self.active.ends_bodies_on_reset() => 0,
                read => read?,
            };
            if count == 0 && matches!(self.left, Left::UntilClose) {
                self.finish();
                return Ok(None);
            } else if count == 0 {
                return Err(BodyError::Cut);
            }
        }
    }

    /// The body is whole. Surplus bytes, or a peer that wants to close, cost the connection.
    fn finish(&mut self) {
        if let Some(connection) = self.connection.take()
            && self.keep
        {
            let pool = &self.peer.endpoint().pool;
            if self.active.keeps_surplus() {
                pool.put_unseen(connection);
            } else if connection.buffer.is_empty() {
                pool.put(connection.stream);
            }
        }
        if self.judged {
            self.peer.succeeded();
        }
    }
}
