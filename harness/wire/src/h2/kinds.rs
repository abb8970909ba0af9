//! Carrying out the kinds of the fault `http2`: the frames that a healthy upstream would not send.

use gatecrash_core::faults::{Http2Kind, With};
use gatecrash_core::rules::Orders;
use tokio::io::AsyncRead;

use super::answer::Answer;
use super::desk::{Segment, Verdict, What};
use super::frame::{self, Code, END_STREAM, HEADER, kind};
use super::hpack::{self, Field};
use super::message;
use super::stream::Exchange;
use crate::attempt::End;
use crate::head::ResponseHead;

/// Frames of a flood of settings or pings.
const FLOOD: usize = 10_000;
/// CONTINUATION frames of a flood.
const CONTINUATIONS: usize = 4096;
/// Payload of each of them.
const CONTINUATION: usize = 1024;
/// Bytes beyond a content-length.
const SURPLUS: &[u8; 16] = b"surplus surplus\n";

impl Exchange {
    /// Carries out a kind that acts on the request head. `None`: the exchange goes on.
    pub(crate) async fn misuse_request(&self, kind: Http2Kind, fault: u16) -> Option<Verdict> {
        match kind {
            Http2Kind::GoawayNoError => Some(Verdict::Leaving { fault }),
            Http2Kind::GoawayError => Some(Verdict::Failing { fault }),
            Http2Kind::RstRefused => Some(Verdict::Reset(Code::RefusedStream, Some(End::fault(With::Rst)))),
            Http2Kind::WindowZero => {
                self.desk.tell(What::Starved);
                std::future::pending().await
            }
            Http2Kind::SettingsFlood => self.flood(fault, &frame::settings(&[])).await,
            Http2Kind::PingFlood => self.flood(fault, &frame::frame(kind::PING, 0, 0, b"gatecras")).await,
            _ => None,
        }
    }

    async fn flood(&self, fault: u16, frame: &[u8]) -> Option<Verdict> {
        self.desk.tell(What::Poisoned(fault));
        // Until the answer is whole all the same.
        self.attempt(|attempt| attempt.down.illegal = true);
        self.desk.write(Segment { aside: true, ..Segment::of(frame.repeat(FLOOD)) }).await;
        None
    }
}

impl<R: AsyncRead + Unpin> Answer<'_, R> {
    /// Carries out a kind that acts on the answer. `Ok` as of an answer that is whole.
    pub(crate) async fn misuse(
        &mut self,
        kind: Http2Kind,
        fault: u16,
        mut fields: Vec<Field>,
        response: &ResponseHead,
        orders: &Orders,
    ) -> Result<bool, Verdict> {
        let illegal = kind != Http2Kind::RstInternal;
        self.exchange.attempt(|attempt| attempt.down.illegal = illegal);
        let note = format!("http2: {}", kind.info().name);
        self.case.wire.keep_evidence(self.case.context, &[], note);
        let mut block = message::block(response.status, &[]);
        match kind {
            Http2Kind::RstInternal => {
                let half = response.states.filter(|_| response.has_body).unwrap_or(0) / 2;
                message::append(&mut block, &fields);
                self.state(response);
                self.head(&block, false, orders).await;
                self.body(response, orders, half, false).await?;
                Err(Verdict::Reset(Code::Internal, Some(End::fault(With::Rst))))
            }
            Http2Kind::HeadersNoStatus => {
                block.clear();
                message::append(&mut block, &fields);
                self.answer_with(&block, &ResponseHead { status: 0, ..response.clone() }, orders).await
            }
            Http2Kind::StatusDuplicate => {
                hpack::literal(&mut block, b":status", b"204");
                message::append(&mut block, &fields);
                self.answer_with(&block, response, orders).await
            }
            Http2Kind::DataOverCl => {
                if response.states.is_none() {
                    fields.push((b"content-length".to_vec(), b"1".to_vec()));
                }
                message::append(&mut block, &fields);
                self.state(response);
                self.head(&block, false, orders).await;
                self.body(response, orders, u64::MAX, false).await?;
                self.surplus().await;
                Ok(response.close)
            }
            Http2Kind::HpackBad => {
                self.exchange.desk.tell(What::Poisoned(fault));
                // An index of seven bits and more, far beyond both tables.
                let bytes = frame::headers(self.exchange.desk.stream, b"\xff\xff\xff\xff\x0f", true);
                self.exchange.desk.write(Segment::of(bytes)).await;
                Err(self.exchange.swallow().await)
            }
            Http2Kind::FrameTooLarge => {
                self.exchange.desk.tell(What::Poisoned(fault));
                message::append(&mut block, &fields);
                self.state(response);
                self.head(&block, false, orders).await;
                let length = (self.exchange.desk.max_frame() + 1).min(0xff_ffff);
                let bytes = frame::frame(kind::DATA, 0, self.exchange.desk.stream, &vec![0; length]);
                self.exchange.desk.write(Segment { body: (HEADER, length), ..Segment::of(bytes) }).await;
                Err(self.exchange.swallow().await)
            }
            Http2Kind::ContinuationFlood => {
                self.exchange.desk.tell(What::Poisoned(fault));
                message::append(&mut block, &fields);
                self.exchange.desk.write(Segment::of(self.endless(&block))).await;
                Err(self.exchange.swallow().await)
            }
            // Those of the request head never come here.
            _ => self.deliver(&fields, response, orders, u64::MAX).await.map(|_| response.close),
        }
    }

    /// A block of our own as the head, the mock's body behind it.
    async fn answer_with(
        &mut self,
        block: &[u8],
        response: &ResponseHead,
        orders: &Orders,
    ) -> Result<bool, Verdict> {
        self.state(response);
        let end = !response.has_body || response.frame.is_done();
        self.head(block, end, orders).await;
        if !end {
            self.body(response, orders, u64::MAX, true).await?;
        }
        Ok(response.close)
    }

    async fn surplus(&self) {
        let frame = frame::frame(kind::DATA, END_STREAM, self.exchange.desk.stream, SURPLUS);
        self.exchange.desk.write(Segment { last: true, ..Segment::of(frame) }).await;
    }

    /// A head that never ends.
    fn endless(&self, block: &[u8]) -> Vec<u8> {
        let stream = self.exchange.desk.stream;
        let mut bytes = frame::frame(kind::HEADERS, 0, stream, block);
        let mut more = Vec::new();
        hpack::literal(&mut more, b"x-flood", &[b'x'; CONTINUATION - 12]);
        let more = frame::frame(kind::CONTINUATION, 0, stream, &more);
        bytes.extend_from_slice(&more.repeat(CONTINUATIONS));
        bytes
    }
}
