//! DELETE /bucket/key

use http::{HeaderName, StatusCode};

use super::{Answer, Call};
use crate::errors::S3Error;

const DELETE_MARKER: HeaderName = HeaderName::from_static("x-amz-delete-marker");
const VERSION_ID: HeaderName = HeaderName::from_static("x-amz-version-id");

/// 204 whether or not there was an object.
pub(super) fn run(call: &Call<'_>) -> Result<Answer, S3Error> {
    let placement = call.place()?;
    let (version, owner) = (call.version(), call.writer(placement));
    let deleted =
        placement.delete(&call.head.key, version.as_ref(), &owner, call.wall, call.world(), &|_| Ok(()))?;
    let mut answer = Answer::new(StatusCode::NO_CONTENT).applied(deleted.applied);
    if deleted.marker {
        answer = answer.header(DELETE_MARKER, "true");
    }
    if let Some(version) = deleted.version {
        answer = answer.header(VERSION_ID, version.as_str());
    }
    Ok(answer)
}
