//! The signature of a form: over its policy, in its fields (S3 API reference, "Authenticating Requests in
//! Browser-Based Uploads Using POST").

use std::sync::Arc;

use super::header::{Credential, Malformed};
use super::keys::SigningKey;
use super::{Caller, Verifier, mismatch, presigned, sigv4, v2};
use crate::errors::S3Error;

/// The fields of a form by their names in lower case.
type Fields<'f> = &'f dyn Fn(&str) -> Option<&'f str>;

impl Verifier<'_> {
    /// Who signed a form; one with neither policy nor access key is nobody's.
    pub(crate) fn authenticate_form(&self, fields: Fields<'_>) -> Result<Arc<Caller>, S3Error> {
        let (policy, algorithm) = (fields("policy"), fields("x-amz-algorithm"));
        match (policy, algorithm, fields("awsaccesskeyid")) {
            (None, None, None) => Ok(Caller::anonymous()),
            (None, ..) => Err(missing("policy")),
            (Some(policy), Some("AWS4-HMAC-SHA256"), _) => self.v4_form(fields, policy),
            (Some(_), Some(other), _) => Err(S3Error::of("InvalidArgument")
                .message("Only AWS4-HMAC-SHA256 is supported")
                .extra("ArgumentName", "x-amz-algorithm")
                .extra("ArgumentValue", other)),
            (Some(policy), None, Some(access_key)) => self.v2_form(fields, policy, access_key),
            (Some(_), None, None) => Err(missing("AWSAccessKeyId")),
        }
    }

    fn v4_form(&self, fields: Fields<'_>, policy: &str) -> Result<Arc<Caller>, S3Error> {
        let field = |name: &'static str| fields(name).ok_or_else(|| missing(name));
        let (credential, given) = (field("x-amz-credential")?, field("x-amz-signature")?);
        let date = field("x-amz-date")?;
        let credential =
            Credential::parse(credential).map_err(|Malformed(why)| presigned::unreadable(&why))?;
        let scope = credential.scope;
        if let Some(expected) = self.region.filter(|region| *region != scope.region) {
            let why = format!("the region '{}' is wrong; expecting '{expected}'", scope.region);
            return Err(presigned::unreadable(&why).extra("Region", expected));
        }
        if scope.service != self.service {
            return Err(presigned::unreadable(&self.wrong_service(credential)));
        }
        if !date.starts_with(scope.date) {
            let why = format!(
                "incorrect date \"{}\". This date is not the same as X-Amz-Date: \"{date}\".",
                scope.date
            );
            return Err(presigned::unreadable(&why));
        }
        let (caller, pair) = self.owner(credential.access_key, fields("x-amz-security-token"))?;
        let expected = sigv4::hex_array(&SigningKey::of(&pair, scope).sign(policy.as_bytes()));
        match sigv4::same(&expected, given.as_bytes()) {
            true => Ok(caller),
            false => Err(mismatch(credential.access_key, policy, given)),
        }
    }

    fn v2_form(&self, fields: Fields<'_>, policy: &str, access_key: &str) -> Result<Arc<Caller>, S3Error> {
        self.takes_v2()?;
        let given = fields("signature").ok_or_else(|| missing("Signature"))?;
        let (caller, pair) = self.owner(access_key, fields("x-amz-security-token"))?;
        let expected = v2::sign(&pair.secret_key, policy);
        match sigv4::same(expected.as_bytes(), given.as_bytes()) {
            true => Ok(caller),
            false => Err(mismatch(access_key, policy, given)),
        }
    }
}

/// A field that has to be there.
pub(crate) fn missing(name: &'static str) -> S3Error {
    S3Error::of("InvalidArgument")
        .message(format!(
            "Bucket POST must contain a field named '{name}'.  If it is specified, please check the order of \
             the fields."
        ))
        .extra("ArgumentName", name)
        .extra("ArgumentValue", "")
}
