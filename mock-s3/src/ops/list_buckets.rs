//! GET /

use std::sync::Arc;

use super::list_objects_v2::{from_token, to_token};
use super::listing::{invalid, owner};
use super::{Answer, Call};
use crate::config::DEFAULT_ACCOUNT;
use crate::errors::S3Error;
use crate::request::Head;
use crate::store::Placement;
use crate::time::document_date;
use crate::xml::Xml;

/// What a request asks for; all buckets at once where it does not page.
struct Asked {
    prefix: String,
    after: String,
    limit: usize,
    /// Whose buckets: another region than the endpoint's.
    region: Option<String>,
    /// It uses any of the parameters: then every bucket's region is told.
    pages: bool,
}

/// The buckets of the region that the caller's account owns.
pub(super) fn run(call: &Call<'_>) -> Result<Answer, S3Error> {
    let asked = Asked::of(call.head)?;
    let account = call.access.account();
    let region = match &asked.region {
        None => Some(call.region),
        Some(name) => call.shared.regions.iter().position(|known| known == name),
    };
    let mine = |placement: &Arc<Placement>| {
        account.is_none_or(|account| account == placement.bucket.owner.account)
            && placement.name.starts_with(&asked.prefix)
            && placement.name > asked.after
    };
    let mut buckets = region.map_or_else(Vec::new, |region| call.shared.store.in_region(region));
    buckets.retain(mine);
    let more = buckets.len() > asked.limit;
    buckets.truncate(asked.limit);

    let mut xml = Xml::root("ListAllMyBucketsResult");
    owner(&mut xml, "Owner", &call.shared.accounts.of(account.unwrap_or(DEFAULT_ACCOUNT)));
    xml.open("Buckets");
    for placement in &buckets {
        xml.open("Bucket");
        xml.text("Name", &placement.name);
        xml.text("CreationDate", &document_date(placement.bucket.created));
        if let Some(region) = region.filter(|_| asked.pages) {
            xml.text("BucketRegion", &call.shared.regions[region]);
        }
        xml.close("Bucket");
    }
    xml.close("Buckets");
    if let Some(last) = buckets.last().filter(|_| more) {
        xml.text("ContinuationToken", &to_token(&last.name));
    }
    if !asked.prefix.is_empty() {
        xml.text("Prefix", &asked.prefix);
    }
    xml.close("ListAllMyBucketsResult");
    Ok(Answer::xml(xml.finish()))
}

impl Asked {
    fn of(head: &Head) -> Result<Self, S3Error> {
        let limit = head.query_value("max-buckets");
        let token = head.query_value("continuation-token").filter(|token| !token.is_empty());
        let prefix = head.query_value("prefix").unwrap_or_default();
        let region = head.query_value("bucket-region").filter(|region| !region.is_empty());
        let pages = limit.is_some() || token.is_some() || region.is_some() || !prefix.is_empty();
        let limit = match limit {
            None => usize::MAX,
            Some(limit) => {
                limit.parse().ok().filter(|limit| (1..=10_000).contains(limit)).ok_or_else(|| {
                    let message = "Argument max-buckets must be an integer between 1 and 10000";
                    invalid("max-buckets", &limit, message)
                })?
            }
        };
        let after = match token {
            None => String::new(),
            Some(token) => from_token(&token).ok_or_else(|| {
                invalid("continuation-token", &token, "The continuation token provided is incorrect")
            })?,
        };
        Ok(Self { prefix, after, limit, region, pages })
    }
}
