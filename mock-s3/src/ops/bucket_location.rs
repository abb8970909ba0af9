//! GET /bucket?location

use super::{Answer, Call};
use crate::errors::S3Error;
use crate::xml::Xml;

/// The region of the bucket; us-east-1 has no name here (S3 API reference, GetBucketLocation).
pub(super) fn run(call: &Call<'_>) -> Result<Answer, S3Error> {
    call.place()?;
    let mut xml = Xml::root("LocationConstraint");
    match call.shared.regions[call.region].as_str() {
        "us-east-1" => {}
        region => xml.characters(region),
    }
    xml.close("LocationConstraint");
    Ok(Answer::xml(xml.finish()))
}
