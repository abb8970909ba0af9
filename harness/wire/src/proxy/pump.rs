//! One direction of a connection: reads from one socket, writes to the other, by way of a chain when toxics
//! were drawn for it.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

use bytes::Bytes;
use gatecrash_core::toxics::{Chain, Ending, Installed, Pull, Stream};
use gatecrash_model::{Nanos, time};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use super::live::Moved;
use super::scratch;
use super::toxicity::Toxicity;

/// How long an end that a toxic made waits for a receiver that does not read.
const PATIENCE: Nanos = 2_000_000_000;

/// One direction.
#[derive(Default)]
pub(super) struct Pump {
    /// Taken from the sender and on its way to the receiver.
    pending: Option<Pending>,
    /// Only while toxics work on the connection, or bytes they held are left.
    chain: Option<Box<Chain>>,
    /// Read when the toxics had just changed: meets the new ones.
    early: Option<Arrival>,
    /// The sender has ended, its end was read.
    pub(super) over: bool,
    /// The receiver was found dead: whatever end comes is an RST.
    dead: bool,
    /// What is done when nothing is pending.
    end: Option<Ending>,
    /// The end was passed on.
    pub(super) done: bool,
    /// When an unread rest is given up.
    give_up: Option<Nanos>,
    /// Toxics that have acted and are not reported yet, and all that have.
    fired: Vec<u64>,
    reported: usize,
}

/// What pumping needs to know besides the sockets.
pub(super) struct Turn<'a> {
    pub(super) toxicity: &'a Toxicity,
    /// The version that is installed.
    pub(super) installed: u64,
    /// When the proxy began.
    pub(super) base: Instant,
}

/// Where pumping stopped.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Flow {
    /// Nothing can be done before this time, or before a socket is ready.
    Waits(Option<Nanos>),
    /// The toxics have changed.
    Changed,
    /// The whole connection is to end this way; everything before was written.
    Over(Ending),
    /// The receiver is gone.
    Broken,
}

enum Pending {
    /// The rest of a read that was larger than the receiver's window.
    Rest { buffer: Box<[u8]>, from: usize, to: usize },
    /// From the chain.
    Bytes(Bytes),
}

enum Arrival {
    Data(Bytes),
    End(Ending),
}

// === impl Pump ===

impl Pump {
    /// Brings a new list of toxics into force.
    pub(super) fn install(&mut self, list: &[Installed], stream: Stream, now: Nanos) {
        if self.end.is_some() {
            return;
        }
        if self.chain.is_some() || !list.is_empty() {
            let mut chain = self.chain.take().unwrap_or_else(|| Box::new(Chain::new(stream)));
            chain.install(list, now);
            // What was read and not sorted in yet must find it while earlier bytes are still pending.
            let needed = !chain.is_idle() || self.pending.is_some() || self.early.is_some();
            self.chain = needed.then_some(chain);
        }
    }

    /// The sender was found dead while it was written to.
    pub(super) fn sender_died(&mut self, now: Nanos) {
        self.dead = true;
        if !self.over {
            self.over = true;
            self.arrived(Arrival::End(Ending::Rst), now);
        }
    }

    /// The receiver was found dead: what is left has no way to go.
    pub(super) fn abandon(&mut self) {
        self.pending = None;
        self.chain = None;
        self.done = true;
        self.over = true;
        self.end = Some(Ending::Rst);
    }

    /// Whether the sender's death could not be passed on, because its FIN was already.
    pub(super) fn died_late(&self) -> bool {
        self.dead && self.done
    }

    /// A toxic that has acted for the first time.
    pub(super) fn next_fired(&mut self) -> Option<u64> {
        let id = self.fired.get(self.reported).copied();
        self.reported += usize::from(id.is_some());
        id
    }

    /// Moves what can be moved.
    pub(super) fn poll(
        &mut self,
        cx: &mut Context<'_>,
        (from, to): (&mut TcpStream, &mut TcpStream),
        moved: &Moved,
        turn: &Turn<'_>,
    ) -> Flow {
        if let Some(arrival) = self.early.take() {
            self.arrived(arrival, turn.now());
        }
        loop {
            if self.done {
                return Flow::Waits(None);
            }
            let blocked = match self.flush(cx, to, moved) {
                Poll::Ready(Ok(())) => false,
                Poll::Ready(Err(_)) => return Flow::Broken,
                Poll::Pending => true,
            };
            if let Some(end) = self.end
                && !blocked
            {
                return self.finish(cx, to, end);
            }
            let wake = match self.chain.is_some() {
                true => match self.pull(blocked, turn.now()) {
                    Pull::Wait(wake) => wake,
                    Pull::Data(data) => {
                        self.pending = Some(Pending::Bytes(data));
                        continue;
                    }
                    Pull::End(end) => {
                        self.chain = None;
                        self.end = Some(end);
                        continue;
                    }
                },
                false => None,
            };
            let wants = self.chain.as_ref().map_or(!blocked && self.end.is_none(), |chain| chain.wants());
            if self.over || !wants {
                return Flow::Waits(wake);
            }
            match self.read(cx, (&mut *from, &mut *to), moved, turn) {
                Poll::Pending => return Flow::Waits(wake),
                Poll::Ready(Err(Died)) => return Flow::Broken,
                Poll::Ready(Ok(())) if self.early.is_some() => return Flow::Changed,
                Poll::Ready(Ok(())) => {}
            }
        }
    }

