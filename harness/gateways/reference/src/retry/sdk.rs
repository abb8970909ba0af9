//! What an AWS SDK tries again: by what S3 says went wrong, whatever the method.
//!
//! As aws-sdk-s3 1.157 (aws-runtime 1.10, aws-smithy-runtime 1.16) does it, which a test of the whole program holds this
//! to: a connection that failed, 500, 502, 503 and 504 are transient, and so is RequestTimeout, which is a 400; throttling
//! is told by its code alone, so that a bare 429 or an error page is none. Retry-After is not read, `x-amz-retry-after` is.

use std::time::Duration;

use http::{HeaderMap, StatusCode};

use super::is_passing;
use crate::config::RetryBy;
use crate::upstream::{Answer, Failed, Failure};

/// Milliseconds to wait for, out of S3's head.
const WAIT: &str = "x-amz-retry-after";
/// By how much S3 may lengthen a pause under the rules of 2026.
const LONGER: Duration = Duration::from_secs(5);

/// Within how many bytes an error document tells its code.
const SHOWN: usize = 4096;

const TRANSIENT: &[&str] = &["InternalError", "RequestTimeout", "RequestTimeoutException"];
const THROTTLING: &[&str] = &[
    "BandwidthLimitExceeded",
    "EC2ThrottledException",
    "LimitExceededException",
    "PriorRequestNotComplete",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "RequestThrottled",
    "RequestThrottledException",
    "SlowDown",
    "ThrottledException",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
    "TransactionInProgressException",
];

/// Why an SDK tries again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    Transient,
    Throttling,
}

/// What an SDK takes an attempt for; `None` when it is final.
pub(crate) fn class(outcome: &Result<Answer, Failed>) -> Option<Class> {
    match outcome {
        // Bytes that are no HTTP are nothing that a connection did.
        Err(failed) => (failed.failure.is_upstreams() && !matches!(failed.failure, Failure::Invalid { .. }))
            .then_some(Class::Transient),
        Ok(answer) => {
            let body: Vec<u8> = answer.body.held().iter().flatten().take(SHOWN).copied().collect();
            class_of(answer.status, code(&body))
        }
    }
}

/// Whether an SDK takes an attempt for a success, which alone gives tokens back: a 404 is an error to it.
pub(crate) fn is_success(outcome: &Result<Answer, Failed>) -> bool {
    outcome.as_ref().is_ok_and(|answer| answer.status.is_success()) && class(outcome).is_none()
}

fn class_of(status: StatusCode, code: Option<&str>) -> Option<Class> {
    let says = |codes: &[&str]| code.is_some_and(|code| codes.contains(&code));
    if says(THROTTLING) {
        Some(Class::Throttling)
    } else {
        (says(TRANSIENT) || is_passing(status)).then_some(Class::Transient)
    }
}

/// What becomes of `pause` where S3 says how long to wait, by the rules of an SDK.
pub(crate) fn pause_as_asked(by: RetryBy, pause: Duration, cap: Duration, headers: &HeaderMap) -> Duration {
    let asked = headers.get(WAIT).and_then(|value| value.to_str().ok()?.parse().ok());
    match (asked.map(Duration::from_millis), by) {
        (Some(asked), RetryBy::Sdk) => asked.min(cap),
        (Some(asked), RetryBy::Sdk2026) => asked.clamp(pause, pause + LONGER),
        _ => pause,
    }
}

/// The code of S3's error document, which a 200 may hold as well.
fn code(body: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(body).ok()?.trim_start();
    let root =
        text.strip_prefix("<?xml").and_then(|rest| rest.split_once("?>")).map_or(text, |(_, root)| root);
    let (_, rest) = root.trim_start().strip_prefix("<Error>")?.split_once("<Code>")?;
    rest.split_once("</Code>").map(|(code, _)| code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_decides_and_then_the_status() {
        let of = |status, code| class_of(StatusCode::from_u16(status).unwrap(), code);
        assert_eq!(of(503, Some("SlowDown")), Some(Class::Throttling));
        assert_eq!(of(503, None), Some(Class::Transient));
        assert_eq!(of(400, Some("RequestTimeout")), Some(Class::Transient));
        assert_eq!(of(429, Some("TooManyRequestsException")), Some(Class::Throttling));
        assert_eq!(of(200, Some("InternalError")), Some(Class::Transient));
        for (status, code) in [(429, None), (403, Some("AccessDenied")), (501, None), (200, None)] {
            assert_eq!(of(status, code), None, "{status} {code:?}");
        }
    }

    #[test]
    fn s3_asks_for_a_pause_in_milliseconds() {
        let ms = Duration::from_millis;
        let asked = |by, value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(WAIT, value.parse().unwrap());
            pause_as_asked(by, ms(100), ms(20_000), &headers)
        };
        assert_eq!(asked(RetryBy::Sdk, "30"), ms(30));
        assert_eq!(asked(RetryBy::Sdk, "60000"), ms(20_000));
        assert_eq!(asked(RetryBy::Sdk2026, "30"), ms(100));
        assert_eq!(asked(RetryBy::Sdk2026, "3000"), ms(3000));
        assert_eq!(asked(RetryBy::Sdk2026, "60000"), ms(5100));
        assert_eq!(asked(RetryBy::Http, "3000"), ms(100));
        assert_eq!(asked(RetryBy::Sdk, "soon"), ms(100));
    }

    #[test]
    fn the_code_is_read_out_of_the_document() {
        let document = b"<?xml version=\"1.0\"?>\n<Error><Code>SlowDown</Code><Message/></Error>";
        assert_eq!(code(document), Some("SlowDown"));
        let entry = b"<DeleteResult><Error><Code>InternalError</Code></Error></DeleteResult>";
        for other in [&b""[..], b"<html>503</html>", b"<Error><Code>SlowDown", b"\xff<Error>", entry] {
            assert_eq!(code(other), None);
        }
    }
}
