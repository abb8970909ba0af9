//! The signature of a browser's form: over its policy (S3 API Reference, "Authenticating Requests in Browser-Based
//! Uploads Using POST"). What the policy says is PostObject's to check.

use std::sync::Arc;

use super::header::{Credential, Malformed};
use super::keys::SigningKey;
use super::{Caller, Scheme, Verifier, mismatch, sigv4, v2};
use crate::errors::S3Error;
use crate::time::parse_compact_date;

/// The fields of a form, by name in lower case.
pub(crate) type Fields<'f> = dyn Fn(&str) -> Option<&'f str> + 'f;

impl Verifier<'_> {
    /// Authenticates a form, of Signature Version 4 or 2; one without a policy is unsigned.
    pub(crate) fn authenticate_form(&self, fields: &Fields<'_>) -> Result<(Arc<Caller>, Scheme), S3Error> {
        let signed = fields("x-amz-signature").is_some() || fields("x-amz-credential").is_some();
        let signed_before = fields("signature").is_some() || fields("awsaccesskeyid").is_some();
        let Some(policy) = fields("policy") else {
            return match signed || signed_before {
                true => Err(missing("policy")),
                false => Ok((Caller::anonymous(), Scheme::Unsigned)),
            };
        };
        let token = fields("x-amz-security-token");
        match signed_before && !signed {
            true => self.v2_form(policy, token, fields),
            false => self.v4_form(policy, token, fields),
        }
    }

    fn v4_form(
        &self,
        policy: &str,
        token: Option<&str>,
        fields: &Fields<'_>,
    ) -> Result<(Arc<Caller>, Scheme), S3Error> {
        let field = |name: &'static str| {
            let lower = name.to_ascii_lowercase();
            fields(&lower).filter(|value| !value.is_empty()).ok_or_else(|| missing(name))
        };
        let algorithm = field("X-Amz-Algorithm")?;
        let (credential, date) = (field("X-Amz-Credential")?, field("X-Amz-Date")?);
        let signature = field("X-Amz-Signature")?;
        let wrong = |why: String| {
            S3Error::of("InvalidArgument")
                .message(why)
                .extra("ArgumentName", "X-Amz-Credential")
                .extra("ArgumentValue", credential)
        };
        if algorithm != "AWS4-HMAC-SHA256" {
            return Err(S3Error::of("InvalidArgument")
                .message("X-Amz-Algorithm only supports \"AWS4-HMAC-SHA256\"")
                .extra("ArgumentName", "X-Amz-Algorithm")
                .extra("ArgumentValue", algorithm));
        }
        let credential = Credential::parse(credential).map_err(|Malformed(why)| wrong(why))?;
        let scope = credential.scope;
        if let Some(expected) = self.region.filter(|region| *region != scope.region) {
            let why = format!("the region '{}' is wrong; expecting '{expected}'", scope.region);
            return Err(wrong(why).extra("Region", expected));
        }
        if scope.service != self.service {
            return Err(wrong(self.wrong_service(credential)));
        }
        if parse_compact_date(date).is_none() || !date.starts_with(scope.date) {
            return Err(S3Error::of("InvalidArgument")
                .message("X-Amz-Date must be formated via ISO8601 Long format")
                .extra("ArgumentName", "X-Amz-Date")
                .extra("ArgumentValue", date));
        }
        let (caller, pair) = self.owner(credential.access_key, token)?;
        let expected = sigv4::hex_array(&SigningKey::of(&pair, scope).sign(policy.as_bytes()));
        match sigv4::same(&expected, signature.as_bytes()) {
            true => Ok((caller, Scheme::V4Form)),
            false => Err(mismatch(credential.access_key, policy, signature)),
        }
    }

    fn v2_form(
        &self,
        policy: &str,
        token: Option<&str>,
        fields: &Fields<'_>,
    ) -> Result<(Arc<Caller>, Scheme), S3Error> {
        self.takes_v2()?;
        let field = |name: &'static str| {
            let lower = name.to_ascii_lowercase();
            fields(&lower).filter(|value| !value.is_empty()).ok_or_else(|| missing(name))
        };
        let (access_key, signature) = (field("AWSAccessKeyId")?, field("signature")?);
        let (caller, pair) = self.owner(access_key, token)?;
        let expected = v2::sign(&pair.secret_key, policy);
        match sigv4::same(expected.as_bytes(), signature.as_bytes()) {
            true => Ok((caller, Scheme::V2Form)),
            false => Err(mismatch(access_key, policy, signature)),
        }
    }
}

/// A field that has to be there.
pub(crate) fn missing(field: &str) -> S3Error {
    S3Error::of("InvalidArgument")
        .message(format!(
            "Bucket POST must contain a field named '{field}'.  If it is specified, please check the order of the \
             fields."
        ))
        .extra("ArgumentName", field)
        .extra("ArgumentValue", "")
}
