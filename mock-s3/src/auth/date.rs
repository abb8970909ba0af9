//! The date a request was signed at, and how far it may be off.

use std::borrow::Cow;

use http::HeaderMap;
use http::header::DATE;

use super::text;
use crate::errors::S3Error;
use crate::time::{compact_date, document_date, http_date, parse_compact_date, parse_http_date};

/// How far a request's date may be off (S3: 15 minutes).
pub(super) const MAX_SKEW_SECONDS: i64 = 900;

/// When a request says it was signed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct SignedAt<'h> {
    /// Seconds since the Unix epoch.
    pub(super) seconds: i64,
    /// As the client wrote it.
    pub(super) text: &'h str,
    /// `YYYYMMDDTHHMMSSZ`.
    pub(super) compact: Cow<'h, str>,
}

impl<'h> SignedAt<'h> {
    /// From `x-amz-date`, or without it from `Date`; both in the compact or the HTTP form.
    pub(super) fn of_headers(headers: &'h HeaderMap) -> Result<Self, S3Error> {
        let given = match headers.contains_key("x-amz-date") {
            true => text(headers, "x-amz-date"),
            false => text(headers, DATE.as_str()),
        };
        given.and_then(Self::read).ok_or_else(|| {
            S3Error::of("AccessDenied")
                .message("AWS authentication requires a valid Date or x-amz-date header")
        })
    }

    /// The compact form only, as in query parameters.
    pub(super) fn compact(text: &'h str) -> Option<Self> {
        let seconds = parse_compact_date(text)?;
        Some(Self { seconds, text, compact: Cow::Borrowed(text) })
    }

    fn read(text: &'h str) -> Option<Self> {
        if let Some(compact) = Self::compact(text) {
            return Some(compact);
        }
        let seconds = parse_http_date(text).filter(|seconds| *seconds >= 0)?;
        Some(Self { seconds, text, compact: Cow::Owned(compact_date(seconds)) })
    }

    /// Refuses a date more than 15 minutes from `wall`.
    pub(super) fn check_skew(&self, wall: i64) -> Result<(), S3Error> {
        if self.seconds.abs_diff(wall) <= MAX_SKEW_SECONDS.unsigned_abs() {
            return Ok(());
        }
        Err(S3Error::of("RequestTimeTooSkewed")
            .extra("RequestTime", self.text)
            .extra("ServerTime", document_date(wall))
            .extra("MaxAllowedSkewMilliseconds", (MAX_SKEW_SECONDS * 1000).to_string())
            .header(DATE, &http_date(wall)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signed_at(headers: &[(&str, &str)]) -> Result<i64, String> {
        let headers: HeaderMap = headers
            .iter()
            .map(|(name, value)| (name.parse::<http::HeaderName>().unwrap(), value.parse().unwrap()))
            .collect();
        SignedAt::of_headers(&headers).map(|at| at.seconds).map_err(|error| error.code.into_owned())
    }

    #[test]
    fn dates_come_from_either_header_in_either_form() {
        let at = 1_369_353_600;
        let denied = Err("AccessDenied".to_owned());
        let http = "Fri, 24 May 2013 00:00:00 GMT";
        assert_eq!(signed_at(&[("x-amz-date", "20130524T000000Z")]), Ok(at));
        assert_eq!(signed_at(&[("x-amz-date", http)]), Ok(at));
        assert_eq!(signed_at(&[("date", http)]), Ok(at));
        assert_eq!(signed_at(&[("date", "20130524T000000Z")]), Ok(at));
        assert_eq!(signed_at(&[("date", "nonsense"), ("x-amz-date", "20130524T000000Z")]), Ok(at));
        assert_eq!(signed_at(&[("date", http), ("x-amz-date", "Bad Date")]), denied);
        assert_eq!(signed_at(&[("date", http), ("x-amz-date", "")]), denied);
        assert_eq!(signed_at(&[("x-amz-date", "Tue, 07 Jul 1950 21:53:04 GMT")]), denied);
        assert_eq!(signed_at(&[]), denied);
        // The weekday is not looked at.
        assert!(signed_at(&[("x-amz-date", "Tue, 07 Jul 9999 21:53:04 GMT")]).is_ok());
    }

    #[test]
    fn a_quarter_of_an_hour_is_the_limit() {
        let at = SignedAt::compact("20130524T000000Z").unwrap();
        let wall = at.seconds;
        for off in [-900, 0, 900] {
            assert!(at.check_skew(wall + off).is_ok(), "{off}");
        }
        for off in [-901, 901, i64::MIN / 2, i64::MAX / 2] {
            let error = at.check_skew(wall + off).unwrap_err();
            assert_eq!((&*error.code, &error.extras[0].1[..]), ("RequestTimeTooSkewed", "20130524T000000Z"));
            assert_eq!(error.extras[2], ("MaxAllowedSkewMilliseconds", "900000".to_owned()));
        }
    }
}
