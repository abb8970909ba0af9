//! One response as a state machine: bytes in, a judged message out. No socket, no clock.

use gatecrash_model::{BodyCheck, ClientRecord, Ending, Framing, Op, Pool};

use super::body::{Body, element, find, s3_code};
use super::chunked::{Chunked, Piece};
use super::head::{self, Head, Parsed};
use crate::plan::{RequestPlan, Wants};

/// How much of a head is kept as evidence, bytes.
const SHOWN: usize = 4096;

/// Reads one final response; its buffers are used again for the next.
#[derive(Debug, Default)]
pub(super) struct Response {
    phase: Phase,
    head: Option<Head>,
    /// Head bytes of earlier reads, while the head is not whole.
    carry: Vec<u8>,
    /// The beginning of the final head, raw.
    pub raw_head: Vec<u8>,
    /// The body so far.
    pub body: Body,
    /// Bytes after the end of the message.
    pub surplus: Vec<u8>,
    /// 1xx responses that were skipped.
    pub informational: u32,
    /// Whether 100 Continue was one of them.
    pub continued: bool,
    /// What broke a rule, in words.
    pub why: String,
    received: bool,
    extra_flags: u16,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum Phase {
    #[default]
    Head,
    Length(u64),
    Chunked(Chunked),
    UntilClose,
    /// Whatever comes on a stream of HTTP/2, until its end.
    Stream,
    Ended(Ending),
}

/// How a connection was closed by the other side.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Closed {
    Fin,
    /// By FIN under TLS that did not end: no end of anything.
    Truncated,
    Rst,
}

impl Response {
    /// Starts over.
    pub(super) fn reset(&mut self) {
        self.phase = Phase::Head;
        self.head = None;
        self.carry.clear();
        self.raw_head.clear();
        self.body.clear();
        self.surplus.clear();
        self.informational = 0;
        self.continued = false;
        self.why.clear();
        self.received = false;
        self.extra_flags = 0;
    }

    /// Takes bytes off the wire; the ending, once it is known.
    pub(super) fn feed(&mut self, pool: &Pool, plan: &RequestPlan, data: &[u8]) -> Option<Ending> {
        self.received |= !data.is_empty();
        if self.phase != Phase::Head {
            return self.feed_body(pool, data);
        }
        if self.carry.is_empty() {
            let used = self.feed_head(plan, data);
            if self.phase == Phase::Head {
                self.carry.extend_from_slice(&data[used..]);
            }
            return self.feed_body(pool, &data[used..]);
        }
        self.carry.extend_from_slice(data);
        // A head ends in a line feed: a long one is not tried before one comes.
        if !data.contains(&b'\n') && (SHOWN..head::MAX_HEAD).contains(&self.carry.len()) {
            return None;
        }
        let mut carry = std::mem::take(&mut self.carry);
        let used = self.feed_head(plan, &carry);
        let ended = self.feed_body(pool, &carry[used..]);
        carry.drain(..if self.phase == Phase::Head { used } else { carry.len() });
        self.carry = carry;
        ended
    }

    /// The connection was closed: how that ends the message.
    pub(super) fn closed(&mut self, plan: &RequestPlan, how: Closed, reused: bool) -> Ending {
        if self.phase == Phase::Head && !self.carry.is_empty() {
            let carry = std::mem::take(&mut self.carry);
            self.feed_head(plan, &carry);
            self.carry = carry;
        }
        let ending = match (self.phase, how) {
            (Phase::Ended(ending), _) => ending,
            (Phase::UntilClose, Closed::Fin) => Ending::Complete,
            _ if !self.received && reused => Ending::DroppedReused,
            _ if !self.received => Ending::DroppedFirst,
            (_, Closed::Fin | Closed::Truncated) => Ending::CutFin,
            (_, Closed::Rst) => Ending::CutRst,
        };
        self.phase = Phase::Ended(ending);
        ending
    }

    /// Whether the final head has come.
    pub(super) fn is_answering(&self) -> bool {
        self.phase != Phase::Head
    }

