//! One object as a read sees it.

use std::sync::Arc;

use http::{HeaderName, HeaderValue};

use super::data::Data;
use super::version::{Stored, Version, VersionId};

/// An object, synthetic or uploaded.
#[derive(Clone, Debug)]
pub(crate) struct Object {
    pub(crate) data: Data,
    /// Without quotes.
    pub(crate) etag: String,
    /// Seconds since the Unix epoch.
    pub(crate) modified: i64,
    /// None for synthetic objects.
    pub(crate) version: Option<Arc<Version>>,
}

/// What a key holds.
#[derive(Clone, Debug)]
pub(crate) enum Found {
    Object(Object),
    /// The current version, or the one asked for, is a delete marker.
    Marker(Arc<Version>),
    Nothing,
}

/// What a conditional write is compared with: the object that is there now.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Current<'o> {
    pub(crate) etag: &'o str,
    pub(crate) length: u64,
    pub(crate) modified: i64,
    /// None for synthetic objects.
    pub(crate) version: Option<&'o Version>,
}

impl Object {
    pub(crate) fn of(version: &Arc<Version>) -> Option<Self> {
        let stored = version.stored.as_ref()?;
        Some(Self {
            data: stored.data.clone(),
            etag: stored.etag.clone(),
            modified: version.modified,
            version: Some(Arc::clone(version)),
        })
    }

    pub(crate) fn length(&self) -> u64 {
        self.data.length()
    }

    /// None for synthetic objects.
    pub(crate) fn stored(&self) -> Option<&Stored> {
        self.version.as_ref()?.stored.as_ref()
    }

    /// Content-Type and so on, and user metadata.
    pub(crate) fn headers(&self) -> &[(HeaderName, HeaderValue)] {
        self.stored().map_or(&[], |stored| &stored.headers)
    }

    pub(crate) fn version_id(&self) -> VersionId {
        self.version.as_ref().map_or(VersionId::Null, |version| version.id.clone())
    }

    pub(crate) fn current(&self) -> Current<'_> {
        Current {
            etag: &self.etag,
            length: self.length(),
            modified: self.modified,
            version: self.version.as_deref(),
        }
    }
}

impl Found {
    pub(crate) fn object(self) -> Option<Object> {
        match self {
            Self::Object(object) => Some(object),
            Self::Marker(_) | Self::Nothing => None,
        }
    }
}
