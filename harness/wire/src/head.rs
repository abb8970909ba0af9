//! Request and response heads, read off raw bytes and left as they are.

use gatecrash_model::{ATTEMPT_HEADER, AttemptId};

use crate::framing::Frame;

/// The longest head that is read.
pub(crate) const LIMIT: usize = 64 * 1024;
/// The most headers that are read.
const HEADERS: usize = 128;
/// Why a request head is none to answer: RFC 9112 6.3 has no reading of its framing.
pub(crate) const AMBIGUOUS: &str = "ambiguous request framing";

/// What the bytes so far are.
#[derive(Debug)]
pub(crate) enum Read<T> {
    /// The beginning of a head.
    Partial,
    /// A head.
    Whole(T),
    /// No head, and why.
    Bad(String),
}

/// What a link needs of a request head; the bytes stay where they are.
#[derive(Debug)]
pub(crate) struct RequestHead {
    /// Bytes of the head.
    pub(crate) length: usize,
    /// The body that follows.
    pub(crate) frame: Frame,
    /// Whether it asks to close the connection afterwards.
    pub(crate) close: bool,
    /// Whether the method is HEAD.
    pub(crate) to_head: bool,
    /// Whether it states its framing more than once: Transfer-Encoding wins (RFC 9112 6.3).
    pub(crate) ambiguous: bool,
}

/// What a link needs of a response head.
#[derive(Clone, Debug)]
pub(crate) struct ResponseHead {
    /// Bytes of the head.
    pub(crate) length: usize,
    /// Status.
    pub(crate) status: u16,
    /// The body that follows.
    pub(crate) frame: Frame,
    /// Whether a body follows at all.
    pub(crate) has_body: bool,
    /// The Content-Length it states, also where no body follows.
    pub(crate) states: Option<u64>,
    /// Whether the connection ends afterwards.
    pub(crate) close: bool,
}

/// A parsed request head, for as long as its bytes are borrowed.
#[derive(Debug)]
pub(crate) struct Parsed<'a> {
    pub(crate) method: &'a str,
    pub(crate) target: &'a str,
    pub(crate) headers: Vec<(&'a str, &'a str)>,
}

/// What the headers say about framing and the connection.
#[derive(Default)]
struct Says {
    length: Option<u64>,
    bad_length: bool,
    chunked: bool,
    other_coding: bool,
    close: bool,
    keep_alive: bool,
}

/// Reads a request head.
pub(crate) fn request(bytes: &[u8]) -> Read<RequestHead> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS];
    let mut parsed = httparse::Request::new(&mut headers);
    let length = match parsed.parse(bytes) {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) if bytes.len() < LIMIT => return Read::Partial,
        Ok(httparse::Status::Partial) => return Read::Bad("request head longer than 64 KiB".into()),
        Err(error) => return Read::Bad(error.to_string()),
    };
    let says = Says::read(parsed.headers);
    let frame = match (says.chunked, says.length) {
        (true, _) => Frame::chunked(),
        _ if says.bad_length || says.other_coding => return Read::Bad(AMBIGUOUS.into()),
        (false, length) => Frame::Length(length.unwrap_or(0)),
    };
    let close = says.closes(parsed.version == Some(0));
    let to_head = parsed.method == Some("HEAD");
    let ambiguous = says.chunked && (says.length.is_some() || says.bad_length || says.other_coding);
    Read::Whole(RequestHead { length, frame, close, to_head, ambiguous })
}

/// Reads a response head; `to_head` when it answers a HEAD request.
pub(crate) fn response(bytes: &[u8], to_head: bool) -> Read<ResponseHead> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS];
    let mut parsed = httparse::Response::new(&mut headers);
    let length = match parsed.parse(bytes) {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) if bytes.len() < LIMIT => return Read::Partial,
        Ok(httparse::Status::Partial) => return Read::Bad("response head longer than 64 KiB".into()),
        Err(error) => return Read::Bad(error.to_string()),
    };
    let status = parsed.code.unwrap_or(0);
    let says = Says::read(parsed.headers);
    let has_body = !(to_head || matches!(status, 100 | 102..=199 | 204 | 304));
    let frame = match (has_body, says.chunked, says.length) {
        (false, ..) => Frame::NONE,
        _ if status == 101 => Frame::Close,
        (_, true, _) => Frame::chunked(),
        (_, _, Some(length)) if !says.bad_length && !says.other_coding => Frame::Length(length),
        _ => Frame::Close,
    };
    let close = says.closes(parsed.version == Some(0)) || frame == Frame::Close;
    Read::Whole(ResponseHead { length, status, frame, has_body, states: says.length, close })
}

