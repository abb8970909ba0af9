//! HEAD /bucket

use http::StatusCode;

use super::{Answer, Call};
use crate::errors::S3Error;

/// That the bucket is here and may be listed; its region is a header of every bucket answer.
pub(super) fn run(call: &Call<'_>) -> Result<Answer, S3Error> {
    call.place()?;
    Ok(Answer::new(StatusCode::OK))
}