    /// Whether the connection may carry another exchange, as far as the response says.
    pub(super) fn keeps_alive(&self) -> bool {
        self.phase == Phase::Ended(Ending::Complete)
            && self.surplus.is_empty()
            && self.head.is_some_and(|head| head.keep_alive)
    }

    /// Fills in what the response says about itself; the ending and the times are the caller's.
    pub(super) fn describe(&self, pool: &Pool, record: &mut ClientRecord) {
        record.flags |= self.extra_flags;
        let Some(head) = self.head else { return };
        record.status = head.status;
        record.attempt = head.attempt;
        record.request_id = head.request_id;
        record.flags |= head.flags;
        record.body_bytes = u32::try_from(self.body.seen).unwrap_or(u32::MAX);
        let check = if record.op == Op::HeadObject { BodyCheck::NotChecked } else { self.body.check(pool) };
        record.shape = gatecrash_model::Shape::new(head.framing, check);
        if !self.surplus.is_empty() {
            record.flags |= self.surplus_flag();
        }
    }

    /// What bytes after the end of this message are called.
    pub(super) fn surplus_flag(&self) -> u16 {
        match self.head {
            Some(head) if head.framing == Framing::None => ClientRecord::UNDUE_BODY,
            _ => ClientRecord::SURPLUS,
        }
    }

    /// The S3 error code in the body, and whether the body is an error document as a whole.
    pub(super) fn s3_code(&self) -> Option<(&str, bool)> {
        s3_code(&self.body.kept)
    }

    /// Flags of an error's body: whether it is a JSON object, and whether Content-Type fits what it is.
    pub(super) fn document_flags(&self) -> u16 {
        document_flags(&self.body.kept, media_type(&self.raw_head))
    }

    /// What the next request needs of this response.
    pub(super) fn learnt(&self, wants: Wants) -> Option<String> {
        match wants {
            Wants::Nothing => None,
            Wants::Element(name) => element(&self.body.kept, name),
            Wants::Tag => {
                let tag = field(&self.raw_head, b"etag").filter(|tag| !tag.is_empty())?;
                std::str::from_utf8(tag).ok().map(str::to_owned)
            }
        }
    }

