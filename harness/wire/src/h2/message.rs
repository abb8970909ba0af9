//! Between the fields of HTTP/2 and the heads of HTTP/1.1, in which rules, registry and mock think
//! (RFC 9113 8.1 to 8.3, RFC 9112).

use gatecrash_model::{ATTEMPT_HEADER, AttemptId};

use super::hpack::{self, Field};

/// A request as it goes on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Request {
    /// Its head in HTTP/1.1.
    pub(crate) head: Vec<u8>,
    pub(crate) body: Body,
    pub(crate) to_head: bool,
}

/// The body of a request, and how it goes on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Body {
    /// None.
    Nothing,
    /// This many bytes are still to come.
    Length(u64),
    /// As chunks.
    Chunks,
}

/// Fields of one connection alone, which HTTP/2 forbids (RFC 9113 8.2.2).
const OF_CONNECTION: [&[u8]; 5] =
    [b"connection", b"keep-alive", b"proxy-connection", b"transfer-encoding", b"upgrade"];

/// Reads the fields of a request; the error says what makes it malformed.
pub(crate) fn request(fields: &[Field], end_stream: bool) -> Result<Request, &'static str> {
    let (mut method, mut scheme, mut path, mut authority) = (None, None, None, None);
    let (mut host, mut length) = (None, None);
    let mut lines = Vec::new();
    for (name, value) in fields {
        if !is_value(value) {
            return Err("a field value with control bytes");
        }
        let pseudo = match &name[..] {
            b":method" => &mut method,
            b":scheme" => &mut scheme,
            b":path" => &mut path,
            b":authority" => &mut authority,
            name if !is_name(name) => return Err("a field name that is none"),
            name if OF_CONNECTION.contains(&name) => return Err("a field of HTTP/1.1 connections"),
            b"te" if value != b"trailers" => return Err("a field of HTTP/1.1 connections"),
            b"host" => {
                host = Some(value);
                continue;
            }
            name => {
                if name == b"content-length" {
                    let stated = std::str::from_utf8(value).ok().and_then(|v| v.parse::<u64>().ok());
                    if stated.is_none() || length.is_some_and(|l| Some(l) != stated) {
                        return Err("a content-length that is none");
                    }
                    length = stated;
                }
                lines.extend_from_slice(&[name, b": ", value, b"\r\n"].concat());
                continue;
            }
        };
        if !lines.is_empty() || host.is_some() || pseudo.replace(value).is_some() {
            return Err("a pseudo-header field twice or after others");
        }
    }
    let (Some(method), Some(_), Some(path)) = (method, scheme, path) else {
        return Err("no :method, :scheme or :path");
    };
    if !is_token(method) || path.is_empty() || path.iter().any(|b| *b <= b' ') {
        return Err("a :method or :path that is none");
    }
    let body = match (end_stream, length) {
        (true, None | Some(0)) => Body::Nothing,
        (true, Some(_)) => return Err("a content-length without a body"),
        (false, Some(length)) => Body::Length(length),
        (false, None) => Body::Chunks,
    };
    let mut head = [&method[..], b" ", path, b" HTTP/1.1\r\n"].concat();
    if let Some(host) = authority.or(host) {
        head.extend_from_slice(&[b"host: ", &host[..], b"\r\n"].concat());
    }
    head.extend_from_slice(&lines);
    if body == Body::Chunks {
        head.extend_from_slice(b"transfer-encoding: chunked\r\n");
    }
    head.extend_from_slice(b"\r\n");
    Ok(Request { head, body, to_head: method == b"HEAD" })
}

