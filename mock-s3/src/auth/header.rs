//! The `Authorization` header of Signature Version 4, and the credential in it.

use super::keys::Scope;
use crate::errors::S3Error;

/// `AWS4-HMAC-SHA256 Credential=KEY/DATE/REGION/SERVICE/aws4_request, SignedHeaders=a;b, Signature=HEX`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Authorization<'h> {
    pub(super) credential: Credential<'h>,
    /// Names separated by semicolons.
    pub(super) signed_headers: &'h str,
    /// Lower-case hex.
    pub(super) signature: &'h str,
}

/// `KEY/DATE/REGION/SERVICE/aws4_request`. The key may hold slashes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Credential<'h> {
    pub(super) access_key: &'h str,
    /// Everything behind the access key.
    pub(super) text: &'h str,
    pub(super) scope: Scope<'h>,
}

/// What is wrong with a credential.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Malformed(pub(super) String);

impl<'h> Authorization<'h> {
    /// Reads what stands behind `AWS4-HMAC-SHA256`.
    pub(super) fn parse(fields: &'h str) -> Result<Self, S3Error> {
        let (mut credential, mut signed_headers, mut signature) = (None, None, None);
        let mut count = 0;
        for field in fields.split(',').map(str::trim).filter(|field| !field.is_empty()) {
            count += 1;
            let (name, value) = field.split_once('=').ok_or_else(|| {
                malformed(&format!("the authorization component \"{field}\" is malformed."))
            })?;
            match name {
                "Credential" => credential = Some(value),
                "SignedHeaders" => signed_headers = Some(value),
                "Signature" => signature = Some(value),
                _ => {
                    return Err(malformed(&format!("the authorization component \"{field}\" is malformed.")));
                }
            }
        }
        if count == 0 {
            return Err(malformed(
                "the authorization header requires three components: Credential, SignedHeaders, and Signature.",
            ));
        }
        let missing = |name: &str| malformed(&format!("missing {name}."));
        let credential = credential.ok_or_else(|| missing("Credential"))?;
        let credential = Credential::parse(credential).map_err(|Malformed(why)| malformed(&why))?;
        let signed_headers = signed_headers.filter(|names| !names.is_empty());
        Ok(Self {
            credential,
            signed_headers: signed_headers.ok_or_else(|| missing("SignedHeaders"))?,
            signature: signature.filter(|s| !s.is_empty()).ok_or_else(|| missing("Signature"))?,
        })
    }
}

impl<'h> Credential<'h> {
    pub(super) fn parse(text: &'h str) -> Result<Self, Malformed> {
        let whole = || {
            Malformed(
                "the Credential is mal-formed; expecting \"<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request\"."
                    .to_owned(),
            )
        };
        let mut parts = text.rsplitn(5, '/');
        let mut part = || parts.next().ok_or_else(whole);
        let (end, service, region, date, access_key) = (part()?, part()?, part()?, part()?, part()?);
        if end != "aws4_request" {
            return Err(Malformed(format!(
                "incorrect terminal \"{end}\". This endpoint uses \"aws4_request\"."
            )));
        }
        if date.len() != 8 || !date.bytes().all(|digit| digit.is_ascii_digit()) {
            return Err(Malformed(format!(
                "incorrect date format \"{date}\". This date in the credential must be in the format \
                 \"yyyyMMdd\"."
            )));
        }
        if access_key.is_empty() || region.is_empty() || service.is_empty() {
            return Err(whole());
        }
        let scope = Scope { date, region, service };
        Ok(Self { access_key, text: &text[access_key.len() + 1..], scope })
    }
}

/// The answer to a header that cannot be read.
pub(super) fn malformed(why: &str) -> S3Error {
    S3Error::of("AuthorizationHeaderMalformed")
        .message(format!("The authorization header is malformed; {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_read_with_and_without_blanks() {
        for blank in ["", " ", "   "] {
            let text = format!(
                "{blank}Credential=A/K/20130524/us-east-1/s3/aws4_request,{blank}\
                 SignedHeaders=host;range,{blank}Signature=ab"
            );
            let got = Authorization::parse(&text).unwrap();
            let scope = Scope { date: "20130524", region: "us-east-1", service: "s3" };
            assert_eq!((got.credential.access_key, got.credential.scope), ("A/K", scope));
            assert_eq!(
                (got.credential.text, got.signed_headers, got.signature),
                ("20130524/us-east-1/s3/aws4_request", "host;range", "ab")
            );
        }
    }

    #[test]
    fn broken_headers_tell_what_is_wrong() {
        let good = "Credential=AK/20130524/us-east-1/s3/aws4_request";
        let table = [
            (String::new(), "requires three components"),
            (good.to_owned(), "missing SignedHeaders."),
            (format!("{good}, SignedHeaders=host"), "missing Signature."),
            ("SignedHeaders=h, Signature=s".to_owned(), "missing Credential."),
            ("nonsense".to_owned(), "component \"nonsense\" is malformed"),
            (format!("{good}, What=1"), "component \"What=1\" is malformed"),
            ("Credential=AK, SignedHeaders=h, Signature=s".to_owned(), "the Credential is mal-formed"),
            ("Credential=/20130524/r/s3/aws4_request".to_owned(), "the Credential is mal-formed"),
            ("Credential=AK/2013/r/s3/aws4_request".to_owned(), "incorrect date format \"2013\""),
            ("Credential=AK/20130524/r/s3/aws5".to_owned(), "incorrect terminal \"aws5\""),
        ];
        for (text, why) in table {
            let error = Authorization::parse(&text).unwrap_err();
            assert_eq!(error.code, "AuthorizationHeaderMalformed", "{text}");
            assert!(error.message.contains(why), "{text}: {}", error.message);
        }
    }
}
