//! PUT /bucket/key

use std::sync::Arc;

use http::StatusCode;
use http::header::{ETAG, IF_MATCH};

use super::new_object::{self, NewObject};
use super::{Answer, Call, checksums, conditions, encryption, locks};
use crate::errors::S3Error;
use crate::store::Stored;

/// What a write with locks has to bring (API reference, PutObject).
const DIGEST: &str = "Content-MD5 OR x-amz-checksum- HTTP header is required for Put Object requests with Object \
                      Lock parameters";

/// Stores the body in the addressed region.
pub(super) fn run(call: &Call<'_>) -> Result<Answer, S3Error> {
    let (head, key) = (call.head, call.head.key.as_str());
    let condition = conditions::of_write(head)?;
    let digest = call.body.md5.unwrap_or_default();
    let new = NewObject::of(call, key, &head.headers)?;
    let attributes = &new.attributes;
    if attributes.retention.is_some() || attributes.legal_hold.is_some() {
        locks::check_digest(&head.headers, DIGEST)?;
    }
    if head.header(&IF_MATCH).is_some() {
        new_object::also(call, "s3:GetObject", key)?;
    }
    let encryption = attributes.encryption.clone();
    let stored = Stored {
        data: call.keep(&call.body.data)?,
        etag: encryption::etag(&digest, &encryption),
        hash: Some(call.body.hash),
        headers: new.headers.into(),
        checksum: call.body.checksum.clone(),
        parts: Arc::default(),
        attributes: new.attributes,
    };
    let etag = format!("\"{}\"", stored.etag);
    let version = new_object::put(call, key, stored, new.owner, &condition)?;
    let mut answer = Answer::new(StatusCode::OK).header(ETAG, &etag).encrypted(&encryption);
    if let Some(checksum) = &call.body.checksum {
        answer = checksums::tell(answer, checksum);
    }
    Ok(answer.of_new_version(version.as_ref()).body_empty().applied(true))
}
