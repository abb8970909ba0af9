//! The fixed-size records of a run, at most 64 bytes each, and the evidence that is kept out of line.
//!
//! Strings live in the run's table ([`StrId`]); durations are microseconds from a 64-bit start. The stored form is
//! the fields in order, little-endian, so that a run can be read by any later version.

use crate::code::code_enum;
use crate::ids::{AttemptId, RequestId, StrId};
use crate::op::Op;
use crate::time::Nanos;

mod evidence;
mod layout;
pub use evidence::{Evidence, EvidenceSide, printable};
use layout::record;
pub use layout::{Field, Record};

code_enum! {
    /// How a client exchange ended, as the wire showed it.
    pub enum Ending {
        /// The message was whole under its own framing.
        Complete = 0 => "complete",
        /// Closed by FIN before the message was whole.
        CutFin = 1 => "cut-fin",
        /// Closed by RST before the message was whole.
        CutRst = 2 => "cut-rst",
        /// Closed without one byte, on a fresh connection.
        DroppedFirst = 3 => "dropped-first",
        /// Closed without one byte, on a reused connection: legal, the client may retry (RFC 9112 9.3.1).
        DroppedReused = 4 => "dropped-reused",
        /// The client's timeout passed.
        Hang = 5 => "hang",
        /// Bytes that are no HTTP/1 head.
        Raw = 6 => "raw",
        /// A head that cannot be read.
        Unparsable = 7 => "unparsable",
        /// The gateway refused the connection.
        Refused = 8 => "refused",
        /// The connection failed some other way (timeout, unreachable, out of sockets here).
        ConnectFailed = 9 => "connect-failed",
        /// Never sent: the in-flight cap of the workload was reached.
        Dropped = 10 => "not-sent",
        /// Its stream was ended by RST_STREAM before the message was whole (HTTP/2).
        StreamReset = 11 => "stream-reset",
        /// Its stream was refused: RST_STREAM with REFUSED_STREAM, nothing was done (RFC 9113 8.7). The client may retry.
        StreamRefused = 12 => "stream-refused",
        /// Given up by GOAWAY: nothing was done for streams above the last it names (RFC 9113 6.8). The client may retry.
        GoAway = 13 => "goaway",
    }
}

impl Ending {
    /// Whether it says "please retry": nothing was done, and closing is legal at that moment.
    pub fn invites_retry(self) -> bool {
        matches!(self, Self::DroppedReused | Self::StreamRefused | Self::GoAway)
    }
}

code_enum! {
    /// How a response told its length.
    pub enum Framing {
        /// No response, or one that has no body by definition.
        None = 0 => "none",
        /// Content-Length.
        Length = 1 => "content-length",
        /// Transfer-Encoding: chunked.
        Chunked = 2 => "chunked",
        /// Until the connection closes.
        Close = 3 => "close",
        /// Until the stream ends (HTTP/2 without Content-Length).
        Stream = 4 => "stream",
    }
}

code_enum! {
    /// What the byte check of a body found.
    pub enum BodyCheck {
        /// Nothing to compare with (errors, lists, uploads, no body).
        NotChecked = 0 => "not-checked",
        /// Every byte of the expected content.
        Exact = 1 => "exact",
        /// A correct beginning of the content, shorter than expected.
        Prefix = 2 => "prefix",
        /// Bytes that are not the content.
        Wrong = 3 => "wrong",
        /// Bytes of another object or version of this run.
        Other = 4 => "other-object",
        /// It begins as one version of the object and goes on as another, each at its right place.
        Mixed = 5 => "mixed-versions",
    }
}

impl BodyCheck {
    /// Whether bytes came that are not the content's.
    pub fn is_wrong(self) -> bool {
        matches!(self, Self::Wrong | Self::Other | Self::Mixed)
    }
}

code_enum! {
    /// Who ended an exchange or a connection on a link.
    pub enum EndedBy {
        /// Nobody: it ended as HTTP says.
        Nobody = 0 => "nobody",
        /// An injected fault.
        Fault = 1 => "fault",
        /// The gateway.
        Gateway = 2 => "gateway",
        /// The upstream.
        Upstream = 3 => "upstream",
        /// The end of the run.
        Harness = 4 => "harness",
    }
}

code_enum! {
    /// How a connection of the gateway to a link was ended, by whoever ended it.
    pub enum Closing {
        /// It was not: the record was never completed.
        Open = 0 => "open",
        /// By FIN.
        Fin = 1 => "fin",
        /// By RST.
        Rst = 2 => "rst",
        /// By a FIN of the link after which it read on until the gateway left.
        HalfClose = 3 => "half-close",
    }
}

