//! HEAD /bucket

use http::{HeaderName, StatusCode};

use super::create_bucket::BUCKET_ARN;
use super::{Answer, Call};
use crate::errors::S3Error;
use crate::store::arn;

const ACCESS_POINT_ALIAS: HeaderName = HeaderName::from_static("x-amz-access-point-alias");

/// That the bucket is here and may be listed; its region is a header of every bucket answer.
pub(super) fn run(call: &Call<'_>) -> Result<Answer, S3Error> {
    let place = call.place()?;
    Ok(Answer::new(StatusCode::OK)
        .header(BUCKET_ARN, &arn(&place.name, ""))
        .header(ACCESS_POINT_ALIAS, "false"))
}
