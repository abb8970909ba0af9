//! PUT /bucket

use gatecrash_model::hash;
use http::StatusCode;
use http::header::LOCATION;

use super::{Answer, Call};
use crate::config::DEFAULT_ACCOUNT;
use crate::errors::S3Error;
use crate::store::{Bucket, BucketState};
use crate::xml;

/// Makes an empty private bucket in this region.
pub(super) fn run(call: &Call<'_>) -> Result<Answer, S3Error> {
    let name = call.head.bucket.as_str();
    if !is_bucket_name(name) {
        return Err(S3Error::of("InvalidBucketName").extra("BucketName", name));
    }
    let region = call.shared.regions[call.region].as_str();
    if let Some(asked) = location_constraint(&call.body.document())?
        && asked != region
    {
        return Err(S3Error::of("IllegalLocationConstraintException").message(format!(
            "The {asked} location constraint is incompatible for the region specific endpoint \
             this request was sent to."
        )));
    }
    let account = call.access.account().unwrap_or(DEFAULT_ACCOUNT);
    let seed = hash::combine(&[call.shared.seed, hash::bytes(name.as_bytes()), call.wall as u64]);
    let bucket = Bucket::empty(name, call.shared.accounts.of(account), call.wall, seed);
    if call.shared.store.create(call.region, bucket, BucketState::default()).is_err() {
        let owner = call.shared.store.find(call.region, name).map(|p| p.bucket.owner.account == account);
        let code = if owner == Some(true) { "BucketAlreadyOwnedByYou" } else { "BucketAlreadyExists" };
        return Err(S3Error::of(code).extra("BucketName", name));
    }
    Ok(Answer::new(StatusCode::OK).header(LOCATION, &format!("/{name}")).body_empty().applied(true))
}

/// The region a CreateBucketConfiguration asks for.
fn location_constraint(body: &[u8]) -> Result<Option<String>, S3Error> {
    if body.is_empty() {
        return Ok(None);
    }
    let found = xml::texts(body, &["LocationConstraint"]).ok_or_else(|| S3Error::of("MalformedXML"))?;
    Ok(found.into_iter().next().map(|(_, text)| text).filter(|text| !text.is_empty()))
}

/// 3 to 63 of lower-case letters, digits, hyphens and dots, a letter or digit at both ends (S3 user guide,
/// "Bucket naming rules").
fn is_bucket_name(name: &str) -> bool {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let bytes = name.as_bytes();
    (3..=63).contains(&bytes.len())
        && bytes.iter().all(|b| plain(*b) || matches!(b, b'-' | b'.'))
        && [bytes[0], bytes[bytes.len() - 1]].into_iter().all(plain)
        && !name.contains("..")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for good in ["abc", "a.b-c", "0ab"] {
            assert!(is_bucket_name(good), "{good}");
        }
        for bad in ["ab", "Abc", "a_c", "-ab", "ab-", "a..b"] {
            assert!(!is_bucket_name(bad), "{bad}");
        }
    }

    #[test]
    fn the_constraint_is_read() {
        let body = b"<CreateBucketConfiguration><LocationConstraint>eu-west-1</LocationConstraint>\
            </CreateBucketConfiguration>";
        assert_eq!(location_constraint(body).unwrap().as_deref(), Some("eu-west-1"));
        assert_eq!(location_constraint(b"").unwrap(), None);
        assert_eq!(location_constraint(b"<a").unwrap_err().code, "MalformedXML");
    }
}
