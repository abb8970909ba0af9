//! Strict reading of a response head. What is ambiguous is invalid: the gateway answers 502 and closes.

use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};

use crate::defects::Active;

/// Largest response head, in bytes.
pub(crate) const MAX_HEAD: usize = 16 * 1024;
/// Most header lines in a head.
const MAX_HEADERS: usize = 100;

/// A response head that passed every rule.
#[derive(Debug)]
pub(crate) struct Head {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) framing: Framing,
    /// Whether the connection may be used again once the body is read.
    pub(crate) keep: bool,
    /// Bytes the head took.
    pub(crate) length: usize,
}

/// Where the body ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Framing {
    Empty,
    Length(u64),
    Chunked,
    UntilClose,
}

/// Reads a head from the front of `bytes`: `None` while it is incomplete, the broken rule if it never can be.
pub(crate) fn parse(bytes: &[u8], method: &Method, active: Active) -> Result<Option<Head>, &'static str> {
    let expected = b"HTTP/1.";
    let begun = expected.len().min(bytes.len());
    if bytes[..begun] != expected[..begun] {
        return Err("not an HTTP/1 response");
    }
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n").map(|at| at + 4);
    let head = &bytes[..end.unwrap_or(bytes.len())];
    check_bytes(head)?;
    let bounded = !active.reads_heads_without_limit();
    if head.len() > MAX_HEAD && bounded {
        return Err("response head too large");
    }
    let Some(length) = end else { return Ok(None) };

    let most = if bounded { MAX_HEADERS } else { head.len() / 4 };
    let mut lines = vec![httparse::EMPTY_HEADER; most];
    let mut response = httparse::Response::new(&mut lines);
    match response.parse(head) {
        Ok(httparse::Status::Complete(_)) => {}
        Ok(httparse::Status::Partial) => return Err("incomplete response head"),
        Err(httparse::Error::TooManyHeaders) => return Err("too many response headers"),
        Err(httparse::Error::Status | httparse::Error::Version) => return Err("bad status line"),
        Err(_) => return Err("bad header line"),
    }
    let status = response
        .code
        .filter(|code| (100..600).contains(code))
        .and_then(|code| StatusCode::from_u16(code).ok())
        .ok_or("bad status code")?;
    let mut headers = HeaderMap::with_capacity(response.headers.len());
    for line in response.headers.iter() {
        let name = HeaderName::from_bytes(line.name.as_bytes()).map_err(|_| "bad header name")?;
        let value = HeaderValue::from_maybe_shared(Bytes::copy_from_slice(line.value));
        headers.append(name, value.map_err(|_| "bad header value")?);
    }
    let http10 = response.version == Some(0);
    let framing = framing(status, &headers, http10, method, active)?;
    let keep = !http10 && framing != Framing::UntilClose && !says_close(&headers);
    Ok(Some(Head { status, headers, framing, keep, length }))
}

/// Line ends are CR LF, and neither half stands alone; NUL stands nowhere.
fn check_bytes(head: &[u8]) -> Result<(), &'static str> {
    for (at, byte) in head.iter().enumerate() {
        match byte {
            0 => return Err("NUL in response head"),
            b'\n' if at == 0 || head[at - 1] != b'\r' => return Err("bare LF in response head"),
            b'\r' if head.get(at + 1).is_some_and(|&next| next != b'\n') => {
                return Err("bare CR in response head");
            }
            _ => {}
        }
    }
    Ok(())
}

fn framing(
    status: StatusCode,
    headers: &HeaderMap,
    http10: bool,
    method: &Method,
    active: Active,
) -> Result<Framing, &'static str> {
    let mut coding = only_one(headers, &TRANSFER_ENCODING, "more than one Transfer-Encoding")?;
    let length = if active.relays_two_lengths() {
        headers.get(CONTENT_LENGTH)
    } else {
        only_one(headers, &CONTENT_LENGTH, "more than one Content-Length")?
    };
    if active.prefers_length_to_coding() && length.is_some() {
        coding = None;
    }
    if coding.is_some() && length.is_some() {
        return Err("Content-Length together with Transfer-Encoding");
    }
    if coding.is_some() && http10 {
        return Err("Transfer-Encoding in HTTP/1.0");
    }
    let stated = match (coding, length) {
        (Some(coding), _) if coding.as_bytes().eq_ignore_ascii_case(b"chunked") => Framing::Chunked,
        (Some(_), _) => return Err("unknown Transfer-Encoding"),
        (None, Some(length)) => Framing::Length(number(length.as_bytes()).ok_or("bad Content-Length")?),
        (None, None) => Framing::UntilClose,
    };
    let bodiless =
        method == Method::HEAD || status.is_informational() || matches!(status.as_u16(), 204 | 304);
    Ok(if bodiless { Framing::Empty } else { stated })
}

fn only_one<'a>(
    headers: &'a HeaderMap,
    name: &HeaderName,
    otherwise: &'static str,
) -> Result<Option<&'a HeaderValue>, &'static str> {
    let mut values = headers.get_all(name).iter();
    let first = values.next();
    if values.next().is_some() { Err(otherwise) } else { Ok(first) }
}

/// Digits only: no sign, no list, no overflow.
fn number(text: &[u8]) -> Option<u64> {
    let digits = !text.is_empty() && text.len() <= 19 && text.iter().all(u8::is_ascii_digit);
    if digits { std::str::from_utf8(text).ok()?.parse().ok() } else { None }
}

