//! A response on a stream of HTTP/2: head and bytes come apart, and the stream's end is the message's.

use gatecrash_model::{ClientRecord, Ending, Framing, Op, Pool};
use http::HeaderMap;

use super::{Phase, Response, SHOWN};
use crate::plan::RequestPlan;
use crate::wire::head;

impl Response {
    /// Takes the final head. It is kept as HTTP/1 would write it.
    pub(in crate::wire) fn begin_stream(&mut self, plan: &RequestPlan, status: u16, fields: &HeaderMap) {
        self.received = true;
        self.raw_head.extend_from_slice(format!("HTTP/2 {status}\r\n").as_bytes());
        for (name, value) in fields {
            for part in [name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"] {
                self.raw_head.extend_from_slice(part);
            }
        }
        self.raw_head.extend_from_slice(b"\r\n");
        self.raw_head.truncate(SHOWN);
        self.head = Some(head::of_stream(status, fields, plan.op == Op::HeadObject));
        self.body.begin(plan, status);
        self.phase = Phase::Stream;
    }

    /// Takes bytes of DATA frames.
    pub(in crate::wire) fn take(&mut self, pool: &Pool, bytes: &[u8]) {
        self.body.take(pool, bytes);
    }

    /// Whether the final head has come.
    pub(in crate::wire) fn has_begun(&self) -> bool {
        self.head.is_some()
    }

    /// Body bytes that the head promised; `None` where it did not, or where there can be none.
    pub(in crate::wire) fn promised(&self) -> Option<u64> {
        self.head.filter(|head| head.framing == Framing::Length).map(|head| head.length)
    }

    /// Whether there can be no body, by method or status.
    pub(in crate::wire) fn is_bodiless(&self) -> bool {
        self.head.is_some_and(|head| head.framing == Framing::None)
    }

    /// The stream ended as a message does. A server of HTTP/2 that breaks off there has cut the body all the same.
    pub(in crate::wire) fn end_stream(&mut self) -> Ending {
        match self.promised() {
            Some(length) if self.body.seen < length => {
                let why = format!("END_STREAM after {} of {length} bytes", self.body.seen);
                self.break_stream(Ending::CutFin, why)
            }
            _ => self.break_stream(Ending::Complete, String::new()),
        }
    }

    /// The stream ended otherwise; `why` says how.
    pub(in crate::wire) fn break_stream(&mut self, ending: Ending, why: String) -> Ending {
        self.why = why;
        self.phase = Phase::Ended(ending);
        ending
    }

    /// More came than the head allows: a body where there can be none, or bytes beyond Content-Length
    /// (RFC 9113 8.1.1).
    pub(in crate::wire) fn overflow(&mut self, why: String) -> Ending {
        let undue = self.is_bodiless();
        self.extra_flags |= if undue { ClientRecord::UNDUE_BODY } else { ClientRecord::SURPLUS };
        self.break_stream(if undue { Ending::Complete } else { Ending::Unparsable }, why)
    }
}