code_enum! {
    /// What the mock's policy evaluation said (IAM Policy Simulator vocabulary).
    pub enum Decision {
        /// No evaluation took place (before authentication, or an operation without one).
        NotEvaluated = 0 => "notEvaluated",
        /// Allowed by a statement, and denied by none.
        Allowed = 1 => "allowed",
        /// A statement denies.
        ExplicitDeny = 2 => "explicitDeny",
        /// No statement allows.
        ImplicitDeny = 3 => "implicitDeny",
    }
}

/// Framing and body check of a response in one byte.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Shape(u8);

record! {
    /// One client request, as the load generator saw it.
    pub struct ClientRecord {
        /// When it was due.
        pub intended: Nanos,
        /// Packed attempt id that the response named, or [`AttemptId::NONE`].
        pub attempt: u64,
        /// Arrival number.
        pub k: u32,
        /// From due to the first byte sent, us (schedule lag and waiting for a connection).
        pub lag: u32,
        /// Time until there was a connection, us: where their number is limited, to wait for one, and to
        /// connect; 0 on one that was free.
        pub connect: u32,
        /// From sent to the first response byte, us; `u32::MAX` when none came.
        pub first_byte: u32,
        /// From sent to the end of the exchange, us.
        pub done: u32,
        /// Body bytes received; saturates at 4 GiB - 1.
        pub body_bytes: u32,
        /// Client connection.
        pub conn: u32,
        /// Object key.
        pub key: StrId,
        /// S3 error code in the body, or the empty string.
        pub code: StrId,
        /// Low 32 bits of the hash of `x-amz-request-id`, 0 when absent.
        pub request_id: u32,
        /// HTTP status, 0 when there was none.
        pub status: u16,
        /// Bits of [`ClientRecord`]'s constants.
        pub flags: u16,
        /// Workload index.
        pub workload: u8,
        /// Operation.
        pub op: Op,
        /// How it ended.
        pub ending: Ending,
        /// Framing and body check.
        pub shape: Shape,
    }
}

record! {
    /// One attempt, as the link saw it: a request head, or a connection a fault ended before one.
    pub struct AttemptRecord {
        /// Packed attempt id.
        pub attempt: u64,
        /// Packed request id of the originator, or [`RequestId::NONE`].
        pub request: u64,
        /// First byte of the request head (or accept, for a connection without one).
        pub start: Nanos,
        /// From start to the end of the request as received, us; `u32::MAX` when it never ended.
        pub request_done: u32,
        /// From start to the first response byte written to the gateway, us; `u32::MAX` when none was.
        pub first_byte: u32,
        /// From start to the end of the attempt, us.
        pub done: u32,
        /// Request body bytes received from the gateway.
        pub request_bytes: u32,
        /// Response body bytes written to the gateway.
        pub response_bytes: u32,
        /// Response body bytes that the response's head promised; `u32::MAX` when not by Content-Length.
        pub promised: u32,
        /// Object key.
        pub key: StrId,
        /// 1 + index of the first fault that changed this attempt, 0 when none did.
        pub fault: u16,
        /// Status written to the gateway, 0 when none was.
        pub status: u16,
        /// Bits of [`AttemptRecord`]'s constants.
        pub flags: u16,
        /// Which try of the request this is, over all links: 1 for the first.
        pub number: u8,
        /// Operation.
        pub op: Op,
        /// How the response ended towards the gateway (complete, cut-fin, cut-rst, dropped-first, dropped-reused, hang).
        pub ending: Ending,
        /// Who ended it.
        pub ended_by: EndedBy,
    }
}

record! {
    /// One request, as the mock served it.
    pub struct UpstreamRecord {
        /// Packed attempt id, or [`AttemptId::NONE`] for a caller that is not a link.
        pub attempt: u64,
        /// Packed request id, or [`RequestId::NONE`].
        pub request: u64,
        /// When the head was complete.
        pub received: Nanos,
        /// Hash of the request body ([`crate::hash::Hash64`]), 0 without one.
        pub body_hash: u64,
        /// From received to the end of the response, us.
        pub done: u32,
        /// Low 32 bits of the hash of `x-amz-request-id`.
        pub request_id: u32,
        /// Request body bytes received.
        pub body_bytes: u32,
        /// Response body bytes handed to the socket.
        pub sent_bytes: u32,
        /// Object key.
        pub key: StrId,
        /// S3 error code, or the empty string.
        pub code: StrId,
        /// Status.
        pub status: u16,
        /// Bits of [`UpstreamRecord`]'s constants.
        pub flags: u16,
        /// 1 + index of the identity that signed, 0 for anonymous or unknown.
        pub identity: u8,
        /// Region index.
        pub region: u8,
        /// Operation.
        pub op: Op,
        /// What the policies said.
        pub decision: Decision,
    }
}

