//! GET and HEAD /bucket/key

use http::header::{CONTENT_RANGE, IF_RANGE, RANGE};
use http::{HeaderName, Method, StatusCode};

use super::conditions::{self, Outcome};
use super::described::described;
use super::range::Range;
use super::{Answer, Call, Content, checksums, encryption, found, overrides};
use crate::checksum::Checksum;
use crate::errors::S3Error;
use crate::store::Object;

const CHECKSUM_MODE: HeaderName = HeaderName::from_static("x-amz-checksum-mode");
const PARTS_COUNT: HeaderName = HeaderName::from_static("x-amz-mp-parts-count");
const MAX_PART: u32 = 10_000;

/// What is sent of an object.
struct Selected<'o> {
    /// The first and the last byte; none: everything.
    bytes: Option<(u64, u64)>,
    /// The checksum of what is sent.
    checksum: Option<&'o Checksum>,
    /// How many parts the object has, when one was asked for.
    parts: Option<usize>,
}

/// The object, a range or a part of it, if the conditions hold.
pub(super) fn run(call: &Call<'_>) -> Result<Answer, S3Error> {
    let object = found::object(call)?;
    check_readable(call, &object)?;
    match conditions::of_read(call.head, &object) {
        Outcome::Holds => {}
        Outcome::NotModified => return described(call, StatusCode::NOT_MODIFIED, &object),
        Outcome::Failed(header) => return Err(S3Error::of("PreconditionFailed").extra("Condition", header)),
    }
    let selected = select(call, &object)?;
    let (length, data) = (object.length(), object.data.clone());
    let mut answer = match selected.bytes {
        None => described(call, StatusCode::OK, &object)?.body(Content::Data(data)),
        Some((first, last)) => described(call, StatusCode::PARTIAL_CONTENT, &object)?
            .header(CONTENT_RANGE, &format!("bytes {first}-{last}/{length}"))
            .body(Content::Data(data.slice(first, last - first + 1))),
    };
    if let Some(parts) = selected.parts {
        answer = answer.header(PARTS_COUNT, &parts.to_string());
    }
    let wants = call.head.header(&CHECKSUM_MODE).is_some_and(|mode| mode.eq_ignore_ascii_case("ENABLED"));
    if let Some(checksum) = selected.checksum.filter(|_| wants) {
        answer = checksums::tell(answer, checksum);
    }
    overrides::apply(call, answer)
}

/// Customer keys are needed again, and archived objects are not there to be read.
fn check_readable(call: &Call<'_>, object: &Object) -> Result<(), S3Error> {
    encryption::check_read(&call.head.headers)?;
    let attributes = object.stored().map(|stored| &stored.attributes);
    let kept = attributes.map(|attributes| &attributes.encryption);
    encryption::unlock(&call.head.headers, &encryption::OF_OBJECT, kept.unwrap_or(&Vec::new()))?;
    match attributes.map(|attributes| attributes.storage_class.as_str()) {
        Some(class) if is_archived(class) && call.head.method == Method::GET => {
            Err(S3Error::of("InvalidObjectState").extra("StorageClass", class))
        }
        _ => Ok(()),
    }
}

/// Storage classes that have to be restored from first.
pub(super) fn is_archived(class: &str) -> bool {
    matches!(class, "GLACIER" | "DEEP_ARCHIVE")
}

fn select<'o>(call: &Call<'_>, object: &'o Object) -> Result<Selected<'o>, S3Error> {
    let length = object.length();
    let range = call.head.header(&RANGE);
    let checksum = object.stored().and_then(|stored| stored.checksum.as_ref());
    if let Some(number) = call.head.query_value("partNumber") {
        return match range {
            None => part(object, &number),
            Some(_) => Err(S3Error::of("InvalidRequest")
                .message("Cannot specify both Range header and partNumber query parameter")),
        };
    }
    let range = range.filter(|_| conditions::range_holds(call.head.header(&IF_RANGE), object));
    match range.map_or(Range::Whole, |value| Range::parse(value, length)) {
        Range::Whole => Ok(Selected { bytes: None, checksum, parts: None }),
        Range::Part { first, last } => {
            Ok(Selected { bytes: Some((first, last)), checksum: None, parts: None })
        }
        Range::Unsatisfiable => Err(S3Error::of("InvalidRange")
            .extra("RangeRequested", range.unwrap_or_default())
            .extra("ActualObjectSize", length.to_string())
            .header(CONTENT_RANGE, &format!("bytes */{length}"))),
    }
}

/// One part of a multipart upload; an object that was written whole is its own part 1.
fn part<'o>(object: &'o Object, number: &str) -> Result<Selected<'o>, S3Error> {
    let number = number.parse().ok().filter(|number| (1..=MAX_PART).contains(number)).ok_or_else(|| {
        S3Error::of("InvalidArgument")
            .message("Part number must be an integer between 1 and 10000, inclusive")
            .extra("ArgumentName", "partNumber")
            .extra("ArgumentValue", number)
    })?;
    let parts = object.stored().map_or(&[][..], |stored| &stored.parts);
    let beyond = |count: usize| {
        S3Error::of("InvalidPartNumber")
            .extra("PartNumberRequested", number.to_string())
            .extra("ActualPartCount", count.to_string())
    };
    let bytes = |first: u64, length: u64| (length > 0).then(|| (first, first + length - 1));
    if parts.is_empty() {
        let checksum = object.stored().and_then(|stored| stored.checksum.as_ref());
        return match number {
            1 => Ok(Selected { bytes: bytes(0, object.length()), checksum, parts: None }),
            _ => Err(beyond(1)),
        };
    }
    let at = parts.iter().position(|part| part.number == number).ok_or_else(|| beyond(parts.len()))?;
    let first = parts[..at].iter().map(|part| part.length).sum();
    let checksum = parts[at].checksum.as_ref();
    Ok(Selected { bytes: bytes(first, parts[at].length), checksum, parts: Some(parts.len()) })
}
