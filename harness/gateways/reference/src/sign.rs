//! AWS Signature Version 4 in the Authorization header, for S3
//! (<https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html>).

use std::fmt::Write;

use hmac::{Hmac, KeyInit, Mac};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use sha2::{Digest, Sha256};
use time::OffsetDateTime;

const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
const IN_PATH: &AsciiSet = &UNRESERVED.remove(b'/');

/// What a signature is made of, besides the key.
pub(crate) struct ToSign<'a> {
    pub(crate) method: &'a str,
    /// As written on the wire.
    pub(crate) path: &'a str,
    /// As written on the wire.
    pub(crate) query: &'a str,
    /// Lower-case names and values, sorted by name.
    pub(crate) headers: &'a [(&'a str, &'a str)],
    /// Value of x-amz-content-sha256.
    pub(crate) payload: &'a str,
    pub(crate) region: &'a str,
    pub(crate) at: OffsetDateTime,
}

/// Value of x-amz-date.
pub(crate) fn timestamp(at: OffsetDateTime) -> String {
    format!("{}T{:02}{:02}{:02}Z", day(at), at.hour(), at.minute(), at.second())
}

/// Lower-case hex of the SHA-256 of `bytes`.
pub(crate) fn sha256_hex(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

// === impl ToSign ===

impl ToSign<'_> {
    /// Value of the Authorization header.
    pub(crate) fn authorization(&self, access_key: &str, secret_key: &str) -> String {
        let scope = format!("{}/{}/s3/aws4_request", day(self.at), self.region);
        let names = self.headers.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(";");
        let request = sha256_hex(self.canonical_request(&names).as_bytes());
        let text = format!("AWS4-HMAC-SHA256\n{}\n{scope}\n{request}", timestamp(self.at));
        let mut key = hmac(format!("AWS4{secret_key}").as_bytes(), &day(self.at));
        for part in [self.region, "s3", "aws4_request"] {
            key = hmac(&key, part);
        }
        let signature = hex(&hmac(&key, &text));
        format!(
            "AWS4-HMAC-SHA256 Credential={access_key}/{scope},SignedHeaders={names},Signature={signature}"
        )
    }

    fn canonical_request(&self, names: &str) -> String {
        let mut headers = String::new();
        for (name, value) in self.headers {
            let value = value.split_ascii_whitespace().collect::<Vec<_>>().join(" ");
            let _ = writeln!(headers, "{name}:{value}");
        }
        let path = recode(self.path, IN_PATH);
        let query = canonical_query(self.query);
        format!("{}\n{path}\n{query}\n{headers}\n{names}\n{}", self.method, self.payload)
    }
}

fn canonical_query(query: &str) -> String {
    let mut pairs: Vec<(String, String)> = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (recode(name, UNRESERVED), recode(value, UNRESERVED)))
        .collect();
    pairs.sort_unstable();
    pairs.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
}

/// Percent-encodes everything outside `kept` once, however it was written.
fn recode(text: &str, escaped: &'static AsciiSet) -> String {
    let decoded: Vec<u8> = percent_decode_str(text).collect();
    match std::str::from_utf8(&decoded) {
        Ok(decoded) => utf8_percent_encode(decoded, escaped).to_string(),
        Err(_) => percent_encoding::percent_encode(&decoded, escaped).to_string(),
    }
}

fn day(at: OffsetDateTime) -> String {
    format!("{:04}{:02}{:02}", at.year(), u8::from(at.month()), at.day())
}

fn hmac(key: &[u8], text: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    fn signature(method: &str, path: &str, query: &str, extra: &[(&str, &str)], payload: &str) -> String {
        let mut headers = vec![
            ("host", "examplebucket.s3.amazonaws.com"),
            ("x-amz-content-sha256", payload),
            ("x-amz-date", "20130524T000000Z"),
        ];
        headers.extend_from_slice(extra);
        headers.sort_unstable();
        let at = datetime!(2013-05-24 00:00:00 UTC);
        let to_sign = ToSign { method, path, query, headers: &headers, payload, region: "us-east-1", at };
        let text = to_sign.authorization("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY");
        text.rsplit_once("Signature=").unwrap().1.to_owned()
    }

    /// The examples of AWS's documentation of the Authorization header.
    #[test]
    fn the_documented_examples_come_out() {
        assert_eq!(
            signature("GET", "/test.txt", "", &[("range", "bytes=0-9")], EMPTY),
            "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"
        );
        assert_eq!(
            signature(
                "PUT",
                "/test%24file.text",
                "",
                &[("date", "Fri, 24 May 2013 00:00:00 GMT"), ("x-amz-storage-class", "REDUCED_REDUNDANCY")],
                "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072",
            ),
            "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"
        );
        assert_eq!(
            signature("GET", "/", "lifecycle", &[], EMPTY),
            "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"
        );
        assert_eq!(
            signature("GET", "/", "max-keys=2&prefix=J", &[], EMPTY),
            "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"
        );
    }

    #[test]
    fn the_way_of_writing_a_path_or_query_does_not_matter() {
        assert_eq!(
            signature("GET", "/a%7eb/c$d", "b=2&a=%31", &[], EMPTY),
            signature("GET", "/a~b/c%24d", "a=1&b=2", &[], EMPTY)
        );
    }
}
