//! The response's way: from the mock to the gateway, with what the rules order done to it.

use std::time::Duration;

use bytes::{Buf, BytesMut};
use gatecrash_core::faults::{Corruption, Endless, Parting, Terminal, With, bare_reply};
use gatecrash_core::rules::Orders;
use gatecrash_model::{AttemptId, EndedBy, Framing};
use tokio::io::AsyncReadExt;

use crate::attempt::End;
use crate::delivery::{Delivery, Paced, Replay};
use crate::framing::{BadChunk, Frame, Stretch};
use crate::head::{self, Read, ResponseHead};
use crate::stream::ReadHalf;
use crate::wire::Case;

/// Bytes asked of the mock at once.
const READ: usize = 64 * 1024;

/// One response being relayed.
pub(crate) struct Download<'a> {
    pub(crate) case: Case<'a>,
    pub(crate) upstream: ReadHalf<'a>,
    /// Read from the mock.
    pub(crate) input: &'a mut BytesMut,
    pub(crate) out: Delivery<'a>,
    /// 1 + index of the first fault that changed the attempt.
    pub(crate) fault: &'a mut u16,
    /// Whether it answers a HEAD request.
    pub(crate) to_head: bool,
    /// Whether interim 100s are kept from the gateway.
    pub(crate) no_continue: bool,
    /// How the upstream's connection ended, once it has.
    pub(crate) ended: Option<With>,
    /// Where a fault's name goes whose stray bytes may meet the next exchange.
    pub(crate) poison: &'a mut Option<u16>,
}

/// How a response went.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Answer {
    /// Written whole; the connection goes on unless the message says otherwise.
    Whole { close: bool },
    /// Written whole; a fault says what becomes of the connection.
    Parting(Parting),
    /// A fault keeps silent from here on.
    Silence,
    /// A fault has cut the body; the end comes without close_notify.
    Unannounced,
}

