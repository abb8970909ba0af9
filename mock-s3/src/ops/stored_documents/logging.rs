//! Where the server access log of a bucket goes.

use std::sync::Arc;

use super::super::{Call, document};
use super::Change;
use crate::errors::S3Error;
use crate::store::{Document, Logging};
use crate::xml_tree::Node;

/// The target is a bucket of the same owner and region (S3 API reference, PutBucketLogging).
pub(super) fn check(call: &Call<'_>, given: &mut Node) -> Result<Change, S3Error> {
    let Some(target) = given.child("LoggingEnabled") else {
        return Ok(Box::new(|state| {
            state.logging = None;
            state.documents.remove(&Document::Logging);
        }));
    };
    let name = target.value("TargetBucket").ok_or_else(document::malformed)?;
    let prefix = target.child("TargetPrefix").ok_or_else(document::malformed)?.text.clone();
    let invalid =
        |message| S3Error::of("InvalidTargetBucketForLogging").message(message).extra("TargetBucket", name);
    let Some(place) = call.shared.store.find(call.region, name) else {
        return Err(match call.shared.store.elsewhere(call.region, name) {
            Some(_) => S3Error::of("CrossLocationLoggingProhibited").extra("TargetBucket", name),
            None => invalid("The target bucket for logging does not exist"),
        });
    };
    if place.bucket.owner.account != call.place()?.bucket.owner.account {
        return Err(invalid("The owner for the bucket to be logged and the target bucket must be the same."));
    }
    let logging = Logging { bucket: name.to_owned(), prefix };
    Ok(Box::new(move |state| state.logging = Some(Arc::new(logging))))
}
