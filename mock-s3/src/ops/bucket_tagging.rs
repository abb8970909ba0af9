//! `?tagging` of a bucket.

use http::StatusCode;

use super::{Answer, Call, document, tags};
use crate::errors::S3Error;

/// GET
pub(super) fn get(call: &Call<'_>) -> Result<Answer, S3Error> {
    let state = call.place()?.state();
    match state.tags.as_slice() {
        [] => Err(document::absent(call, "NoSuchTagSet")),
        tags => Ok(Answer::xml(tags::document(tags))),
    }
}

/// PUT: replaces all tags; answered with 204.
pub(super) fn put(call: &Call<'_>) -> Result<Answer, S3Error> {
    let tags = tags::of_document(&call.body.document(), tags::OF_BUCKET)?;
    call.place()?.configure(|state| state.tags = tags);
    Ok(Answer::new(StatusCode::NO_CONTENT).applied(true))
}

/// DELETE
pub(super) fn delete(call: &Call<'_>) -> Result<Answer, S3Error> {
    document::delete(call, |state| state.tags.clear())
}
