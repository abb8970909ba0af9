//! Presigned URLs: Signature Version 4 in query parameters.

use super::header::{Credential, Malformed};
use crate::errors::S3Error;
use crate::request::Head;
use crate::time::document_date;

use super::date::{MAX_SKEW_SECONDS, SignedAt};

/// S3 takes URLs valid for at most a week.
const LONGEST_SECONDS: i64 = 604_800;

/// The decoded parameters of a presigned URL.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Parameters {
    pub(super) credential: String,
    pub(super) date: String,
    pub(super) signed_headers: String,
    pub(super) signature: String,
    /// Seconds the URL is valid.
    pub(super) expires: i64,
}

impl Parameters {
    pub(super) fn of(head: &Head) -> Result<Self, S3Error> {
        let parameter = |name: &str| {
            head.query_value(name).filter(|value| !value.is_empty()).ok_or_else(|| {
                wrong(
                    "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, \
                     X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.",
                )
            })
        };
        let (algorithm, expires) = (parameter("X-Amz-Algorithm")?, parameter("X-Amz-Expires")?);
        let parameters = Self {
            credential: parameter("X-Amz-Credential")?,
            date: parameter("X-Amz-Date")?,
            signed_headers: parameter("X-Amz-SignedHeaders")?,
            signature: parameter("X-Amz-Signature")?,
            expires: read_expires(&expires)?,
        };
        if algorithm != "AWS4-HMAC-SHA256" {
            return Err(wrong(
                "X-Amz-Algorithm only supports \"AWS4-HMAC-SHA256 and AWS4-ECDSA-P256-SHA256\"",
            ));
        }
        Ok(parameters)
    }

    pub(super) fn credential(&self) -> Result<Credential<'_>, S3Error> {
        Credential::parse(&self.credential).map_err(|Malformed(why)| unreadable(&why))
    }

    pub(super) fn signed_at(&self) -> Result<SignedAt<'_>, S3Error> {
        SignedAt::compact(&self.date)
            .ok_or_else(|| wrong("X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\""))
    }

    /// Refuses a URL that is not valid yet or not any more.
    pub(super) fn check_time(&self, signed_at: &SignedAt<'_>, wall: i64) -> Result<(), S3Error> {
        if signed_at.seconds > wall.saturating_add(MAX_SKEW_SECONDS) {
            return Err(S3Error::of("AccessDenied")
                .message("Request is not valid yet")
                .extra("X-Amz-Date", signed_at.text)
                .extra("ServerTime", document_date(wall)));
        }
        let end = signed_at.seconds + self.expires;
        if wall >= end {
            return Err(S3Error::of("AccessDenied")
                .message("Request has expired")
                .extra("X-Amz-Expires", self.expires.to_string())
                .extra("Expires", document_date(end))
                .extra("ServerTime", document_date(wall)));
        }
        Ok(())
    }
}

fn read_expires(text: &str) -> Result<i64, S3Error> {
    let seconds: i64 = text.parse().map_err(|_| wrong("X-Amz-Expires should be a number"))?;
    match seconds {
        ..0 => Err(wrong("X-Amz-Expires must be non-negative")),
        0..=LONGEST_SECONDS => Ok(seconds),
        _ => Err(wrong(
            "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be \
             less than 604800 seconds",
        )),
    }
}

/// The answer to a credential that is not for this endpoint.
pub(super) fn unreadable(why: &str) -> S3Error {
    wrong(&format!("Error parsing the X-Amz-Credential parameter; {why}"))
}

fn wrong(why: &str) -> S3Error {
    S3Error::of("AuthorizationQueryParametersError").message(why.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::{HeaderMap, Method};

    const GOOD: &str = "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AK%2F20130524%2Fus-east-1%2Fs3%2F\
                        aws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host\
                        &X-Amz-Signature=ab";

    fn parse(query: &str) -> Result<Parameters, S3Error> {
        let target = format!("/b/k?{query}").parse().unwrap();
        Parameters::of(&Head::new(Method::GET, target, HeaderMap::new()))
    }

    #[test]
    fn the_parameters_are_decoded() {
        let got = parse(GOOD).unwrap();
        assert_eq!(got.credential().unwrap().access_key, "AK");
        assert_eq!((got.expires, got.signed_headers.as_str()), (86_400, "host"));
        assert_eq!(got.signed_at().unwrap().seconds, 1_369_353_600);
    }

    #[test]
    fn what_is_wrong_is_told() {
        let requires = "Query-string authentication version 4 requires";
        let table = [
            ("X-Amz-Expires=86400", "X-Amz-Expires=", requires),
            ("&X-Amz-SignedHeaders=host", "", requires),
            ("AWS4-HMAC-SHA256", "AWS4", "X-Amz-Algorithm only supports"),
            ("=86400", "=604801", "X-Amz-Expires must be less than a week"),
            ("=86400", "=-1", "X-Amz-Expires must be non-negative"),
            ("=86400", "=soon", "X-Amz-Expires should be a number"),
            ("=86400", "=99999999999999999999", "X-Amz-Expires should be a number"),
        ];
        for (from, to, why) in table {
            let error = parse(&GOOD.replace(from, to)).unwrap_err();
            assert_eq!(error.code, "AuthorizationQueryParametersError", "{to}");
            assert!(error.message.starts_with(why), "{to}: {}", error.message);
        }
        let date = parse(&GOOD.replace("20130524T000000Z", "today")).unwrap();
        assert!(date.signed_at().unwrap_err().message.starts_with("X-Amz-Date must be"));
        let credential = parse(&GOOD.replace("us-east-1%2F", "")).unwrap();
        assert!(credential.credential().unwrap_err().message.contains("the Credential is mal-formed"));
    }

    #[test]
    fn a_url_has_its_time() {
        let got = parse(GOOD).unwrap();
        let at = got.signed_at().unwrap();
        let wall = at.seconds;
        for fine in [wall - 900, wall, wall + 86_399] {
            assert!(got.check_time(&at, fine).is_ok(), "{fine}");
        }
        let late = got.check_time(&at, wall + 86_400).unwrap_err();
        assert_eq!((&*late.code, &*late.message), ("AccessDenied", "Request has expired"));
        assert_eq!(late.extras[1], ("Expires", "2013-05-25T00:00:00.000Z".to_owned()));
        assert_eq!(got.check_time(&at, wall - 901).unwrap_err().message, "Request is not valid yet");
    }
}
