//! Errors the gateway makes itself: small S3-style XML that says nothing about the upstream.

use std::net::SocketAddr;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header};

use super::Reply;
use crate::config::{Answers, Shape};
use crate::defects::Active;
use crate::upstream::Failure;

/// Header that tells gateway-made responses from relayed ones.
const MADE_HERE: &str = "x-gatecrash-reference";
/// Headers of API Gateway.
const ERROR_TYPE: &str = "x-amzn-errortype";
const REQUEST_ID: &str = "x-amzn-requestid";
const VIA: HeaderValue = HeaderValue::from_static("1.1 gatecrash-reference");

/// The answer to a request that failed in the gateway. `last` is the endpoint of the last attempt.
pub(crate) fn error_reply(
    failure: &Failure,
    last: Option<SocketAddr>,
    method: &Method,
    active: Active,
) -> Response<Reply> {
    if let Failure::Invalid { raw, .. } = failure
        && active.passes_unparsable_bytes()
    {
        return Response::new(Reply::full(raw.clone()));
    }
    let detail = match last {
        Some(address) if active.leaks_upstream() => format!("upstream {address}: {failure}: {failure:?}"),
        _ => String::new(),
    };
    let reply = xml(active.error_status(failure), code(failure), &detail, method);
    if active.makes_html_errors() { as_html(reply, method) } else { reply }
}

/// An honest error as the configuration wants it: its status, and its form.
pub(crate) fn as_declared(reply: &mut Response<Reply>, failure: &Failure, answers: Answers, method: &Method) {
    let status = match failure {
        Failure::Connect(_) => answers.refused,
        Failure::Dropped(_) | Failure::Invalid { .. } => answers.invalid,
        Failure::Timeout(_) => answers.timeout,
        other => other.status().as_u16(),
    };
    if let Ok(status) = StatusCode::from_u16(status) {
        *reply.status_mut() = status;
    }
    if answers.shape == Shape::Json {
        let text = format!("{{\"message\": \"{}\"}}", message(failure));
        replace_body(reply, "application/json", text, method);
        reply.headers_mut().insert(ERROR_TYPE, HeaderValue::from_static(error_type(failure)));
    }
}

/// Adds the id by which API Gateway names a request.
pub(crate) fn name_request(headers: &mut HeaderMap, id: &str) {
    if let Ok(id) = HeaderValue::from_str(id) {
        headers.insert(REQUEST_ID, id);
    }
}

/// What API Gateway says (API Gateway Developer Guide, Gateway response types).
fn message(failure: &Failure) -> &'static str {
    match failure {
        Failure::Timeout(_) => "Endpoint request timed out",
        Failure::Connect(_) | Failure::Dropped(_) | Failure::Invalid { .. } => {
            "Network error communicating with endpoint"
        }
        Failure::RequestTooLarge => "Request Too Long",
        Failure::Throttled => "Too Many Requests",
        Failure::NoUpstream | Failure::Shed | Failure::Full | Failure::Exhausted(_) => "Service Unavailable",
        Failure::ClientBody | Failure::SlowClient => "Bad Request",
        Failure::ResponseTooLarge | Failure::Unmapped(_) | Failure::Internal | Failure::NotImplemented(_) => {
            "Internal server error"
        }
    }
}

/// What API Gateway calls it. Not in its guide: as in answers that others have published (429, 500 and 504 alike for
/// REST APIs); the rest is named by the same pattern.
fn error_type(failure: &Failure) -> &'static str {
    match failure {
        Failure::Throttled => "TooManyRequestsException",
        Failure::RequestTooLarge => "RequestTooLargeException",
        Failure::NoUpstream | Failure::Shed | Failure::Full | Failure::Exhausted(_) => {
            "ServiceUnavailableException"
        }
        Failure::ClientBody | Failure::SlowClient => "BadRequestException",
        _ => "InternalServerErrorException",
    }
}

/// What takes the place of an upstream's 5xx under a masking defect.
pub(crate) fn masked_reply(status: StatusCode, method: &Method) -> Response<Reply> {
    xml(status, "NoSuchKey", "", method)
}

/// Adds this gateway to Via.
pub(crate) fn mark(headers: &mut HeaderMap) {
    headers.append(header::VIA, VIA);
}

fn code(failure: &Failure) -> &'static str {
    match failure {
        Failure::Connect(_) | Failure::Dropped(_) | Failure::Invalid { .. } => "BadGateway",
        Failure::Timeout(_) => "GatewayTimeout",
        Failure::NoUpstream | Failure::Shed | Failure::Full | Failure::Exhausted(_) => "ServiceUnavailable",
        Failure::RequestTooLarge => "EntityTooLarge",
        Failure::Throttled => "TooManyRequests",
        Failure::ResponseTooLarge | Failure::Unmapped(_) | Failure::Internal => "InternalError",
        Failure::ClientBody => "IncompleteBody",
        Failure::SlowClient => "RequestTimeout",
        Failure::NotImplemented(_) => "NotImplemented",
    }
}

/// The same error as the page of a server that knows nothing of S3.
fn as_html(mut reply: Response<Reply>, method: &Method) -> Response<Reply> {
    let status = reply.status();
    let page = format!("<html><head><title>{status}</title></head><body><h1>{status}</h1></body></html>\n");
    replace_body(&mut reply, "text/html", page, method);
    reply
}

fn replace_body(reply: &mut Response<Reply>, media: &'static str, text: String, method: &Method) {
    let headers = reply.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media));
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(text.len()));
    *reply.body_mut() = Reply::full(if method == Method::HEAD { Bytes::new() } else { Bytes::from(text) });
}

fn xml(status: StatusCode, code: &str, detail: &str, method: &Method) -> Response<Reply> {
    let escaped = detail.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let message = if escaped.is_empty() { "The request could not be served." } else { &escaped };
    let text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <Error><Code>{code}</Code><Message>{message}</Message></Error>"
    );
    let length = text.len();
    let body = if method == Method::HEAD { Bytes::new() } else { Bytes::from(text) };
    let mut response = Response::new(Reply::full(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(MADE_HERE, HeaderValue::from_static("error"));
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/xml"));
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    response
}