record! {
    /// One time that a fault decided something other than "continue".
    pub struct FiringRecord {
        /// When.
        pub at: Nanos,
        /// Packed attempt id, or [`AttemptId::NONE`].
        pub attempt: u64,
        /// Packed request id, or [`RequestId::NONE`].
        pub request: u64,
        /// The draw that decided.
        pub draw: u64,
        /// Link connection.
        pub conn: u32,
        /// Fault index in the plan.
        pub fault: u16,
        /// Link index; 255 for the mock.
        pub link: u8,
        /// Which try of the request, 0 when not known.
        pub number: u8,
    }
}

record! {
    /// One connection of the gateway to a link.
    pub struct ConnectionRecord {
        /// When it was accepted.
        pub opened: Nanos,
        /// When it was closed.
        pub closed: Nanos,
        /// Bytes from the gateway.
        pub up: u64,
        /// Bytes to the gateway.
        pub down: u64,
        /// Connection number on its link.
        pub conn: u32,
        /// Attempts on it.
        pub attempts: u32,
        /// Link index.
        pub link: u8,
        /// Who ended it.
        pub ended_by: EndedBy,
        /// How.
        pub closing: Closing,
    }
}

record! {
    /// Which versions of an object that changes a client saw in one answer. Numbers are versions + 1; 0 is none, or one
    /// that could not be told.
    pub struct VersionRecord {
        /// Packed request id.
        pub request: u64,
        /// Whose bytes the body begins with.
        pub body: u32,
        /// Whose bytes it goes on with, where that is another one's.
        pub then: u32,
        /// Which one its ETag names; of a 304 without an ETag the one the request named.
        pub tag: u32,
    }
}

impl Shape {
    /// Packs the two.
    pub fn new(framing: Framing, body: BodyCheck) -> Self {
        Self(framing.code() << 4 | body.code())
    }

    /// How the response told its length.
    pub fn framing(self) -> Framing {
        Framing::from_code(self.0 >> 4)
    }

    /// What the byte check found.
    pub fn body(self) -> BodyCheck {
        BodyCheck::from_code(self.0 & 15)
    }
}

impl Field for Shape {
    const LEN: usize = 1;
    fn put(&self, out: &mut Vec<u8>) {
        out.push(self.0);
    }
    fn take(input: &mut &[u8]) -> Option<Self> {
        u8::take(input).map(Self)
    }
}

impl ClientRecord {
    /// Sent on a connection that had carried an exchange before.
    pub const REUSED: u16 = 1;
    /// Bytes came after the end of the message.
    pub const SURPLUS: u16 = 2;
    /// The body is an S3 error document.
    pub const S3_ERROR: u16 = 4;
    /// Retry-After or x-amz-retry-after was present.
    pub const RETRY_AFTER: u16 = 8;
    /// Two or more framings, or one that RFC 9112 calls invalid, in the head.
    pub const AMBIGUOUS: u16 = 16;
    /// A body where the status or method allows none.
    pub const UNDUE_BODY: u16 = 32;
    /// The response contains a secret, address or name that only the gateway's configuration knows.
    pub const LEAK: u16 = 64;
    /// The body is a JSON object.
    pub const JSON: u16 = 128;
    /// The body is an S3 error document or a JSON object, and Content-Type says something else or nothing.
    pub const MISLABELLED: u16 = 256;
    /// The request's If-None-Match names what the object is: the right answer is 304 (RFC 9110 13.1.2).
    pub const NOT_MODIFIED_DUE: u16 = 512;
    /// The request's If-Match names what the object is not: the right answer is 412 (RFC 9110 13.1.1).
    pub const PRECONDITION_DUE: u16 = 1024;

    /// The request's id.
    pub fn id(&self) -> RequestId {
        RequestId { workload: u16::from(self.workload), k: self.k }
    }

    /// The attempt that fed the response, as the response named it.
    pub fn fed_by(&self) -> Option<AttemptId> {
        AttemptId::unpack(self.attempt)
    }

    /// Whether a flag is set.
    pub fn has(&self, flag: u16) -> bool {
        self.flags & flag != 0
    }

    /// When the first byte was sent.
    pub fn sent(&self) -> Nanos {
        self.intended + u64::from(self.lag) * 1_000
    }

    /// When the exchange ended.
    pub fn ended(&self) -> Nanos {
        self.sent() + u64::from(self.done) * 1_000
    }

    /// When the first response byte came.
    pub fn answered(&self) -> Option<Nanos> {
        (self.first_byte != u32::MAX).then(|| self.sent() + u64::from(self.first_byte) * 1_000)
    }

    /// What of the lag is the generator's own, us: not the time until there was a connection.
    pub fn own_lag(&self) -> u32 {
        // Without a connection nothing was sent, and the lag ends where the looking for one begins.
        match self.ending {
            Ending::Refused | Ending::ConnectFailed => self.lag,
            _ => self.lag.saturating_sub(self.connect),
        }
    }

