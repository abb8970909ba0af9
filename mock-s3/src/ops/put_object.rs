//! PUT /bucket/key

use std::sync::Arc;

use http::header::{
    CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_TYPE, ETAG, EXPIRES,
    HeaderName,
};
use http::{HeaderValue, StatusCode};

use super::conditions;
use super::{Answer, Call};
use crate::auth::sigv4::hex;
use crate::errors::S3Error;
use crate::request::Head;
use crate::store::{Attributes, Current, Stored};

const VERSION_ID: HeaderName = HeaderName::from_static("x-amz-version-id");
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
    let digest = call.body.md5.unwrap_or_default();
    let stored = Stored {
        data: call.keep(&call.body.data)?,
        etag: hex(&digest),
        hash: Some(call.body.hash),
        headers: kept_headers(call.head).into(),
        checksum: call.body.checksum.clone(),
        parts: Arc::default(),
        attributes: Attributes::default(),
    };
    let etag = format!("\"{}\"", stored.etag);
    let placement = call.place()?;
    let check = |now: Option<Current<'_>>| condition.check(key, now);
    let (bytes, owner) = (stored.data.written(), call.writer(placement));
    let put = placement.put(key, stored, owner, call.wall, call.world(), &check);
    let version = put.inspect_err(|_| call.shared.store.budget().give_back(bytes))?;
    let mut answer = Answer::new(StatusCode::OK).header(ETAG, &etag).body_empty().applied(true);
    if let Some(version) = version {
        answer = answer.header(VERSION_ID, version.as_str());
    }
    Ok(answer)
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
