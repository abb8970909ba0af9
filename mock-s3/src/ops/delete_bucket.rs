//! DELETE /bucket

use http::StatusCode;

use super::{Answer, Call};
use crate::errors::S3Error;
use crate::store::Refused;

/// Deletes an empty bucket from this region.
pub(super) fn run(call: &Call<'_>) -> Result<Answer, S3Error> {
    let name = call.place()?.name.as_str();
    match call.shared.store.delete(call.region, name) {
        Ok(()) => Ok(Answer::new(StatusCode::NO_CONTENT).applied(true)),
        Err(Refused::NotEmpty) => Err(S3Error::of("BucketNotEmpty").extra("BucketName", name)),
        Err(_) => Err(S3Error::of("NoSuchBucket").extra("BucketName", name)),
    }
}