    /// Writes what is pending; ready when nothing is.
    fn flush(&mut self, cx: &mut Context<'_>, to: &mut TcpStream, moved: &Moved) -> Poll<io::Result<()>> {
        while let Some(pending) = &mut self.pending {
            match Pin::new(&mut *to).poll_write(cx, pending.left()) {
                Poll::Ready(Ok(written)) => {
                    moved.sent(written);
                    if pending.advance(written) {
                        self.forget_pending();
                    }
                }
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => return Poll::Pending,
            }
        }
        Poll::Ready(Ok(()))
    }

    fn forget_pending(&mut self) {
        if let Some(Pending::Rest { buffer, .. }) = self.pending.take() {
            scratch::give_back(buffer);
        }
    }

    /// Passes on the end that is due.
    fn finish(&mut self, cx: &mut Context<'_>, to: &mut TcpStream, end: Ending) -> Flow {
        match end {
            Ending::Fin if self.dead => Flow::Over(Ending::Rst),
            Ending::Fin => {
                // A socket shuts down at once; one that cannot has no peer any more, which a read will tell.
                _ = Pin::new(to).poll_shutdown(cx);
                self.done = true;
                Flow::Waits(None)
            }
            end => Flow::Over(end),
        }
    }

    /// Asks the chain; drops it when it has nothing left to do.
    fn pull(&mut self, blocked: bool, now: Nanos) -> Pull {
        let Some(chain) = &mut self.chain else { return Pull::Wait(None) };
        let pull = chain.pull(now, !blocked);
        for id in chain.fired() {
            if !self.fired.contains(&id) {
                self.fired.push(id);
            }
        }
        let Pull::Wait(wake) = pull else { return pull };
        if chain.is_idle() {
            self.chain = None;
            return Pull::Wait(None);
        }
        let Some(end) = chain.forced_end() else { return Pull::Wait(wake) };
        let give_up = *self.give_up.get_or_insert(now.saturating_add(PATIENCE));
        if now < give_up {
            return Pull::Wait(Some(wake.map_or(give_up, |wake| wake.min(give_up))));
        }
        self.forget_pending();
        Pull::End(end)
    }

    /// One read. Without a chain what came is written at once.
    fn read(
        &mut self,
        cx: &mut Context<'_>,
        (from, to): (&mut TcpStream, &mut TcpStream),
        moved: &Moved,
        turn: &Turn<'_>,
    ) -> Poll<Result<(), Died>> {
        let mut buffer = scratch::borrow();
        let mut space = ReadBuf::new(&mut buffer);
        let read = Pin::new(from).poll_read(cx, &mut space);
        let length = space.filled().len();
        let end = match read {
            Poll::Pending => {
                scratch::give_back(buffer);
                return Poll::Pending;
            }
            Poll::Ready(Ok(())) if length > 0 => None,
            Poll::Ready(Ok(())) if self.dead => Some(Ending::Rst),
            Poll::Ready(Ok(())) => Some(Ending::Fin),
            Poll::Ready(Err(_)) => Some(Ending::Rst),
        };
        moved.received(length);
        let changed = turn.toxicity.version() != turn.installed;
        let arrival = match end {
            Some(end) => {
                self.over = true;
                Arrival::End(end)
            }
            None if changed || self.chain.is_some() => {
                Arrival::Data(Bytes::copy_from_slice(&buffer[..length]))
            }
            None => {
                let written = match Pin::new(to).poll_write(cx, &buffer[..length]) {
                    Poll::Ready(Ok(written)) => written,
                    Poll::Ready(Err(_)) => return Poll::Ready(Err(Died)),
                    Poll::Pending => 0,
                };
                moved.sent(written);
                match written < length {
                    true => self.pending = Some(Pending::Rest { buffer, from: written, to: length }),
                    false => scratch::give_back(buffer),
                }
                return Poll::Ready(Ok(()));
            }
        };
        scratch::give_back(buffer);
        match changed {
            true => self.early = Some(arrival),
            false => self.arrived(arrival, turn.now()),
        }
        Poll::Ready(Ok(()))
    }

    fn arrived(&mut self, arrival: Arrival, now: Nanos) {
        match (arrival, &mut self.chain) {
            (Arrival::Data(data), Some(chain)) => chain.push(data, now),
            (Arrival::End(end), Some(chain)) => chain.end(end, now),
            // Without a chain nothing is read while something is pending.
            (Arrival::Data(data), None) => self.pending = Some(Pending::Bytes(data)),
            (Arrival::End(end), None) => self.end = Some(end),
        }
    }
}

/// The receiver is dead.
struct Died;

// === impl Turn ===

impl Turn<'_> {
    fn now(&self) -> Nanos {
        time::nanos(self.base.elapsed())
    }
}

// === impl Pending ===

impl Pending {
    fn left(&self) -> &[u8] {
        match self {
            Self::Rest { buffer, from, to } => &buffer[*from..*to],
            Self::Bytes(bytes) => bytes,
        }
    }

    /// Whether nothing is left.
    fn advance(&mut self, written: usize) -> bool {
        match self {
            Self::Rest { from, to, .. } => {
                *from += written;
                from == to
            }
            Self::Bytes(bytes) => {
                bytes::Buf::advance(bytes, written);
                bytes.is_empty()
            }
        }
    }
}
