//! GET /bucket/key?attributes

use http::header::LAST_MODIFIED;
use http::{HeaderMap, HeaderName};

use super::{Answer, Call, checksums, encryption, found};
use crate::errors::S3Error;
use crate::store::{Object, StoredPart};
use crate::time::http_date;
use crate::xml::Xml;

const WANTED: HeaderName = HeaderName::from_static("x-amz-object-attributes");
const MAX_PARTS: HeaderName = HeaderName::from_static("x-amz-max-parts");
const PART_MARKER: HeaderName = HeaderName::from_static("x-amz-part-number-marker");
const ATTRIBUTES: [&str; 5] = ["ETag", "Checksum", "ObjectParts", "StorageClass", "ObjectSize"];
/// Parts on one page at most.
const PAGE: u32 = 1000;

pub(super) fn run(call: &Call<'_>) -> Result<Answer, S3Error> {
    let headers = &call.head.headers;
    let wanted = wanted(headers)?;
    let (limit, after) = (number(headers, &MAX_PARTS, PAGE)?.min(PAGE), number(headers, &PART_MARKER, 0)?);
    may_read(call)?;
    let object = found::object(call)?;
    let kept = object.stored().map(|stored| &stored.attributes.encryption);
    encryption::unlock(headers, &encryption::OF_OBJECT, kept.unwrap_or(&Vec::new()))?;
    let is_wanted = |name: &str| wanted.iter().any(|wanted| wanted == name);
    let mut xml = Xml::root("GetObjectAttributesResponse");
    if is_wanted("ETag") {
        xml.text("ETag", &object.etag);
    }
    if let Some(checksum) =
        object.stored().and_then(|s| s.checksum.as_ref()).filter(|_| is_wanted("Checksum"))
    {
        xml.open("Checksum");
        checksums::write(&mut xml, checksum);
        xml.close("Checksum");
    }
    if is_wanted("ObjectParts") {
        write_parts(&mut xml, &object, limit, after);
    }
    if is_wanted("StorageClass") {
        let class = object.stored().map_or("", |stored| stored.attributes.storage_class.as_str());
        xml.text("StorageClass", if class.is_empty() { "STANDARD" } else { class });
    }
    if is_wanted("ObjectSize") {
        xml.text("ObjectSize", &object.length().to_string());
    }
    xml.close("GetObjectAttributesResponse");
    let answer = Answer::xml(xml.finish()).header(LAST_MODIFIED, &http_date(object.modified));
    Ok(answer.of_version(call.place()?, &object.version_id()))
}

/// Besides its own action, the operation needs that of a read (API reference, GetObjectAttributes).
fn may_read(call: &Call<'_>) -> Result<(), S3Error> {
    let action = if call.head.has_query("versionId") { "s3:GetObjectVersion" } else { "s3:GetObject" };
    let evaluation = call.access.evaluate(action, &call.head.key);
    if evaluation.is_allowed() { Ok(()) } else { Err(call.access.denial(&evaluation)) }
}

fn wanted(headers: &HeaderMap) -> Result<Vec<String>, S3Error> {
    let values =
        headers.get_all(WANTED).iter().flat_map(|value| value.to_str().unwrap_or_default().split(','));
    let wanted: Vec<String> = values.map(|name| name.trim().to_owned()).collect();
    let invalid = |value: &str| {
        let error = S3Error::of("InvalidArgument").message("Invalid attribute name specified.");
        error.extra("ArgumentName", WANTED.as_str()).extra("ArgumentValue", value)
    };
    match wanted.iter().find(|name| !ATTRIBUTES.contains(&name.as_str())) {
        Some(unknown) => Err(invalid(unknown)),
        None if wanted.is_empty() => Err(S3Error::of("InvalidRequest").message(
            "The x-amz-object-attributes header specifying the attributes to be retrieved is either missing or empty",
        )),
        None => Ok(wanted),
    }
}

fn number(headers: &HeaderMap, name: &HeaderName, default: u32) -> Result<u32, S3Error> {
    let Some(value) = headers.get(name) else { return Ok(default) };
    let text = value.to_str().unwrap_or_default();
    text.trim().parse().map_err(|_| {
        let error = S3Error::of("InvalidArgument");
        error.extra("ArgumentName", name.as_str()).extra("ArgumentValue", text)
    })
}

/// Of a multipart upload: how many parts, and with additional checksums a page of them.
fn write_parts(xml: &mut Xml, object: &Object, limit: u32, after: u32) {
    let Some(stored) = object.stored().filter(|stored| !stored.parts.is_empty()) else { return };
    let mut page: Vec<&StoredPart> = Vec::new();
    let mut truncated = false;
    if stored.checksum.is_some() {
        let behind = stored.parts.iter().filter(|part| part.number > after);
        page = behind.collect();
        truncated = page.len() > limit as usize;
        page.truncate(limit as usize);
    }
    xml.open("ObjectParts");
    xml.text("PartsCount", &stored.parts.len().to_string());
    if stored.checksum.is_some() {
        xml.text("PartNumberMarker", &after.to_string());
        xml.text("NextPartNumberMarker", &page.last().map_or(after, |part| part.number).to_string());
        xml.text("MaxParts", &limit.to_string());
        xml.text("IsTruncated", if truncated { "true" } else { "false" });
    }
    for part in page {
        xml.open("Part");
        xml.text("PartNumber", &part.number.to_string());
        xml.text("Size", &part.length.to_string());
        if let Some(checksum) = &part.checksum {
            checksums::write_value(xml, checksum);
        }
        xml.close("Part");
    }
    xml.close("ObjectParts");
}
