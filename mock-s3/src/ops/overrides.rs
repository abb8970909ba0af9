//! `response-*` parameters: other headers for one read (API reference, GetObject).

use http::header::{
    CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_TYPE, EXPIRES, HeaderName,
};

use super::{Answer, Call};
use crate::errors::S3Error;

const OVERRIDES: [(&str, HeaderName); 6] = [
    ("response-cache-control", CACHE_CONTROL),
    ("response-content-disposition", CONTENT_DISPOSITION),
    ("response-content-encoding", CONTENT_ENCODING),
    ("response-content-language", CONTENT_LANGUAGE),
    ("response-content-type", CONTENT_TYPE),
    ("response-expires", EXPIRES),
];

/// Puts the headers that the request wants in place of the object's; only signed requests may want any.
pub(super) fn apply(call: &Call<'_>, mut answer: Answer) -> Result<Answer, S3Error> {
    if !call.head.query().contains("response-") {
        return Ok(answer);
    }
    for (parameter, name) in OVERRIDES {
        let Some(value) = call.head.query_value(parameter) else { continue };
        if call.access.account().is_none() {
            return Err(S3Error::of("InvalidRequest")
                .message("Request specific response headers cannot be used for anonymous GET requests."));
        }
        answer = answer.header(name, &value);
    }
    Ok(answer)
}
