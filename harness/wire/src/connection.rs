//! One connection of the gateway, from accept to close: exchange after exchange on one task.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf, BytesMut};
use gatecrash_core::faults::{Lapse, Stray, Terminal, With};
use gatecrash_core::rules::Point;
use gatecrash_model::{
    AttemptContext, AttemptId, AttemptRecord, Closing, ConnectionRecord, EndedBy, Nanos, Op,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until};

use crate::attempt::{Attempt, End};
use crate::closing;
use crate::delivery::Paced;
use crate::h2::Open;
use crate::head::{self, Read, RequestHead};
use crate::stream::Stream;
use crate::upstream::Upstream;
use crate::wire::{Case, Wire};

/// What a link tells all its connections at once.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Control {
    /// Connections of an older epoch are reset.
    pub(crate) epoch: u64,
    /// No byte moves either way.
    pub(crate) silent: bool,
    /// The run is over.
    pub(crate) stopped: bool,
    /// The fault that did it, for the records.
    pub(crate) fault: Option<u16>,
}

/// A connection of the gateway.
pub(crate) struct Connection {
    pub(crate) wire: Arc<Wire>,
    pub(crate) gateway: Stream,
    /// Read from the gateway and not yet used.
    pub(crate) input: BytesMut,
    /// The raw head of the request under way.
    pub(crate) head: Vec<u8>,
    /// Whether the gateway has sent its FIN.
    pub(crate) half_closed: bool,
    pub(crate) upstream: Option<Upstream>,
    pub(crate) attempt: Option<Attempt>,
    /// How fast the request body may be read.
    pub(crate) reading: Option<Paced>,
    /// How fast the request may be sent on.
    pub(crate) writing: Option<Paced>,
    /// The fault that left stray bytes on it, under which the next exchange suffers.
    pub(crate) poison: Option<u16>,
    /// Whether a fault has sent our FIN and reads on.
    half_closing: bool,
    /// The attempts under way on the streams of HTTP/2.
    pub(crate) streams: Arc<Open>,
    pub(crate) record: ConnectionRecord,
}

/// What is to befall a kept connection and when, and the fault that says so.
pub(crate) type Idle = Option<(Duration, Lapse, u16)>;

/// How a connection came to its end.
enum Over {
    Served(End),
    Reset { fault: Option<u16>, hung: bool },
    Stopped,
}

impl Connection {
    pub(crate) fn new(wire: Arc<Wire>, gateway: Stream, number: u32) -> Self {
        let opened = wire.now();
        let record =
            ConnectionRecord { opened, conn: number, link: wire.config.index, ..ConnectionRecord::default() };
        Self {
            wire,
            gateway,
            input: BytesMut::new(),
            head: Vec::new(),
            half_closed: false,
            upstream: None,
            attempt: None,
            reading: None,
            writing: None,
            poison: None,
            half_closing: false,
            streams: Arc::default(),
            record,
        }
    }

    /// Serves the connection until it is closed, by whomever, and writes its records.
    pub(crate) async fn run(mut self, mut control: watch::Receiver<Control>) {
        let epoch = control.borrow().epoch;
        // The fault that silenced it, which need not be the one that is on when the silence ends.
        let mut silenced: Option<Option<u16>> = None;
        let over = {
            let serve = self.serve();
            tokio::pin!(serve);
            loop {
                tokio::select! {
                    biased;
                    alive = control.changed() => {
                        let now = *control.borrow_and_update();
                        if alive.is_err() || now.stopped {
                            break Over::Stopped;
                        }
                        if now.epoch != epoch {
                            let (hung, fault) = (silenced.is_some(), silenced.unwrap_or(now.fault));
                            break Over::Reset { fault, hung };
                        }
                        silenced = now.silent.then_some(now.fault);
                    }
                    end = &mut serve, if silenced.is_none() => break Over::Served(end),
                }
            }
        };
        let end = self.close(over, &mut control).await;
        self.record.closed = self.wire.now();
        (self.record.ended_by, self.record.closing) = match (end.by, end.with) {
            (EndedBy::Gateway, _) if self.half_closing => (EndedBy::Fault, Closing::HalfClose),
            (by, With::Fin) => (by, Closing::Fin),
            (by, With::Rst) => (by, Closing::Rst),
        };
        self.wire.shared.sink.connection(self.record);
    }

