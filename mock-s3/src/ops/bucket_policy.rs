//! `?policy` and `?policyStatus` of a bucket.

use std::sync::Arc;

use gatecrash_model::Decision;
use http::StatusCode;
use http::header::CONTENT_TYPE;

use super::{Answer, Call, Content, document};
use crate::errors::S3Error;
use crate::policy::{Policy, PolicyError};
use crate::store::{BucketPolicy, Data, Placement};
use crate::xml::Xml;

/// GET: the very text that was put.
pub(super) fn get(call: &Call<'_>) -> Result<Answer, S3Error> {
    authorise(call, "s3:GetBucketPolicy")?;
    let policy = call.place()?.state().policy.clone();
    let policy = policy.ok_or_else(|| document::absent(call, "NoSuchBucketPolicy"))?;
    Ok(allowed(Answer::new(StatusCode::OK))
        .header(CONTENT_TYPE, "application/json")
        .body(Content::Data(Data::memory(policy.text.clone()))))
}

/// PUT
pub(super) fn put(call: &Call<'_>) -> Result<Answer, S3Error> {
    authorise(call, "s3:PutBucketPolicy")?;
    let place = call.place()?;
    let policy = read(&call.body.document(), place)?;
    let blocked = place.state().block.is_some_and(|block| block.policy);
    if blocked && policy.compiled.is_public() {
        return Err(S3Error::of("AccessDenied"));
    }
    place.configure(|state| state.policy = Some(Arc::new(policy)));
    Ok(allowed(Answer::new(StatusCode::NO_CONTENT)).applied(true))
}

/// DELETE
pub(super) fn delete(call: &Call<'_>) -> Result<Answer, S3Error> {
    authorise(call, "s3:DeleteBucketPolicy")?;
    Ok(allowed(document::delete(call, |state| state.policy = None)?))
}

/// GET `?policyStatus`: whether the policy is public. Without a policy there is no status: 404 NoSuchBucketPolicy, as
/// audit tools handle it of the real service.
pub(super) fn status(call: &Call<'_>) -> Result<Answer, S3Error> {
    let policy = call.place()?.state().policy.clone();
    let policy = policy.ok_or_else(|| document::absent(call, "NoSuchBucketPolicy"))?;
    let mut xml = Xml::root("PolicyStatus");
    xml.text("IsPublic", if policy.compiled.is_public() { "true" } else { "false" });
    xml.close("PolicyStatus");
    Ok(Answer::xml(xml.finish()))
}

/// The account that owns the bucket may always mend its policy, as its root; permissions do not reach other
/// accounts (S3 API reference, PutBucketPolicy).
fn authorise(call: &Call<'_>, action: &'static str) -> Result<(), S3Error> {
    let owner = &call.place()?.bucket.owner;
    let own = call.access.account() == Some(&*owner.account);
    if own && call.access.is_root() {
        return Ok(());
    }
    let evaluation = call.access.evaluate(action, "");
    if !evaluation.is_allowed() {
        return Err(call.access.denial(&evaluation));
    }
    match own || call.access.account().is_none() {
        true => Ok(()),
        false => Err(S3Error::of("MethodNotAllowed")),
    }
}

/// Reads a policy of this bucket. It may name the bucket as the region does, or as the scenario does.
fn read(text: &[u8], place: &Placement) -> Result<BucketPolicy, S3Error> {
    let refused = |error: PolicyError| S3Error::of("MalformedPolicy").message(error.s3_message());
    let text = std::str::from_utf8(text).map_err(|_| {
        S3Error::of("MalformedPolicy").message("Policies must be valid JSON and the first byte must be '{'")
    })?;
    let named = Policy::of_bucket(text, &place.name);
    let compiled = named
        .or_else(|error| Policy::of_bucket(text, &place.bucket.name).map_err(|_| error))
        .map_err(refused)?;
    Ok(BucketPolicy { text: text.to_owned(), compiled })
}

fn allowed(mut answer: Answer) -> Answer {
    answer.decision = Some(Decision::Allowed);
    answer
}
