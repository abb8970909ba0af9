//! DELETE /bucket/key

use http::StatusCode;

use super::{Answer, Call};
use crate::errors::S3Error;

/// 204 whether or not there was an object.
pub(super) fn run(call: &Call<'_>) -> Result<Answer, S3Error> {
    let deleted = call.place()?.delete(&call.head.key, call.shared.store.budget());
    Ok(Answer::new(StatusCode::NO_CONTENT).applied(deleted))
}
