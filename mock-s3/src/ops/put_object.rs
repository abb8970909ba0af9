//! PUT /bucket/key

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{
    CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_TYPE, ETAG, EXPIRES,
    HeaderName,
};
use http::{HeaderValue, StatusCode};
use md5::{Digest, Md5};

use super::conditions::{self, WriteCondition};
use super::{Answer, Call};
use crate::auth::sigv4::hex;
use crate::errors::S3Error;
use crate::request::Head;
use crate::store::{Upload, WriteRefused};

const CONTENT_MD5: HeaderName = HeaderName::from_static("content-md5");
/// S3 takes keys of at most this many bytes.
const MAX_KEY: usize = 1024;
/// Kept with the object and sent again, besides `x-amz-meta-*`.
const KEPT: [HeaderName; 6] =
    [CONTENT_TYPE, CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_DISPOSITION, CACHE_CONTROL, EXPIRES];

/// Stores the body in the addressed region.
pub(super) fn run(call: &Call<'_>) -> Result<Answer, S3Error> {
    let key = call.head.key.as_str();
    if key.len() > MAX_KEY {
        return Err(S3Error::of("KeyTooLongError").extra("Size", key.len().to_string()));
    }
    let condition = conditions::of_write(call.head)?;
    let digest = Md5::digest(call.body);
    check_md5(call.head, &digest)?;
    let upload = Upload {
        bytes: call.body.clone(),
        hash: call.body_hash,
        etag: hex(&digest),
        modified: call.wall,
        headers: kept_headers(call.head),
    };
    let etag = format!("\"{}\"", upload.etag);
    let placement = call.place()?;
    match placement.put(key, upload, call.shared.store.budget(), &|now| condition.holds(now)) {
        Ok(()) => Ok(Answer::new(StatusCode::OK).header(ETAG, &etag).body_empty().applied(true)),
        Err(WriteRefused::Full) => Err(S3Error::of("MockStoreFull")),
        Err(WriteRefused::Condition) => Err(refused(call, &condition)),
    }
}

fn refused(call: &Call<'_>, condition: &WriteCondition) -> S3Error {
    let missing = matches!(condition, WriteCondition::Matches(_))
        && call.placement.is_none_or(|p| p.object(&call.head.key, &call.shared.pool).is_none());
    match missing {
        true => S3Error::of("NoSuchKey").extra("Key", &*call.head.key),
        false => S3Error::of("PreconditionFailed").extra("Condition", condition.header()),
    }
}

fn check_md5(head: &Head, digest: &[u8]) -> Result<(), S3Error> {
    let Some(declared) = head.header(&CONTENT_MD5) else { return Ok(()) };
    match STANDARD.decode(declared) {
        Ok(declared) if declared == digest => Ok(()),
        Ok(declared) if declared.len() == digest.len() => Err(S3Error::of("BadDigest")
            .extra("ExpectedDigest", hex(&declared))
            .extra("CalculatedDigest", STANDARD.encode(digest))),
        _ => Err(S3Error::of("InvalidDigest").extra("Content-MD5", declared)),
    }
}

/// What comes back with a read. The `aws-chunked` encoding is the transport's, not the object's.
fn kept_headers(head: &Head) -> Vec<(HeaderName, HeaderValue)> {
    let kept = |name: &HeaderName| KEPT.contains(name) || name.as_str().starts_with("x-amz-meta-");
    head.headers
        .iter()
        .filter(|(name, _)| kept(name))
        .filter_map(|(name, value)| match *name == CONTENT_ENCODING {
            true => without_aws_chunked(value).map(|value| (name.clone(), value)),
            false => Some((name.clone(), value.clone())),
        })
        .collect()
}

fn without_aws_chunked(value: &HeaderValue) -> Option<HeaderValue> {
    let left: Vec<&str> =
        value.to_str().ok()?.split(',').map(str::trim).filter(|part| *part != "aws-chunked").collect();
    (!left.is_empty()).then(|| HeaderValue::from_str(&left.join(", ")).ok())?
}
