//! One attempt while it lasts, and the record it becomes.

use gatecrash_core::faults::With;
use gatecrash_model::time::micros_between;
use gatecrash_model::{
    AttemptContext, AttemptId, AttemptRecord, EndedBy, Ending, Framing, ID_HEADER, Nanos, Op, RequestId,
    StrId,
};

use crate::head;
use crate::wire::{Wire, place};

/// An attempt under way.
#[derive(Debug)]
pub(crate) struct Attempt {
    pub(crate) id: AttemptId,
    pub(crate) request: u64,
    pub(crate) number: u8,
    pub(crate) op: Op,
    pub(crate) key: StrId,
    pub(crate) start: Nanos,
    /// 1 + index of the first fault that changed it.
    pub(crate) fault: u16,
    /// PROBE, NO_HEAD, NO_REQUEST, AMBIGUOUS.
    pub(crate) flags: u16,
    pub(crate) up: Up,
    pub(crate) down: Down,
}

/// The request's way, as far as it got.
#[derive(Debug, Default)]
pub(crate) struct Up {
    /// Body bytes received from the gateway.
    pub(crate) bytes: u64,
    /// When the request was whole.
    pub(crate) whole: Option<Nanos>,
    /// Whether a byte went on to the upstream.
    pub(crate) forwarded: bool,
}

/// The response's way, as far as it got.
#[derive(Debug, Default)]
pub(crate) struct Down {
    /// When the first byte of the final response was written.
    pub(crate) first: Option<Nanos>,
    /// Bytes written, heads included.
    pub(crate) wire: u64,
    /// Body bytes written.
    pub(crate) bytes: u64,
    /// Status written.
    pub(crate) status: u16,
    /// Content-Length written, for a response with a body.
    pub(crate) promised: Option<u64>,
    /// How the response tells its end.
    pub(crate) framing: Framing,
    /// Whether it was written whole.
    pub(crate) whole: bool,
    /// Whether a malformed fault wrote it.
    pub(crate) illegal: bool,
}

/// How and by whom an attempt, and its connection with it, was ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct End {
    pub(crate) by: EndedBy,
    pub(crate) with: With,
    /// Whether it was left silent until then.
    pub(crate) hung: bool,
}

impl End {
    pub(crate) const fn fin(by: EndedBy) -> Self {
        Self { by, with: With::Fin, hung: false }
    }

    pub(crate) const fn rst(by: EndedBy) -> Self {
        Self { by, with: With::Rst, hung: false }
    }

    pub(crate) const fn fault(with: With) -> Self {
        Self { by: EndedBy::Fault, with, hung: false }
    }

    /// The gateway left; before an answer, that is a silence it did not wait out.
    pub(crate) const fn gateway(with: With, answered: bool) -> Self {
        Self { by: EndedBy::Gateway, with, hung: !answered }
    }
}

/// The number in `attempt=2; max=3`, an SDK's own word for its tries; 0 without one.
fn client_try(header: Option<&str>) -> u8 {
    let number =
        header.and_then(|value| value.split(';').find_map(|part| part.trim().strip_prefix("attempt=")));
    number.and_then(|number| number.parse().ok()).unwrap_or(0)
}

impl Attempt {
    /// An attempt of whom this request head names, for what it asks.
    pub(crate) fn begin(wire: &Wire, head: &[u8], id: AttemptId, start: Nanos) -> Self {
        let (mut op, mut key, mut flags) = (Op::Unknown, String::new(), 0);
        let mut request = None;
        if let Some(parsed) = head::parse(head) {
            op = Op::classify(parsed.method, parsed.target);
            key = place(parsed.target).1;
            let ours = |(run, id)| (run == wire.config.run).then_some(id);
            request =
                parsed.header(ID_HEADER).and_then(|v| RequestId::parse_header(v.as_bytes())).and_then(ours);
            flags |= AttemptRecord::of_client_try(client_try(parsed.header("amz-sdk-request")));
            let agent = parsed.header("user-agent");
            if wire.config.probes.iter().any(|p| p.matches(parsed.method, parsed.target, agent)) {
                (op, flags, request) = (Op::Probe, AttemptRecord::PROBE, None);
            }
        }
        Self {
            id,
            request: request.map_or(Self::STRANGER, RequestId::pack),
            number: request.map_or(0, |id| wire.shared.attempts.next(id)),
            op,
            key: wire.shared.sink.intern(&key),
            start,
            fault: 0,
            flags,
            up: Up::default(),
            down: Down::default(),
        }
    }

    /// One without a request head.
    pub(crate) fn headless(id: AttemptId, start: Nanos) -> Self {
        Self {
            id,
            request: Self::STRANGER,
            number: 0,
            op: Op::Unknown,
            key: StrId::default(),
            start,
            fault: 0,
            flags: AttemptRecord::NO_HEAD,
            up: Up::default(),
            down: Down::default(),
        }
    }

    /// As the mock and the draws know it.
    pub(crate) fn context(&self) -> AttemptContext {
        AttemptContext { attempt: self.id.pack(), request: self.request, number: self.number }
    }

    /// Notes the first fault that changes it.
    pub(crate) fn touched(&mut self, fault: u16) {
        if self.fault == 0 {
            self.fault = fault + 1;
        }
    }

    /// The record, with the attempt over at `now`. `None`: as HTTP says, and the connection goes on.
    pub(crate) fn record(&self, now: Nanos, end: Option<End>) -> AttemptRecord {
        let since = |at: Option<Nanos>| at.map_or(u32::MAX, |at| micros_between(self.start, at));
        let flag = |set: bool, flag: u16| if set { flag } else { 0 };
        AttemptRecord {
            attempt: self.id.pack(),
            request: self.request,
            start: self.start,
            request_done: since(self.up.whole),
            first_byte: since(self.down.first),
            done: micros_between(self.start, now),
            request_bytes: saturated(self.up.bytes),
            response_bytes: saturated(self.down.bytes),
            promised: self.down.promised.map_or(u32::MAX, saturated),
            key: self.key,
            fault: self.fault,
            status: self.down.status,
            flags: self.flags
                | flag(self.id.ordinal > 0, AttemptRecord::REUSED)
                | flag(self.up.forwarded, AttemptRecord::FORWARDED)
                | flag(self.up.whole.is_some(), AttemptRecord::REQUEST_WHOLE)
                | flag(self.down.illegal, AttemptRecord::ILLEGAL),
            number: self.number,
            op: self.op,
            ending: self.ending(end),
            ended_by: end.map_or(EndedBy::Nobody, |end| end.by),
        }
    }

    fn ending(&self, end: Option<End>) -> Ending {
        let Some(end) = end else { return Ending::Complete };
        let by_close = self.down.framing == Framing::Close && end.with == With::Fin && !end.hung;
        match end {
            _ if self.down.whole || (by_close && !self.down.illegal) => Ending::Complete,
            _ if end.hung => Ending::Hang,
            _ if self.down.wire == 0 && self.id.ordinal > 0 => Ending::DroppedReused,
            _ if self.down.wire == 0 => Ending::DroppedFirst,
            End { with: With::Fin, .. } => Ending::CutFin,
            End { with: With::Rst, .. } => Ending::CutRst,
        }
    }

    /// The packed request id of a stranger.
    pub(crate) const STRANGER: u64 = RequestId::NONE;
}

fn saturated(value: u64) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX - 1)
}
