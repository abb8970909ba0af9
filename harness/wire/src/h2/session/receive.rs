//! What the gateway sends, frame by frame (RFC 9113 section 6).

use std::sync::Arc;
use std::sync::atomic::Ordering;

use gatecrash_core::faults::With;
use gatecrash_model::{AttemptContext, AttemptId, EndedBy};

use super::super::desk::Desk;
use super::super::frame::{self, ACK, Code, END_HEADERS, END_STREAM, Frame, WINDOW, kind, setting};
use super::super::hpack::{Field, LIST};
use super::super::message;
use super::super::stream::Exchange;
use super::super::window::{Inbox, Window};
use super::{Block, CONNECTION, EARLY_STREAMS, Offence, STREAMS, Session, Stream};
use crate::attempt::{Attempt, End};

/// Body bytes of a stream that are held at most: its window, and the one it may have been granted again.
const HELD: usize = 3 * WINDOW as usize;

const IDLE: Offence = (Code::Protocol, "a frame on a stream that is not open");

impl Session<'_> {
    /// Deals with all whole frames that were read.
    pub(super) fn receive(&mut self) -> Result<(), Offence> {
        while let Some(frame) = frame::next(self.input).map_err(|code| (code, "a frame that is too long"))? {
            self.frame(&frame)?;
        }
        Ok(())
    }

    fn frame(&mut self, frame: &Frame) -> Result<(), Offence> {
        if !self.greeted && (frame.kind != kind::SETTINGS || frame.has(ACK)) {
            return Err((Code::Protocol, "no settings to begin with"));
        }
        self.greeted = true;
        let inside = self.block.as_ref().map(|block| block.stream);
        if inside.is_some_and(|stream| frame.kind != kind::CONTINUATION || frame.stream != stream) {
            return Err((Code::Protocol, "a frame inside a field block"));
        }
        let on_stream = matches!(
            frame.kind,
            kind::DATA | kind::HEADERS | kind::PRIORITY | kind::RST_STREAM | kind::CONTINUATION
        );
        let on_connection = matches!(frame.kind, kind::SETTINGS | kind::PING | kind::GOAWAY);
        if (on_stream && frame.stream == 0) || (on_connection && frame.stream != 0) {
            return Err((Code::Protocol, "a frame on the wrong stream"));
        }
        match frame.kind {
            kind::DATA => self.data(frame),
            kind::HEADERS => self.headers(frame),
            kind::CONTINUATION => self.continuation(frame),
            kind::RST_STREAM => self.reset(frame),
            kind::SETTINGS => self.settings(frame),
            kind::PING if frame.payload.len() != 8 => Err((Code::FrameSize, "a ping of another length")),
            kind::PING => {
                if !frame.has(ACK) {
                    self.reply(frame::frame(kind::PING, ACK, 0, &frame.payload));
                }
                Ok(())
            }
            kind::WINDOW_UPDATE => self.window_update(frame),
            kind::PUSH_PROMISE => Err((Code::Protocol, "a promise from a client")),
            _ => Ok(()),
        }
    }

    // === requests ===

    fn headers(&mut self, frame: &Frame) -> Result<(), Offence> {
        if frame.stream.is_multiple_of(2) {
            return Err((Code::Protocol, "a stream with an even number"));
        }
        let bytes = frame.content().map_err(|code| (code, "a broken HEADERS frame"))?.to_vec();
        let block = Block { stream: frame.stream, end_stream: frame.has(END_STREAM), bytes };
        if frame.has(END_HEADERS) {
            return self.fields(&block);
        }
        self.block = Some(block);
        Ok(())
    }

    fn continuation(&mut self, frame: &Frame) -> Result<(), Offence> {
        let mut block = self.block.take().ok_or((Code::Protocol, "a CONTINUATION of nothing"))?;
        block.bytes.extend_from_slice(&frame.payload);
        if block.bytes.len() > LIST {
            return Err((Code::EnhanceYourCalm, "a field block longer than 64 KiB"));
        }
        if frame.has(END_HEADERS) {
            return self.fields(&block);
        }
        self.block = Some(block);
        Ok(())
    }

    /// A whole field block: a request, or the trailers of one.
    fn fields(&mut self, block: &Block) -> Result<(), Offence> {
        let fields =
            self.decoder.decode(&block.bytes).map_err(|_| (Code::Compression, "a bad field block"))?;
        if block.stream > self.last {
            self.last = block.stream;
            self.begin(block, &fields);
            return Ok(());
        }
        let Some(stream) = self.streams.get_mut(&block.stream) else { return Ok(()) };
        if stream.ended || !block.end_stream {
            return Err((Code::Protocol, "fields in the middle of a stream"));
        }
        // Trailers are not passed on.
        self.take(block.stream, &[], true);
        Ok(())
    }

    fn begin(&mut self, block: &Block, fields: &[Field]) {
        if self.leaving.is_some() {
            // Above the last stream that GOAWAY named: never processed (RFC 9113 6.8).
            return;
        }
        let open = self.streams.values().filter(|stream| !(stream.ended && stream.answered)).count();
        if open >= if self.agreed { STREAMS } else { EARLY_STREAMS } {
            return self.reply(frame::rst_stream(block.stream, Code::RefusedStream));
        }
        let request = match message::request(fields, block.end_stream) {
            Ok(request) => request,
            Err(why) => {
                let note = format!("the gateway's request: {why}");
                self.wire.keep_evidence(AttemptContext::STRANGER, &block.bytes, note);
                return self.reply(frame::rst_stream(block.stream, Code::Protocol));
            }
        };
        let id = AttemptId {
            link: self.wire.config.index,
            conn: self.record.conn,
            ordinal: self.record.attempts as u16,
        };
        self.record.attempts += 1;
        let mut attempt = Attempt::begin(self.wire, &request.head, id, self.wire.now());
        attempt.up.whole = block.end_stream.then(|| self.wire.now());
        self.open.insert(block.stream, attempt);
        let (window, inbox) = (Arc::new(Window::new(self.initial)), Arc::new(Inbox::default()));
        let exchange = Exchange {
            wire: Arc::clone(self.wire),
            open: Arc::clone(self.open),
            pool: Arc::clone(&self.pool),
            desk: Desk {
                stream: block.stream,
                words: self.words.clone(),
                windows: [Arc::clone(&window), Arc::clone(&self.window)],
                max_frame: Arc::clone(&self.max_frame),
            },
            inbox: Arc::clone(&inbox),
            id,
            opened: self.record.opened,
            request,
        };
        let task = self.tasks.spawn(exchange.run());
        let ended = block.end_stream;
        self.streams.insert(
            block.stream,
            Stream { task, window, inbox, held: 0, admitted: false, ended, answered: false },
        );
        self.idle = None;
        if self.record.attempts > u32::from(u16::MAX) {
            // No ordinal is left: the gateway is to open another connection.
            self.reply(frame::goaway(self.last, Code::NoError));
            self.leaving = Some(End::fin(EndedBy::Nobody));
        }
    }

    fn data(&mut self, frame: &Frame) -> Result<(), Offence> {
        if frame.stream > self.last {
            return Err(IDLE);
        }
        let length = frame.payload.len();
        self.ungranted += length as u32;
        if self.ungranted > CONNECTION / 2 {
            self.reply(frame::window_update(0, self.ungranted));
            self.ungranted = 0;
        }
        let bytes = frame.content().map_err(|code| (code, "a broken DATA frame"))?;
        let Some(stream) = self.streams.get_mut(&frame.stream) else { return Ok(()) };
        if stream.ended {
            return Err((Code::StreamClosed, "DATA after the end of its stream"));
        }
        stream.held += length;
        if stream.held > HELD {
            return Err((Code::FlowControl, "more DATA than was granted"));
        }
        self.take(frame.stream, &bytes, frame.has(END_STREAM));
        self.grant(frame.stream, length - bytes.len());
        Ok(())
    }

    /// Body bytes of a request.
    fn take(&mut self, stream: u32, bytes: &[u8], last: bool) {
        let now = self.wire.now();
        self.open.with(stream, |attempt| {
            attempt.up.bytes += bytes.len() as u64;
            attempt.up.whole = attempt.up.whole.or(last.then_some(now));
        });
        if let Some(open) = self.streams.get_mut(&stream) {
            open.ended = last;
            open.inbox.put(bytes, last);
        }
    }

    /// The gateway gives a stream up.
    fn reset(&mut self, frame: &Frame) -> Result<(), Offence> {
        frame.number().map_err(|code| (code, "a RST_STREAM of another length"))?;
        if frame.stream > self.last {
            return Err(IDLE);
        }
        if self.streams.contains_key(&frame.stream) {
            let answered = self.open.with(frame.stream, |a| a.down.wire > 0).unwrap_or(false);
            self.open.finish(self.wire, frame.stream, Some(End::gateway(With::Rst, answered)));
            self.close(frame.stream);
        }
        Ok(())
    }

    // === the connection ===

    fn settings(&mut self, frame: &Frame) -> Result<(), Offence> {
        if frame.has(ACK) {
            self.agreed = true;
            return Ok(());
        }
        let (pairs, rest) = frame.payload.as_chunks::<6>();
        if !rest.is_empty() {
            return Err((Code::FrameSize, "settings of another length"));
        }
        for [i1, i0, v3, v2, v1, v0] in pairs {
            let value = u32::from_be_bytes([*v3, *v2, *v1, *v0]);
            match u16::from_be_bytes([*i1, *i0]) {
                setting::INITIAL_WINDOW_SIZE => {
                    let by = i64::from(value) - self.initial;
                    self.initial = i64::from(value);
                    let fits = self.streams.values().all(|stream| stream.window.grow(by));
                    if value > u32::MAX >> 1 || !fits {
                        return Err((Code::FlowControl, "a window that is too large"));
                    }
                }
                setting::MAX_FRAME_SIZE => {
                    if !(frame::MAX_FRAME as u32..=0xff_ffff).contains(&value) {
                        return Err((Code::Protocol, "a frame size that is none"));
                    }
                    self.max_frame.store(value as usize, Ordering::Relaxed);
                }
                setting::ENABLE_PUSH if value > 1 => {
                    return Err((Code::Protocol, "a flag that is neither 0 nor 1"));
                }
                _ => {}
            }
        }
        self.reply(frame::frame(kind::SETTINGS, ACK, 0, &[]));
        Ok(())
    }

    fn window_update(&mut self, frame: &Frame) -> Result<(), Offence> {
        let by = frame.number().map_err(|code| (code, "a WINDOW_UPDATE of another length"))?;
        let by = i64::from(by & (u32::MAX >> 1));
        if frame.stream > self.last {
            return Err(IDLE);
        }
        if frame.stream == 0 {
            return match by {
                0 => Err((Code::Protocol, "a window that grows by nothing")),
                _ if !self.window.grow(by) => Err((Code::FlowControl, "a window that is too large")),
                _ => Ok(()),
            };
        }
        let Some(stream) = self.streams.get(&frame.stream) else { return Ok(()) };
        let code = match by {
            0 => Code::Protocol,
            _ if !stream.window.grow(by) => Code::FlowControl,
            _ => return Ok(()),
        };
        let answered = self.open.with(frame.stream, |a| a.down.wire > 0).unwrap_or(false);
        self.open.finish(self.wire, frame.stream, Some(End::gateway(With::Rst, answered)));
        self.close(frame.stream);
        self.reply(frame::rst_stream(frame.stream, code));
        Ok(())
    }
}