impl Download<'_> {
    /// Relays one final response, with the interim ones before it.
    pub(crate) async fn run(mut self) -> Result<Answer, End> {
        match self.answer().await {
            Err(end) if end.by == EndedBy::Upstream && !self.case.wire.config.side.is_upstream() => {
                Err(self.pass_on().await)
            }
            answer => answer,
        }
    }

    /// The gateway's answer is none: clients are to see it all the same, to the end.
    async fn pass_on(&mut self) -> End {
        loop {
            let bytes = self.input.split();
            if let Err(end) = self.out.head(&bytes, None).await {
                return end;
            }
            if let Some(with) = self.ended {
                return End { by: EndedBy::Upstream, with, hung: false };
            }
            // What it says is said by `ended`.
            _ = self.read(&Frame::Close).await;
        }
    }

    async fn answer(&mut self) -> Result<Answer, End> {
        let response = self.final_head().await?;
        let raw = self.input.split_to(response.length);
        let is_upstream = self.case.wire.config.side.is_upstream();
        let id = AttemptId::unpack(self.case.context.attempt).filter(|_| is_upstream);
        let line = id.map(head::attempt_line).unwrap_or_default();
        let head = head::with_line(&raw, &line);
        // Lets go of the buffer, which then need not be allocated anew.
        drop(raw);
        let size = response.states.or((!response.has_body).then_some(0));
        let orders = self.case.decide_answer(response.status, size);
        if let (0, Some(first)) = (*self.fault, orders.fired.first()) {
            *self.fault = first.fault + 1;
        }
        if orders.delay > 0 {
            tokio::time::sleep(Duration::from_nanos(orders.delay)).await;
        }
        self.carry_out(&head, &line, response, &orders).await
    }

    async fn carry_out(
        &mut self,
        head: &[u8],
        line: &str,
        response: ResponseHead,
        orders: &Orders,
    ) -> Result<Answer, End> {
        match orders.terminal.as_ref().map(|(_, terminal)| terminal) {
            Some(Terminal::Close(with)) => Err(End::fault(*with)),
            Some(Terminal::Swallow | Terminal::Deaf(_)) => Ok(Answer::Silence),
            Some(Terminal::CutHead(bytes, with)) => {
                let cut = usize::try_from(*bytes).unwrap_or(usize::MAX).min(head.len() - 1);
                let done = self.out.head(&head[..cut], orders.head_pace).await;
                // "HTTP/1.1 200" tells the status.
                if self.out.down.wire >= 12 {
                    self.out.down.status = response.status;
                }
                done.and(Err(End::fault(*with)))
            }
            Some(Terminal::CutBody(bytes, with)) => {
                self.deliver(head, response, orders, *bytes, None).await?;
                Err(End::fault(*with))
            }
            Some(Terminal::CutUnframed(bytes)) => {
                self.deliver(&head::unframed(head), response, orders, *bytes, None).await?;
                // A shorter body has come to its end.
                let with = if self.out.down.whole { With::Fin } else { With::Rst };
                Err(End::fault(with))
            }
            Some(Terminal::EndlessHead(what)) => Err(self.endless(*what).await),
            Some(Terminal::StallBody(bytes)) => {
                let close = response.close;
                self.deliver(head, response, orders, *bytes, None).await?;
                // A shorter body leaves nothing to hold back.
                Ok(if self.out.down.whole { Answer::Whole { close } } else { Answer::Silence })
            }
            Some(Terminal::Rewrite(fault)) => self.rewrite(*fault, head, line, response, orders).await,
            Some(Terminal::Tls(_)) => self.cut_unannounced(head, response, orders).await,
            Some(Terminal::Answer(status)) => self.replace(*status, line, response, orders).await,
            Some(Terminal::Twice) => self.twice(head, response, orders).await,
            Some(Terminal::Corrupt(corruption)) => {
                let close = response.close;
                self.deliver(head, response, orders, u64::MAX, Some(*corruption)).await?;
                Ok(Answer::Whole { close })
            }
            Some(Terminal::Part { announce, then }) => {
                let by_close = response.frame == Frame::Close;
                let closing = announce.then(|| head::closing(head));
                self.deliver(closing.as_deref().unwrap_or(head), response, orders, u64::MAX, None).await?;
                let parting = match then {
                    // Nothing else tells where such a body ends.
                    Parting::Keep if by_close => Parting::Close(With::Fin),
                    then => *then,
                };
                Ok(Answer::Parting(parting))
            }
            // The others are orders to the mock, about the request, or about a connection between exchanges.
            Some(
                Terminal::OnIdle(..)
                | Terminal::Early(..)
                | Terminal::Http2(_)
                | Terminal::Half(..)
                | Terminal::S3(_),
            )
            | None => {
                let close = response.close;
                self.deliver(head, response, orders, u64::MAX, None).await?;
                Ok(Answer::Whole { close })
            }
        }
    }

    /// Writes a status in place of the answer, which is read and thrown away.
    async fn replace(
        &mut self,
        status: u16,
        line: &str,
        response: ResponseHead,
        orders: &Orders,
    ) -> Result<Answer, End> {
        self.out.down.status = status;
        self.out.down.promised = response.has_body.then_some(0);
        self.out.head(&bare_reply(status, response.close, line), orders.head_pace).await?;
        self.out.down.whole = true;
        let mut frame = response.frame;
        while self.payload(&mut frame).await?.is_some() {}
        Ok(Answer::Whole { close: response.close })
    }

    /// Begins a head and never ends it; returns when the gateway has left.
    async fn endless(&mut self, what: Endless) -> End {
        self.out.down.illegal = true;
        let some = what.part().repeat(Endless::PARTS);
        let mut bytes = [what.beginning(), &some[..]].concat();
        loop {
            if let Err(end) = self.out.interim(&bytes).await {
                return end;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
            bytes.clone_from(&some);
        }
    }

    /// Writes the answer and the same bytes again, all at once as far as they can be held back.
    async fn twice(&mut self, head: &[u8], response: ResponseHead, orders: &Orders) -> Result<Answer, End> {
        let close = response.close;
        self.out.down.illegal = true;
        self.out.copy = Some(Replay::default());
        self.deliver(head, response, orders, u64::MAX, None).await?;
        *self.poison = orders.terminal.as_ref().map(|(fault, _)| *fault);
        let whole = self.out.twice().await?;
        if whole { Ok(Answer::Whole { close }) } else { Err(End::fault(With::Fin)) }
    }

    /// Writes the response as it is, up to `limit` body bytes, some of them spoilt.
    async fn deliver(
        &mut self,
        head: &[u8],
        response: ResponseHead,
        orders: &Orders,
        limit: u64,
        corruption: Option<Corruption>,
    ) -> Result<(), End> {
        let mut frame = response.frame;
        let mut left = limit;
        let down = &mut *self.out.down;
        down.status = response.status;
        if response.has_body {
            let unframed = matches!(orders.terminal, Some((_, Terminal::CutUnframed(_))));
            down.framing = if unframed { Framing::Close } else { frame.kind() };
            down.promised = response.states.filter(|_| matches!(frame, Frame::Length(_)) && !unframed);
        }
        let mut paced = orders.body_pace.map(Paced::new);
        if orders.head_pace.is_none() && paced.is_none() && corruption.is_none() {
            let stretch = self.walk(&mut frame, left)?;
            left -= stretch.payload as u64;
            if stretch.len() == 0 {
                self.out.head(head, None).await?;
            } else {
                let together = [head, &self.input[..stretch.len()]].concat();
                self.input.advance(stretch.len());
                self.out.head_and_body(&together, head.len(), stretch.payload).await?;
            }
        } else {
            self.out.head(head, orders.head_pace).await?;
        }
        while !frame.is_done() && left > 0 {
            if self.input.is_empty() && !self.read(&frame).await? {
                break;
            }
            let stretch = match corruption {
                None => self.walk(&mut frame, left)?,
                Some(corruption) => {
                    let stretch = frame.stretch(self.input, left).map_err(bad_upstream)?;
                    corruption.apply(limit - left, &mut self.input[stretch.framing..stretch.len()]);
                    stretch
                }
            };
            left -= stretch.payload as u64;
            self.out.body(&self.input[..stretch.len()], stretch.payload, paced.as_mut()).await?;
            self.input.advance(stretch.len());
        }
        // A close-delimited body that came to its end is whole with the FIN that follows.
        self.out.down.whole = frame.is_done() || (frame == Frame::Close && left > 0);
        Ok(())
    }

    /// The next stretch of a body. Clients are to see chunks that are none, to the end of the connection.
    fn walk(&self, frame: &mut Frame, left: u64) -> Result<Stretch, End> {
        match frame.walk(self.input, left) {
            Err(_) if !self.case.wire.config.side.is_upstream() => {
                *frame = Frame::Close;
                frame.walk(self.input, left).map_err(bad_upstream)
            }
            stretch => stretch.map_err(bad_upstream),
        }
    }

    /// Reads until the final response's head; interim ones are passed on.
    async fn final_head(&mut self) -> Result<ResponseHead, End> {
        loop {
            match head::response(self.input, self.to_head) {
                Read::Whole(interim) if matches!(interim.status, 100 | 102..=199) => {
                    let bytes = self.input.split_to(interim.length);
                    if interim.status != 100 || !self.no_continue {
                        self.out.interim(&bytes).await?;
                    }
                }
                Read::Whole(head) => return Ok(head),
                Read::Partial => {
                    self.read(&Frame::NONE).await?;
                }
                Read::Bad(why) => {
                    let note = format!("the upstream's own answer: {why}");
                    self.case.wire.keep_evidence(self.case.context, self.input, note);
                    return Err(End::rst(EndedBy::Upstream));
                }
            }
        }
    }

    /// The next payload bytes of the upstream's body; `None` at its end.
    pub(crate) async fn payload(&mut self, frame: &mut Frame) -> Result<Option<BytesMut>, End> {
        loop {
            if frame.is_done() || (self.input.is_empty() && !self.read(frame).await?) {
                return Ok(None);
            }
            let stretch = frame.stretch(self.input, u64::MAX).map_err(bad_upstream)?;
            self.input.advance(stretch.framing);
            if stretch.payload > 0 {
                return Ok(Some(self.input.split_to(stretch.payload)));
            }
        }
    }

    /// Reads more from the mock; false when a close-delimited body has come to its end.
    async fn read(&mut self, frame: &Frame) -> Result<bool, End> {
        let large = matches!(frame, Frame::Length(8192..) | Frame::Close | Frame::Chunked(_));
        self.input.reserve(if large { READ } else { 8192 });
        match self.upstream.read_buf(self.input).await {
            Ok(0) => {
                self.ended = Some(With::Fin);
                if *frame == Frame::Close { Ok(false) } else { Err(End::fin(EndedBy::Upstream)) }
            }
            Ok(_) => Ok(true),
            Err(_) => {
                self.ended = Some(With::Rst);
                Err(End::rst(EndedBy::Upstream))
            }
        }
    }
}

fn bad_upstream(_: BadChunk) -> End {
    End { by: EndedBy::Upstream, with: With::Rst, hung: false }
}
