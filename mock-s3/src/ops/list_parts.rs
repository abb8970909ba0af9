//! GET /bucket/key?uploadId

use gatecrash_model::Decision;

use super::listing::{Encoding, invalid, limit, named_class, owner, truth};
use super::multipart::{permit, summing, upload_id};
use super::{Answer, Call, checksums};
use crate::errors::S3Error;
use crate::request::Head;
use crate::store::{Part, Upload, no_such_upload};
use crate::time::document_date;
use crate::xml::Xml;

/// The parts of an upload under way, page by page.
pub(super) fn run(call: &Call<'_>) -> Result<Answer, S3Error> {
    let placement = call.place()?;
    let (key, id) = (call.head.key.as_str(), upload_id(call.head));
    permit(call, "s3:ListMultipartUploadParts", &id)?;
    let encoding = Encoding::of(call.head)?;
    let limit = limit(call.head, "max-parts")?;
    let after = marker(call.head)?;
    let page = |upload: &Upload| {
        let mut xml = Xml::root("ListPartsResult");
        xml.text("Bucket", &placement.name);
        xml.text("Key", &encoding.name(key));
        xml.text("UploadId", &id);
        write(&mut xml, upload, after, limit, encoding);
        xml.close("ListPartsResult");
        xml.finish()
    };
    let document = placement.upload(key, &id, page).ok_or_else(|| no_such_upload(&id))?;
    Ok(Answer::xml(document).decided(Decision::Allowed))
}

fn write(xml: &mut Xml, upload: &Upload, after: u32, limit: usize, encoding: Encoding) {
    let mut behind = upload.parts.range(after.saturating_add(1)..);
    let page: Vec<(&u32, &Part)> = behind.by_ref().take(limit).collect();
    let truncated = limit > 0 && behind.next().is_some();
    owner(xml, "Initiator", &upload.initiator);
    owner(xml, "Owner", &upload.owner);
    xml.text("StorageClass", named_class(&upload.attributes.storage_class));
    xml.text("PartNumberMarker", &after.to_string());
    xml.text("NextPartNumberMarker", &page.last().map_or(0, |(number, _)| **number).to_string());
    xml.text("MaxParts", &limit.to_string());
    encoding.write(xml, "");
    xml.text("IsTruncated", truth(truncated));
    summing(xml, upload.summing);
    for (number, part) in page {
        xml.open("Part");
        xml.text("PartNumber", &number.to_string());
        xml.text("LastModified", &document_date(part.modified));
        xml.text("ETag", &format!("\"{}\"", part.etag));
        xml.text("Size", &part.data.length().to_string());
        if let Some(checksum) = part.checksum.as_ref().filter(|_| upload.summing.is_some()) {
            checksums::write_value(xml, checksum);
        }
        xml.close("Part");
    }
}

/// `part-number-marker`: only parts behind it.
fn marker(head: &Head) -> Result<u32, S3Error> {
    const NAME: &str = "part-number-marker";
    let Some(given) = head.query_value(NAME).filter(|given| !given.is_empty()) else { return Ok(0) };
    let read = given.parse::<i32>().ok().and_then(|marker| u32::try_from(marker).ok());
    read.ok_or_else(|| {
        invalid(NAME, &given, "Provided part-number-marker not an integer or within integer range")
    })
}
