//! Both directions of a connection as one future, until the connection is to end.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use gatecrash_core::toxics::{Direction, Ending, Stream};
use gatecrash_model::{Nanos, time};
use tokio::net::TcpStream;

use super::EndedBy;
use super::accepting::Core;
use super::alarm::Bell;
use super::connection::Record;
use super::pump::{Flow, Pump, Turn};
use super::toxicity::Toxics;

/// Moves bytes until both directions have ended, or one ends both.
pub(super) struct Relay<'a> {
    core: &'a Core,
    record: &'a mut Record,
    client: &'a mut TcpStream,
    upstream: &'a mut TcpStream,
    up: Pump,
    down: Pump,
    /// The toxics in force here, and those before, which may still have something to do with the end.
    toxics: Arc<Toxics>,
    before: Arc<Toxics>,
    installed: Option<u64>,
    bell: Option<Bell>,
    waker: Option<Waker>,
}

/// What is left to do on the sockets.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Farewell {
    /// Nothing: both directions ended by FIN.
    Said,
    /// An RST, to the receiver of this direction: the other peer is gone.
    RstTo(Direction),
    /// FIN to both.
    FinBoth,
    /// RST to both.
    RstBoth,
}

impl Farewell {
    pub(super) fn is_rst(self) -> bool {
        matches!(self, Self::RstTo(_) | Self::RstBoth)
    }
}

impl<'a> Relay<'a> {
    pub(super) fn new(
        core: &'a Core,
        record: &'a mut Record,
        (client, upstream): (&'a mut TcpStream, &'a mut TcpStream),
    ) -> Self {
        Self {
            core,
            record,
            client,
            upstream,
            up: Pump::default(),
            down: Pump::default(),
            toxics: Arc::default(),
            before: Arc::default(),
            installed: None,
            bell: None,
            waker: None,
        }
    }

    /// Brings the newest toxics into force and says so.
    fn install(&mut self) -> u64 {
        if self.installed.is_none() {
            self.core.live.acknowledge(&self.record.entry, 0);
        }
        let toxics = self.core.toxicity.current();
        let version = toxics.version();
        let (now, stream) = (time::nanos(self.core.base.elapsed()), self.stream());
        self.up.install(toxics.of(Direction::Upstream), stream, now);
        self.down.install(toxics.of(Direction::Downstream), stream, now);
        self.before = std::mem::replace(&mut self.toxics, toxics);
        self.installed = Some(version);
        self.core.live.acknowledge(&self.record.entry, version);
        version
    }

    fn stream(&self) -> Stream {
        let (seed, proxy) = (self.core.doors.seed, self.core.name_hash);
        Stream { seed, proxy, conn: self.record.entry.conn }
    }

    /// Pumps one direction, and takes note of what became of it.
    fn pump(&mut self, cx: &mut Context<'_>, direction: Direction, installed: u64) -> Result<Next, Farewell> {
        let turn = Turn { toxicity: &self.core.toxicity, installed, base: self.core.base };
        let (pump, sockets, moved, sender) = match direction {
            Direction::Upstream => (
                &mut self.up,
                (&mut *self.client, &mut *self.upstream),
                &self.record.entry.upstream,
                EndedBy::Client,
            ),
            Direction::Downstream => (
                &mut self.down,
                (&mut *self.upstream, &mut *self.client),
                &self.record.entry.downstream,
                EndedBy::Upstream,
            ),
        };
        let was_over = pump.over;
        let flow = pump.poll(cx, sockets, moved, &turn);
        if pump.over && !was_over {
            self.record.ended_first(sender);
        }
        while let Some(id) = pump.next_fired() {
            let name = self.toxics.name(id).or_else(|| self.before.name(id)).unwrap_or_default();
            self.record.fired(name);
        }
        match flow {
            Flow::Waits(until) => Ok(Next::Wait(until)),
            Flow::Changed => Ok(Next::Again),
            Flow::Broken => {
                self.broken(direction);
                Ok(Next::Again)
            }
            Flow::Over(end) => Err(self.over(direction, end)),
        }
    }

    /// The receiver of a direction is dead: it has reset, as the sender of the other.
    fn broken(&mut self, direction: Direction) {
        let now = time::nanos(self.core.base.elapsed());
        let (dead, other, by) = match direction {
            Direction::Upstream => (&mut self.up, &mut self.down, EndedBy::Upstream),
            Direction::Downstream => (&mut self.down, &mut self.up, EndedBy::Client),
        };
        dead.abandon();
        other.sender_died(now);
        self.record.ended_first(by);
    }

    fn over(&mut self, direction: Direction, end: Ending) -> Farewell {
        let (by, farewell) = match end {
            Ending::Fin | Ending::Rst => return Farewell::RstTo(direction),
            Ending::Closed { by } => (by, Farewell::FinBoth),
            Ending::Reset { by } => (by, Farewell::RstBoth),
        };
        let name = self.toxics.name(by).or_else(|| self.before.name(by)).unwrap_or_default();
        self.record.ended_by_toxic(name);
        farewell
    }

    fn set_bell(&mut self, until: Option<Nanos>, waker: &Waker) {
        let at = until.and_then(|at| self.core.base.checked_add(Duration::from_nanos(at)));
        if at.is_some() || self.bell.is_some() {
            self.bell.get_or_insert_with(|| Bell::new(&self.core.alarm)).set(at, waker);
        }
    }
}

/// What a direction waits for.
enum Next {
    Wait(Option<Nanos>),
    Again,
}

impl Future for Relay<'_> {
    type Output = Farewell;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Farewell> {
        let relay = self.get_mut();
        if !relay.waker.as_ref().is_some_and(|waker| waker.will_wake(cx.waker())) {
            relay.record.entry.wakes(cx.waker());
            relay.waker = Some(cx.waker().clone());
        }
        loop {
            let installed = match relay.installed {
                Some(version) if version == relay.core.toxicity.version() => version,
                _ => relay.install(),
            };
            let (up, down) = match (
                relay.pump(cx, Direction::Upstream, installed),
                relay.pump(cx, Direction::Downstream, installed),
            ) {
                (Err(farewell), _) | (_, Err(farewell)) => return Poll::Ready(farewell),
                (Ok(Next::Wait(up)), Ok(Next::Wait(down))) => (up, down),
                _ => continue,
            };
            match (relay.up.died_late(), relay.down.died_late()) {
                (true, _) => return Poll::Ready(Farewell::RstTo(Direction::Upstream)),
                (_, true) => return Poll::Ready(Farewell::RstTo(Direction::Downstream)),
                _ if relay.up.done && relay.down.done => return Poll::Ready(Farewell::Said),
                _ => {}
            }
            relay.set_bell(up.into_iter().chain(down).min(), cx.waker());
            return Poll::Pending;
        }
    }
}
