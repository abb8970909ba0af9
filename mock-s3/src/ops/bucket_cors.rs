//! `?cors` of a bucket.

use std::sync::Arc;

use super::{Answer, Call, document};
use crate::cors::Cors;
use crate::errors::S3Error;

/// GET
pub(super) fn get(call: &Call<'_>) -> Result<Answer, S3Error> {
    let cors = call.place()?.state().cors.clone();
    let cors = cors.ok_or_else(|| document::absent(call, "NoSuchCORSConfiguration"))?;
    Ok(Answer::xml(cors.text.clone()))
}

/// PUT
pub(super) fn put(call: &Call<'_>) -> Result<Answer, S3Error> {
    let cors = Cors::read(&document::of(call, "CORSConfiguration")?)?;
    document::put(call, |state| state.cors = Some(Arc::new(cors)))
}

/// DELETE
pub(super) fn delete(call: &Call<'_>) -> Result<Answer, S3Error> {
    document::delete(call, |state| state.cors = None)
}
