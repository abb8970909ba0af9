//! The signature of a form: over its policy, in its fields.

use super::super::Call;
use super::form::{Form, missing};
use crate::auth::sigv4;
use crate::errors::S3Error;

/// Who signed the form: an index of the settings' identities; none for a form without a signature.
pub(super) fn check(call: &Call<'_>, form: &Form) -> Result<Option<usize>, S3Error> {
    let policy = form.field("policy");
    let algorithm = form.field("x-amz-algorithm");
    let old = form.field("awsaccesskeyid");
    match (policy, algorithm, old) {
        (None, None, None) => Ok(None),
        (None, ..) => Err(missing("policy")),
        (Some(policy), Some("AWS4-HMAC-SHA256"), _) => of_version_4(call, form, policy).map(Some),
        (Some(_), Some(other), _) => Err(S3Error::of("InvalidArgument")
            .message("Only the AWS4-HMAC-SHA256 algorithm is supported")
            .extra("ArgumentName", "x-amz-algorithm")
            .extra("ArgumentValue", other)),
        (Some(_), None, Some(_)) => Err(S3Error::of("NotImplemented")),
        (Some(_), None, None) => Err(missing("AWSAccessKeyId")),
    }
}

fn of_version_4(call: &Call<'_>, form: &Form, policy: &str) -> Result<usize, S3Error> {
    let field = |name: &'static str| form.field(name).ok_or_else(|| missing(name));
    let (credential, given, date) =
        (field("x-amz-credential")?, field("x-amz-signature")?, field("x-amz-date")?);
    let mut parts = credential.rsplitn(5, '/');
    let (Some("aws4_request"), Some("s3"), Some(region), Some(day), Some(access_key)) =
        (parts.next(), parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(malformed(
            "the Credential is mal-formed; expecting \"<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request\".",
        ));
    };
    let here = &call.shared.regions[call.region];
    if region != here {
        let error = malformed(&format!("the region '{region}' is wrong; expecting '{here}'"));
        return Err(error.extra("Region", here));
    }
    if !date.starts_with(day) {
        return Err(malformed(&format!(
            "incorrect date \"{day}\". This date is not the same as X-Amz-Date."
        )));
    }
    let known = call.settings.by_access_key(access_key);
    let (index, identity) =
        known.ok_or_else(|| S3Error::of("InvalidAccessKeyId").extra("AWSAccessKeyId", access_key))?;
    let expected = call.shared.keys.sign(&identity.credentials, day, region, policy);
    match sigv4::same(&expected, given) {
        true => Ok(index),
        false => Err(S3Error::of("SignatureDoesNotMatch")
            .extra("AWSAccessKeyId", access_key)
            .extra("StringToSign", policy)
            .extra("SignatureProvided", given)),
    }
}

fn malformed(what: &str) -> S3Error {
    S3Error::of("AuthorizationQueryParametersError")
        .message(format!("Error parsing the X-Amz-Credential parameter; {what}"))
}
