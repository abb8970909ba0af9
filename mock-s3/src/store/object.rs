//! One object, synthetic or uploaded.

use std::sync::Arc;

use bytes::Bytes;
use gatecrash_model::Content;
use http::{HeaderName, HeaderValue};

/// An object as a read sees it.
pub(crate) struct Object {
    pub(crate) body: Body,
    pub(crate) length: u64,
    /// Without quotes.
    pub(crate) etag: String,
    /// Seconds since the Unix epoch.
    pub(crate) modified: i64,
    /// Content-Type and user metadata; none for synthetic objects.
    pub(crate) headers: Option<Arc<Upload>>,
}

/// Where an object's bytes are.
pub(crate) enum Body {
    Pool(Content),
    Memory(Bytes),
}

/// One uploaded version.
pub(crate) struct Upload {
    pub(crate) bytes: Bytes,
    /// [`gatecrash_model::hash::Hash64`] of the bytes.
    pub(crate) hash: u64,
    /// MD5 in hex.
    pub(crate) etag: String,
    /// Seconds since the Unix epoch.
    pub(crate) modified: i64,
    /// Content-Type, Cache-Control and so on, and `x-amz-meta-*`.
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
}
