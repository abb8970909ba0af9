//! One connection to the gateway: moves the bytes of one exchange at a time.

use std::cell::RefCell;
use std::future::Future as _;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use gatecrash_model::{AttemptId, Clock, Ending, Nanos, Pool, RequestId};
use tokio::io::{AsyncRead as _, AsyncWrite as _, ReadBuf};
use tokio::time::{Instant, Sleep};

use super::response::{Closed, Response};
use super::stream::Stream;
use crate::plan::{Payload, RequestPlan};

/// Bytes read at once. The buffer is the thread's, not the connection's.
const READ: usize = 64 * 1024;

thread_local! {
    static BUFFER: RefCell<Box<[u8]>> = RefCell::new(vec![0; READ].into_boxed_slice());
}

/// A connection with the buffers of its exchanges.
#[derive(Debug)]
pub(super) struct Connection {
    stream: Stream,
    pub number: u32,
    /// Exchanges begun on it.
    pub used: u32,
    pub head: Vec<u8>,
    pub response: Response,
    /// Packed ids of the exchange before: whose bytes late ones are.
    pub last: (u64, u64),
    timer: Option<Pin<Box<Sleep>>>,
    request_whole: bool,
}

/// What an exchange needs besides its connection.
#[derive(Clone, Copy)]
pub(super) struct Order<'a> {
    pub plan: &'a RequestPlan,
    pub pool: &'a Pool,
    pub clock: &'a dyn Clock,
    pub deadline: Instant,
    /// How long the body waits for 100 Continue, where it does.
    pub held: Option<Duration>,
}

/// The times and the end of an exchange.
#[derive(Clone, Copy, Debug)]
pub(super) struct Exchanged {
    pub sent: Nanos,
    pub first_byte: Option<Nanos>,
    pub done: Nanos,
    pub ending: Ending,
}

/// What an idle connection has been up to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Idle {
    Clean,
    Closed,
    /// Bytes came that no request asked for; the response keeps them.
    Surplus,
}

/// How far the request has been written.
struct Outgoing<'a> {
    head: &'a [u8],
    payload: &'a Payload,
    sent: u64,
    /// Until when the body waits, where it does.
    held: Option<Instant>,
    /// Whether what was written is on its way: TLS keeps records until there is room for them.
    flushed: bool,
    /// The other side no longer reads.
    refused: Option<io::ErrorKind>,
}

impl Connection {
    pub(super) fn new(stream: Stream, number: u32) -> Self {
        // Only fails on a socket that is closed already, which the first write then reports.
        let _ = stream.socket().set_nodelay(true);
        Self {
            stream,
            number,
            used: 0,
            head: Vec::with_capacity(512),
            response: Response::default(),
            last: (RequestId::NONE, AttemptId::NONE),
            timer: None,
            request_whole: false,
        }
    }

    /// Sends the head in `self.head` and the plan's payload, and reads one response.
    pub(super) async fn exchange(&mut self, order: Order<'_>) -> Exchanged {
        self.response.reset();
        self.used += 1;
        let head = std::mem::take(&mut self.head);
        let sent = order.clock.now();
        let mut out = Outgoing {
            head: &head,
            payload: &order.plan.payload,
            sent: 0,
            held: order.held.map(|wait| Instant::now() + wait),
            flushed: false,
            refused: None,
        };
        let mut done = Exchanged { sent, first_byte: None, done: sent, ending: Ending::Hang };
        std::future::poll_fn(|cx| {
            out.poll(&mut self.stream, order.pool, cx);
            if let Poll::Ready(ending) = self.poll_response(cx, order, out.refused, &mut done) {
                done.ending = ending;
                return Poll::Ready(());
            }
            // Who has begun to answer wants no body any more, and nobody wants one after the deadline.
            if let Some(until) = out.held.filter(|_| !self.response.is_answering()) {
                if self.response.continued
                    || (until < order.deadline && self.poll_timer(cx, until).is_ready())
                {
                    out.let_go();
                    out.poll(&mut self.stream, order.pool, cx);
                } else if until < order.deadline {
                    return Poll::Pending;
                }
            }
            self.poll_timer(cx, order.deadline)
        })
        .await;
        if done.ending == Ending::Hang {
            done.done = order.clock.now();
        }
        self.request_whole = out.is_whole();
        self.head = head;
        done
    }

    /// Whether another exchange may follow.
    pub(super) fn is_reusable(&self) -> bool {
        self.request_whole && self.response.keeps_alive()
    }

