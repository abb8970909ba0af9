//! `x-amz-expected-bucket-owner`: a caller's guard against a bucket that changed hands (S3 user guide, "Verifying
//! bucket ownership").

use http::HeaderName;

use crate::errors::S3Error;
use crate::request::Head;
use crate::store::Owner;

const EXPECTED: HeaderName = HeaderName::from_static("x-amz-expected-bucket-owner");

/// Refuses a request that expects another owner than the bucket has.
pub(crate) fn check_owner(head: &Head, owner: &Owner) -> Result<(), S3Error> {
    let Some(expected) = head.header(&EXPECTED) else { return Ok(()) };
    if expected.len() != 12 || !expected.bytes().all(|b| b.is_ascii_digit()) {
        return Err(S3Error::of("InvalidBucketOwnerAWSAccountID").extra("BucketOwner", expected));
    }
    match expected == owner.account {
        true => Ok(()),
        false => Err(S3Error::of("AccessDenied")),
    }
}
