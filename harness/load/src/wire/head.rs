//! Reads a response head: status, framing, and which rules of RFC 9112 it breaks.

use std::mem::MaybeUninit;

use gatecrash_model::{ATTEMPT_HEADER, AttemptId, ClientRecord, Framing, hash};
use http::HeaderMap;
use httparse::{ParserConfig, Status};

/// Longest head that is read, bytes.
pub(super) const MAX_HEAD: usize = 64 * 1024;
/// Most header lines that are read.
pub(super) const MAX_HEADERS: usize = 256;

/// A response head, understood.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Head {
    pub status: u16,
    pub framing: Framing,
    /// Body bytes, for [`Framing::Length`].
    pub length: u64,
    /// [`ClientRecord`] flags that the head alone shows.
    pub flags: u16,
    pub keep_alive: bool,
    /// No usable length at all: the connection is lost (RFC 9112 6.3, item 5).
    pub lost: bool,
    /// Packed attempt id.
    pub attempt: u64,
    pub request_id: u32,
}

pub(super) enum Parsed {
    More,
    Head { head: Head, len: usize },
    Unparsable { flags: u16, why: String },
}

/// Reads the head at the start of `data`. `to_head` says that the request was a HEAD.
pub(super) fn parse(data: &[u8], to_head: bool) -> Parsed {
    match parse_with(&ParserConfig::default(), data, to_head) {
        Ok(Some((head, len))) => Parsed::Head { head, len },
        Ok(None) if data.len() >= MAX_HEAD => too_large(),
        Ok(None) => Parsed::More,
        Err(why) => parse_broken(data, to_head, why),
    }
}

/// Reads what most clients still read: folded lines and space before a colon. Both are smuggling vectors.
fn parse_broken(data: &[u8], to_head: bool, why: httparse::Error) -> Parsed {
    let mut lenient = ParserConfig::default();
    lenient.allow_obsolete_multiline_headers_in_responses(true);
    lenient.allow_spaces_after_header_name_in_responses(true);
    match parse_with(&lenient, data, to_head) {
        Ok(Some((mut head, len))) => {
            head.flags |= ClientRecord::AMBIGUOUS;
            head.keep_alive = false;
            Parsed::Head { head, len }
        }
        Ok(None) if data.len() >= MAX_HEAD => too_large(),
        Ok(None) => Parsed::More,
        Err(_) => {
            let in_headers = matches!(why, httparse::Error::HeaderName | httparse::Error::HeaderValue);
            let flags = if in_headers { ClientRecord::AMBIGUOUS } else { 0 };
            Parsed::Unparsable { flags, why: format!("head cannot be read: {why}") }
        }
    }
}

fn too_large() -> Parsed {
    Parsed::Unparsable { flags: 0, why: format!("head larger than {MAX_HEAD} bytes") }
}

fn parse_with(
    config: &ParserConfig,
    data: &[u8],
    to_head: bool,
) -> Result<Option<(Head, usize)>, httparse::Error> {
    let mut headers = [const { MaybeUninit::uninit() }; MAX_HEADERS];
    let mut response = httparse::Response::new(&mut []);
    match config.parse_response_with_uninit_headers(&mut response, data, &mut headers)? {
        Status::Partial => Ok(None),
        Status::Complete(len) => {
            let status = response.code.unwrap_or(0);
            let fields = response.headers.iter().map(|field| (field.name, field.value));
            Ok(Some((read(status, response.version.unwrap_or(0), fields, to_head), len)))
        }
    }
}

/// Reads the head of an answer on a stream of HTTP/2, where the stream's end is the message's (RFC 9113 8.1).
pub(super) fn of_stream(status: u16, fields: &HeaderMap, to_head: bool) -> Head {
    let fields = fields.iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
    let head = read(status, 1, fields, to_head);
    let framing = if head.framing == Framing::Close { Framing::Stream } else { head.framing };
    Head { framing, lost: false, ..head }
}

/// What the headers say about framing, before it is put together.
#[derive(Default)]
struct Lengths {
    /// The first Content-Length.
    length: Option<u64>,
    /// The last coding of Transfer-Encoding is chunked.
    chunked: bool,
    coded: bool,
    broken: bool,
}