fn says_close(headers: &HeaderMap) -> bool {
    let values = headers.get_all(CONNECTION).iter();
    values
        .flat_map(|value| value.as_bytes().split(|&byte| byte == b','))
        .any(|token| token.trim_ascii().eq_ignore_ascii_case(b"close"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Option<Head>, &'static str> {
        parse(text.as_bytes(), &Method::GET, Active::default())
    }

    #[test]
    fn a_plain_head_is_read() {
        let head =
            read("HTTP/1.1 206 Partial\r\nETag: \"a\"\r\nContent-Length: 12\r\n\r\nrest").unwrap().unwrap();
        assert_eq!(head.status, 206);
        assert_eq!(head.framing, Framing::Length(12));
        assert!(head.keep);
        assert_eq!(head.length, 55);
        assert_eq!(head.headers["etag"], "\"a\"");
    }

    #[test]
    fn an_unfinished_head_is_waited_for() {
        for text in ["", "HT", "HTTP/1.1 200", "HTTP/1.1 200 OK\r\nA: b\r\n", "HTTP/1.1 200 OK\r\nA: b\r\n\r"]
        {
            assert!(read(text).unwrap().is_none(), "{text:?}");
        }
    }

    #[test]
    fn no_byte_anywhere_is_fatal() {
        let head = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nETag: \"a\"\r\n\r\nhello";
        for at in 0..head.len() {
            for byte in 0..=u8::MAX {
                let mut changed = *head;
                changed[at] = byte;
                let _ = parse(&changed, &Method::GET, Active::default());
                assert!(parse(&changed[..at], &Method::GET, Active::default()).is_ok());
            }
        }
    }

    #[test]
    fn every_broken_rule_has_its_name() {
        let cases = [
            ("SSH-2.0-OpenSSH_9\r\n", "not an HTTP/1 response"),
            ("HTP/1.1 200 OK\r\n\r\n", "not an HTTP/1 response"),
            ("\r\nHTTP/1.1 200 OK\r\n\r\n", "not an HTTP/1 response"),
            ("HTTP/9.9 200 OK\r\n\r\n", "not an HTTP/1 response"),
            ("HTTP/1.2 200 OK\r\n\r\n", "bad status line"),
            ("HTTP/1.1 20 OK\r\n\r\n", "bad status line"),
            ("HTTP/1.1 2000 OK\r\n\r\n", "bad status line"),
            ("HTTP/1.1 abc OK\r\n\r\n", "bad status line"),
            ("HTTP/1.1 000 OK\r\n\r\n", "bad status code"),
            ("HTTP/1.1 999 OK\r\n\r\n", "bad status code"),
            ("HTTP/1.1 200 OK\nA: b\n\n", "bare LF in response head"),
            ("HTTP/1.1 200 OK\r\nA: b\rc\r\n\r\n", "bare CR in response head"),
            ("HTTP/1.1 200 OK\r\nA: b\0c\r\n\r\n", "NUL in response head"),
            ("HTTP/1.1 200 OK\r\nno colon\r\n\r\n", "bad header line"),
            ("HTTP/1.1 200 OK\r\nA : b\r\n\r\n", "bad header line"),
            ("HTTP/1.1 200 OK\r\n: b\r\n\r\n", "bad header line"),
            ("HTTP/1.1 200 OK\r\nA: b\r\n folded\r\n\r\n", "bad header line"),
            (
                "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n",
                "more than one Content-Length",
            ),
            (
                "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 9\r\n\r\n",
                "more than one Content-Length",
            ),
            ("HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n\r\n", "bad Content-Length"),
            ("HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n", "bad Content-Length"),
            ("HTTP/1.1 200 OK\r\nContent-Length: +5\r\n\r\n", "bad Content-Length"),
            ("HTTP/1.1 200 OK\r\nContent-Length: five\r\n\r\n", "bad Content-Length"),
            ("HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\n", "bad Content-Length"),
            ("HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n", "bad Content-Length"),
            (
                "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
                "Content-Length together with Transfer-Encoding",
            ),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: zork\r\n\r\n", "unknown Transfer-Encoding"),
            (
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
                "more than one Transfer-Encoding",
            ),
            ("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "Transfer-Encoding in HTTP/1.0"),
        ];
        for (text, rule) in cases {
            assert_eq!(read(text).unwrap_err(), rule, "{text:?}");
        }
    }

    #[test]
    fn size_and_number_of_headers_are_bounded() {
        let many = |count: usize| format!("HTTP/1.1 200 OK\r\n{}\r\n", "A: b\r\n".repeat(count));
        assert!(read(&many(100)).unwrap().is_some());
        assert_eq!(read(&many(101)).unwrap_err(), "too many response headers");
        let long = format!("HTTP/1.1 200 OK\r\nA: {}", "b".repeat(MAX_HEAD));
        assert_eq!(read(&long).unwrap_err(), "response head too large");
        assert_eq!(read(&format!("{long}\r\n\r\n")).unwrap_err(), "response head too large");
    }

    #[test]
    fn some_responses_have_no_body_whatever_they_say() {
        let text = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n";
        let framing =
            |text: &str, method| parse(text.as_bytes(), &method, Active::default()).unwrap().unwrap().framing;
        assert_eq!(framing(text, Method::HEAD), Framing::Empty);
        assert_eq!(framing(&text.replace("200", "204"), Method::GET), Framing::Empty);
        assert_eq!(framing(&text.replace("200", "304"), Method::GET), Framing::Empty);
        assert_eq!(framing(text, Method::GET), Framing::Length(5));
    }

    #[test]
    fn only_clean_persistent_connections_are_kept() {
        let keep = |text: &str| read(text).unwrap().unwrap().keep;
        assert!(keep("HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n"));
        assert!(!keep("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: foo, Close\r\n\r\n"));
        assert!(!keep("HTTP/1.0 200 OK\r\nContent-Length: 5\r\nConnection: keep-alive\r\n\r\n"));
        assert!(!keep("HTTP/1.1 200 OK\r\n\r\n"));
    }
}
