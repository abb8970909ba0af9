//! The aws-chunked encoding: an upload cut into chunks, each with a signature, and checksums in trailers.
//!
//! Chunk and trailer signatures are read over, not checked. Of the checksums CRC32 (the SDKs' default) is
//! checked.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::{Bytes, BytesMut};
use http::HeaderMap;

use crate::crc32::crc32;
use crate::errors::S3Error;

/// The payload of a body in aws-chunked encoding, and its trailers.
pub(crate) fn decode(body: &Bytes, headers: &HeaderMap) -> Result<Bytes, S3Error> {
    let incomplete = || S3Error::of("IncompleteBody");
    let mut rest = body.clone();
    let mut chunks: Vec<Bytes> = Vec::new();
    loop {
        let line = line(&mut rest).ok_or_else(incomplete)?;
        let size = line.split(';').next().unwrap_or_default().trim();
        let size = usize::from_str_radix(size, 16).map_err(|_| {
            S3Error::of("InvalidRequest").message("The aws-chunked chunk size is not a number")
        })?;
        if size == 0 {
            break;
        }
        if rest.len() < size || !rest[size..].starts_with(b"\r\n") {
            return Err(incomplete());
        }
        chunks.push(rest.split_to(size));
        drop(rest.split_to(2));
    }
    let payload = join(chunks);
    let declared = headers.get("x-amz-decoded-content-length").and_then(|v| v.to_str().ok());
    if let Some(declared) = declared
        && declared.parse() != Ok(payload.len())
    {
        return Err(incomplete());
    }
    while let Some(trailer) = line(&mut rest).filter(|line| !line.is_empty()) {
        if let Some((name, value)) = trailer.split_once(':') {
            check(name.trim(), value.trim(), &payload)?;
        }
    }
    Ok(payload)
}

/// Compares a payload with the checksum headers of its request.
pub(crate) fn check_headers(headers: &HeaderMap, payload: &[u8]) -> Result<(), S3Error> {
    let declared = headers.get("x-amz-checksum-crc32").and_then(|value| value.to_str().ok());
    declared.map_or(Ok(()), |value| check("x-amz-checksum-crc32", value, payload))
}

fn check(name: &str, value: &str, payload: &[u8]) -> Result<(), S3Error> {
    if !name.eq_ignore_ascii_case("x-amz-checksum-crc32") {
        return Ok(());
    }
    match STANDARD.encode(crc32(payload).to_be_bytes()) == value {
        true => Ok(()),
        false => Err(S3Error::of("BadDigest")
            .message("The CRC32 you specified did not match the calculated checksum.")),
    }
}

/// Takes one line off the front, without its CRLF; none at the end of input.
fn line(rest: &mut Bytes) -> Option<String> {
    let end = rest.windows(2).position(|pair| pair == b"\r\n")?;
    let line = rest.split_to(end);
    drop(rest.split_to(2));
    String::from_utf8(line.to_vec()).ok()
}

fn join(mut chunks: Vec<Bytes>) -> Bytes {
    if chunks.len() == 1 {
        return chunks.remove(0);
    }
    let mut joined = BytesMut::with_capacity(chunks.iter().map(Bytes::len).sum());
    chunks.iter().for_each(|chunk| joined.extend_from_slice(chunk));
    joined.freeze()
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn decoded(body: &'static str, length: &'static str) -> Result<Bytes, S3Error> {
        let mut headers = HeaderMap::new();
        headers.insert("x-amz-decoded-content-length", HeaderValue::from_static(length));
        decode(&Bytes::from_static(body.as_bytes()), &headers)
    }

    #[test]
    fn unsigned_with_a_trailer() {
        let body = "5\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n";
        assert_eq!(decoded(body, "5").unwrap(), "hello");
    }

    #[test]
    fn signed_in_two_chunks() {
        let body =
            "3;chunk-signature=ab\r\nhel\r\n2;chunk-signature=cd\r\nlo\r\n0;chunk-signature=ef\r\n\r\n";
        assert_eq!(decoded(body, "5").unwrap(), "hello");
        assert_eq!(decoded("0\r\n\r\n", "0").unwrap(), "");
    }

    #[test]
    fn what_is_broken_is_told() {
        let table = [
            ("5\r\nhello\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n", "5", "BadDigest"),
            ("5\r\nhello\r\n0\r\n\r\n", "6", "IncompleteBody"),
            ("5\r\nhel", "5", "IncompleteBody"),
            ("5\r\nhello\r\n", "5", "IncompleteBody"),
            ("5\r\nhelloXX0\r\n\r\n", "5", "IncompleteBody"),
            ("zz\r\n", "5", "InvalidRequest"),
            ("ffffffffffffffff\r\nhello\r\n", "5", "IncompleteBody"),
            ("11111111111111111\r\nhello\r\n", "5", "InvalidRequest"),
        ];
        for (body, length, code) in table {
            assert_eq!(decoded(body, length).unwrap_err().code, code, "{body:?}");
        }
    }
}