    async fn serve(&mut self) -> End {
        if let Some(end) = self.greet().await {
            return end;
        }
        match self.speaks_http2().await {
            Ok(true) => return self.http2().await,
            Ok(false) => {}
            Err(end) => return end,
        }
        let mut idle = None;
        loop {
            let (head, start) = match self.next_head(idle).await {
                Ok(head) => head,
                Err(end) => return end,
            };
            match self.exchange(head, start).await {
                Ok(next) => idle = next,
                Err(end) => return end,
            }
        }
    }

    /// Asks the rules about the connection itself, before anything is read.
    async fn greet(&mut self) -> Option<End> {
        let id = self.attempt_id(0);
        let context = AttemptContext { attempt: id.pack(), request: Attempt::STRANGER, number: 0 };
        let orders = self.case(context, 0, Op::Unknown).decide(Point::Accept, 0);
        if orders.delay > 0 {
            sleep(Duration::from_nanos(orders.delay)).await;
        }
        let Some((fault, terminal)) = orders.terminal else { return self.secure().await };
        let mut attempt = Attempt::headless(id, self.record.opened);
        attempt.touched(fault);
        self.attempt = Some(attempt);
        self.record.attempts += 1;
        match terminal {
            Terminal::Close(with) => Some(End::fault(with)),
            Terminal::Tls(kind) => {
                let end = self.spoil(kind).await;
                if end.is_none() {
                    // The connection goes on; its first exchange becomes the attempt.
                    self.attempt = None;
                    self.record.attempts = 0;
                }
                end
            }
            _ => Some(self.outlast().await),
        }
    }

    /// Reads until a whole request head is there.
    async fn next_head(&mut self, idle: Idle) -> Result<(RequestHead, Nanos), End> {
        let mut deadline = idle.map(|(after, lapse, fault)| (Instant::now() + after, lapse, fault));
        let mut start = (!self.input.is_empty()).then(|| self.wire.now());
        loop {
            if let Some(start) = start {
                match head::request(&self.input) {
                    Read::Whole(head) => return Ok((head, start)),
                    Read::Bad(why) => return Err(self.turn_away(why).await),
                    Read::Partial => {}
                }
            }
            self.input.reserve(4096);
            let idle = deadline.filter(|_| start.is_none());
            tokio::select! {
                biased;
                read = self.gateway.read_buf(&mut self.input) => match read {
                    Ok(0) => return Err(End::fin(EndedBy::Gateway)),
                    Ok(n) => {
                        self.record.up += n as u64;
                        start.get_or_insert_with(|| self.wire.now());
                    }
                    Err(_) => return Err(End::rst(EndedBy::Gateway)),
                },
                () = gone(self.upstream.as_mut()) => return Err(End::fin(EndedBy::Upstream)),
                (lapse, fault) = until(idle) => match lapse {
                    Lapse::Close(with) => return Err(End::fault(with)),
                    Lapse::Say(stray) => {
                        deadline = None;
                        self.stray(stray, fault).await?;
                    }
                },
            }
        }
    }

    /// Writes what nobody asked for.
    async fn stray(&mut self, stray: Stray, fault: u16) -> Result<(), End> {
        self.poison = Some(fault);
        if self.gateway.write_all(stray.bytes()).await.is_err() {
            return Err(End::rst(EndedBy::Gateway));
        }
        self.record.down += stray.bytes().len() as u64;
        if stray.closes() { Err(End::fault(With::Fin)) } else { Ok(()) }
    }

    /// Answers what is no request, as a server would.
    async fn turn_away(&mut self, why: String) -> End {
        let context = AttemptContext::STRANGER;
        self.wire.keep_evidence(context, &self.input, format!("the gateway's request: {why}"));
        let mut attempt = Attempt::headless(self.attempt_id(self.record.attempts as u16), self.wire.now());
        attempt.flags |= match why == head::AMBIGUOUS {
            true => AttemptRecord::AMBIGUOUS,
            false => AttemptRecord::NO_REQUEST,
        };
        attempt.down.status = 400;
        attempt.down.whole = true;
        self.attempt = Some(attempt);
        self.record.attempts += 1;
        let answer = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
        if self.gateway.write_all(answer).await.is_ok() {
            self.record.down += answer.len() as u64;
        }
        End::fin(EndedBy::Harness)
    }

    /// Stays open and silent until the gateway leaves.
    pub(crate) async fn outlast(&mut self) -> End {
        let by_fin = closing::discard(&mut self.gateway).await;
        End { by: EndedBy::Gateway, with: if by_fin { With::Fin } else { With::Rst }, hung: true }
    }