    /// Response time from the intended start, us: what a user who did not wait for us would have seen.
    pub fn response_micros(&self) -> u64 {
        u64::from(self.lag) + u64::from(self.done)
    }

    /// A whole, correct answer: complete, with no wrong byte, and 2xx - or the 304 or 412 that the request's
    /// condition asks for. A 304 to a request without a condition is none, nor a 2xx where 412 is due, nor a
    /// completed multipart upload whose 200 holds an error.
    pub fn is_success(&self) -> bool {
        let status = match self.status {
            304 => self.has(Self::NOT_MODIFIED_DUE),
            412 => self.has(Self::PRECONDITION_DUE),
            200..=299 if self.op == Op::CompleteMultipartUpload && self.has(Self::S3_ERROR) => false,
            200..=299 => !self.has(Self::PRECONDITION_DUE),
            _ => false,
        };
        let body = matches!(self.shape.body(), BodyCheck::NotChecked | BodyCheck::Exact);
        self.ending == Ending::Complete && status && body
    }

    /// Never reached the wire because of a limit of ours.
    pub fn was_dropped(&self) -> bool {
        self.ending == Ending::Dropped
    }
}

impl AttemptRecord {
    /// On a connection that had carried an attempt before.
    pub const REUSED: u16 = 1;
    /// At least one request byte went on to the upstream.
    pub const FORWARDED: u16 = 2;
    /// The request arrived whole.
    pub const REQUEST_WHOLE: u16 = 4;
    /// No head was ever parsed: a fault ended the connection first.
    pub const NO_HEAD: u16 = 8;
    /// Declared a health probe by the recipe.
    pub const PROBE: u16 = 16;
    /// The response was not legal HTTP (a malformed fault wrote it).
    pub const ILLEGAL: u16 = 32;
    /// Bytes that are no request head, where one was to begin; with [`NO_HEAD`](Self::NO_HEAD).
    pub const NO_REQUEST: u16 = 64;
    /// The gateway's request head states its framing more than once, or so that RFC 9112 6.3 has no reading
    /// of it.
    pub const AMBIGUOUS: u16 = 128;

    /// Flags for the n-th try of a client that retries by itself; the upper byte of the flags.
    pub fn of_client_try(number: u8) -> u16 {
        u16::from(number) << 8
    }

    /// Which try of its client's own it served, from 1, as an SDK says in `amz-sdk-request`; 0 when nobody said.
    pub fn client_try(&self) -> u8 {
        (self.flags >> 8) as u8
    }

    /// The attempt's id.
    pub fn id(&self) -> Option<AttemptId> {
        AttemptId::unpack(self.attempt)
    }

    /// The request it belongs to.
    pub fn request(&self) -> Option<RequestId> {
        RequestId::unpack(self.request)
    }

    /// The link it came through.
    pub fn link(&self) -> u8 {
        (self.attempt >> 48) as u8
    }

    /// Whether a flag is set.
    pub fn has(&self, flag: u16) -> bool {
        self.flags & flag != 0
    }

    /// Whether it ended without a byte on a connection that had carried another: a pooled one that was dead.
    pub fn is_stale(&self) -> bool {
        self.has(Self::REUSED) && matches!(self.ending, Ending::DroppedFirst | Ending::DroppedReused)
    }

    /// When it ended.
    pub fn ended(&self) -> Nanos {
        self.start + u64::from(self.done) * 1_000
    }

    /// Whether the answer to an upload began before the upload was whole.
    pub fn is_answered_early(&self) -> bool {
        self.op.is_write()
            && self.status != 0
            && self.first_byte != u32::MAX
            && self.request_done > self.first_byte
    }
}

impl VersionRecord {
    /// The version the client was left with: that of the body, or without one that of the ETag.
    pub fn served(&self) -> Option<u32> {
        self.body.checked_sub(1).or(self.tag.checked_sub(1))
    }

    /// The version whose bytes the body begins with.
    pub fn body(&self) -> Option<u32> {
        self.body.checked_sub(1)
    }

    /// The version whose bytes it goes on with.
    pub fn then(&self) -> Option<u32> {
        self.then.checked_sub(1)
    }

    /// The version its ETag names.
    pub fn tag(&self) -> Option<u32> {
        self.tag.checked_sub(1)
    }
}

impl UpstreamRecord {
    /// The store was changed.
    pub const APPLIED: u16 = 1;
    /// The request body arrived whole.
    pub const BODY_WHOLE: u16 = 2;
    /// An S3-shaped fault made the answer.
    pub const FAULTED: u16 = 4;
    /// The caller hung up before the answer was written.
    pub const ABANDONED: u16 = 8;

    /// Whether a flag is set.
    pub fn has(&self, flag: u16) -> bool {
        self.flags & flag != 0
    }
}
