//! One exchange: the request is read, judged by the rules, relayed and answered.

use std::time::Duration;

use bytes::Buf;
use gatecrash_core::faults::{Parting, Terminal, With, bare_reply};
use gatecrash_core::rules::{Orders, Point};
use gatecrash_model::{AttemptRecord, EndedBy, Nanos};
use tokio::io::AsyncReadExt;
use tokio::time::{Instant, sleep_until};

use crate::attempt::{Attempt, End};
use crate::closing;
use crate::connection::{Connection, Idle};
use crate::delivery::{Delivery, Paced};
use crate::download::{Answer, Download};
use crate::framing::Frame;
use crate::head::{self, RequestHead};
use crate::upload::{AHEAD, Upload};
use crate::upstream::Upstream;
use crate::wire::Case;

/// What follows an exchange on its connection.
enum After {
    /// What the messages said.
    Said { close: bool },
    /// What a fault ordered.
    Parting(Parting),
}

impl Connection {
    /// Carries out one exchange. `Ok`: the connection is kept, perhaps to be closed when idle.
    pub(crate) async fn exchange(&mut self, request: RequestHead, start: Nanos) -> Result<Idle, End> {
        let (ordinal, to_head) = (self.record.attempts, request.to_head);
        self.take_head(request.length);
        let mut attempt = Attempt::begin(&self.wire, &self.head, self.attempt_id(ordinal as u16), start);
        if request.ambiguous {
            attempt.flags |= AttemptRecord::AMBIGUOUS;
        }
        if let Some(fault) = self.poison.take() {
            attempt.touched(fault);
            attempt.down.illegal = true;
        }
        let (context, op) = (attempt.context(), attempt.op);
        self.record.attempts += 1;
        self.attempt = Some(attempt);
        self.count(&request.frame);

        let orders = self.case(context, ordinal as u16, op).decide(Point::RequestHead, 0);
        if let (Some(first), Some(attempt)) = (orders.fired.first(), &mut self.attempt) {
            attempt.touched(first.fault);
        }
        let baseline = self.wire.baseline.map_or(Duration::ZERO, |law| law.latency(context));
        self.hold(baseline + Duration::from_nanos(orders.delay), &request.frame).await?;
        match orders.terminal {
            None => {}
            Some((_, Terminal::Early(status, Parting::Keep))) => {
                return self.answer_and_read_on(status, request.frame).await;
            }
            Some((_, Terminal::Early(status, then))) => return Err(self.answer_early(status, then).await),
            Some((_, Terminal::Deaf(lasting))) => {
                self.uncount();
                closing::gone_unread(self.gateway.tcp(), Duration::from_nanos(lasting)).await;
                return Err(self.swallow(request.frame).await);
            }
            Some((_, Terminal::Swallow | Terminal::StallBody(_) | Terminal::Rewrite(_))) => {
                self.uncount();
                return Err(self.swallow(request.frame).await);
            }
            Some((_, Terminal::Close(with) | Terminal::CutHead(_, with) | Terminal::CutBody(_, with))) => {
                return Err(End::fault(with));
            }
            Some((_, Terminal::Half(at, leaving))) => {
                self.uncount();
                return Err(self.half_request(at, leaving, &request.frame).await);
            }
            // The others are orders to the mock, or about the answer or the connection after it.
            Some(_) => {}
        }

        self.uncount();
        self.reading = orders.upload_pace.map(Paced::new);
        self.writing = orders.request_pace.map(Paced::new);
        let close = match self.relay(request.frame, to_head, &orders).await? {
            After::Said { close } => close,
            After::Parting(Parting::Close(with)) => return Err(End::fault(with)),
            After::Parting(Parting::HalfClose) => return Err(self.half_close().await),
            After::Parting(Parting::Keep) if ordinal < u32::from(u16::MAX) => {
                // The mock may close its own; the next request gets another.
                self.upstream = None;
                self.finish(None);
                return Ok(None);
            }
            After::Parting(Parting::Keep) => true,
        };
        let last = self.half_closed && self.input.is_empty();
        if close || request.close || last || ordinal >= u32::from(u16::MAX) {
            return Err(End::fin(EndedBy::Nobody));
        }
        let status = self.attempt.as_ref().map_or(0, |attempt| attempt.down.status);
        self.finish(None);
        let kept = self.case(context, ordinal as u16, op).decide(Point::Kept, status);
        Ok(match kept.terminal {
            Some((fault, Terminal::OnIdle(after, lapse))) => {
                Some((Duration::from_nanos(after), lapse, fault))
            }
            _ => None,
        })
    }