    /// Ends our direction by FIN, on behalf of a fault, and reads on until the gateway leaves.
    pub(crate) async fn half_close(&mut self) -> End {
        self.finish(Some(End::fault(With::Fin)));
        self.half_closing = true;
        // Fails only where the gateway has left already, which reading tells.
        _ = self.gateway.shutdown().await;
        self.outlast().await
    }

    /// Ends the connection on the wire. The attempt's record comes before the gateway can see the end.
    async fn close(&mut self, over: Over, control: &mut watch::Receiver<Control>) -> End {
        let upstream = self.upstream.take();
        let end = match over {
            Over::Served(end) => end,
            Over::Stopped => End::rst(EndedBy::Harness),
            Over::Reset { fault, hung } => {
                if let (Some(attempt), Some(fault)) = (&mut self.attempt, fault) {
                    attempt.touched(fault);
                }
                fault.into_iter().for_each(|fault| self.streams.touch_all(fault));
                End { hung, ..End::rst(EndedBy::Fault) }
            }
        };
        if let Some(upstream) = upstream
            && !self.wire.config.side.is_upstream()
            && (end.by, end.with) == (EndedBy::Fault, With::Rst)
        {
            // It is the client that leaves: the gateway is to see how.
            closing::rst_now(upstream.stream.tcp());
        }
        match (over_by_us(&end), end.with) {
            (true, _) if !matches!(over, Over::Served(_)) => {
                self.finish(Some(end));
                closing::rst_now(self.gateway.tcp());
            }
            (true, With::Rst) => {
                tokio::select! {
                    () = closing::all_sent(self.gateway.tcp()) => {}
                    () = outlived(control) => {}
                }
                self.finish(Some(end));
                closing::rst_now(self.gateway.tcp());
            }
            (true, With::Fin) => {
                self.finish(Some(end));
                tokio::select! {
                    () = closing::fin(&mut self.gateway) => {}
                    () = outlived(control) => closing::rst_now(self.gateway.tcp()),
                }
            }
            (false, _) => self.finish(Some(end)),
        }
        end
    }

    /// Writes the record of the attempt under way, if there is one.
    pub(crate) fn finish(&mut self, end: Option<End>) {
        if let Some(attempt) = self.attempt.take()
            && self.wire.config.side.is_upstream()
        {
            self.wire.shared.sink.attempt(attempt.record(self.wire.now(), end));
        }
        if end.is_some() {
            self.streams.finish_all(&self.wire, end);
        }
    }

    pub(crate) fn attempt_id(&self, ordinal: u16) -> AttemptId {
        AttemptId { link: self.wire.config.index, conn: self.record.conn, ordinal }
    }

    pub(crate) fn case(&self, context: AttemptContext, ordinal: u16, op: Op) -> Case<'_> {
        let (conn, opened) = (self.record.conn, self.record.opened);
        Case { wire: &self.wire, conn, opened, ordinal, http2: false, context, op, head: &self.head }
    }

    /// Takes a head off the input and keeps its bytes for the exchange.
    pub(crate) fn take_head(&mut self, length: usize) {
        self.head.clear();
        self.head.extend_from_slice(&self.input[..length]);
        self.input.advance(length);
    }
}

/// Whether the closing is ours to do; a gateway that left needs none.
fn over_by_us(end: &End) -> bool {
    end.by != EndedBy::Gateway
}

/// Returns when all connections of this one's time are to be gone.
async fn outlived(control: &mut watch::Receiver<Control>) {
    let epoch = control.borrow_and_update().epoch;
    let here = |now: Control| now.epoch == epoch && !now.stopped;
    while here(*control.borrow_and_update()) && control.changed().await.is_ok() {}
}

/// Returns when an idle connection to the mock ends, or says something nobody asked for.
async fn gone(upstream: Option<&mut Upstream>) {
    match upstream {
        None => std::future::pending().await,
        // Whatever it is, the connection is of no more use.
        Some(upstream) => _ = upstream.stream.read_buf(&mut upstream.input).await,
    }
}

async fn until(deadline: Option<(Instant, Lapse, u16)>) -> (Lapse, u16) {
    match deadline {
        None => std::future::pending().await,
        Some((at, lapse, fault)) => {
            sleep_until(at).await;
            (lapse, fault)
        }
    }
}
