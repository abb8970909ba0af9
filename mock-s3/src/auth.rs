//! Authentication: who signed, and is the signature right.
//!
//! Signature Version 4 and 2, each in the `Authorization` header or in the query, with long-term keys or with
//! the temporary ones of STS; and unsigned requests.

pub(crate) mod caller;
mod credentials;
mod date;
pub(crate) mod form;
mod header;
mod keys;
mod payload;
mod presigned;
pub(crate) mod sessions;
pub(crate) mod sigv4;
#[cfg(test)]
mod tests;
mod v2;

use std::borrow::Cow;
use std::sync::Arc;

use http::HeaderMap;
use http::header::AUTHORIZATION;

pub(crate) use caller::Caller;
pub use credentials::{Credentials, mask};
use date::SignedAt;
pub(crate) use form::missing as missing_field;
use header::{Authorization, Credential};
use keys::SigningKey;
use payload::Declared;
pub(crate) use payload::{ChunkSigner, Chunked, Payload, hash_mismatch};
use presigned::Parameters;
use sessions::Sessions;

use crate::errors::S3Error;
use crate::request::Head;
use crate::settings::Settings;

/// What authentication found out.
#[derive(Debug)]
pub(crate) struct Signed {
    pub(crate) caller: Arc<Caller>,
    #[cfg_attr(not(test), expect(dead_code, reason = "told apart by tests; logs read it off the head"))]
    pub(crate) scheme: Scheme,
    #[cfg_attr(not(test), expect(dead_code, reason = "told apart by tests"))]
    /// When it was signed, seconds since the Unix epoch; none when unsigned, and for Version 2 in a URL.
    pub(crate) signed_at: Option<i64>,
    /// How the body is to be read and checked.
    pub(crate) payload: Payload,
}

/// How a request is signed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) enum Scheme {
    /// Not at all.
    #[default]
    Unsigned,
    /// Signature Version 4 in `Authorization`.
    V4Header,
    /// A presigned URL.
    V4Query,
    /// Signature Version 2 in `Authorization`.
    V2Header,
    /// A presigned URL of Version 2.
    V2Query,
    /// A form of PostObject.
    V4Form,
    /// A form of PostObject with Version 2.
    V2Form,
}

/// What the mock checks a signature against.
pub(crate) struct Verifier<'a> {
    pub(crate) settings: &'a Settings,
    pub(crate) sessions: &'a Sessions,
    /// The region of the endpoint; none takes signatures for any.
    pub(crate) region: Option<&'a str>,
    /// The service of the endpoint: `s3`, `sts` or `iam`.
    pub(crate) service: &'a str,
    /// The mock's wall clock with its skew, seconds since the Unix epoch.
    pub(crate) wall: i64,
}

/// A Version 4 signature to check, wherever it was found.
struct Claim<'a> {
    access_key: &'a str,
    credential: Credential<'a>,
    signed_headers: &'a str,
    signature: &'a str,
    signed_at: &'a SignedAt<'a>,
    payload_hash: &'a str,
    /// The query parameter that is not signed.
    omitted: Option<&'a str>,
}

