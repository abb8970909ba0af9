//! Authentication: who signed, and is the signature right.
//!
//! Signature Version 4 in the `Authorization` header, and unsigned requests. Presigned URLs, session tokens
//! and Signature Version 2 are answered as not implemented.

mod credentials;
mod header;
mod payload;
pub(crate) mod sigv4;

use http::HeaderMap;
use http::header::{AUTHORIZATION, DATE, HeaderName};

pub use credentials::{Credentials, mask};
use header::Authorization;
pub(crate) use payload::Payload;
use sigv4::Keys;

use crate::errors::S3Error;
use crate::request::Head;
use crate::settings::{Identity, Settings};
use crate::time::{document_date, http_date, parse_compact_date, parse_http_date};

/// How far a request's date may be off (S3: 15 minutes).
const MAX_SKEW_SECONDS: i64 = 900;

const AMZ_DATE: HeaderName = HeaderName::from_static("x-amz-date");
const AMZ_CONTENT_SHA256: HeaderName = HeaderName::from_static("x-amz-content-sha256");

/// What authentication found out.
pub(crate) struct Signed {
    /// Index of the identity; none for an unsigned request.
    pub(crate) identity: Option<usize>,
    /// How the body is to be read and checked.
    pub(crate) payload: Payload,
}

/// What the mock checks a signature against.
pub(crate) struct Verifier<'a> {
    pub(crate) settings: &'a Settings,
    pub(crate) keys: &'a Keys,
    /// The region of the endpoint.
    pub(crate) region: &'a str,
    /// The mock's wall clock with its skew, seconds since the Unix epoch.
    pub(crate) wall: i64,
}

impl Verifier<'_> {
    /// Authenticates a request head.
    pub(crate) fn authenticate(&self, head: &Head) -> Result<Signed, S3Error> {
        let declared = text(&head.headers, &AMZ_CONTENT_SHA256);
        let Some(authorization) = head.headers.get(AUTHORIZATION) else {
            if head.has_query("X-Amz-Signature") || head.has_query("Signature") {
                return Err(S3Error::of("NotImplemented").message("presigned URLs are not supported yet"));
            }
            return Ok(Signed { identity: None, payload: Payload::of(declared)? });
        };
        let authorization = authorization.to_str().map_err(|_| Authorization::malformed())?;
        let authorization = Authorization::parse(authorization)?;
        let declared = declared.ok_or_else(|| {
            S3Error::of("InvalidRequest")
                .message("Missing required header for this request: x-amz-content-sha256")
        })?;
        let payload = Payload::of(Some(declared))?;
        let (index, identity) = self.identity(authorization.access_key)?;
        self.check_scope(&authorization)?;
        let date = self.check_date(&head.headers, &authorization)?;
        self.check_signature(head, &authorization, identity, &date, declared)?;
        Ok(Signed { identity: Some(index), payload })
    }

    fn identity(&self, access_key: &str) -> Result<(usize, &Identity), S3Error> {
        self.settings
            .by_access_key(access_key)
            .ok_or_else(|| S3Error::of("InvalidAccessKeyId").extra("AWSAccessKeyId", access_key))
    }

    fn check_scope(&self, authorization: &Authorization<'_>) -> Result<(), S3Error> {
        if authorization.region != self.region {
            return Err(wrong_region(authorization.region, self.region));
        }
        if authorization.service != "s3" {
            let given = authorization.service;
            return Err(S3Error::of("AuthorizationHeaderMalformed").message(format!(
                "The authorization header is malformed; incorrect service \"{given}\". \
                 This endpoint belongs to \"s3\"."
            )));
        }
        Ok(())
    }

    /// The request's own date in the compact form, if it is close enough to ours.
    fn check_date(&self, headers: &HeaderMap, authorization: &Authorization<'_>) -> Result<String, S3Error> {
        let missing = || {
            S3Error::of("AccessDenied")
                .message("AWS authentication requires a valid Date or x-amz-date header")
        };
        let seconds = match text(headers, &AMZ_DATE) {
            Some(compact) => parse_compact_date(compact),
            None => text(headers, &DATE).and_then(parse_http_date),
        }
        .ok_or_else(missing)?;
        if (seconds - self.wall).abs() > MAX_SKEW_SECONDS {
            return Err(S3Error::of("RequestTimeTooSkewed")
                .extra("RequestTime", crate::time::compact_date(seconds))
                .extra("ServerTime", document_date(self.wall))
                .extra("MaxAllowedSkewMilliseconds", (MAX_SKEW_SECONDS * 1000).to_string())
                .header(DATE, &http_date(self.wall)));
        }
        let date = crate::time::compact_date(seconds);
        if !date.starts_with(authorization.date) {
            let (given, day) = (authorization.date, &date[..8]);
            return Err(S3Error::of("AuthorizationHeaderMalformed").message(format!(
                "The authorization header is malformed; Invalid credential date \"{given}\". \
                 This date is not the same as X-Amz-Date: \"{day}\"."
            )));
        }
        Ok(date)
    }

    fn check_signature(
        &self,
        head: &Head,
        authorization: &Authorization<'_>,
        identity: &Identity,
        date: &str,
        declared: &str,
    ) -> Result<(), S3Error> {
        let unsigned = sigv4::unsigned_headers(head, authorization.signed_headers);
        if !unsigned.is_empty() {
            return Err(S3Error::of("AccessDenied")
                .message("There were headers present in the request which were not signed")
                .extra("HeadersNotSigned", unsigned.join(", ")));
        }
        let canonical = sigv4::canonical_request(head, authorization.signed_headers, declared);
        let to_sign = sigv4::string_to_sign(date, authorization.scope(), &canonical);
        let expected =
            self.keys.sign(&identity.credentials, authorization.date, authorization.region, &to_sign);
        if sigv4::same(&expected, authorization.signature) {
            return Ok(());
        }
        Err(S3Error::of("SignatureDoesNotMatch")
            .extra("AWSAccessKeyId", authorization.access_key)
            .extra("StringToSign", &*to_sign)
            .extra("SignatureProvided", authorization.signature)
            .extra("StringToSignBytes", hex_bytes(to_sign.as_bytes()))
            .extra("CanonicalRequest", &*canonical)
            .extra("CanonicalRequestBytes", hex_bytes(canonical.as_bytes())))
    }
}

/// The answer to a signature made for another region.
pub(crate) fn wrong_region(given: &str, expected: &str) -> S3Error {
    S3Error::of("AuthorizationHeaderMalformed")
        .message(format!(
            "The authorization header is malformed; the region '{given}' is wrong; expecting '{expected}'"
        ))
        .extra("Region", expected)
}

fn text<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}

fn hex_bytes(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect::<Vec<_>>().join(" ")
}
