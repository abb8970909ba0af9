//! Errors the gateway makes itself: small S3-style XML that says nothing about the upstream.

use std::net::SocketAddr;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header};

use super::Reply;
use crate::defects::Active;
use crate::upstream::Failure;

/// Header that tells gateway-made responses from relayed ones.
const MADE_HERE: &str = "x-gatecrash-reference";
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
    xml(active.error_status(failure), code(failure), &detail, method)
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
        Failure::Internal => "InternalError",
        Failure::ClientBody => "IncompleteBody",
        Failure::SlowClient => "RequestTimeout",
        Failure::NotImplemented(_) => "NotImplemented",
    }
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