impl Verifier<'_> {
    /// Authenticates the head of an S3 request.
    pub(crate) fn authenticate(&self, head: &Head) -> Result<Signed, S3Error> {
        self.authenticate_with(head, None)
    }

    /// Authenticates a head; `body_hash` stands in for a missing `x-amz-content-sha256`, which services other
    /// than S3 do not ask for.
    pub(crate) fn authenticate_with(&self, head: &Head, body_hash: Option<&str>) -> Result<Signed, S3Error> {
        let v4_query = head.has_query("X-Amz-Algorithm") || head.has_query("X-Amz-Signature");
        let v2_query = !v4_query && head.has_query("Signature") && head.has_query("AWSAccessKeyId");
        let authorization = head.headers.get(AUTHORIZATION).filter(|value| !value.is_empty());
        let Some(authorization) = authorization else {
            return match (v4_query, v2_query) {
                (true, _) => self.v4_query(head),
                (_, true) => self.v2_query(head),
                _ => unsigned(head),
            };
        };
        let invalid = |message: &'static str, value: &str| {
            S3Error::of("InvalidArgument")
                .message(message)
                .extra("ArgumentName", "Authorization")
                .extra("ArgumentValue", value)
        };
        let unsupported = |value: &str| invalid("Unsupported Authorization Type", value);
        let authorization = authorization.to_str().map_err(|_| unsupported(""))?;
        if v4_query || v2_query {
            return Err(invalid(
                "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query \
                 string parameter or the Authorization header should be specified",
                authorization,
            ));
        }
        let Some((kind, fields)) = authorization.trim().split_once([' ', '\t']) else {
            return Err(match authorization.trim() {
                "AWS4-HMAC-SHA256" => Authorization::parse("").err().unwrap_or_else(|| unsupported("")),
                value => {
                    invalid("Authorization header is invalid -- one and only one ' ' (space) required", value)
                }
            });
        };
        match kind {
            "AWS4-HMAC-SHA256" => self.v4_header(head, fields, body_hash),
            "AWS" => self.v2_header(head, fields),
            _ => Err(unsupported(authorization)),
        }
    }

    fn v4_header(&self, head: &Head, fields: &str, body_hash: Option<&str>) -> Result<Signed, S3Error> {
        let authorization = Authorization::parse(fields)?;
        let credential = authorization.credential;
        let declared = text(&head.headers, "x-amz-content-sha256").or(body_hash).ok_or_else(|| {
            S3Error::of("InvalidRequest")
                .message("Missing required header for this request: x-amz-content-sha256")
        })?;
        let form = Declared::of(Some(declared))?;
        let token = text(&head.headers, "x-amz-security-token");
        let (caller, pair) = self.owner(credential.access_key, token)?;
        if let Some(expected) = self.region.filter(|region| *region != credential.scope.region) {
            return Err(wrong_region(credential.scope.region, expected));
        }
        if credential.scope.service != self.service {
            return Err(header::malformed(&self.wrong_service(credential)));
        }
        let signed_at = SignedAt::of_headers(&head.headers)?;
        signed_at.check_skew(self.wall)?;
        if !signed_at.compact.starts_with(credential.scope.date) {
            return Err(header::malformed(&other_day(credential, &signed_at)));
        }
        let claim = Claim {
            access_key: credential.access_key,
            credential,
            signed_headers: authorization.signed_headers,
            signature: authorization.signature,
            signed_at: &signed_at,
            payload_hash: declared,
            omitted: None,
        };
        self.settle(head, &claim, caller, &pair, form, Scheme::V4Header)
    }

    fn v4_query(&self, head: &Head) -> Result<Signed, S3Error> {
        let parameters = Parameters::of(head)?;
        let (credential, signed_at) = (parameters.credential()?, parameters.signed_at()?);
        if let Some(expected) = self.region.filter(|region| *region != credential.scope.region) {
            let given = credential.scope.region;
            let why = format!("the region '{given}' is wrong; expecting '{expected}'");
            return Err(presigned::unreadable(&why).extra("Region", expected));
        }
        if credential.scope.service != self.service {
            return Err(presigned::unreadable(&self.wrong_service(credential)));
        }
        if !signed_at.compact.starts_with(credential.scope.date) {
            let why = other_day(credential, &signed_at);
            return Err(S3Error::of("AuthorizationQueryParametersError").message(why));
        }
        parameters.check_time(&signed_at, self.wall)?;
        let token = head.query_value("X-Amz-Security-Token");
        let (caller, pair) = self.owner(credential.access_key, token.as_deref())?;
        let in_query = head.query_value("X-Amz-Content-Sha256");
        let declared = text(&head.headers, "x-amz-content-sha256").or(in_query.as_deref());
        let form = Declared::of(declared)?;
        let claim = Claim {
            access_key: credential.access_key,
            credential,
            signed_headers: &parameters.signed_headers,
            signature: &parameters.signature,
            signed_at: &signed_at,
            payload_hash: declared.unwrap_or("UNSIGNED-PAYLOAD"),
            omitted: Some("X-Amz-Signature"),
        };
        self.settle(head, &claim, caller, &pair, form, Scheme::V4Query)
    }

    /// Checks a Version 4 signature; everything around it is checked already.
    fn settle(
        &self,
        head: &Head,
        claim: &Claim<'_>,
        caller: Arc<Caller>,
        pair: &Credentials,
        form: Declared,
        scheme: Scheme,
    ) -> Result<Signed, S3Error> {
        let unsigned = sigv4::unsigned_headers(head, claim.signed_headers);
        if !unsigned.is_empty() {
            return Err(S3Error::of("AccessDenied")
                .message("There were headers present in the request which were not signed")
                .extra("HeadersNotSigned", unsigned.join(", ")));
        }
        let canonical =
            sigv4::canonical_request(head, claim.signed_headers, claim.payload_hash, claim.omitted);
        let to_sign = sigv4::string_to_sign(&claim.signed_at.compact, claim.credential.text, &canonical);
        let key = SigningKey::of(pair, claim.credential.scope);
        let expected = sigv4::hex_array(&key.sign(to_sign.as_bytes()));
        if !sigv4::same(&expected, claim.signature.as_bytes()) {
            return Err(mismatch(claim.access_key, &to_sign, claim.signature)
                .extra("CanonicalRequest", &*canonical)
                .extra("CanonicalRequestBytes", hex_bytes(canonical.as_bytes())));
        }
        let signer = || {
            let (date, scope) = (&claim.signed_at.compact, claim.credential.text);
            Some(ChunkSigner::new(key, date, scope, &expected))
        };
        let payload = form.payload(&head.headers, signer)?;
        Ok(Signed { caller, scheme, signed_at: Some(claim.signed_at.seconds), payload })
    }

    fn v2_header(&self, head: &Head, fields: &str) -> Result<Signed, S3Error> {
        self.takes_v2()?;
        let given = v2::Signature::of_header(fields)?;
        let token = text(&head.headers, "x-amz-security-token");
        let (caller, pair) = self.owner(&given.access_key, token)?;
        let signed_at = SignedAt::of_headers(&head.headers)?;
        signed_at.check_skew(self.wall)?;
        check_v2(head, &given, &pair)?;
        let payload = v2_payload(head)?;
        Ok(Signed { caller, scheme: Scheme::V2Header, signed_at: Some(signed_at.seconds), payload })
    }

    fn v2_query(&self, head: &Head) -> Result<Signed, S3Error> {
        self.takes_v2()?;
        let given = v2::Signature::of_query(head)?;
        given.check_time(self.wall)?;
        let in_query = head.query_value("x-amz-security-token");
        let token = text(&head.headers, "x-amz-security-token").or(in_query.as_deref());
        let (caller, pair) = self.owner(&given.access_key, token)?;
        check_v2(head, &given, &pair)?;
        Ok(Signed { caller, scheme: Scheme::V2Query, signed_at: None, payload: v2_payload(head)? })
    }

    fn takes_v2(&self) -> Result<(), S3Error> {
        match self.settings.signature_v2 && self.service == "s3" {
            true => Ok(()),
            false => Err(S3Error::of("InvalidRequest").message(
                "The authorization mechanism you have provided is not supported. \
                 Please use AWS4-HMAC-SHA256.",
            )),
        }
    }

    /// Whose access key it is, and the secret to check with.
    fn owner(
        &self,
        access_key: &str,
        token: Option<&str>,
    ) -> Result<(Arc<Caller>, Cow<'_, Credentials>), S3Error> {
        let unknown = || S3Error::of("InvalidAccessKeyId").extra("AWSAccessKeyId", access_key);
        match (self.settings.by_access_key(access_key), token.filter(|token| !token.is_empty())) {
            (Some((_, identity)), None) => {
                Ok((Arc::clone(&identity.caller), Cow::Borrowed(&identity.credentials)))
            }
            // A long-term key has no token.
            (Some(_), Some(token)) => Err(S3Error::of("InvalidToken").extra("Token-0", token)),
            (None, Some(token)) => {
                let (caller, pair) = self.sessions.open(token, access_key, self.wall, self.settings)?;
                Ok((caller, Cow::Owned(pair)))
            }
            (None, None) => Err(unknown()),
        }
    }

    fn wrong_service(&self, credential: Credential<'_>) -> String {
        let (given, service) = (credential.scope.service, self.service);
        format!("incorrect service \"{given}\". This endpoint belongs to \"{service}\".")
    }
}

