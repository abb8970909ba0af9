//! Answers of the admin port.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::{ALLOW, CONTENT_TYPE};
use http::{HeaderValue, Response, StatusCode};
use hyper::body::{Body, Frame, SizeHint};
use serde_json::{Value, json};
use tokio::sync::mpsc;

/// A status and a body.
#[derive(Debug)]
pub(super) struct Answer {
    status: StatusCode,
    kind: &'static str,
    pub(super) body: Content,
}

/// A body: whole, or as it comes.
#[derive(Debug)]
pub(super) enum Content {
    Whole(Bytes),
    Stream(mpsc::Receiver<Bytes>),
}

/// A request that is not answered, and why.
#[derive(Debug)]
pub(super) struct Refused {
    status: u16,
    message: String,
}

impl Answer {
    pub(super) fn json(value: &Value) -> Self {
        Self::text("application/json", format!("{value}\n"))
    }

    pub(super) fn text(kind: &'static str, text: impl Into<Bytes>) -> Self {
        Self { status: StatusCode::OK, kind, body: Content::Whole(text.into()) }
    }

    pub(super) fn stream(kind: &'static str, chunks: mpsc::Receiver<Bytes>) -> Self {
        Self { status: StatusCode::OK, kind, body: Content::Stream(chunks) }
    }

    pub(super) fn status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    pub(super) fn into_response(self) -> Response<Content> {
        let mut response = Response::new(self.body);
        *response.status_mut() = self.status;
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(self.kind));
        response
    }
}

impl Refused {
    pub(super) fn new(status: u16, message: impl Into<String>) -> Self {
        Self { status, message: message.into() }
    }

    pub(super) fn into_response(self) -> Response<Content> {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let allowed = self.message.split_once(" takes ").filter(|_| self.status == 405);
        let allowed = allowed.and_then(|(_, methods)| HeaderValue::from_str(methods).ok());
        let mut response = Answer::json(&json!({ "error": self.message })).status(status).into_response();
        if let Some(allowed) = allowed {
            response.headers_mut().insert(ALLOW, allowed);
        }
        response
    }
}

impl Body for Content {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match self.get_mut() {
            Self::Whole(bytes) if bytes.is_empty() => Poll::Ready(None),
            Self::Whole(bytes) => Poll::Ready(Some(Ok(Frame::data(std::mem::take(bytes))))),
            Self::Stream(chunks) => chunks.poll_recv(context).map(|chunk| chunk.map(|c| Ok(Frame::data(c)))),
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Self::Whole(bytes) if bytes.is_empty())
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Self::Stream(_) => SizeHint::default(),
        }
    }
}