/// Parses a head again that was read before.
pub(crate) fn parse<'a>(bytes: &'a [u8]) -> Option<Parsed<'a>> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS];
    let mut parsed = httparse::Request::new(&mut headers);
    parsed.parse(bytes).ok()?;
    let text = |h: &httparse::Header<'a>| Some((h.name, std::str::from_utf8(h.value).ok()?));
    let headers = parsed.headers.iter().filter_map(text).collect();
    Some(Parsed { method: parsed.method?, target: parsed.path?, headers })
}

/// The header line that names an attempt.
pub(crate) fn attempt_line(id: AttemptId) -> String {
    format!("{ATTEMPT_HEADER}: {id}\r\n")
}

/// A head with one more line before its empty line.
pub(crate) fn with_line(head: &[u8], line: &str) -> Vec<u8> {
    let end = head.len() - if head.ends_with(b"\r\n") { 2 } else { 1 };
    let mut out = Vec::with_capacity(head.len() + line.len());
    out.extend_from_slice(&head[..end]);
    out.extend_from_slice(line.as_bytes());
    out.extend_from_slice(&head[end..]);
    out
}

/// A head that says `Connection: close`, and nothing else about the connection.
pub(crate) fn closing(head: &[u8]) -> Vec<u8> {
    with_line(&without(head, &["connection", "keep-alive"]), "Connection: close\r\n")
}

/// The same, and it does not say where the body ends either.
pub(crate) fn unframed(head: &[u8]) -> Vec<u8> {
    closing(&without(head, &["content-length"]))
}

/// A head without the lines of these headers.
fn without(head: &[u8], names: &[&str]) -> Vec<u8> {
    let is_named = |line: &&[u8]| {
        let name = line.split(|b| *b == b':').next().unwrap_or_default();
        names.iter().any(|n| name.eq_ignore_ascii_case(n.as_bytes()))
    };
    head.split_inclusive(|b| *b == b'\n').filter(|line| !is_named(line)).collect::<Vec<_>>().concat()
}

// === impl Parsed ===

impl<'a> Parsed<'a> {
    /// The value of a header.
    pub(crate) fn header(&self, name: &str) -> Option<&'a str> {
        self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| *value)
    }
}

// === impl Says ===