fn unsigned(head: &Head) -> Result<Signed, S3Error> {
    let form = Declared::of(text(&head.headers, "x-amz-content-sha256"))?;
    let payload = form.payload(&head.headers, || None)?;
    Ok(Signed { caller: Caller::anonymous(), scheme: Scheme::Unsigned, signed_at: None, payload })
}

/// Version 2 signs no payload; a declared hash or encoding counts all the same.
fn v2_payload(head: &Head) -> Result<Payload, S3Error> {
    Declared::of(text(&head.headers, "x-amz-content-sha256"))?.payload(&head.headers, || None)
}

fn check_v2(head: &Head, given: &v2::Signature, pair: &Credentials) -> Result<(), S3Error> {
    let mut expected = String::new();
    for resource in v2::resources(head) {
        let to_sign = v2::string_to_sign(head, &resource, given.expires);
        let signature = v2::sign(&pair.secret_key, &to_sign);
        if sigv4::same(signature.as_bytes(), given.signature.as_bytes()) {
            return Ok(());
        }
        expected = to_sign;
    }
    Err(mismatch(&given.access_key, &expected, &given.signature))
}

fn mismatch(access_key: &str, to_sign: &str, given: &str) -> S3Error {
    S3Error::of("SignatureDoesNotMatch")
        .extra("AWSAccessKeyId", access_key)
        .extra("StringToSign", to_sign)
        .extra("SignatureProvided", given)
        .extra("StringToSignBytes", hex_bytes(to_sign.as_bytes()))
}

fn other_day(credential: Credential<'_>, signed_at: &SignedAt<'_>) -> String {
    let (given, day) = (credential.scope.date, signed_at.compact.get(..8).unwrap_or_default());
    format!("Invalid credential date \"{given}\". This date is not the same as X-Amz-Date: \"{day}\".")
}

/// The answer to a signature made for another region.
pub(crate) fn wrong_region(given: &str, expected: &str) -> S3Error {
    header::malformed(&format!("the region '{given}' is wrong; expecting '{expected}'"))
        .extra("Region", expected)
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}

/// As S3 shows bytes: hex pairs with blanks between.
fn hex_bytes(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect::<Vec<_>>().join(" ")
}
