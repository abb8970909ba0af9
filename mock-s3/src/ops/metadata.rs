//! What is kept of a write's headers and comes back with reads: Content-Type and its like, and user metadata.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{
    CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_TYPE, EXPIRES, HeaderMap,
};
use http::{HeaderName, HeaderValue};

use crate::errors::S3Error;

const USER: &str = "x-amz-meta-";
/// Names without their prefix and values, in UTF-8 (S3 user guide, "Working with object metadata").
const MAX_USER_BYTES: usize = 2048;
const SYSTEM: [HeaderName; 6] =
    [CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_TYPE, EXPIRES];

pub(super) type Kept = Vec<(HeaderName, HeaderValue)>;

/// What comes back with a read. The `aws-chunked` encoding is the transport's, not the object's.
pub(super) fn of_headers(headers: &HeaderMap) -> Result<Kept, S3Error> {
    let system = SYSTEM.iter().filter_map(|name| {
        let value = headers.get(name).filter(|value| !value.is_empty())?;
        let value = if *name == CONTENT_ENCODING { without_aws_chunked(value)? } else { value.clone() };
        Some((name.clone(), value))
    });
    let mut kept: Kept = system.collect();
    let mut bytes = 0;
    for name in headers.keys().filter(|name| name.as_str().starts_with(USER)) {
        let values: Vec<String> = headers.get_all(name).iter().map(latin1).collect();
        let value = values.join(",");
        bytes += name.as_str().len() - USER.len() + value.len();
        kept.extend(HeaderValue::from_str(&in_ascii(&value)).ok().map(|value| (name.clone(), value)));
    }
    match bytes > MAX_USER_BYTES {
        true => Err(S3Error::of("MetadataTooLarge")
            .extra("Size", bytes.to_string())
            .extra("MaxSizeAllowed", MAX_USER_BYTES.to_string())),
        false => Ok(kept),
    }
}

/// A header's value as HTTP/1.1 has it: one character per byte.
fn latin1(value: &HeaderValue) -> String {
    value.as_bytes().iter().map(|byte| char::from(*byte)).collect()
}

/// S3 gives back what is not ASCII in the form of RFC 2047 (user guide, "Working with object metadata").
fn in_ascii(value: &str) -> String {
    match value.is_ascii() {
        true => value.to_owned(),
        false => format!("=?UTF-8?B?{}?=", STANDARD.encode(value)),
    }
}

/// The other encodings as they were written.
fn without_aws_chunked(value: &HeaderValue) -> Option<HeaderValue> {
    let left: Vec<&str> =
        value.to_str().ok()?.split(',').filter(|part| part.trim() != "aws-chunked").collect();
    let left = left.join(",");
    (!left.trim().is_empty()).then(|| HeaderValue::from_str(left.trim()).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &[u8])]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in pairs {
            map.append(HeaderName::from_static(name), HeaderValue::from_bytes(value).unwrap());
        }
        map
    }

    fn shown(pairs: &[(&'static str, &[u8])]) -> Vec<String> {
        let kept = of_headers(&headers(pairs)).unwrap();
        kept.iter().map(|(name, value)| format!("{name}: {}", value.to_str().unwrap())).collect()
    }

    #[test]
    fn what_is_kept() {
        assert_eq!(shown(&[("content-type", b""), ("x-amz-acl", b"private")]), Vec::<String>::new());
        assert_eq!(shown(&[("content-encoding", b"aws-chunked")]), Vec::<String>::new());
        let table: [(&[u8], &str); 3] = [
            (b"gzip, aws-chunked", "gzip"),
            (b"aws-chunked, gzip", "gzip"),
            (b"br, gzip,aws-chunked", "br, gzip"),
        ];
        for (sent, kept) in table {
            assert_eq!(shown(&[("content-encoding", sent)]), [format!("content-encoding: {kept}")]);
        }
        let twice: [(&str, &[u8]); 2] = [("x-amz-meta-a", b"1"), ("x-amz-meta-a", b"2")];
        assert_eq!(shown(&twice), ["x-amz-meta-a: 1,2"]);
        // The example of the user guide: UTF-8 bytes are read one by one.
        let odd = "ÄMÄZÕÑ S3".as_bytes();
        assert_eq!(
            shown(&[("x-amz-meta-nonascii", odd)]),
            ["x-amz-meta-nonascii: =?UTF-8?B?w4PChE3Dg8KEWsODwpXDg8KRIFMz?="]
        );
    }

    #[test]
    fn user_metadata_is_bounded() {
        let fits = vec![b'v'; MAX_USER_BYTES - 1];
        assert_eq!(of_headers(&headers(&[("x-amz-meta-a", &fits)])).unwrap().len(), 1);
        let error = of_headers(&headers(&[("x-amz-meta-ab", &fits)])).unwrap_err();
        assert_eq!((error.code.as_ref(), error.extras[0].1.as_str()), ("MetadataTooLarge", "2049"));
    }
}
