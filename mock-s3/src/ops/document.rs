//! The XML documents that configure buckets.

use http::StatusCode;

use super::{Answer, Call};
use crate::errors::S3Error;
use crate::store::BucketState;
use crate::xml_tree::Node;

/// The body as a document with this root.
pub(super) fn of(call: &Call<'_>, root: &str) -> Result<Node, S3Error> {
    let body = call.body.document();
    if body.is_empty() {
        return Err(S3Error::of("MissingRequestBodyError"));
    }
    Node::parse(&body).filter(|node| node.name == root).ok_or_else(malformed)
}

/// A document that is not as S3's schema says.
pub(super) fn malformed() -> S3Error {
    S3Error::of("MalformedXML")
}

/// Changes the bucket's configuration and answers 200 without a body.
pub(super) fn put(call: &Call<'_>, change: impl FnOnce(&mut BucketState)) -> Result<Answer, S3Error> {
    call.place()?.configure(change);
    Ok(Answer::new(StatusCode::OK).body_empty().applied(true))
}

/// Changes the bucket's configuration and answers 204.
pub(super) fn delete(call: &Call<'_>, change: impl FnOnce(&mut BucketState)) -> Result<Answer, S3Error> {
    call.place()?.configure(change);
    Ok(Answer::new(StatusCode::NO_CONTENT).applied(true))
}

/// What is not configured on a bucket.
pub(super) fn absent(call: &Call<'_>, code: &'static str) -> S3Error {
    S3Error::of(code).extra("BucketName", &*call.head.bucket)
}
