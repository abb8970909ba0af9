//! GET /bucket?uploads

use super::listing::{Encoding, limit, named_class, owner, truth};
use super::multipart::summing;
use super::{Answer, Call};
use crate::errors::S3Error;
use crate::store::{List, UploadEntry};
use crate::time::document_date;
use crate::xml::Xml;

/// The uploads under way, page by page.
pub(super) fn run(call: &Call<'_>) -> Result<Answer, S3Error> {
    let placement = call.place()?;
    let text = |name: &str| call.head.query_value(name).unwrap_or_default();
    let encoding = Encoding::of(call.head)?;
    let list = List {
        prefix: text("prefix"),
        delimiter: text("delimiter"),
        after: text("key-marker"),
        limit: limit(call.head, "max-uploads")?,
    };
    // Without a key, S3 does not look at the id.
    let after = Some(text("upload-id-marker")).filter(|id| !id.is_empty() && !list.after.is_empty());
    let page = placement.list_uploads(&list, after.as_deref());

    let mut xml = Xml::root("ListMultipartUploadsResult");
    xml.text("Bucket", &placement.name);
    xml.text("KeyMarker", &encoding.name(&list.after));
    xml.text("UploadIdMarker", after.as_deref().unwrap_or_default());
    let (key, id) = match page.entries.last() {
        None => ("", ""),
        Some(UploadEntry::Upload { key, id, .. }) => (key.as_str(), id.as_str()),
        Some(UploadEntry::Group(group)) => (group.as_str(), ""),
    };
    xml.text("NextKeyMarker", &encoding.name(key));
    xml.text("NextUploadIdMarker", id);
    xml.text("Prefix", &encoding.name(&list.prefix));
    xml.text("MaxUploads", &list.limit.to_string());
    encoding.write(&mut xml, &list.delimiter);
    xml.text("IsTruncated", truth(page.truncated));
    for entry in &page.entries {
        let UploadEntry::Upload { key, id, upload } = entry else { continue };
        xml.open("Upload");
        xml.text("Key", &encoding.name(key));
        xml.text("UploadId", id);
        owner(&mut xml, "Initiator", &upload.initiator);
        owner(&mut xml, "Owner", &upload.owner);
        xml.text("StorageClass", named_class(&upload.attributes.storage_class));
        xml.text("Initiated", &document_date(upload.initiated));
        summing(&mut xml, upload.summing);
        xml.close("Upload");
    }
    for entry in &page.entries {
        if let UploadEntry::Group(group) = entry {
            encoding.group(&mut xml, group);
        }
    }
    xml.close("ListMultipartUploadsResult");
    Ok(Answer::xml(xml.finish()))
}
