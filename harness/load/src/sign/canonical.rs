//! The four steps of SigV4 as pure functions: canonical request, string to sign, signing key, signature.

use std::fmt::Write as _;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};
use time::OffsetDateTime;

use super::Credentials;

/// The signing key of one access key, day and region.
pub(super) struct Day {
    access_key: String,
    scope: String,
    key: Hmac<Sha256>,
}

impl Day {
    /// Derives the key; `date` is `YYYYMMDD`.
    pub(super) fn new(credentials: &Credentials, date: &str, region: &str) -> Self {
        let secret = format!("AWS4{}", credentials.secret);
        let key = [date, region, "s3", "aws4_request"]
            .iter()
            .fold(secret.into_bytes(), |key, part| mac(&keyed(&key), part.as_bytes()));
        Self {
            access_key: credentials.access_key.clone(),
            scope: format!("{date}/{region}/s3/aws4_request"),
            key: keyed(&key),
        }
    }

    /// Whether it is the key for this access key and day.
    pub(super) fn is(&self, access_key: &str, date: &str) -> bool {
        self.access_key == access_key && self.scope.starts_with(date)
    }

    /// The value of the Authorization header.
    pub(super) fn authorization(&self, stamp: &str, headers: &[(&str, &str)], request: &str) -> String {
        let (credential, names) = (self.credential(), names(headers));
        let signature = self.signature(stamp, request);
        format!("AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders={names}, Signature={signature}")
    }

    /// The access key with its scope.
    pub(super) fn credential(&self) -> String {
        format!("{}/{}", self.access_key, self.scope)
    }

    /// The signature of a canonical request.
    pub(super) fn signature(&self, stamp: &str, request: &str) -> String {
        let digest = hex(&Sha256::digest(request.as_bytes()));
        let text = format!("AWS4-HMAC-SHA256\n{stamp}\n{}\n{digest}", self.scope);
        hex(&mac(&self.key, text.as_bytes()))
    }
}

impl std::fmt::Debug for Day {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Day").field("scope", &self.scope).finish_non_exhaustive()
    }
}

/// The canonical request: headers sorted by lower-case name, path and query encoded, the query in order.
pub(super) fn request(
    method: &str,
    path: &str,
    query: &str,
    headers: &[(&str, &str)],
    payload_hash: &str,
) -> String {
    let mut text = format!("{method}\n{path}\n{query}\n");
    for (name, value) in headers {
        let _ = writeln!(text, "{name}:{value}");
    }
    let _ = write!(text, "\n{}\n{payload_hash}", names(headers));
    text
}

/// `20130524T000000Z`.
pub(super) fn stamp(unix_seconds: i64) -> String {
    let at = OffsetDateTime::from_unix_timestamp(unix_seconds).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    let (hour, minute, second) = at.to_hms();
    let (year, month, day) = at.to_calendar_date();
    format!("{year:04}{:02}{day:02}T{hour:02}{minute:02}{second:02}Z", u8::from(month))
}

pub(super) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut out = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        out.push(char::from(DIGITS[usize::from(byte >> 4)]));
        out.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
    out
}

/// The names of headers as a signature lists them.
pub(super) fn names(headers: &[(&str, &str)]) -> String {
    headers.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(";")
}

fn keyed(key: &[u8]) -> Hmac<Sha256> {
    Hmac::new_from_slice(key).expect("HMAC takes keys of any length")
}

fn mac(key: &Hmac<Sha256>, data: &[u8]) -> Vec<u8> {
    let mut mac = key.clone();
    mac.update(data);
    mac.finalize().into_bytes().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    fn example(method: &str, path: &str, query: &str, headers: &[(&str, &str)], payload: &str) -> String {
        let credentials = Credentials {
            access_key: "AKIAIOSFODNN7EXAMPLE".into(),
            secret: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".into(),
            session_token: None,
        };
        let request = request(method, path, query, headers, payload);
        Day::new(&credentials, "20130524", "us-east-1").authorization("20130524T000000Z", headers, &request)
    }

    /// The examples of the AWS page named in the module above.
    #[test]
    fn the_published_examples_come_out() {
        let host = ("host", "examplebucket.s3.amazonaws.com");
        let date = ("x-amz-date", "20130524T000000Z");
        let hash = ("x-amz-content-sha256", EMPTY);
        let get = example("GET", "/test.txt", "", &[host, ("range", "bytes=0-9"), hash, date], EMPTY);
        assert_eq!(
            get,
            "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, \
             SignedHeaders=host;range;x-amz-content-sha256;x-amz-date, \
             Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"
        );
        let list = example("GET", "/", "max-keys=2&prefix=J", &[host, hash, date], EMPTY);
        assert!(
            list.ends_with("=34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"),
            "{list}"
        );
        let body = "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072";
        let headers = [
            ("date", "Fri, 24 May 2013 00:00:00 GMT"),
            host,
            ("x-amz-content-sha256", body),
            date,
            ("x-amz-storage-class", "REDUCED_REDUNDANCY"),
        ];
        let put = example("PUT", "/test%24file.text", "", &headers, body);
        assert!(put.ends_with("=98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"), "{put}");
    }

    #[test]
    fn stamps_are_basic_iso_8601() {
        assert_eq!(stamp(1_369_353_600), "20130524T000000Z");
        assert_eq!(stamp(951_827_696), "20000229T123456Z");
    }
}
