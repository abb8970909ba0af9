//! What the operations of multipart uploads have in common.

use std::sync::Arc;

use gatecrash_model::Decision;
use http::HeaderName;

use super::Call;
use super::encryption::{self, Encryption};
use super::listing::invalid;
use crate::checksum::Algorithm;
use crate::errors::S3Error;
use crate::policy::CallerKind;
use crate::request::Head;
use crate::store::{Owner, Placement, Summing, Upload, no_such_upload};
use crate::xml::Xml;

/// Parts of one upload (S3 user guide, "Multipart upload limits").
pub(super) const MAX_PARTS: u32 = 10_000;
/// Bytes of one part.
pub(super) const MAX_PART: u64 = 5 << 30;

/// The upload a request names.
pub(super) fn upload_id(head: &Head) -> String {
    head.query_value("uploadId").unwrap_or_default()
}

/// The part a request names.
pub(super) fn part_number(head: &Head) -> Result<u32, S3Error> {
    let given = head.query_value("partNumber").unwrap_or_default();
    given.parse().ok().filter(|number| (1..=MAX_PARTS).contains(number)).ok_or_else(|| {
        let message = format!("Part number must be an integer between 1 and {MAX_PARTS}, inclusive");
        invalid("partNumber", &given, message)
    })
}

/// A header's value by its name in lower case.
pub(super) fn header<'h>(head: &'h Head, name: &'static str) -> Option<&'h str> {
    head.header(&HeaderName::from_static(name)).map(str::trim)
}

/// Who begins an upload: the account, or the user with the ARN as id (API reference, "Initiator").
pub(super) fn initiator(call: &Call<'_>, placement: &Placement) -> Arc<Owner> {
    let caller = &call.access.caller.principal;
    match caller.kind {
        CallerKind::Anonymous | CallerKind::Root => call.writer(placement),
        _ => Arc::new(Owner {
            account: caller.account.clone(),
            canonical: caller.arn.clone(),
            display: caller.arn.rsplit('/').next().unwrap_or_default().to_owned(),
            email: String::new(),
        }),
    }
}

/// Refuses unless the policies allow it; what they leave open is allowed to whoever began the upload (S3 user
/// guide, "Multipart upload API and permissions").
pub(super) fn permit(call: &Call<'_>, action: &str, id: &str) -> Result<(), S3Error> {
    let (placement, key) = (call.place()?, call.head.key.as_str());
    let ruling = call.access.evaluate(action, key);
    let is_own = || {
        let caller = initiator(call, placement);
        call.access.account().is_some()
            && placement.upload(key, id, |upload| upload.initiator.canonical == caller.canonical)
                == Some(true)
    };
    match ruling.is_allowed() || (ruling.decision == Decision::ImplicitDeny && is_own()) {
        true => Ok(()),
        false => Err(call.access.denial(&ruling)),
    }
}

/// Checks that a part comes with the customer's key of its upload, if that has one.
pub(super) fn unlock(head: &Head, kept: &Encryption) -> Result<(), S3Error> {
    encryption::unlock(&head.headers, &encryption::OF_OBJECT, kept).map_err(|error| match &*error.code {
        "AccessDenied" => S3Error::of("InvalidRequest")
            .message("The provided encryption parameters did not match the ones used originally."),
        _ => error,
    })
}

/// What a part has to know of its upload.
pub(super) struct Known {
    pub(super) summing: Option<Summing>,
    pub(super) encryption: Encryption,
    /// The object will be under object lock by the wish of who began it.
    pub(super) locked: bool,
}

impl Known {
    pub(super) fn of(placement: &Placement, key: &str, id: &str) -> Result<Self, S3Error> {
        let look = |upload: &Upload| Self {
            summing: upload.summing,
            encryption: upload.attributes.encryption.clone(),
            locked: upload.attributes.retention.is_some() || upload.attributes.legal_hold.is_some(),
        };
        placement.upload(key, id, look).ok_or_else(|| no_such_upload(id))
    }
}

/// Why an upload with one kind of checksum does not take another one; `null` is none at all.
pub(super) fn type_mismatch(expected: Summing, actual: Option<Algorithm>) -> S3Error {
    let actual = actual.map_or("null".to_owned(), |algorithm| algorithm.name().to_ascii_lowercase());
    S3Error::of("InvalidRequest").message(format!(
        "Checksum Type mismatch occurred, expected checksum Type: {}, actual checksum Type: {actual}",
        expected.algorithm.name().to_ascii_lowercase()
    ))
}

/// The elements that tell which checksum an upload has.
pub(super) fn summing(xml: &mut Xml, summing: Option<Summing>) {
    if let Some(summing) = summing {
        xml.text("ChecksumAlgorithm", summing.algorithm.name());
        xml.text("ChecksumType", summing.kind.name());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::{HeaderMap, Method};

    #[test]
    fn part_numbers() {
        let head = |query: &str| {
            Head::new(Method::PUT, format!("/b/k?uploadId=u&{query}").parse().unwrap(), HeaderMap::new())
        };
        assert_eq!(part_number(&head("partNumber=1")).unwrap(), 1);
        assert_eq!(part_number(&head("partNumber=10000")).unwrap(), MAX_PARTS);
        for bad in ["partNumber=0", "partNumber=10001", "partNumber=-1", "partNumber=one", "partNumber=", ""]
        {
            assert_eq!(part_number(&head(bad)).unwrap_err().code, "InvalidArgument", "{bad}");
        }
        assert_eq!(upload_id(&head("")), "u");
    }
}
