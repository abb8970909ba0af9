//! The mock's answer on its way to the gateway, as HEADERS and DATA, with what the rules order done to it.

use std::time::Duration;

use bytes::{Buf, BytesMut};
use gatecrash_core::faults::{Terminal, bare_reply};
use gatecrash_core::rules::Orders;
use gatecrash_model::{EndedBy, Framing};
use tokio::io::{AsyncRead, AsyncReadExt};

use super::desk::{Segment, Verdict, What};
use super::frame::{self, Code, END_STREAM, HEADER};
use super::hpack::Field;
use super::message;
use super::stream::{Exchange, parted};
use crate::attempt::End;
use crate::delivery::Paced;
use crate::framing::Frame;
use crate::head::{self, Read, ResponseHead};
use crate::wire::Case;

/// Bytes asked of the mock at once.
const READ: usize = 64 * 1024;

/// One answer under way.
pub(crate) struct Answer<'a, R> {
    pub(crate) exchange: &'a Exchange,
    pub(crate) case: Case<'a>,
    pub(crate) upstream: &'a mut R,
    /// Read from the mock.
    pub(crate) input: &'a mut BytesMut,
    /// Whether interim 100s are kept from the gateway.
    pub(crate) no_continue: bool,
}

impl<R: AsyncRead + Unpin> Answer<'_, R> {
    /// Relays one final response. `Ok`: it is whole, and whether the mock's connection ends with it.
    pub(crate) async fn run(mut self) -> Result<bool, Verdict> {
        let (response, fields) = self.final_head().await?;
        let size = response.states.or((!response.has_body).then_some(0));
        let orders = self.case.decide_answer(response.status, size);
        self.exchange.touch(&orders);
        if orders.delay > 0 {
            tokio::time::sleep(Duration::from_nanos(orders.delay)).await;
        }
        let close = response.close;
        match orders.terminal {
            Some((fault, Terminal::Close(with))) => Err(Verdict::Cut(End::fault(with), Some(fault))),
            Some((_, Terminal::Swallow)) => Err(self.exchange.swallow().await),
            Some((fault, Terminal::CutHead(bytes, with))) => {
                let block = message::block(response.status, &fields);
                let whole = frame::headers(self.exchange.desk.stream, &block, false);
                let cut = usize::try_from(bytes).unwrap_or(usize::MAX).min(whole.len() - 1);
                self.exchange.desk.write(Segment::of(whole[..cut].to_vec())).await;
                Err(Verdict::Cut(End::fault(with), Some(fault)))
            }
            Some((fault, Terminal::CutBody(bytes, with))) => {
                self.deliver(&fields, &response, &orders, bytes).await?;
                Err(Verdict::Cut(End::fault(with), Some(fault)))
            }
            Some((_, Terminal::StallBody(bytes))) => {
                if self.deliver(&fields, &response, &orders, bytes).await? {
                    return Ok(close);
                }
                Err(self.exchange.swallow().await)
            }
            Some((fault, Terminal::Part { announce, then })) => {
                if announce {
                    let last = self.exchange.desk.stream;
                    let goaway = Segment::of(frame::goaway(last, Code::NoError));
                    self.exchange.desk.tell(What::Write(Segment { aside: true, ..goaway }));
                }
                self.deliver(&fields, &response, &orders, u64::MAX).await?;
                parted(fault, then).map_or(Ok(close), Err)
            }
            Some((_, Terminal::Answer(status))) => {
                let mut frame = response.frame.clone();
                while self.payload(&mut frame).await?.is_some() {}
                let fields = message::fields(&bare_reply(status, false, ""), Some(self.exchange.id));
                let bare = ResponseHead { status, frame: Frame::NONE, states: Some(0), ..response };
                self.deliver(&fields, &bare, &orders, u64::MAX).await.map(|_| close)
            }
            Some((fault, Terminal::Http2(kind))) => {
                self.misuse(kind, fault, fields, &response, &orders).await
            }
            // Nothing, or nothing that is done here.
            _ => {
                self.deliver(&fields, &response, &orders, u64::MAX).await?;
                // A flood before it did no harm.
                self.exchange.attempt(|attempt| attempt.down.illegal = false);
                Ok(close)
            }
        }
    }

    /// Writes head and body, at most `limit` body bytes; whether the response is whole.
    pub(crate) async fn deliver(
        &mut self,
        fields: &[Field],
        response: &ResponseHead,
        orders: &Orders,
        limit: u64,
    ) -> Result<bool, Verdict> {
        let block = message::block(response.status, fields);
        self.state(response);
        let end = !response.has_body || response.frame.is_done();
        self.head(&block, end, orders).await;
        if end {
            return Ok(true);
        }
        self.body(response, orders, limit, true).await
    }

    /// Notes what is about to be promised.
    pub(crate) fn state(&self, response: &ResponseHead) {
        self.exchange.attempt(|attempt| {
            attempt.down.status = response.status;
            if response.has_body {
                let length = matches!(response.frame, Frame::Length(_));
                // Without a length it is the stream that tells the end: framing of its own, like chunks.
                attempt.down.framing = if length { Framing::Length } else { Framing::Chunked };
                attempt.down.promised = response.states.filter(|_| length);
            }
        });
    }

    /// Writes a head. Its pace holds it as a whole: nothing may stand inside a head.
    pub(crate) async fn head(&self, block: &[u8], end: bool, orders: &Orders) {
        let bytes = frame::headers(self.exchange.desk.stream, block, end);
        if let Some(pace) = orders.head_pace {
            let steps = (bytes.len() as u64).div_ceil(pace.bytes.max(1)) - 1;
            tokio::time::sleep(Duration::from_nanos(pace.every.saturating_mul(steps))).await;
        }
        let segment = Segment { last: end, ..Segment::of(bytes) };
        if end {
            self.exchange.desk.write(segment).await;
        } else {
            self.exchange.desk.tell(What::Write(segment));
        }
    }

    /// Writes the body, at most `limit` bytes, ended by END_STREAM if `end`; whether all of it was written.
    pub(crate) async fn body(
        &mut self,
        response: &ResponseHead,
        orders: &Orders,
        limit: u64,
        end: bool,
    ) -> Result<bool, Verdict> {
        let mut paced = orders.body_pace.map(Paced::new);
        let mut frame = response.frame.clone();
        let mut left = limit;
        while left > 0 {
            let Some(mut bytes) = self.payload(&mut frame).await? else {
                if end {
                    self.data(&[], true, None).await;
                }
                return Ok(true);
            };
            let last = frame.is_done() && bytes.len() as u64 <= left;
            bytes.truncate(usize::try_from(left).unwrap_or(usize::MAX));
            if let Some((_, Terminal::Corrupt(corruption))) = orders.terminal {
                corruption.apply(limit - left, &mut bytes);
            }
            left -= bytes.len() as u64;
            self.data(&bytes, last && end, paced.as_mut()).await;
            if last {
                return Ok(true);
            }
        }
        // Its head has not been waited for.
        self.exchange.desk.write(Segment::default()).await;
        Ok(false)
    }

    /// Writes DATA as the windows and the pace allow.
    pub(crate) async fn data(&self, mut bytes: &[u8], end: bool, mut pace: Option<&mut Paced>) {
        let desk = &self.exchange.desk;
        loop {
            let mut step = bytes.len();
            if let Some(paced) = pace.as_deref_mut() {
                step = step.min(paced.allowance().await);
            }
            if step > 0 {
                step = desk.allowance(step).await;
            }
            let (now, rest) = bytes.split_at(step);
            let last = end && rest.is_empty();
            let flags = if last { END_STREAM } else { 0 };
            let frame = frame::frame(frame::kind::DATA, flags, desk.stream, now);
            desk.write(Segment { body: (HEADER, now.len()), last, ..Segment::of(frame) }).await;
            if let Some(paced) = pace.as_deref_mut() {
                paced.spend(step);
            }
            bytes = rest;
            if bytes.is_empty() {
                return;
            }
        }
    }

    /// Reads until the final response's head; interim ones are passed on.
    async fn final_head(&mut self) -> Result<(ResponseHead, Vec<Field>), Verdict> {
        loop {
            match head::response(self.input, self.exchange.request.to_head) {
                Read::Whole(head) => {
                    let interim = matches!(head.status, 100 | 102..=199);
                    let raw = self.input.split_to(head.length);
                    let fields = message::fields(&raw, Some(self.exchange.id).filter(|_| !interim));
                    if !interim {
                        return Ok((head, fields));
                    }
                    if head.status == 100 && self.no_continue {
                        continue;
                    }
                    let block = message::block(head.status, &fields);
                    let bytes = frame::headers(self.exchange.desk.stream, &block, false);
                    self.exchange.desk.write(Segment { aside: true, ..Segment::of(bytes) }).await;
                }
                Read::Partial => _ = self.read(&Frame::NONE).await?,
                Read::Bad(why) => {
                    let note = format!("the upstream's own answer: {why}");
                    self.case.wire.keep_evidence(self.case.context, self.input, note);
                    return Err(lost(End::rst(EndedBy::Upstream)));
                }
            }
        }
    }

    /// The next payload bytes of the mock's body; `None` at its end.
    pub(crate) async fn payload(&mut self, frame: &mut Frame) -> Result<Option<BytesMut>, Verdict> {
        loop {
            if frame.is_done() || (self.input.is_empty() && !self.read(frame).await?) {
                return Ok(None);
            }
            let stretch = frame.stretch(self.input, u64::MAX);
            let stretch = stretch.map_err(|_| lost(End::rst(EndedBy::Upstream)))?;
            self.input.advance(stretch.framing);
            if stretch.payload > 0 {
                return Ok(Some(self.input.split_to(stretch.payload)));
            }
        }
    }

    /// Reads more from the mock; false when a close-delimited body has come to its end.
    async fn read(&mut self, frame: &Frame) -> Result<bool, Verdict> {
        self.input.reserve(READ);
        match self.upstream.read_buf(self.input).await {
            Ok(0) if *frame == Frame::Close => Ok(false),
            Ok(0) => Err(lost(End::fin(EndedBy::Upstream))),
            Ok(_) => Ok(true),
            Err(_) => Err(lost(End::rst(EndedBy::Upstream))),
        }
    }
}

/// The mock failed us: the stream is reset.
fn lost(end: End) -> Verdict {
    Verdict::Reset(Code::Internal, Some(end))
}
