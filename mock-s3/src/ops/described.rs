//! The headers that tell of an object.

use http::StatusCode;
use http::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_TYPE, ETAG, HeaderName, HeaderValue, LAST_MODIFIED,
};

use super::{Answer, Call};
use crate::errors::S3Error;
use crate::store::{Attributes, Object};

const REDIRECT: HeaderName = HeaderName::from_static("x-amz-website-redirect-location");
const REPLICATION: HeaderName = HeaderName::from_static("x-amz-replication-status");
const STORAGE_CLASS: HeaderName = HeaderName::from_static("x-amz-storage-class");
const TAGGING_COUNT: HeaderName = HeaderName::from_static("x-amz-tagging-count");

/// An answer without a body.
pub(super) fn described(call: &Call<'_>, status: StatusCode, object: &Object) -> Result<Answer, S3Error> {
    let mut answer = Answer::new(status).of_version(call.place()?, &object.version_id());
    if let Ok(etag) = HeaderValue::try_from(["\"", &object.etag, "\""].concat()) {
        answer.headers.insert(ETAG, etag);
    }
    answer.headers.insert(LAST_MODIFIED, call.shared.http_date(object.modified));
    answer.headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    answer.headers.insert(CONTENT_TYPE, HeaderValue::from_static("binary/octet-stream"));
    for (name, value) in object.headers() {
        answer.headers.insert(name.clone(), value.clone());
    }
    Ok(match object.stored() {
        None => {
            if let Some(value) = &call.place()?.bucket.cache_control {
                answer.headers.insert(CACHE_CONTROL, value.clone());
            }
            answer.encrypted(&Vec::new())
        }
        Some(stored) => with(call, answer, &stored.attributes),
    })
}

fn with(call: &Call<'_>, answer: Answer, attributes: &Attributes) -> Answer {
    let mut answer = answer.encrypted(&attributes.encryption).locked(call, attributes);
    if !attributes.storage_class.is_empty() {
        answer = answer.header(STORAGE_CLASS, &attributes.storage_class);
    }
    if let Some(target) = &attributes.redirect {
        answer = answer.header(REDIRECT, target);
    }
    if let Some(status) = attributes.replication {
        answer = answer.header(REPLICATION, status.header());
    }
    let reads_tags = || {
        let action = match call.head.has_query("versionId") {
            true => "s3:GetObjectVersionTagging",
            false => "s3:GetObjectTagging",
        };
        call.access.evaluate(action, &call.head.key).is_allowed()
    };
    if !attributes.tags.is_empty() && reads_tags() {
        answer = answer.header(TAGGING_COUNT, &attributes.tags.len().to_string());
    }
    answer
}
