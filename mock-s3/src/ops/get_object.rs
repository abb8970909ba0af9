//! GET and HEAD /bucket/key

use http::StatusCode;
use http::header::{ACCEPT_RANGES, CONTENT_RANGE, CONTENT_TYPE, ETAG, LAST_MODIFIED, RANGE};

use super::conditions::{self, Outcome};
use super::range::Range;
use super::{Answer, Call, Content};
use crate::errors::S3Error;
use crate::store::Object;
use crate::time::http_date;

/// The object or a range of it, if the conditions hold.
pub(super) fn run(call: &Call<'_>) -> Result<Answer, S3Error> {
    let key = call.head.key.as_str();
    let Some(object) = call.place()?.find(key, call.version().as_ref(), &call.shared.pool).object() else {
        return Err(missing(call));
    };
    match conditions::of_read(call.head, &object) {
        Outcome::Holds => {}
        Outcome::NotModified => return Ok(described(StatusCode::NOT_MODIFIED, &object)),
        Outcome::Failed(header) => return Err(S3Error::of("PreconditionFailed").extra("Condition", header)),
    }
    let length = object.length();
    match call.head.header(&RANGE).map_or(Range::Whole, |value| Range::parse(value, length)) {
        Range::Whole => Ok(described(StatusCode::OK, &object).body(Content::Data(object.data))),
        Range::Part { first, last } => Ok(described(StatusCode::PARTIAL_CONTENT, &object)
            .header(CONTENT_RANGE, &format!("bytes {first}-{last}/{length}"))
            .body(Content::Data(object.data.slice(first, last - first + 1)))),
        Range::Unsatisfiable => Err(S3Error::of("InvalidRange")
            .extra("RangeRequested", call.head.header(&RANGE).unwrap_or_default())
            .extra("ActualObjectSize", length.to_string())
            .header(CONTENT_RANGE, &format!("bytes */{length}"))),
    }
}

/// A missing key is only told to those who may list the bucket.
fn missing(call: &Call<'_>) -> S3Error {
    let listing = call.access.evaluate("s3:ListBucket", "");
    match listing.is_allowed() {
        true => S3Error::of("NoSuchKey").extra("Key", &*call.head.key),
        false => call.access.denial(&listing),
    }
}

fn described(status: StatusCode, object: &Object) -> Answer {
    let mut answer = Answer::new(status)
        .header(ETAG, &format!("\"{}\"", object.etag))
        .header(LAST_MODIFIED, &http_date(object.modified))
        .header(ACCEPT_RANGES, "bytes")
        .header(CONTENT_TYPE, "binary/octet-stream");
    for (name, value) in object.headers() {
        answer.headers.insert(name.clone(), value.clone());
    }
    answer
}
