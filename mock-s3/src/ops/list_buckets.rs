//! GET /

use super::{Answer, Call};
use crate::config::DEFAULT_ACCOUNT;
use crate::errors::S3Error;
use crate::time::document_date;
use crate::xml::Xml;

/// The buckets of the region that the caller's account owns.
pub(super) fn run(call: &Call<'_>) -> Result<Answer, S3Error> {
    let account = call.access.account();
    let mut xml = Xml::root("ListAllMyBucketsResult");
    xml.open("Owner");
    let owner = call.shared.accounts.of(account.unwrap_or(DEFAULT_ACCOUNT));
    xml.text("ID", &owner.canonical);
    xml.text("DisplayName", &owner.display);
    xml.close("Owner");
    xml.open("Buckets");
    for placement in call.shared.store.in_region(call.region) {
        if account.is_none_or(|account| account == placement.bucket.owner.account) {
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
