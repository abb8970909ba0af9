//! Writing to the gateway: counted byte by byte, paced where a fault says so.

use std::time::Duration;

use gatecrash_core::faults::{Pace, With};
use tokio::io::AsyncWriteExt;
use tokio::time::{Instant, sleep_until};

use crate::attempt::{Down, End};
use crate::stream::WriteHalf;
use crate::wire::Wire;

/// The gateway's side of a response under way.
pub(crate) struct Delivery<'a> {
    pub(crate) wire: &'a Wire,
    pub(crate) gateway: WriteHalf<'a>,
    pub(crate) down: &'a mut Down,
    /// Bytes to the gateway on the whole connection.
    pub(crate) sent: &'a mut u64,
    /// What is held back, or was written, where it is to be written again.
    pub(crate) copy: Option<Replay>,
}

/// The most that is remembered of an answer to be written again.
const COPY: usize = 1024 * 1024;

/// An answer that is to be written twice.
#[derive(Debug, Default)]
pub(crate) struct Replay {
    bytes: Vec<u8>,
    /// Whether it is longer than is remembered, and has therefore been written once.
    written: bool,
}

/// A pace that is being kept, from one write or read to the next.
pub(crate) struct Paced {
    pace: Pace,
    /// Bytes still free in this step.
    left: u64,
    next: Option<Instant>,
}

impl Paced {
    pub(crate) fn new(pace: Pace) -> Self {
        Self { pace, left: 0, next: None }
    }

    /// Waits until bytes may be moved, and says how many.
    pub(crate) async fn allowance(&mut self) -> usize {
        if self.left == 0 {
            let now = Instant::now();
            let next = self.next.unwrap_or(now);
            sleep_until(next).await;
            // Steps keep their own time, so that late wake-ups do not add up; a gateway that did not read for
            // long gets no burst afterwards.
            let every = Duration::from_nanos(self.pace.every);
            self.next = Some((next + every).max(Instant::now() - every.min(Duration::from_millis(100))));
            self.left = self.pace.bytes.max(1);
        }
        usize::try_from(self.left).unwrap_or(usize::MAX)
    }

    /// Notes that bytes of the allowance were moved.
    pub(crate) fn spend(&mut self, bytes: usize) {
        self.left = self.left.saturating_sub(bytes as u64);
    }
}

impl Delivery<'_> {
    /// Writes an interim head.
    pub(crate) async fn interim(&mut self, bytes: &[u8]) -> Result<(), End> {
        let first = self.down.first;
        let done = self.write(bytes).await;
        self.down.first = first;
        done
    }

    /// Writes head bytes of the final response.
    pub(crate) async fn head(&mut self, bytes: &[u8], pace: Option<Pace>) -> Result<(), End> {
        match pace {
            None => self.write(bytes).await,
            Some(pace) => self.trickle(bytes, &mut Paced::new(pace), 0).await,
        }
    }

    /// Writes a head with the beginning of its body in one go.
    pub(crate) async fn head_and_body(
        &mut self,
        bytes: &[u8],
        head: usize,
        payload: usize,
    ) -> Result<(), End> {
        let before = self.down.wire;
        let done = self.write(bytes).await;
        let body = (self.down.wire - before).saturating_sub(head as u64);
        self.down.bytes += body.min(payload as u64);
        done
    }

    /// Writes body bytes, `payload` of them payload.
    pub(crate) async fn body(
        &mut self,
        bytes: &[u8],
        payload: usize,
        pace: Option<&mut Paced>,
    ) -> Result<(), End> {
        if let Some(paced) = pace {
            return self.trickle(bytes, paced, payload).await;
        }
        let before = self.down.wire;
        let done = self.write(bytes).await;
        self.down.bytes += (self.down.wire - before).min(payload as u64);
        done
    }

    /// Writes what was held back, twice and in one go, so that nobody can come in between; what was too long
    /// to be held back is written again as far as it is remembered. Whether that was all of it.
    pub(crate) async fn twice(&mut self) -> Result<bool, End> {
        let Replay { bytes, written } = self.copy.take().unwrap_or_default();
        if !written {
            // Counted as it was held back.
            self.down.wire -= bytes.len() as u64;
        }
        self.send(&if written { bytes } else { bytes.repeat(2) }).await?;
        Ok(!written)
    }

    async fn trickle(&mut self, mut bytes: &[u8], paced: &mut Paced, payload: usize) -> Result<(), End> {
        let mut payload = payload as u64;
        while !bytes.is_empty() {
            let step = paced.allowance().await.min(bytes.len());
            let before = self.down.wire;
            let done = self.write(&bytes[..step]).await;
            let written = (self.down.wire - before).min(payload);
            self.down.bytes += written;
            payload -= written;
            done?;
            paced.spend(step);
            bytes = &bytes[step..];
        }
        Ok(())
    }

    async fn write(&mut self, bytes: &[u8]) -> Result<(), End> {
        let Some(copy) = &mut self.copy else { return self.send(bytes).await };
        if copy.written {
            return self.send(bytes).await;
        }
        let held = copy.bytes.len();
        let room = COPY - held;
        copy.bytes.extend_from_slice(&bytes[..bytes.len().min(room)]);
        if bytes.len() <= room {
            self.down.wire += bytes.len() as u64;
            return Ok(());
        }
        copy.written = true;
        self.down.wire -= held as u64;
        let all = [&copy.bytes[..], &bytes[room..]].concat();
        self.send(&all).await
    }

    async fn send(&mut self, mut bytes: &[u8]) -> Result<(), End> {
        while !bytes.is_empty() {
            match self.gateway.write(bytes).await {
                Ok(n) => {
                    self.down.first.get_or_insert_with(|| self.wire.now());
                    self.down.wire += n as u64;
                    *self.sent += n as u64;
                    bytes = &bytes[n..];
                }
                Err(_) => return Err(End::gateway(With::Rst, self.down.wire > 0)),
            }
        }
        // Nothing to do without TLS, which may keep a record back.
        self.gateway.flush().await.map_err(|_| End::gateway(With::Rst, self.down.wire > 0))
    }
}
