//! Versions of a key: objects and delete markers.

use std::fmt;
use std::sync::Arc;

use gatecrash_model::hash;
use http::{HeaderName, HeaderValue};

use super::acl::{Acl, Owner};
use super::data::Data;
use crate::checksum::Checksum;

/// The id of one version.
#[derive(Clone, PartialEq, Eq, Debug, Hash, PartialOrd, Ord)]
pub(crate) enum VersionId {
    /// Written while versioning was never on, or suspended; synthetic objects too.
    Null,
    Named(Box<str>),
}

/// One version: what a slot holds, newest last.
#[derive(Clone, Debug)]
pub(crate) struct Version {
    pub(crate) id: VersionId,
    /// Seconds since the Unix epoch.
    pub(crate) modified: i64,
    pub(crate) owner: Arc<Owner>,
    /// None: a delete marker.
    pub(crate) stored: Option<Stored>,
}

/// An uploaded, copied or composed object.
#[derive(Clone, Debug)]
pub(crate) struct Stored {
    pub(crate) data: Data,
    /// Without quotes: MD5 in hex, with `-N` behind it for N parts.
    pub(crate) etag: String,
    /// [`gatecrash_model::hash::Hash64`] of the bytes, when it is known already.
    pub(crate) hash: Option<u64>,
    /// Content-Type, Cache-Control and so on, and `x-amz-meta-*`: sent back with reads.
    pub(crate) headers: Arc<[(HeaderName, HeaderValue)]>,
    pub(crate) checksum: Option<Checksum>,
    /// Sizes and checksums of the parts of a multipart upload, part 1 first.
    pub(crate) parts: Arc<[StoredPart]>,
    pub(crate) attributes: Attributes,
}

/// What can be changed of a version without making a new one, and what only few objects have.
#[derive(Clone, Debug, Default)]
pub(crate) struct Attributes {
    pub(crate) acl: Acl,
    pub(crate) tags: Vec<(String, String)>,
    /// `STANDARD` when empty.
    pub(crate) storage_class: String,
    /// `x-amz-server-side-encryption*` headers, echoed.
    pub(crate) encryption: Vec<(HeaderName, HeaderValue)>,
    /// `x-amz-website-redirect-location`.
    pub(crate) redirect: Option<String>,
    pub(crate) retention: Option<Retention>,
    /// None: it was never put.
    pub(crate) legal_hold: Option<bool>,
    pub(crate) replication: Option<Replication>,
}

/// One part of a completed multipart upload.
#[derive(Clone, Debug)]
pub(crate) struct StoredPart {
    pub(crate) number: u32,
    pub(crate) length: u64,
    pub(crate) checksum: Option<Checksum>,
}

/// Object lock: until when a version may not be deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Retention {
    pub(crate) compliance: bool,
    /// Seconds since the Unix epoch.
    pub(crate) until: i64,
}

/// `x-amz-replication-status`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Replication {
    Pending,
    Completed,
    Failed,
    Replica,
}

// === impl VersionId ===

impl VersionId {
    /// Number `count` under a seed: 32 letters and digits, as opaque as S3's.
    pub(crate) fn generate(seed: u64, count: u64) -> Self {
        const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._";
        let text = (0..32).map(|at| {
            let draw = hash::combine(&[seed, 0x7e5, count, at]);
            LETTERS[(draw % 64) as usize] as char
        });
        Self::Named(text.collect::<String>().into())
    }

    /// The value of a `versionId` parameter, if it can be one.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_');
        (text == "null" || (text.len() == 32 && text.bytes().all(fits))).then(|| Self::parse(text))
    }

    /// The value of a `versionId` parameter.
    pub(crate) fn parse(text: &str) -> Self {
        match text {
            "null" => Self::Null,
            named => Self::Named(named.into()),
        }
    }

    pub(crate) fn as_str(&self) -> &str {
        match self {
            Self::Null => "null",
            Self::Named(id) => id,
        }
    }
}

impl fmt::Display for VersionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

// === impl Version ===

impl Version {
    pub(crate) fn is_marker(&self) -> bool {
        self.stored.is_none()
    }

    /// Bytes of its own.
    pub(crate) fn written(&self) -> u64 {
        self.stored.as_ref().map_or(0, |stored| stored.data.written())
    }
}

// === impl Replication ===

impl Replication {
    pub(crate) fn header(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::Completed => "COMPLETED",
            Self::Failed => "FAILED",
            Self::Replica => "REPLICA",
        }
    }
}
