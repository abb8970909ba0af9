//! A client's request, with its body in memory where it is small enough to be sent twice.

use std::sync::atomic::{AtomicU64, Ordering};

use bytes::{Bytes, BytesMut};
use http::header::HOST;
use http::{HeaderMap, HeaderValue, Method, Request};
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};

use crate::upstream::{Failure, Limits};

/// Header with which the load generator names a request.
const ID_HEADER: &str = "x-gatecrash-id";
/// Names requests that bring no id.
static UNNAMED: AtomicU64 = AtomicU64::new(0);

/// A request as it is relayed.
#[derive(Debug)]
pub(crate) struct ClientRequest {
    pub(crate) id: String,
    pub(crate) method: Method,
    /// As written on the wire.
    pub(crate) path: String,
    pub(crate) query: Option<String>,
    pub(crate) headers: HeaderMap,
    pub(crate) body: RequestBody,
}

/// The body to send upstream.
#[derive(Debug)]
pub(crate) enum RequestBody {
    /// Whole, and sendable any number of times.
    Buffered(Bytes),
    /// Sendable once: what was read, and the rest.
    Streamed { prefix: Bytes, rest: Incoming, length: Option<u64> },
    /// On its way, or gone.
    Started { rest: Option<Incoming>, chunked: bool, ended: bool },
}

/// The client broke off.
#[derive(Debug)]
pub(crate) struct ClientBodyError;

/// The id a request is known by: its own, or a number.
pub(crate) fn request_id(headers: &HeaderMap) -> String {
    match headers.get(ID_HEADER).and_then(|value| value.to_str().ok()) {
        Some(id) => id.to_owned(),
        None => format!("unnamed-{}", UNNAMED.fetch_add(1, Ordering::Relaxed)),
    }
}

// === impl ClientRequest ===

impl ClientRequest {
    /// Takes in the head, and the body up to `buffer_limit` bytes.
    pub(crate) async fn receive(
        id: String,
        request: Request<Incoming>,
        buffer_limit: usize,
        limits: &Limits,
    ) -> Result<Self, Failure> {
        let (head, body) = request.into_parts();
        if head.method == Method::CONNECT {
            return Err(Failure::NotImplemented("CONNECT"));
        }
        let body = match limits.within(None, RequestBody::receive(body, buffer_limit)).await {
            Ok(Ok(body)) => body,
            Ok(Err(ClientBodyError)) => return Err(Failure::ClientBody),
            Err(_) => return Err(Failure::SlowClient),
        };
        let mut headers = head.headers;
        // HTTP/2 names the host in the URI (RFC 9113 8.3.1).
        if let Some(authority) = head.uri.authority()
            && !headers.contains_key(HOST)
            && let Ok(host) = HeaderValue::from_str(authority.as_str())
        {
            headers.insert(HOST, host);
        }
        let path = match head.uri.path() {
            "" => "/".to_owned(),
            path => path.to_owned(),
        };
        let query = head.uri.query().map(str::to_owned);
        Ok(Self { id, method: head.method, path, query, headers, body })
    }

    /// A copy to send again, unless the body can be sent only once.
    pub(crate) fn copy(&self) -> Option<Self> {
        let RequestBody::Buffered(body) = &self.body else { return None };
        Some(Self {
            id: self.id.clone(),
            method: self.method.clone(),
            path: self.path.clone(),
            query: self.query.clone(),
            headers: self.headers.clone(),
            body: RequestBody::Buffered(body.clone()),
        })
    }
}

// === impl RequestBody ===

impl RequestBody {
    async fn receive(mut rest: Incoming, limit: usize) -> Result<Self, ClientBodyError> {
        let length = rest.size_hint().exact();
        let mut read = BytesMut::new();
        if length.is_none_or(|length| length <= limit as u64) {
            while read.len() <= limit {
                match next_bytes(&mut rest).await? {
                    Some(bytes) => read.extend_from_slice(&bytes),
                    None => return Ok(Self::Buffered(read.freeze())),
                }
            }
        }
        Ok(Self::Streamed { prefix: read.freeze(), rest, length })
    }

    /// Lets the client finish a body nobody wants any more, so that it comes to read its answer.
    pub(crate) fn let_end(&mut self, limits: Limits) {
        if let Self::Started { rest: Some(_), .. } | Self::Streamed { .. } = self {
            let mut unwanted = std::mem::replace(self, Self::Buffered(Bytes::new()));
            tokio::spawn(async move {
                unwanted.start(Bytes::new());
                limits.within(None, async { while let Ok(Some(_)) = unwanted.next().await {} }).await
            });
        }
    }

    /// Whether another attempt could send it.
    pub(crate) fn replayable(&self) -> bool {
        !matches!(self, Self::Started { .. })
    }

    /// Leaves out the first `count` bytes of a body in memory.
    pub(crate) fn skip(&mut self, count: usize) {
        if let Self::Buffered(bytes) = self {
            let _ = bytes.split_to(count.min(bytes.len()));
        }
    }

    /// Length in bytes, where it is known before the end.
    pub(crate) fn length(&self) -> Option<u64> {
        match self {
            Self::Buffered(bytes) => Some(bytes.len() as u64),
            Self::Streamed { length, .. } => *length,
            Self::Started { .. } => None,
        }
    }

    /// First bytes of the message: the head and what is there of the body.
    pub(crate) fn start(&mut self, head: Bytes) -> Bytes {
        let started = Self::Started { rest: None, chunked: false, ended: true };
        match std::mem::replace(self, started) {
            Self::Buffered(bytes) => {
                let message = if bytes.is_empty() { head } else { [head, bytes.clone()].concat().into() };
                *self = Self::Buffered(bytes);
                message
            }
            Self::Streamed { prefix, rest, length } => {
                let chunked = length.is_none();
                *self = Self::Started { rest: Some(rest), chunked, ended: false };
                [head, framed(prefix, chunked)].concat().into()
            }
            started => {
                *self = started;
                head
            }
        }
    }

    /// Further bytes of the message after [`start`](Self::start).
    pub(crate) async fn next(&mut self) -> Result<Option<Bytes>, ClientBodyError> {
        let Self::Started { rest: Some(rest), chunked, ended } = self else { return Ok(None) };
        if *ended {
            return Ok(None);
        }
        match next_bytes(rest).await? {
            Some(bytes) => Ok(Some(framed(bytes, *chunked))),
            None => {
                *ended = true;
                Ok(chunked.then(|| Bytes::from_static(b"0\r\n\r\n")))
            }
        }
    }
}

/// The next non-empty piece of data; trailers are dropped.
async fn next_bytes(body: &mut Incoming) -> Result<Option<Bytes>, ClientBodyError> {
    while let Some(frame) = body.frame().await {
        match frame.map_err(|_| ClientBodyError)?.into_data() {
            Ok(bytes) if !bytes.is_empty() => return Ok(Some(bytes)),
            _ => {}
        }
    }
    Ok(None)
}

fn framed(bytes: Bytes, chunked: bool) -> Bytes {
    if !chunked || bytes.is_empty() {
        return bytes;
    }
    [format!("{:x}\r\n", bytes.len()).as_bytes(), &bytes, b"\r\n"].concat().into()
}