fn read<'h>(
    status: u16,
    minor: u8,
    fields: impl Iterator<Item = (&'h str, &'h [u8])>,
    to_head: bool,
) -> Head {
    let mut head = Head {
        status,
        framing: Framing::None,
        length: 0,
        flags: 0,
        keep_alive: minor == 1,
        lost: false,
        attempt: AttemptId::NONE,
        request_id: 0,
    };
    let mut lengths = Lengths::default();
    for (name, value) in fields {
        let is = |other: &str| name.eq_ignore_ascii_case(other);
        match name.len() {
            10 if is("connection") => connection(value, &mut head.keep_alive),
            11 if is("retry-after") => head.flags |= ClientRecord::RETRY_AFTER,
            14 if is("content-length") => lengths.content_length(value),
            16 if is("x-amz-request-id") => head.request_id = hash::bytes(value) as u32,
            17 if is("transfer-encoding") => lengths.transfer_encoding(value),
            17 if is("x-amz-retry-after") => head.flags |= ClientRecord::RETRY_AFTER,
            19 if is(ATTEMPT_HEADER) => {
                head.attempt = AttemptId::parse_header(value).map_or(AttemptId::NONE, AttemptId::pack);
            }
            _ => {}
        }
    }
    let without_body = to_head || matches!(status, 100..=199 | 204 | 304);
    // RFC 9112 6.1: no Transfer-Encoding in 1xx and 204, nor from an HTTP/1.0 server; 6.3: two framings at
    // once.
    let undue = lengths.coded && (minor == 0 || matches!(status, 100..=199 | 204));
    let undue_length = matches!(status, 100..=199 | 204) && lengths.length.is_some_and(|n| n > 0);
    if lengths.broken || undue || undue_length || (lengths.coded && lengths.length.is_some()) {
        head.flags |= ClientRecord::AMBIGUOUS;
        head.keep_alive = false;
    }
    (head.framing, head.length) = match lengths {
        _ if without_body => (Framing::None, 0),
        Lengths { chunked: true, .. } => (Framing::Chunked, 0),
        Lengths { coded: false, length: Some(length), .. } => (Framing::Length, length),
        _ => (Framing::Close, 0),
    };
    head.lost = head.framing == Framing::Close && lengths.broken && !lengths.coded;
    head.keep_alive &= head.framing != Framing::Close && status != 101;
    head
}

fn connection(value: &[u8], keep_alive: &mut bool) {
    for token in value.split(|b| *b == b',').map(<[u8]>::trim_ascii) {
        if token.eq_ignore_ascii_case(b"close") {
            *keep_alive = false;
        } else if token.eq_ignore_ascii_case(b"keep-alive") {
            *keep_alive = true;
        }
    }
}

impl Lengths {
    fn content_length(&mut self, value: &[u8]) {
        for number in value.split(|b| *b == b',').map(<[u8]>::trim_ascii) {
            let digits = !number.is_empty() && number.len() <= 19 && number.iter().all(u8::is_ascii_digit);
            self.broken |= self.length.is_some() || !digits;
            if digits && self.length.is_none() {
                self.length = Some(number.iter().fold(0, |n, b| n * 10 + u64::from(b - b'0')));
            }
        }
    }