    /// Looks whether anything came since the last exchange, without waiting.
    pub(super) fn look(&mut self) -> Idle {
        let mut cx = Context::from_waker(Waker::noop());
        BUFFER.with_borrow_mut(|buffer| {
            let mut read = ReadBuf::new(buffer);
            match Pin::new(&mut self.stream).poll_read(&mut cx, &mut read) {
                Poll::Pending => Idle::Clean,
                Poll::Ready(Ok(())) if !read.filled().is_empty() => {
                    let shown = read.filled().len().min(4096);
                    self.response.surplus.extend_from_slice(&read.filled()[..shown]);
                    Idle::Surplus
                }
                Poll::Ready(_) => Idle::Closed,
            }
        })
    }

    /// Reads what there is. `refused` is how a write failed.
    fn poll_response(
        &mut self,
        cx: &mut Context<'_>,
        order: Order<'_>,
        refused: Option<io::ErrorKind>,
        done: &mut Exchanged,
    ) -> Poll<Ending> {
        BUFFER.with_borrow_mut(|buffer| {
            loop {
                let mut read = ReadBuf::new(buffer);
                let result = std::task::ready!(Pin::new(&mut self.stream).poll_read(cx, &mut read));
                done.done = order.clock.now();
                let closed = match result {
                    Ok(()) if !read.filled().is_empty() => {
                        done.first_byte.get_or_insert(done.done);
                        match self.response.feed(order.pool, order.plan, read.filled()) {
                            Some(ending) => return Poll::Ready(ending),
                            None => continue,
                        }
                    }
                    // A reset is reported once: by a write, if one was under way.
                    Ok(()) if refused == Some(io::ErrorKind::ConnectionReset) => Closed::Rst,
                    Ok(()) => Closed::Fin,
                    // TLS says so where the end came without a close_notify: anybody on the way can have cut it
                    // (RFC 8446 6.1).
                    Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Closed::Truncated,
                    Err(_) => Closed::Rst,
                };
                return Poll::Ready(self.response.closed(order.plan, closed, self.used > 1));
            }
        })
    }

    /// One timer serves all exchanges of a connection: it is only moved when it fires too early.
    fn poll_timer(&mut self, cx: &mut Context<'_>, deadline: Instant) -> Poll<()> {
        let timer = self.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(deadline)));
        if timer.deadline() > deadline {
            timer.as_mut().reset(deadline);
        }
        while timer.as_mut().poll(cx).is_ready() {
            if timer.deadline() >= deadline {
                return Poll::Ready(());
            }
            timer.as_mut().reset(deadline);
        }
        Poll::Pending
    }
}

impl Outgoing<'_> {
    /// Writes as much as goes. A response may come at any time, so an error here does not end the exchange.
    fn poll(&mut self, stream: &mut Stream, pool: &Pool, cx: &mut Context<'_>) {
        while self.refused.is_none() && self.has_more() {
            let stream = Pin::new(&mut *stream);
            let wrote = match (self.head_left(), self.body_left(pool)) {
                (head, []) => stream.poll_write(cx, head),
                ([], body) => stream.poll_write(cx, body),
                (head, body) => stream.poll_write_vectored(cx, &[IoSlice::new(head), IoSlice::new(body)]),
            };
            match wrote {
                Poll::Pending => return,
                Poll::Ready(Ok(n)) => self.sent += n as u64,
                Poll::Ready(Err(error)) => self.refused = Some(error.kind()),
            }
        }
        if self.refused.is_none() && !self.flushed {
            match Pin::new(stream).poll_flush(cx) {
                Poll::Pending => {}
                Poll::Ready(Ok(())) => self.flushed = true,
                Poll::Ready(Err(error)) => self.refused = Some(error.kind()),
            }
        }
    }

    /// The body waits no longer.
    fn let_go(&mut self) {
        self.held = None;
        self.flushed = false;
    }

    fn has_more(&self) -> bool {
        if self.held.is_some() { !self.head_left().is_empty() } else { !self.is_whole() }
    }

    fn is_whole(&self) -> bool {
        self.sent == self.head.len() as u64 + self.streamed()
    }

    /// Body bytes that are not in the head buffer.
    fn streamed(&self) -> u64 {
        match self.payload {
            Payload::Object { len, .. } => *len,
            Payload::Empty | Payload::Document(_) => 0,
        }
    }

    fn head_left(&self) -> &[u8] {
        self.head.get(self.sent as usize..).unwrap_or_default()
    }

    fn body_left<'p>(&self, pool: &'p Pool) -> &'p [u8] {
        let Payload::Object { content, len } = self.payload else { return &[] };
        if self.held.is_some() {
            return &[];
        }
        let offset = self.sent.saturating_sub(self.head.len() as u64);
        content.chunk(pool, offset, usize::try_from(len - offset).unwrap_or(usize::MAX))
    }
}