    /// Answers at the head of a request, without its body.
    async fn write_early(&mut self, status: u16, close: bool) -> Result<(), End> {
        let Some(attempt) = &mut self.attempt else { return Err(End::fault(With::Rst)) };
        let head = bare_reply(status, close, &head::attempt_line(attempt.id));
        let (_, gateway) = self.gateway.split();
        let sent = &mut self.record.down;
        let mut out = Delivery { wire: &self.wire, gateway, down: &mut attempt.down, sent, copy: None };
        out.head(&head, None).await?;
        attempt.down.status = status;
        attempt.down.promised = Some(0);
        attempt.down.whole = true;
        Ok(())
    }

    /// Answers at the head of a request, and reads the rest of it to keep the connection.
    async fn answer_and_read_on(&mut self, status: u16, mut frame: Frame) -> Result<Idle, End> {
        self.uncount();
        self.write_early(status, false).await?;
        match self.discard(&mut frame).await {
            Some(with) => Err(End::gateway(with, true)),
            None => {
                self.finish(None);
                Ok(None)
            }
        }
    }

    /// Answers at the head of a request, and ends the connection.
    async fn answer_early(&mut self, status: u16, then: Parting) -> End {
        if let Err(end) = self.write_early(status, true).await {
            return end;
        }
        match then {
            Parting::Close(with) => End::fault(with),
            Parting::HalfClose | Parting::Keep => self.half_close().await,
        }
    }

    /// Notes how much of the request is here already.
    fn count(&mut self, frame: &Frame) {
        let mut rest = frame.clone();
        let here = rest.walk(&self.input, u64::MAX).unwrap_or_default();
        let now = self.wire.now();
        if let Some(attempt) = &mut self.attempt {
            attempt.up.bytes = here.payload as u64;
            attempt.up.whole = attempt.up.whole.or(rest.is_done().then_some(now));
        }
    }

    /// Forgets [`Self::count`]: the bytes are about to be counted as they are used.
    fn uncount(&mut self) {
        if let Some(attempt) = &mut self.attempt {
            attempt.up.bytes = 0;
        }
    }

    /// Holds the request, with an eye on the gateway.
    async fn hold(&mut self, delay: Duration, frame: &Frame) -> Result<(), End> {
        if delay.is_zero() {
            return Ok(());
        }
        let until = Instant::now() + delay;
        loop {
            if self.half_closed || self.input.len() >= AHEAD {
                sleep_until(until).await;
                return Ok(());
            }
            self.input.reserve(4096);
            tokio::select! {
                biased;
                () = sleep_until(until) => return Ok(()),
                read = self.gateway.read_buf(&mut self.input) => match read {
                    Ok(0) if self.attempt.as_ref().is_some_and(|a| a.up.whole.is_none()) => {
                        return Err(End::gateway(With::Fin, false));
                    }
                    Ok(0) => self.half_closed = true,
                    Ok(n) => {
                        self.record.up += n as u64;
                        self.count(frame);
                    }
                    Err(_) => return Err(End::gateway(With::Rst, false)),
                },
            }
        }
    }

    /// Reads what is left of the request and all that may follow, and never answers.
    async fn swallow(&mut self, mut frame: Frame) -> End {
        match self.discard(&mut frame).await {
            Some(with) => End::gateway(with, false),
            None => self.outlast().await,
        }
    }

    /// Reads what is left of the request; `Some` when the gateway left before its end.
    async fn discard(&mut self, frame: &mut Frame) -> Option<With> {
        while !frame.is_done() {
            let stretch = frame.walk(&self.input, u64::MAX).unwrap_or_default();
            self.input.advance(stretch.len());
            let now = self.wire.now();
            if let Some(attempt) = &mut self.attempt {
                attempt.up.bytes += stretch.payload as u64;
                attempt.up.whole = attempt.up.whole.or(frame.is_done().then_some(now));
            }
            if frame.is_done() {
                break;
            }
            self.input.reserve(4096);
            match self.gateway.read_buf(&mut self.input).await {
                Ok(0) => return Some(With::Fin),
                Ok(n) => self.record.up += n as u64,
                Err(_) => return Some(With::Rst),
            }
        }
        None
    }

