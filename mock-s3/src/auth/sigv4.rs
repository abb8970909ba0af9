//! Signature Version 4: canonical request and string to sign.
//!
//! Rules: AWS, "Create a signed AWS API request", with S3's exceptions (the path is encoded once and not
//! normalised).

use std::borrow::Cow;

use sha2::{Digest, Sha256};

use crate::encoding::{decode, encode_path, encode_query};
use crate::request::Head;

/// The canonical request, without the query parameter `omitted`. A signed header that did not arrive counts as
/// empty, as at S3: the signature then differs.
pub(crate) fn canonical_request(
    head: &Head,
    signed_headers: &str,
    payload_hash: &str,
    omitted: Option<&str>,
) -> String {
    let mut out = String::with_capacity(1024);
    out.push_str(head.method.as_str());
    out.push('\n');
    match is_plain(head.path(), b"/") {
        true => out.push_str(head.path()),
        false => out.push_str(&encode_path(&decode(head.path()))),
    }
    out.push('\n');
    push_query(&mut out, head.query(), omitted);
    out.push('\n');
    for name in signed_headers.split(';') {
        out.push_str(name);
        out.push(':');
        for (at, value) in head.headers.get_all(name).iter().enumerate() {
            if at > 0 {
                out.push(',');
            }
            push_trimmed(&mut out, &String::from_utf8_lossy(value.as_bytes()));
        }
        out.push('\n');
    }
    out.push('\n');
    out.push_str(signed_headers);
    out.push('\n');
    out.push_str(payload_hash);
    out
}

/// The `host` and `x-amz-` headers of a request that its signature does not cover.
pub(crate) fn unsigned_headers<'h>(head: &'h Head, signed_headers: &str) -> Vec<&'h str> {
    head.headers
        .keys()
        .map(http::HeaderName::as_str)
        .filter(|name| *name == "host" || name.starts_with("x-amz-"))
        .filter(|name| !signed_headers.split(';').any(|signed| signed == *name))
        .collect()
}

/// Pairs encoded again by AWS's rules, sorted by the encoded bytes.
fn push_query(out: &mut String, query: &str, omitted: Option<&str>) {
    if query.is_empty() {
        return;
    }
    let mut pairs: Vec<(Cow<'_, str>, Cow<'_, str>)> = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .filter(|(name, _)| omitted != Some(name))
        .map(|(name, value)| (encoded_again(name), encoded_again(value)))
        .collect();
    pairs.sort_unstable();
    for (at, (name, value)) in pairs.iter().enumerate() {
        if at > 0 {
            out.push('&');
        }
        out.push_str(name);
        out.push('=');
        out.push_str(value);
    }
}

fn encoded_again(text: &str) -> Cow<'_, str> {
    match is_plain(text, b"") {
        true => Cow::Borrowed(text),
        false => Cow::Owned(encode_query(&decode(text))),
    }
}

/// Whether encoding and decoding would both leave a text as it is.
fn is_plain(text: &str, also: &[u8]) -> bool {
    let plain = |byte| matches!(byte, b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~');
    text.bytes().all(|byte| plain(byte) || also.contains(&byte))
}

/// Blanks at the ends go, runs of blanks inside become one.
fn push_trimmed(out: &mut String, value: &str) {
    let value = value.trim_matches([' ', '\t']);
    let blank = |byte: &u8| matches!(byte, b' ' | b'\t');
    let runs = value.as_bytes().windows(2).any(|pair| pair.iter().all(blank)) || value.contains('\t');
    if !runs {
        return out.push_str(value);
    }
    for (at, word) in value.split([' ', '\t']).filter(|w| !w.is_empty()).enumerate() {
        if at > 0 {
            out.push(' ');
        }
        out.push_str(word);
    }
}

/// The string to sign.
pub(crate) fn string_to_sign(date: &str, scope: &str, canonical_request: &str) -> String {
    let digest = hex_array(&Sha256::digest(canonical_request.as_bytes()).into());
    let mut out = String::with_capacity(160);
    for line in ["AWS4-HMAC-SHA256", date, scope] {
        out.push_str(line);
        out.push('\n');
    }
    out.push_str(std::str::from_utf8(&digest).unwrap_or_default());
    out
}

/// Compares without telling where the difference is.
pub(crate) fn same(expected: &[u8], given: &[u8]) -> bool {
    expected.len() == given.len() && expected.iter().zip(given).fold(0, |acc, (a, b)| acc | (a ^ b)) == 0
}

const DIGITS: &[u8; 16] = b"0123456789abcdef";

/// Lower-case hex.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .flat_map(|b| [DIGITS[usize::from(b >> 4)] as char, DIGITS[usize::from(b & 15)] as char])
        .collect()
}

