//! GET /bucket?versions

use super::listing::{Encoding, asked, described, invalid, owner, storage_class, truth};
use super::{Answer, Call};
use crate::errors::S3Error;
use crate::request::Head;
use crate::store::{Placement, VersionEntry, VersionId};
use crate::time::document_date;
use crate::xml::Xml;

pub(super) fn run(call: &Call<'_>) -> Result<Answer, S3Error> {
    let placement = call.place()?;
    let (mut list, encoding) = asked(call.head)?;
    list.after = call.head.query_value("key-marker").unwrap_or_default();
    let after = version_marker(call.head)?;
    let page = placement.list_versions(&list, after.as_ref());

    let mut xml = Xml::root("ListVersionsResult");
    xml.text("Name", &placement.name);
    xml.text("Prefix", &encoding.name(&list.prefix));
    xml.text("KeyMarker", &encoding.name(&list.after));
    xml.text("VersionIdMarker", after.as_ref().map_or("", VersionId::as_str));
    if let Some((key, version)) = &page.next {
        xml.text("NextKeyMarker", &encoding.name(key));
        if let Some(version) = version {
            xml.text("NextVersionIdMarker", version.as_str());
        }
    }
    xml.text("MaxKeys", &list.limit.to_string());
    encoding.write(&mut xml, &list.delimiter);
    xml.text("IsTruncated", truth(page.next.is_some()));
    page.entries.iter().for_each(|entry| write(&mut xml, placement, encoding, entry));
    for entry in &page.entries {
        if let VersionEntry::Group(group) = entry {
            encoding.group(&mut xml, group);
        }
    }
    xml.close("ListVersionsResult");
    Ok(Answer::xml(xml.finish()))
}

/// `version-id-marker`, which goes with a key.
fn version_marker(head: &Head) -> Result<Option<VersionId>, S3Error> {
    const NAME: &str = "version-id-marker";
    let Some(marker) = head.query_value(NAME).filter(|marker| !marker.is_empty()) else { return Ok(None) };
    match head.query_value("key-marker") {
        Some(key) if !key.is_empty() => Ok(Some(VersionId::parse(&marker))),
        _ => Err(invalid(NAME, &marker, "A version-id marker cannot be specified without a key marker.")),
    }
}

fn write(xml: &mut Xml, placement: &Placement, encoding: Encoding, entry: &VersionEntry) {
    let begin = |xml: &mut Xml, element: &str, id: &VersionId, latest: bool| {
        xml.open(element);
        xml.text("Key", &encoding.name(entry.name()));
        xml.text("VersionId", id.as_str());
        xml.text("IsLatest", truth(latest));
    };
    match entry {
        VersionEntry::Group(_) => {}
        VersionEntry::Synthetic { length, etag, modified, latest, .. } => {
            begin(xml, "Version", &VersionId::Null, *latest);
            described(xml, *modified, etag, *length, None);
            owner(xml, "Owner", &placement.bucket.owner);
            xml.text("StorageClass", storage_class(None));
            xml.close("Version");
        }
        VersionEntry::Version { version, latest, .. } => {
            let element = if version.is_marker() { "DeleteMarker" } else { "Version" };
            begin(xml, element, &version.id, *latest);
            match &version.stored {
                None => xml.text("LastModified", &document_date(version.modified)),
                Some(stored) => {
                    described(xml, version.modified, &stored.etag, stored.data.length(), Some(stored));
                }
            }
            owner(xml, "Owner", &version.owner);
            if !version.is_marker() {
                xml.text("StorageClass", storage_class(version.stored.as_ref()));
            }
            xml.close(element);
        }
    }
}
