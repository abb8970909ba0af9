//! GET /bucket, version 1

use super::listing::{asked, truth};
use super::{Answer, Call};
use crate::errors::S3Error;
use crate::xml::Xml;

pub(super) fn run(call: &Call<'_>) -> Result<Answer, S3Error> {
    let placement = call.place()?;
    let (mut list, encoding) = asked(call.head)?;
    list.after = call.head.query_value("marker").unwrap_or_default();
    let page = placement.list(&list);

    let mut xml = Xml::root("ListBucketResult");
    xml.text("Name", &placement.name);
    xml.text("Prefix", &encoding.name(&list.prefix));
    xml.text("Marker", &encoding.name(&list.after));
    // Without a delimiter, callers go on from the last key themselves.
    if let Some(next) = page.next.as_ref().filter(|_| !list.delimiter.is_empty()) {
        xml.text("NextMarker", &encoding.name(next));
    }
    xml.text("MaxKeys", &list.limit.to_string());
    encoding.write(&mut xml, &list.delimiter);
    xml.text("IsTruncated", truth(page.next.is_some()));
    encoding.entries(&mut xml, placement, &page.entries, true);
    xml.close("ListBucketResult");
    Ok(Answer::xml(xml.finish()))
}
