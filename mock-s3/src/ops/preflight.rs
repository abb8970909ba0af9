//! OPTIONS: what a browser asks before a request to another origin.

use http::StatusCode;

use super::{Answer, Call};
use crate::cors::Question;
use crate::errors::S3Error;

/// Answers by the rules of the bucket; nobody signs a preflight request.
pub(super) fn run(call: &Call<'_>) -> Result<Answer, S3Error> {
    if call.head.bucket.is_empty() {
        return Err(S3Error::of("MethodNotAllowed").extra("Method", "OPTIONS"));
    }
    let place = call.place()?;
    let question = Question::of(call.head).map_err(|message| S3Error::of("BadRequest").message(message))?;
    let refused = |message: &'static str| {
        let kind = if call.head.key.is_empty() { "BUCKET" } else { "OBJECT" };
        S3Error::of("AccessForbidden")
            .message(message)
            .extra("Method", question.method)
            .extra("ResourceType", kind)
    };
    let Some(cors) = place.state().cors.clone() else {
        return Err(refused("CORSResponse: CORS is not enabled for this bucket."));
    };
    let headers = cors.allow(question).ok_or_else(|| {
        refused(
            "CORSResponse: This CORS request is not allowed. This is usually because the evalution of Origin, \
             request method / Access-Control-Request-Method or Access-Control-Request-Headers are not \
             whitelisted by the resource's CORS spec.",
        )
    })?;
    let mut answer = Answer::new(StatusCode::OK).body_empty();
    answer.headers.extend(headers);
    Ok(answer)
}
