//! GET, PUT and DELETE /bucket/key?tagging

use http::StatusCode;

use super::{Answer, Call, found, tags};
use crate::errors::S3Error;

pub(super) fn read(call: &Call<'_>) -> Result<Answer, S3Error> {
    let object = found::object(call)?;
    let document = tags::document(object.stored().map_or(&[], |stored| &stored.attributes.tags));
    Ok(Answer::xml(document).of_version(call.place()?, &object.version_id()))
}

pub(super) fn write(call: &Call<'_>) -> Result<Answer, S3Error> {
    let tags = tags::of_document(&call.body.document(), tags::OF_OBJECT)?;
    replace(call, tags, StatusCode::OK)
}

pub(super) fn delete(call: &Call<'_>) -> Result<Answer, S3Error> {
    replace(call, tags::Tags::new(), StatusCode::NO_CONTENT)
}

fn replace(call: &Call<'_>, tags: tags::Tags, status: StatusCode) -> Result<Answer, S3Error> {
    let (placement, object) = (call.place()?, found::object(call)?);
    found::change(call, placement, &object, |attributes| attributes.tags = tags)?;
    let answer = Answer::new(status).of_version(placement, &object.version_id()).applied(true);
    Ok(if status == StatusCode::NO_CONTENT { answer } else { answer.body_empty() })
}