    /// Relays request and response, both as they come.
    async fn relay(&mut self, mut frame: Frame, to_head: bool, orders: &Orders) -> Result<After, End> {
        let Self {
            wire,
            gateway,
            input,
            head,
            half_closed,
            upstream,
            attempt,
            reading,
            writing,
            poison,
            record,
            ..
        } = self;
        let Some(attempt) = attempt else { return Ok(After::Said { close: true }) };
        let (context, id, op) = (attempt.context(), attempt.id, attempt.op);
        let Attempt { up, down, fault, .. } = attempt;
        let upstream = match upstream {
            Some(open) => open,
            None => match Upstream::open(wire).await {
                Ok(open) => upstream.insert(open),
                Err(_) => return Err(End::rst(EndedBy::Upstream)),
            },
        };
        upstream.announce(context);
        upstream.pending.extend_from_slice(head);
        let (conn, ordinal, opened) = (id.conn, id.ordinal, record.opened);
        let case = Case { wire, conn, opened, ordinal, http2: false, context, op, head };

        let Upstream { stream, input: answers, pending, deaf, .. } = upstream;
        let (from_upstream, to_upstream) = stream.split();
        let (from_gateway, to_gateway) = gateway.split();
        let upload = Upload {
            wire,
            gateway: from_gateway,
            upstream: to_upstream,
            input,
            pending,
            deaf,
            half_closed,
            frame: &mut frame,
            reading,
            writing,
            up,
            received: &mut record.up,
        };
        let out = Delivery { wire, gateway: to_gateway, down, sent: &mut record.down, copy: None };
        let no_continue = orders.no_continue;
        let download = Download {
            case,
            upstream: from_upstream,
            input: answers,
            out,
            fault,
            to_head,
            no_continue,
            ended: None,
            poison,
        };
        let answer = tokio::select! {
            biased;
            left = upload.watch() => Err(End { by: EndedBy::Gateway, with: left, hung: false }),
            answer = download.run() => answer,
        };
        self.conclude(answer, frame).await
    }

    /// What follows a response: the rest of its request, silence, or the end.
    async fn conclude(&mut self, answer: Result<Answer, End>, mut frame: Frame) -> Result<After, End> {
        let answered = self.attempt.as_ref().is_some_and(|a| a.down.wire > 0);
        match answer {
            // The mock gave up because the gateway had.
            Err(end) if end.by == EndedBy::Upstream && self.half_closed => {
                Err(End::gateway(With::Fin, answered))
            }
            Err(end) if end.by == EndedBy::Gateway => Err(End::gateway(end.with, answered)),
            Err(end) => Err(end),
            Ok(Answer::Unannounced) => {
                self.gateway.forgo_close_notify();
                Err(End::fault(With::Fin))
            }
            Ok(Answer::Silence) => Err(self.swallow(frame).await),
            Ok(Answer::Whole { close: true }) => Ok(After::Said { close: true }),
            Ok(answer) => {
                if self.half_closed && !matches!(self.gateway.tcp().take_error(), Ok(None)) {
                    // It had not half-closed but left: the answer went nowhere.
                    if let Some(attempt) = &mut self.attempt {
                        attempt.down.whole = false;
                    }
                    return Err(End::gateway(With::Rst, true));
                }
                let close = self.rest_of_request(&mut frame).await?;
                Ok(match answer {
                    Answer::Parting(parting) => After::Parting(parting),
                    _ => After::Said { close },
                })
            }
        }
    }

    /// The answer came before the request was whole: relays the rest, as long as the mock listens.
    async fn rest_of_request(&mut self, frame: &mut Frame) -> Result<bool, End> {
        if frame.is_done() {
            return Ok(false);
        }
        let Self { wire, gateway, input, half_closed, upstream, attempt, reading, writing, record, .. } =
            self;
        let (Some(attempt), Some(upstream)) = (attempt, upstream) else { return Ok(true) };
        let Upstream { stream, input: answers, pending, deaf, .. } = upstream;
        let (mut from_upstream, to_upstream) = stream.split();
        let (from_gateway, _to_gateway) = gateway.split();
        let upload = Upload {
            wire,
            gateway: from_gateway,
            upstream: to_upstream,
            input,
            pending,
            deaf,
            half_closed,
            frame,
            reading,
            writing,
            up: &mut attempt.up,
            received: &mut record.up,
        };
        tokio::select! {
            biased;
            left = upload.finish() => match left {
                None => Ok(false),
                Some(with) => Err(End::gateway(with, true)),
            },
            // The mock will not take the rest.
            _ = from_upstream.read_buf(answers) => Err(End::fin(EndedBy::Upstream)),
        }
    }
}
