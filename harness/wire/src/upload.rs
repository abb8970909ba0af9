//! The request's way: from the gateway to the mock, as it comes.

use bytes::{Buf, BufMut, BytesMut};
use gatecrash_core::faults::With;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::attempt::Up;
use crate::delivery::Paced;
use crate::framing::Frame;
use crate::stream::{ReadHalf, WriteHalf};
use crate::wire::Wire;

/// Bytes asked of the gateway at once.
const READ: usize = 64 * 1024;
/// Bytes taken ahead of what the mock or the next exchange can use.
pub(crate) const AHEAD: usize = 64 * 1024;

/// One request being relayed. All that lasts is borrowed: the future may be dropped at any point and made
/// anew.
pub(crate) struct Upload<'a> {
    pub(crate) wire: &'a Wire,
    pub(crate) gateway: ReadHalf<'a>,
    pub(crate) upstream: WriteHalf<'a>,
    /// Read from the gateway.
    pub(crate) input: &'a mut BytesMut,
    /// To be written to the mock; the head to begin with.
    pub(crate) pending: &'a mut BytesMut,
    pub(crate) deaf: &'a mut bool,
    /// Whether the gateway has sent its FIN.
    pub(crate) half_closed: &'a mut bool,
    pub(crate) frame: &'a mut Frame,
    /// How fast the body may be read.
    pub(crate) reading: &'a mut Option<Paced>,
    /// How fast the request may be sent on.
    pub(crate) writing: &'a mut Option<Paced>,
    pub(crate) up: &'a mut Up,
    /// Bytes from the gateway on the whole connection.
    pub(crate) received: &'a mut u64,
}

impl Upload<'_> {
    /// Relays the request and then watches the gateway; returns when the gateway leaves before its request is
    /// whole, or resets. A FIN after the last whole request is passed on to the mock, which may still answer.
    pub(crate) async fn watch(mut self) -> With {
        loop {
            if let Some(left) = self.forward().await {
                return left;
            }
            if *self.half_closed && self.input.is_empty() {
                // A mock that is gone says so on its own direction.
                _ = self.upstream.shutdown().await;
            }
            if *self.half_closed || self.input.len() >= AHEAD {
                std::future::pending::<()>().await;
            }
            if let Some(left) = self.read().await {
                return left;
            }
        }
    }

    /// Relays the rest of the request; `Some` when the gateway left before it was whole.
    pub(crate) async fn finish(mut self) -> Option<With> {
        loop {
            if let Some(left) = self.forward().await {
                return Some(left);
            }
            if self.frame.is_done() {
                return None;
            }
            if let Some(left) = self.read().await {
                return Some(left);
            }
        }
    }

    async fn read(&mut self) -> Option<With> {
        let mut paced = self.reading.as_mut().filter(|_| !self.frame.is_done());
        let most = match &mut paced {
            Some(paced) => paced.allowance().await,
            None => READ,
        };
        self.input.reserve(if self.frame.is_done() { 4096 } else { READ.min(most) });
        let read = self.gateway.read_buf(&mut (&mut *self.input).limit(most)).await;
        if let (Some(paced), Ok(bytes)) = (paced, &read) {
            paced.spend(*bytes);
        }
        match read {
            Ok(0) => {
                *self.half_closed = true;
                (!self.frame.is_done()).then_some(With::Fin)
            }
            Ok(n) => {
                *self.received += n as u64;
                None
            }
            Err(_) => Some(With::Rst),
        }
    }

    /// Passes on all that was read of this request; `Some` when the gateway left meanwhile.
    async fn forward(&mut self) -> Option<With> {
        if !self.frame.is_done() && !self.input.is_empty() {
            // Not the chunks HTTP knows: the mock is to say so.
            let stretch = self.frame.walk(self.input, u64::MAX).unwrap_or_else(|_| {
                *self.frame = Frame::Close;
                self.frame.walk(self.input, u64::MAX).unwrap_or_default()
            });
            self.up.bytes += stretch.payload as u64;
            let body = self.input.split_to(stretch.len());
            if self.pending.is_empty() {
                *self.pending = body;
            } else {
                self.pending.extend_from_slice(&body);
            }
        }
        if self.frame.is_done() && self.up.whole.is_none() {
            self.up.whole = Some(self.wire.now());
        }
        while !self.pending.is_empty() && !*self.deaf {
            let most = match self.allowance().await {
                Ok(most) => most.min(self.pending.len()),
                Err(left) => return Some(left),
            };
            match self.upstream.write(&self.pending[..most]).await {
                Ok(n) => {
                    if let Some(paced) = self.writing {
                        paced.spend(n);
                    }
                    self.up.forwarded = true;
                    self.pending.advance(n);
                }
                Err(_) => *self.deaf = true,
            }
        }
        if self.upstream.flush().await.is_err() {
            *self.deaf = true;
        }
        // A mock that reads no more may have answered: the request is read to its end all the same.
        self.pending.clear();
        None
    }

    /// How many bytes may be sent on. While it waits it reads ahead: who leaves is not waited for.
    async fn allowance(&mut self) -> Result<usize, With> {
        let Some(paced) = self.writing else { return Ok(usize::MAX) };
        loop {
            if self.input.len() >= AHEAD {
                return Ok(paced.allowance().await);
            }
            self.input.reserve(4096);
            tokio::select! {
                biased;
                most = paced.allowance() => return Ok(most),
                read = self.gateway.read_buf(self.input) => match read {
                    Ok(0) => return Err(With::Fin),
                    Ok(n) => *self.received += n as u64,
                    Err(_) => return Err(With::Rst),
                },
            }
        }
    }
}