impl Says {
    fn read(headers: &[httparse::Header<'_>]) -> Self {
        let mut says = Self::default();
        for header in headers {
            let value = header.value.trim_ascii();
            if header.name.eq_ignore_ascii_case("content-length") {
                let length = std::str::from_utf8(value).ok().and_then(|v| v.parse().ok());
                says.bad_length |= length.is_none() || says.length.is_some_and(|l| Some(l) != length);
                says.length = length;
            } else if header.name.eq_ignore_ascii_case("transfer-encoding") {
                let last = value.rsplit(|b| *b == b',').next().unwrap_or_default().trim_ascii();
                says.chunked = last.eq_ignore_ascii_case(b"chunked");
                says.other_coding |= !says.chunked;
            } else if header.name.eq_ignore_ascii_case("connection") {
                for token in value.split(|b| *b == b',').map(<[u8]>::trim_ascii) {
                    says.close |= token.eq_ignore_ascii_case(b"close");
                    says.keep_alive |= token.eq_ignore_ascii_case(b"keep-alive");
                }
            }
        }
        says
    }

    fn closes(&self, http10: bool) -> bool {
        self.close || (http10 && !self.keep_alive)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(head: &str, to_head: bool) -> ResponseHead {
        match response(head.as_bytes(), to_head) {
            Read::Whole(head) => head,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn responses_tell_their_framing() {
        let table = [
            ("200 OK\r\nContent-Length: 5", false, Frame::Length(5), false),
            ("200 OK\r\nContent-Length: 5", true, Frame::NONE, false),
            ("200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 5", false, Frame::chunked(), false),
            ("200 OK\r\nConnection: close", false, Frame::Close, true),
            ("200 OK\r\nContent-Length: 5\r\nContent-Length: 6", false, Frame::Close, true),
            ("204 No Content", false, Frame::NONE, false),
            ("304 Not Modified\r\nContent-Length: 7", false, Frame::NONE, false),
            ("100 Continue", false, Frame::NONE, false),
        ];
        for (text, to_head, frame, close) in table {
            let head = answer(&format!("HTTP/1.1 {text}\r\n\r\n"), to_head);
            assert_eq!((head.frame, head.close), (frame, close), "{text}");
        }
    }

    #[test]
    fn requests_tell_their_framing() {
        for (text, frame, close) in [
            ("GET / HTTP/1.1\r\n\r\n", Frame::NONE, false),
            ("GET / HTTP/1.0\r\n\r\n", Frame::NONE, true),
            ("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", Frame::NONE, false),
            ("PUT / HTTP/1.1\r\nContent-Length: 9\r\nConnection: close\r\n\r\n", Frame::Length(9), true),
            ("PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", Frame::chunked(), false),
        ] {
            let Read::Whole(head) = request(text.as_bytes()) else { panic!("{text}") };
            assert_eq!((head.frame, head.close, head.length), (frame, close, text.len()), "{text}");
        }
        assert!(matches!(request(b"GET / HT"), Read::Partial));
        assert!(matches!(request(b"\x16\x03\x01"), Read::Bad(_)));
        assert!(matches!(request(b"PUT / HTTP/1.1\r\nContent-Length: x\r\n\r\n"), Read::Bad(_)));
        assert!(matches!(
            request(&b"GET /".iter().chain(&vec![b'a'; LIMIT]).copied().collect::<Vec<_>>()),
            Read::Bad(_)
        ));
    }

    #[test]
    fn a_closing_head_says_it_once() {
        assert_eq!(
            closing(b"HTTP/1.1 200 OK\r\nconnection: keep-alive\r\nA: b\r\nKeep-Alive: timeout=5\r\n\r\n"),
            b"HTTP/1.1 200 OK\r\nA: b\r\nConnection: close\r\n\r\n"
        );
    }

    #[test]
    fn an_unframed_head_states_no_length() {
        assert_eq!(
            unframed(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nA: b\r\n\r\n"),
            b"HTTP/1.1 200 OK\r\nA: b\r\nConnection: close\r\n\r\n"
        );
    }

    #[test]
    fn requests_that_state_two_framings_are_ambiguous() {
        for (lines, wanted) in [
            ("Content-Length: 5\r\n", false),
            ("Transfer-Encoding: chunked\r\n", false),
            ("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", true),
            ("Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n", true),
        ] {
            let text = format!("PUT / HTTP/1.1\r\n{lines}\r\n");
            let Read::Whole(head) = request(text.as_bytes()) else { panic!("{text}") };
            assert_eq!(head.ambiguous, wanted, "{text}");
        }
        let Read::Bad(why) = request(b"PUT / HTTP/1.1\r\nContent-Length: x\r\n\r\n") else { panic!() };
        assert_eq!(why, AMBIGUOUS);
    }

    #[test]
    fn a_line_goes_before_the_empty_one() {
        let line = attempt_line(AttemptId { link: 1, conn: 2, ordinal: 3 });
        assert_eq!(
            with_line(b"HTTP/1.1 200 OK\r\nA: b\r\n\r\n", &line),
            b"HTTP/1.1 200 OK\r\nA: b\r\nx-gatecrash-attempt: 1-2-3\r\n\r\n"
        );
        assert_eq!(with_line(b"HTTP/1.1 200 OK\n\n", "x: y\r\n"), b"HTTP/1.1 200 OK\nx: y\r\n\n");
    }
}
