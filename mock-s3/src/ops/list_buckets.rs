//! GET /

use super::{Answer, Call};
use crate::errors::S3Error;
use crate::time::document_date;
use crate::xml::Xml;

/// The canonical id that S3 gives to unsigned callers.
const ANONYMOUS: &str = "65a011a29cdf8ec533ec3d1ccaae921c";

/// The buckets of the region that the caller's account owns.
pub(super) fn run(call: &Call<'_>) -> Result<Answer, S3Error> {
    let account = call.access.account();
    let mut xml = Xml::root("ListAllMyBucketsResult");
    xml.open("Owner");
    match account.map(|account| call.shared.account(account)) {
        Some(owner) => {
            xml.text("ID", &owner.canonical_id);
            xml.text("DisplayName", &owner.display_name);
        }
        None => xml.text("ID", ANONYMOUS),
    }
    xml.close("Owner");
    xml.open("Buckets");
    for placement in call.shared.store.in_region(call.region) {
        if account.is_none_or(|account| account == placement.bucket.account) {
            xml.open("Bucket");
            xml.text("Name", &placement.name);
            xml.text("CreationDate", &document_date(placement.bucket.created));
            xml.close("Bucket");
        }
    }
    xml.close("Buckets");
    xml.close("ListAllMyBucketsResult");
    Ok(Answer::xml(xml.finish()))
}
