//! What an operation answers, before it becomes HTTP.

use std::sync::Arc;

use bytes::Bytes;
use gatecrash_model::Decision;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

use crate::auth::Caller;
use crate::store::Data;

/// A status, headers and a body.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Content,
    /// The store was changed.
    pub(crate) applied: bool,
    /// An S3-shaped fault made it.
    pub(crate) faulted: bool,
    /// What the operation's own evaluations came to, when it makes any.
    pub(crate) decision: Option<Decision>,
    /// Who it was, when only the body said so.
    pub(crate) caller: Option<Arc<Caller>>,
}

/// A response body.
#[derive(Debug)]
pub(crate) enum Content {
    /// None, and no Content-Length either.
    None,
    Data(Data),
}

impl Answer {
    pub(crate) fn new(status: StatusCode) -> Self {
        let headers = HeaderMap::with_capacity(12);
        Self {
            status,
            headers,
            body: Content::None,
            applied: false,
            faulted: false,
            decision: None,
            caller: None,
        }
    }

    /// 200 with an XML document.
    pub(crate) fn xml(document: String) -> Self {
        Self::new(StatusCode::OK)
            .header(CONTENT_TYPE, "application/xml")
            .body(Content::Data(Data::memory(document)))
    }

    /// Adds a header; a value that cannot be one is left out.
    pub(crate) fn header(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.insert(name, value);
        }
        self
    }

    pub(crate) fn body(mut self, body: Content) -> Self {
        self.body = body;
        self
    }

    /// A body of length zero, told by its length.
    pub(crate) fn body_empty(self) -> Self {
        self.body(Content::Data(Data::memory(Bytes::new())))
    }

    /// Marks a fault's doing.
    pub(crate) fn by_fault(mut self) -> Self {
        self.faulted = true;
        self
    }

    /// What the operation's own evaluations came to.
    pub(crate) fn decided(mut self, decision: Decision) -> Self {
        self.decision = Some(decision);
        self
    }

    /// Marks a change of the store.
    pub(crate) fn applied(mut self, applied: bool) -> Self {
        self.applied = applied;
        self
    }
}

impl Content {
    /// Length in bytes; none where the answer has no length either.
    pub(crate) fn length(&self) -> Option<u64> {
        match self {
            Self::None => None,
            Self::Data(data) => Some(data.length()),
        }
    }
}
