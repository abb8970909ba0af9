//! DELETE /bucket/key?uploadId

use gatecrash_model::Decision;
use http::StatusCode;

use super::multipart::{permit, upload_id};
use super::{Answer, Call};
use crate::errors::S3Error;
use crate::store::no_such_upload;

/// Ends an upload and frees its parts.
pub(super) fn run(call: &Call<'_>) -> Result<Answer, S3Error> {
    let id = upload_id(call.head);
    permit(call, "s3:AbortMultipartUpload", &id)?;
    match call.place()?.abort_upload(&call.head.key, &id, call.shared.store.budget()) {
        true => Ok(Answer::new(StatusCode::NO_CONTENT).applied(true).decided(Decision::Allowed)),
        false => Err(no_such_upload(&id)),
    }
}
