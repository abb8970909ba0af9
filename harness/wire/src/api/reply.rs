//! What the API answers, in the shapes of Go's `net/http`.

use super::json::{Object, quoted};

/// An answer.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) content: Content,
    pub(crate) body: String,
}

/// What the body is, as `Content-Type` says it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Content {
    /// There is none.
    Nothing,
    /// `application/json`.
    Json,
    /// `application/json;charset=utf-8`, as `/version` has it.
    JsonUtf8,
    /// `text/plain; charset=utf-8` with `X-Content-Type-Options: nosniff`: Go's `http.Error`.
    Error,
    /// Prometheus' text format.
    Metrics,
    /// `text/html; charset=utf-8`.
    Html,
}

/// An error of the API: `{"error": ..., "status": ...}`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct ApiError {
    pub(crate) status: u16,
    pub(crate) message: String,
}

// === impl Reply ===

impl Reply {
    pub(crate) fn json(status: u16, body: String) -> Self {
        Self { status, content: Content::Json, body }
    }

    pub(crate) fn nothing(status: u16) -> Self {
        Self { status, content: Content::Nothing, body: String::new() }
    }

    /// Go's `http.Error`: the text and a line feed.
    pub(crate) fn error(status: u16, text: &str) -> Self {
        Self { status, content: Content::Error, body: format!("{text}\n") }
    }
}

impl Content {
    pub(crate) fn header(self) -> Option<&'static str> {
        match self {
            Self::Nothing => None,
            Self::Json => Some("application/json"),
            Self::JsonUtf8 => Some("application/json;charset=utf-8"),
            Self::Error => Some("text/plain; charset=utf-8"),
            Self::Metrics => Some("text/plain; version=0.0.4; charset=utf-8; escaping=underscores"),
            Self::Html => Some("text/html; charset=utf-8"),
        }
    }
}

// === impl ApiError ===

impl ApiError {
    pub(crate) fn new(status: u16, message: impl Into<String>) -> Self {
        Self { status, message: message.into() }
    }

    pub(crate) fn bad_body(why: impl std::fmt::Display) -> Self {
        Self::new(400, format!("bad request body: {why}"))
    }

    pub(crate) fn missing(field: impl std::fmt::Display) -> Self {
        Self::new(400, format!("missing required field: {field}"))
    }

    pub(crate) fn proxy_not_found() -> Self {
        Self::new(404, "proxy not found")
    }

    pub(crate) fn toxic_not_found() -> Self {
        Self::new(404, "toxic not found")
    }

    /// Its members, for a reply that has others too.
    pub(crate) fn members(&self) -> Object {
        Object::new().raw("error", quoted(&self.message)).raw("status", self.status)
    }
}

impl From<ApiError> for Reply {
    /// Go sets `application/json` first, and `http.Error` makes plain text of it: so is every error but
    /// those of `/populate`.
    fn from(error: ApiError) -> Self {
        Self::error(error.status, &error.members().finish())
    }
}