/// The fields of a response, without `:status`, from its head in HTTP/1.1; with our own unless `id` is none.
pub(crate) fn fields(head: &[u8], id: Option<AttemptId>) -> Vec<Field> {
    let mut fields = Vec::new();
    for line in head.split(|b| *b == b'\n').skip(1) {
        let Some(colon) = line.iter().position(|b| *b == b':') else { continue };
        let name = line[..colon].to_ascii_lowercase();
        if !OF_CONNECTION.contains(&&name[..]) {
            fields.push((name, line[colon + 1..].trim_ascii().to_vec()));
        }
    }
    fields.extend(id.map(|id| (ATTEMPT_HEADER.as_bytes().to_vec(), id.to_string().into_bytes())));
    fields
}

/// The field block of a response.
pub(crate) fn block(status: u16, fields: &[Field]) -> Vec<u8> {
    let mut block = Vec::new();
    hpack::literal(&mut block, b":status", status.to_string().as_bytes());
    append(&mut block, fields);
    block
}

/// Appends fields to a block.
pub(crate) fn append(block: &mut Vec<u8>, fields: &[Field]) {
    fields.iter().for_each(|(name, value)| hpack::literal(block, name, value));
}

fn is_token(bytes: &[u8]) -> bool {
    !bytes.is_empty() && bytes.iter().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(b))
}

fn is_name(bytes: &[u8]) -> bool {
    is_token(bytes) && !bytes.iter().any(u8::is_ascii_uppercase)
}

fn is_value(bytes: &[u8]) -> bool {
    !bytes.iter().any(|b| matches!(b, b'\0' | b'\r' | b'\n'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(fields: &[(&str, &str)]) -> Vec<Field> {
        fields.iter().map(|(n, v)| (n.as_bytes().to_vec(), v.as_bytes().to_vec())).collect()
    }

    const GET: [(&str, &str); 4] =
        [(":method", "GET"), (":scheme", "http"), (":path", "/b/k?x=1"), (":authority", "s3:9000")];

    #[test]
    fn a_request_becomes_a_head() {
        let got = request(&of(&[&GET[..], &[("range", "bytes=0-9")]].concat()), true).unwrap();
        let head = "GET /b/k?x=1 HTTP/1.1\r\nhost: s3:9000\r\nrange: bytes=0-9\r\n\r\n";
        assert_eq!((got.head, got.body, got.to_head), (head.into(), Body::Nothing, false));
        let put = [(":method", "PUT"), (":scheme", "http"), (":path", "/"), ("host", "x")];
        let got = request(&of(&put), false).unwrap();
        let head = "PUT / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n";
        assert_eq!((got.head, got.body), (head.into(), Body::Chunks));
        let got = request(&of(&[&put[..], &[("content-length", "7")]].concat()), false).unwrap();
        assert_eq!(got.body, Body::Length(7));
    }

    #[test]
    fn malformed_requests_are_told() {
        let with = |more: &[(&str, &str)]| request(&of(&[&GET[..], more].concat()), true);
        for more in [
            &[("X-Upper", "1")][..],
            &[("x", "a\r\nevil: 1")],
            &[("transfer-encoding", "chunked")],
            &[("connection", "close")],
            &[("te", "gzip")],
            &[("content-length", "7")],
            &[("content-length", "x")],
            &[("x", "1"), (":path", "/")],
            &[(":path", "/other")],
            &[(":unknown", "1")],
        ] {
            assert!(with(more).is_err(), "{more:?}");
        }
        assert!(request(&of(&GET[1..]), true).is_err());
        assert!(request(&of(&[(":method", "G T"), GET[1], GET[2]]), true).is_err());
        assert!(request(&of(&[GET[0], GET[1], (":path", "/a b")]), true).is_err());
    }

    #[test]
    fn a_response_loses_what_is_of_its_connection() {
        let head =
            b"HTTP/1.1 200 OK\r\nETag: \"a\"\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n";
        let id = AttemptId { link: 3, conn: 0, ordinal: 1 };
        let wanted = of(&[("etag", "\"a\""), ("x-gatecrash-attempt", "3-0-1")]);
        assert_eq!(fields(head, Some(id)), wanted);
        assert_eq!(fields(head, None), wanted[..1]);
    }
}