/// Lower-case hex of a SHA-256 or of a signature.
pub(crate) fn hex_array(bytes: &[u8; 32]) -> [u8; 64] {
    let mut out = [0; 64];
    for (pair, byte) in out.chunks_exact_mut(2).zip(bytes) {
        pair.copy_from_slice(&[DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::Credentials;
    use crate::auth::keys::{Scope, SigningKey};
    use http::{HeaderMap, HeaderName, HeaderValue, Method};

    /// The examples of the S3 API reference, "Authenticating Requests: Using the Authorization Header".
    const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
    const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    fn signature(method: &str, target: &str, headers: &[(&str, &str)], payload: &str) -> String {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(name.parse::<HeaderName>().unwrap(), HeaderValue::from_str(value).unwrap());
        }
        let mut names: Vec<&str> = headers.iter().map(|(name, _)| *name).collect();
        names.dedup();
        let head = Head::new(Method::from_bytes(method.as_bytes()).unwrap(), target.parse().unwrap(), map);
        let canonical = canonical_request(&head, &names.join(";"), payload, None);
        let to_sign = string_to_sign("20130524T000000Z", "20130524/us-east-1/s3/aws4_request", &canonical);
        let pair = Credentials::new("AKIAIOSFODNN7EXAMPLE", SECRET);
        let scope = Scope { date: "20130524", region: "us-east-1", service: "s3" };
        let first = SigningKey::of(&pair, scope).sign(to_sign.as_bytes());
        assert_eq!(first, SigningKey::of(&pair, scope).sign(to_sign.as_bytes()), "cached");
        hex(&first)
    }

    #[test]
    fn the_published_examples() {
        let host = ("host", "examplebucket.s3.amazonaws.com");
        let date = ("x-amz-date", "20130524T000000Z");
        assert_eq!(
            signature(
                "GET",
                "/test.txt",
                &[host, ("range", "bytes=0-9"), ("x-amz-content-sha256", EMPTY), date],
                EMPTY
            ),
            "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"
        );
        let put = "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072";
        assert_eq!(
            signature(
                "PUT",
                "/test%24file.text",
                &[
                    ("date", "Fri, 24 May 2013 00:00:00 GMT"),
                    host,
                    ("x-amz-content-sha256", put),
                    date,
                    ("x-amz-storage-class", "REDUCED_REDUNDANCY"),
                ],
                put
            ),
            "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"
        );
        assert_eq!(
            signature("GET", "/?lifecycle", &[host, ("x-amz-content-sha256", EMPTY), date], EMPTY),
            "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"
        );
        assert_eq!(
            signature("GET", "/?prefix=J&max-keys=2", &[host, ("x-amz-content-sha256", EMPTY), date], EMPTY),
            "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"
        );
    }

    #[test]
    fn headers_are_joined_and_trimmed() {
        let mut headers = HeaderMap::new();
        headers.append("x-a", HeaderValue::from_static("  one   two "));
        headers.append("x-a", HeaderValue::from_static("three"));
        let head = Head::new(Method::GET, "/b/k%20k?b=2&a=%2f&skipped=1&a".parse().unwrap(), headers);
        let canonical = canonical_request(&head, "x-a", "HASH", Some("skipped"));
        assert_eq!(canonical, "GET\n/b/k%20k\na=&a=%2F&b=2\nx-a:one two,three\n\nx-a\nHASH");
    }

    #[test]
    fn what_the_signature_does_not_cover_is_told() {
        let mut headers = HeaderMap::new();
        for name in ["host", "x-amz-date", "x-amz-acl", "x-gatecrash-id", "accept"] {
            headers.append(name, HeaderValue::from_static("v"));
        }
        let head = Head::new(Method::GET, "/".parse().unwrap(), headers);
        assert_eq!(unsigned_headers(&head, "host;x-amz-date"), ["x-amz-acl"]);
    }

    #[test]
    fn comparison_is_exact() {
        assert!(same(b"ab", b"ab"));
        assert!(!same(b"ab", b"ac"));
        assert!(!same(b"ab", b"abc"));
    }
}