    fn transfer_encoding(&mut self, value: &[u8]) {
        for coding in value.split(|b| *b == b',').map(<[u8]>::trim_ascii) {
            let chunked = coding.eq_ignore_ascii_case(b"chunked");
            // We ask for no other coding, and chunked comes once, at the end.
            self.broken |= !chunked || self.coded;
            self.chunked = chunked;
            self.coded = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(lines: &str) -> Head {
        let text = format!("{}\r\n\r\n", lines.replace('\n', "\r\n"));
        match parse(text.as_bytes(), false) {
            Parsed::Head { head, len } if len == text.len() => head,
            _ => panic!("not a head: {lines}"),
        }
    }

    #[test]
    fn framing_is_read_as_rfc_9112_says() {
        let table = [
            ("HTTP/1.1 200 OK\nContent-Length: 5", Framing::Length, true, false),
            ("HTTP/1.1 200 OK\ntransfer-encoding: Chunked", Framing::Chunked, true, false),
            ("HTTP/1.1 200 OK", Framing::Close, false, false),
            ("HTTP/1.1 204 No Content", Framing::None, true, false),
            ("HTTP/1.1 304 Not Modified\nContent-Length: 5", Framing::None, true, false),
            ("HTTP/1.1 200 OK\nConnection: Foo, Close\nContent-Length: 5", Framing::Length, false, false),
            ("HTTP/1.0 200 OK\nContent-Length: 5", Framing::Length, false, false),
            ("HTTP/1.0 200 OK\nConnection: keep-alive\nContent-Length: 5", Framing::Length, true, false),
            ("HTTP/1.1 200 OK\nContent-Length: 5\nContent-Length: 5", Framing::Length, false, true),
            ("HTTP/1.1 200 OK\nContent-Length: 5\nContent-Length: 6", Framing::Length, false, true),
            ("HTTP/1.1 200 OK\nContent-Length: 5, 5", Framing::Length, false, true),
            ("HTTP/1.1 200 OK\nContent-Length: +5", Framing::Close, false, true),
            ("HTTP/1.1 200 OK\nContent-Length: -1", Framing::Close, false, true),
            ("HTTP/1.1 200 OK\nContent-Length:", Framing::Close, false, true),
            ("HTTP/1.1 200 OK\nContent-Length: 99999999999999999999", Framing::Close, false, true),
            ("HTTP/1.1 200 OK\nContent-Length: 5\nTransfer-Encoding: chunked", Framing::Chunked, false, true),
            ("HTTP/1.1 200 OK\nTransfer-Encoding: gzip, chunked", Framing::Chunked, false, true),
            ("HTTP/1.1 200 OK\nTransfer-Encoding: chunked, gzip", Framing::Close, false, true),
            ("HTTP/1.1 200 OK\nTransfer-Encoding: xchunked", Framing::Close, false, true),
            (
                "HTTP/1.1 200 OK\nTransfer-Encoding: chunked\nTransfer-Encoding: chunked",
                Framing::Chunked,
                false,
                true,
            ),
            ("HTTP/1.0 200 OK\nTransfer-Encoding: chunked", Framing::Chunked, false, true),
            ("HTTP/1.1 204 No Content\nContent-Length: 5", Framing::None, false, true),
            ("HTTP/1.1 200 OK\nContent-Length : 5", Framing::Length, false, true),
            ("HTTP/1.1 200 OK\nX-A: b\n folded\nContent-Length: 5", Framing::Length, false, true),
        ];
        for (text, framing, keep_alive, ambiguous) in table {
            let head = head(text);
            let found = (head.framing, head.keep_alive, head.flags & ClientRecord::AMBIGUOUS != 0);
            assert_eq!(found, (framing, keep_alive, ambiguous), "{text}");
        }
    }

    #[test]
    fn without_any_usable_length_the_connection_is_lost() {
        assert!(head("HTTP/1.1 200 OK\nContent-Length: -1").lost);
        assert!(!head("HTTP/1.1 200 OK\nContent-Length: 5\nContent-Length: 6").lost);
        assert!(!head("HTTP/1.1 200 OK\nContent-Length: x\nTransfer-Encoding: chunked").lost);
        assert!(!head("HTTP/1.1 200 OK").lost);
    }

    #[test]
    fn ids_and_retry_after_are_taken() {
        let head = head(
            "HTTP/1.1 503 Slow Down\nX-Gatecrash-Attempt: 1-20-3\nx-amz-request-id: AB12\nRetry-After: 1\n\
             Content-Length: 0",
        );
        assert_eq!(AttemptId::unpack(head.attempt), Some(AttemptId { link: 1, conn: 20, ordinal: 3 }));
        assert_eq!(head.request_id, hash::bytes(b"AB12") as u32);
        assert_eq!(head.flags, ClientRecord::RETRY_AFTER);
    }

    #[test]
    fn broken_heads_are_unparsable_and_say_whether_headers_are_to_blame() {
        let table: [(&[u8], u16); 5] = [
            (b"HTTP/1.1 200 OK\r\nA: b\0c\r\n\r\n", ClientRecord::AMBIGUOUS),
            (b"HTTP/1.1 200 OK\r\nA B: c\r\n\r\n", ClientRecord::AMBIGUOUS),
            (b"HTTP/1.1 2x0 OK\r\n\r\n", 0),
            (b"HTTP/2.0 200 OK\r\n\r\n", 0),
            (b"HTTP/1.1 200\0OK\r\n\r\n", 0),
        ];
        for (bytes, expected) in table {
            let text = String::from_utf8_lossy(bytes);
            let Parsed::Unparsable { flags, .. } = parse(bytes, false) else { panic!("parsed: {text}") };
            assert_eq!(flags, expected, "{text}");
        }
    }

    #[test]
    fn heads_are_bounded() {
        let long = format!("HTTP/1.1 200 OK\r\nA: {}", "b".repeat(MAX_HEAD));
        assert!(matches!(parse(long.as_bytes(), false), Parsed::Unparsable { .. }));
        let many = format!("HTTP/1.1 200 OK\r\n{}\r\n", "A: b\r\n".repeat(MAX_HEADERS + 1));
        assert!(matches!(parse(many.as_bytes(), false), Parsed::Unparsable { .. }));
    }
}
