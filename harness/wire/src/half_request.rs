//! A request that never becomes whole: its beginning goes on, then its sender leaves, or stays and says no more.

use bytes::{Buf, BytesMut};
use gatecrash_core::faults::{HalfAt, Leaving};
use gatecrash_model::EndedBy;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::attempt::End;
use crate::closing;
use crate::connection::Connection;
use crate::framing::Frame;
use crate::stream::Stream;
use crate::upstream::Upstream;

impl Connection {
    /// Sends on the beginning of the request under way, and leaves.
    pub(crate) async fn half_request(&mut self, at: HalfAt, leaving: Leaving, frame: &Frame) -> End {
        let Ok(mut upstream) = Upstream::open(&self.wire).await else { return End::rst(EndedBy::Upstream) };
        let beginning = match self.beginning(at, frame).await {
            Ok(beginning) => beginning,
            Err(end) => return end,
        };
        if let Some(attempt) = &self.attempt {
            upstream.announce(attempt.context());
        }
        // A gateway that is gone says so where it is read.
        _ = upstream.stream.write_all(&beginning).await;
        if let Some(attempt) = &mut self.attempt {
            attempt.up.forwarded = true;
        }
        match leaving {
            Leaving::Rst => {
                closing::all_sent(upstream.stream.tcp()).await;
                closing::rst_now(upstream.stream.tcp());
            }
            Leaving::Fin => {
                _ = upstream.stream.shutdown().await;
                self.listen(&mut upstream.stream).await;
            }
            Leaving::Stall => self.listen(&mut upstream.stream).await,
        }
        End::fault(leaving.ends())
    }

    /// The bytes that go on: as many as ordered and there are, but for the last.
    async fn beginning(&mut self, at: HalfAt, frame: &Frame) -> Result<BytesMut, End> {
        let mut bytes = BytesMut::from(self.head.as_slice());
        let mut frame = frame.clone();
        let wanted = match at {
            HalfAt::Head(size) => {
                bytes.truncate(usize::try_from(size.0).unwrap_or(usize::MAX).min(self.head.len() - 1));
                return Ok(bytes);
            }
            HalfAt::Body(_) if frame.is_done() => {
                bytes.truncate(self.head.len() - 1);
                return Ok(bytes);
            }
            HalfAt::Body(size) => size.0,
        };
        let mut left = wanted;
        while left > 0 && !frame.is_done() {
            let stretch = frame.walk(&self.input, left).unwrap_or_default();
            bytes.extend_from_slice(&self.input[..stretch.len()]);
            self.input.advance(stretch.len());
            left -= stretch.payload as u64;
            if left == 0 || frame.is_done() {
                break;
            }
            self.input.reserve(4096);
            match self.gateway.read_buf(&mut self.input).await {
                Ok(0) | Err(_) => return Err(End::fin(EndedBy::Gateway)),
                Ok(n) => self.record.up += n as u64,
            }
        }
        if frame.is_done() {
            bytes.truncate(bytes.len() - 1);
        }
        Ok(bytes)
    }

    /// Passes on whatever is answered, until either end leaves.
    async fn listen(&mut self, upstream: &mut Stream) {
        let mut answer = BytesMut::new();
        loop {
            answer.reserve(4096);
            self.input.clear();
            self.input.reserve(4096);
            tokio::select! {
                read = upstream.read_buf(&mut answer) => match read {
                    Ok(0) | Err(_) => return,
                    Ok(_) => {
                        if self.gateway.write_all(&answer).await.is_err() {
                            return;
                        }
                        self.record.down += answer.len() as u64;
                        answer.clear();
                    }
                },
                read = self.gateway.read_buf(&mut self.input) => match read {
                    Ok(0) | Err(_) => return,
                    Ok(n) => self.record.up += n as u64,
                },
            }
        }
    }
}
