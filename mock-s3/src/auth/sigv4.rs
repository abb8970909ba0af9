//! Signature Version 4: canonical request, string to sign, signature, and a cache of signing keys.
//!
//! Rules: AWS, "Create a signed AWS API request", with S3's exceptions (the path is encoded once and not
//! normalised).

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use super::Credentials;
use crate::encoding::{decode, encode_path, encode_query};
use crate::request::Head;

type HmacSha256 = Hmac<Sha256>;

/// Signing keys by (access key, date, region): deriving one costs four HMACs. An access key never changes its
/// secret.
#[derive(Default)]
pub(crate) struct Keys {
    cached: RwLock<HashMap<String, HmacSha256>>,
}

impl Keys {
    /// More entries than this are only made by fuzzing; the cache then starts again.
    const LIMIT: usize = 4096;

    /// The signature of a string to sign, lower-case hex.
    pub(crate) fn sign(&self, pair: &Credentials, date: &str, region: &str, to_sign: &str) -> String {
        let name = format!("{}/{date}/{region}", pair.access_key);
        let known = self.cached.read().unwrap_or_else(PoisonError::into_inner).get(&name).cloned();
        let key = known.unwrap_or_else(|| {
            let key = signing_key(&pair.secret_key, date, region);
            let mut cached = self.cached.write().unwrap_or_else(PoisonError::into_inner);
            if cached.len() >= Self::LIMIT {
                cached.clear();
            }
            cached.insert(name, key.clone());
            key
        });
        hex(&key.chain_update(to_sign).finalize().into_bytes())
    }
}

fn signing_key(secret: &str, date: &str, region: &str) -> HmacSha256 {
    let seed = format!("AWS4{secret}");
    [date, region, "s3", "aws4_request"]
        .into_iter()
        .fold(keyed(seed.as_bytes()), |key, part| keyed(&key.chain_update(part).finalize().into_bytes()))
}

fn keyed(key: &[u8]) -> HmacSha256 {
    HmacSha256::new_from_slice(key).expect("HMAC takes keys of any length")
}

/// The canonical request. A signed header that did not arrive counts as empty, as at S3: the signature then
/// differs.
pub(crate) fn canonical_request(head: &Head, signed_headers: &str, payload_hash: &str) -> String {
    let mut out = String::with_capacity(512);
    out.push_str(head.method.as_str());
    out.push('\n');
    out.push_str(&encode_path(&decode(head.path())));
    out.push('\n');
    out.push_str(&canonical_query(head.query()));
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
fn canonical_query(query: &str) -> String {
    let mut pairs: Vec<(String, String)> = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (encode_query(&decode(name)), encode_query(&decode(value))))
        .collect();
    pairs.sort();
    pairs.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
}

/// Blanks at the ends go, runs of blanks inside become one.
fn push_trimmed(out: &mut String, value: &str) {
    for (at, word) in value.split([' ', '\t']).filter(|w| !w.is_empty()).enumerate() {
        if at > 0 {
            out.push(' ');
        }
        out.push_str(word);
    }
}

/// The string to sign.
pub(crate) fn string_to_sign(date: &str, scope: &str, canonical_request: &str) -> String {
    let digest = hex(&Sha256::digest(canonical_request.as_bytes()));
    format!("AWS4-HMAC-SHA256\n{date}\n{scope}\n{digest}")
}

/// Compares without telling where the difference is.
pub(crate) fn same(expected: &str, given: &str) -> bool {
    expected.len() == given.len()
        && expected.bytes().zip(given.bytes()).fold(0, |acc, (a, b)| acc | (a ^ b)) == 0
}

/// Lower-case hex.
pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes
        .iter()
        .flat_map(|b| [DIGITS[usize::from(b >> 4)] as char, DIGITS[usize::from(b & 15)] as char])
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
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
        let canonical = canonical_request(&head, &names.join(";"), payload);
        let to_sign = string_to_sign("20130524T000000Z", "20130524/us-east-1/s3/aws4_request", &canonical);
        let pair = Credentials::new("AKIAIOSFODNN7EXAMPLE", SECRET);
        let keys = Keys::default();
        let first = keys.sign(&pair, "20130524", "us-east-1", &to_sign);
        assert_eq!(first, keys.sign(&pair, "20130524", "us-east-1", &to_sign), "cached");
        first
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
        let head = Head::new(Method::GET, "/b/k%20k?b=2&a=%2f&a".parse().unwrap(), headers);
        let canonical = canonical_request(&head, "x-a", "HASH");
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
        assert!(same("ab", "ab"));
        assert!(!same("ab", "ac"));
        assert!(!same("ab", "abc"));
    }
}