    /// The first of these texts in the head or the beginning of the body.
    pub(super) fn leaked<'a>(&self, needles: &'a [String]) -> Option<&'a str> {
        let holds = |needle: &str| {
            find(&self.raw_head, needle.as_bytes()).or(find(&self.body.kept, needle.as_bytes())).is_some()
        };
        needles.iter().map(String::as_str).find(|needle| holds(needle))
    }

    /// The raw head, or what came in its place.
    pub(super) fn shown_head(&self) -> &[u8] {
        if self.raw_head.is_empty() { &self.carry } else { &self.raw_head }
    }

    /// Reads heads up to the final one; how many bytes were used, which excludes a head that is not whole
    /// yet.
    fn feed_head(&mut self, plan: &RequestPlan, data: &[u8]) -> usize {
        let mut used = 0;
        loop {
            let left = &data[used..];
            if !b"HTTP/".starts_with(&left[..left.len().min(5)]) {
                return self.break_off(left, Ending::Raw, "not an HTTP/1 head".to_owned()) + used;
            }
            match head::parse(left, plan.op == Op::HeadObject) {
                Parsed::More => return used,
                Parsed::Unparsable { flags, why } => {
                    self.extra_flags |= flags;
                    return self.break_off(left, Ending::Unparsable, why) + used;
                }
                Parsed::Head { head, len } if matches!(head.status, 100 | 102..=199) => {
                    self.informational = self.informational.saturating_add(1);
                    self.continued |= head.status == 100;
                    self.extra_flags |= head.flags & ClientRecord::AMBIGUOUS;
                    used += len;
                }
                Parsed::Head { head, len } => {
                    self.raw_head.extend_from_slice(&left[..len.min(SHOWN)]);
                    self.begin(plan, head);
                    return used + len;
                }
            }
        }
    }

    /// Ends at something that is no head; all of `data` is used up, and its beginning is the evidence.
    fn break_off(&mut self, data: &[u8], ending: Ending, why: String) -> usize {
        self.why = why;
        self.raw_head.extend_from_slice(&data[..data.len().min(SHOWN)]);
        self.phase = Phase::Ended(ending);
        data.len()
    }

    fn begin(&mut self, plan: &RequestPlan, head: Head) {
        self.head = Some(head);
        self.body.begin(plan, head.status);
        self.phase = match head.framing {
            _ if head.lost => {
                self.why = "no usable Content-Length".to_owned();
                Phase::Ended(Ending::Unparsable)
            }
            Framing::None => Phase::Ended(Ending::Complete),
            Framing::Length if head.length == 0 => Phase::Ended(Ending::Complete),
            Framing::Length => Phase::Length(head.length),
            Framing::Chunked => Phase::Chunked(Chunked::default()),
            Framing::Close | Framing::Stream => Phase::UntilClose,
        };
    }

    fn feed_body(&mut self, pool: &Pool, mut data: &[u8]) -> Option<Ending> {
        match &mut self.phase {
            Phase::Head => return None,
            Phase::Ended(_) => {}
            Phase::UntilClose | Phase::Stream => {
                self.body.take(pool, data);
                return None;
            }
            Phase::Length(left) => {
                let take = usize::try_from(*left).unwrap_or(usize::MAX).min(data.len());
                *left -= take as u64;
                let whole = *left == 0;
                self.body.take(pool, &data[..take]);
                data = &data[take..];
                if whole {
                    self.phase = Phase::Ended(Ending::Complete);
                }
            }
            Phase::Chunked(chunked) => loop {
                match chunked.next(&mut data) {
                    Piece::Data(bytes) => self.body.take(pool, bytes),
                    Piece::More => return None,
                    Piece::End => {
                        self.phase = Phase::Ended(Ending::Complete);
                        break;
                    }
                    Piece::Broken => {
                        self.why = "not a chunked body".to_owned();
                        self.phase = Phase::Ended(Ending::Unparsable);
                        break;
                    }
                }
            },
        }
        let Phase::Ended(ending) = self.phase else { return None };
        if ending == Ending::Complete {
            let room = SHOWN.saturating_sub(self.surplus.len()).min(data.len());
            self.surplus.extend_from_slice(&data[..room]);
        }
        Some(ending)
    }
}

/// Flags of an error's body under a Content-Type: whether it is a JSON object, and whether the type fits.
pub(crate) fn document_flags(body: &[u8], media: &[u8]) -> u16 {
    let body = body.trim_ascii();
    let json = body.starts_with(b"{") && body.ends_with(b"}");
    let xml = s3_code(body).is_some_and(|(_, whole)| whole);
    let media = media.split(|b| *b == b';').next().unwrap_or_default().trim_ascii();
    let fits = match media.to_ascii_lowercase().as_slice() {
        b"application/xml" | b"text/xml" => xml,
        b"application/json" => json,
        media => media.ends_with(b"+json") && json,
    };
    let json_flag = if json { ClientRecord::JSON } else { 0 };
    json_flag | if (json || xml) && !fits { ClientRecord::MISLABELLED } else { 0 }
}

/// The ETag of a head.
pub(crate) fn etag(head: &[u8]) -> Option<&str> {
    std::str::from_utf8(field(head, b"etag")?).ok()
}

/// The media type of a head; empty when it states none.
fn media_type(head: &[u8]) -> &[u8] {
    let value = field(head, b"content-type").unwrap_or_default();
    value.split(|b| *b == b';').next().unwrap_or_default().trim_ascii()
}

/// The first field of a name, in lower case, in a head.
fn field<'h>(head: &'h [u8], name: &[u8]) -> Option<&'h [u8]> {
    let named = |line: &[u8]| {
        let colon = line.iter().position(|b| *b == b':')?;
        line[..colon].eq_ignore_ascii_case(name).then_some(colon + 1)
    };
    head.split(|b| *b == b'\n').find_map(|line| named(line).map(|from| line[from..].trim_ascii()))
}

mod stream;
#[cfg(test)]
mod tests;
