//! The `Authorization` header of Signature Version 4.

use crate::errors::S3Error;

/// `AWS4-HMAC-SHA256 Credential=KEY/DATE/REGION/SERVICE/aws4_request, SignedHeaders=a;b, Signature=HEX`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Authorization<'h> {
    pub(super) access_key: &'h str,
    /// Everything of the credential behind the access key.
    scope: &'h str,
    /// `YYYYMMDD`.
    pub(super) date: &'h str,
    pub(super) region: &'h str,
    pub(super) service: &'h str,
    /// Names separated by semicolons.
    pub(super) signed_headers: &'h str,
    /// Lower-case hex.
    pub(super) signature: &'h str,
}

impl<'h> Authorization<'h> {
    pub(super) fn parse(value: &'h str) -> Result<Self, S3Error> {
        let Some(fields) = value.strip_prefix("AWS4-HMAC-SHA256") else {
            return Err(match value.starts_with("AWS ") {
                true => S3Error::of("InvalidRequest").message(
                    "The authorization mechanism you have provided is not supported. \
                     Please use AWS4-HMAC-SHA256.",
                ),
                false => S3Error::of("InvalidArgument").message("Unsupported Authorization Type"),
            });
        };
        let (mut credential, mut signed_headers, mut signature) = (None, None, None);
        for field in fields.split(',') {
            let (name, value) = field.trim().split_once('=').ok_or_else(Self::malformed)?;
            match name {
                "Credential" => credential = Some(value),
                "SignedHeaders" => signed_headers = Some(value),
                "Signature" => signature = Some(value),
                _ => return Err(Self::malformed()),
            }
        }
        let credential = credential.ok_or_else(Self::malformed)?;
        let (access_key, scope) = credential.split_once('/').ok_or_else(Self::malformed)?;
        let mut parts = scope.split('/');
        let mut part = || parts.next().filter(|p| !p.is_empty()).ok_or_else(Self::malformed);
        let (date, region, service, end) = (part()?, part()?, part()?, part()?);
        if end != "aws4_request" || parts.next().is_some() || access_key.is_empty() {
            return Err(Self::malformed());
        }
        Ok(Self {
            access_key,
            scope,
            date,
            region,
            service,
            signed_headers: signed_headers.ok_or_else(Self::malformed)?,
            signature: signature.ok_or_else(Self::malformed)?,
        })
    }

    /// `DATE/REGION/SERVICE/aws4_request`.
    pub(super) fn scope(&self) -> &'h str {
        self.scope
    }

    pub(super) fn malformed() -> S3Error {
        S3Error::of("AuthorizationHeaderMalformed")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_read_with_and_without_blanks() {
        for blank in ["", " "] {
            let text = format!(
                "AWS4-HMAC-SHA256 Credential=AK/20130524/us-east-1/s3/aws4_request,{blank}\
                 SignedHeaders=host;range,{blank}Signature=ab"
            );
            let got = Authorization::parse(&text).unwrap();
            assert_eq!(
                (got.access_key, got.date, got.region, got.service),
                ("AK", "20130524", "us-east-1", "s3")
            );
            assert_eq!(
                (got.scope(), got.signed_headers),
                ("20130524/us-east-1/s3/aws4_request", "host;range")
            );
        }
    }

    #[test]
    fn broken_headers_have_s3_codes() {
        let table = [
            ("AWS AKIA:sig", "InvalidRequest"),
            ("Basic abc", "InvalidArgument"),
            (
                "AWS4-HMAC-SHA256 Credential=AK/20130524/us-east-1/s3/aws4_request",
                "AuthorizationHeaderMalformed",
            ),
            ("AWS4-HMAC-SHA256 Credential=AK, SignedHeaders=h, Signature=s", "AuthorizationHeaderMalformed"),
            ("AWS4-HMAC-SHA256 nonsense", "AuthorizationHeaderMalformed"),
        ];
        for (text, code) in table {
            assert_eq!(Authorization::parse(text).unwrap_err().code, code, "{text}");
        }
    }
}
