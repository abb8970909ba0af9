//! The object a request names, or why there is none to give.

use http::HeaderName;
use http::header::{ALLOW, LAST_MODIFIED};

use super::{Answer, Call};
use crate::access::Access;
use crate::errors::S3Error;
use crate::store::{Attributes, Found, Object, Placement, Version, VersionId, Versioning};
use crate::time::http_date;

pub(super) const DELETE_MARKER: HeaderName = HeaderName::from_static("x-amz-delete-marker");
pub(super) const VERSION_ID: HeaderName = HeaderName::from_static("x-amz-version-id");

/// The version the request names.
pub(super) fn version(call: &Call<'_>) -> Result<Option<VersionId>, S3Error> {
    let Some(text) = call.head.query_value("versionId") else { return Ok(None) };
    let invalid = |message: &'static str| {
        let error = S3Error::of("InvalidArgument").message(message);
        error.extra("ArgumentName", "versionId").extra("ArgumentValue", &*text)
    };
    match text.as_str() {
        "" => Err(invalid("Version id cannot be the empty string")),
        text => VersionId::read(text).map(Some).ok_or_else(|| invalid("Invalid version id specified")),
    }
}

/// The object the request names.
pub(super) fn object(call: &Call<'_>) -> Result<Object, S3Error> {
    let version = version(call)?;
    match call.place()?.find(&call.head.key, version.as_ref(), &call.shared.pool) {
        Found::Object(object) => Ok(object),
        Found::Marker(marker) if version.is_some() => Err(not_for_markers(call, &marker)),
        Found::Marker(marker) => Err(missing(&call.access, &call.head.key, None)
            .header(DELETE_MARKER, "true")
            .header(VERSION_ID, marker.id.as_str())),
        Found::Nothing => Err(missing(&call.access, &call.head.key, version.as_ref())),
    }
}

/// Changes the attributes of an object that was found.
pub(super) fn change<T>(
    call: &Call<'_>,
    placement: &Placement,
    object: &Object,
    change: impl FnOnce(&mut Attributes) -> T,
) -> Result<T, S3Error> {
    let (key, id) = (&*call.head.key, object.version_id());
    // The very version that was found, not one that came meanwhile.
    let changed = placement.change(key, Some(&id), &call.shared.pool, |version| {
        version.stored.as_mut().map(|stored| change(&mut stored.attributes))
    });
    changed.flatten().ok_or_else(|| missing(&call.access, key, None))
}

/// That a key or version is missing is only told to those who may list the bucket (API reference, GetObject).
pub(super) fn missing(access: &Access<'_>, key: &str, version: Option<&VersionId>) -> S3Error {
    let listing = access.evaluate("s3:ListBucket", "");
    match (listing.is_allowed(), version) {
        (false, _) => access.denial(&listing),
        (true, None) => S3Error::of("NoSuchKey").extra("Key", key),
        (true, Some(version)) => {
            S3Error::of("NoSuchVersion").extra("Key", key).extra("VersionId", version.as_str())
        }
    }
}

fn not_for_markers(call: &Call<'_>, marker: &Version) -> S3Error {
    S3Error::of("MethodNotAllowed")
        .extra("Method", call.head.method.as_str())
        .extra("ResourceType", "DeleteMarker")
        .header(ALLOW, "DELETE")
        .header(LAST_MODIFIED, &http_date(marker.modified))
        .header(DELETE_MARKER, "true")
        .header(VERSION_ID, marker.id.as_str())
}

impl Answer {
    /// Names the version, where the bucket has or had versions.
    pub(super) fn of_version(self, placement: &Placement, id: &VersionId) -> Self {
        match *id == VersionId::Null && placement.state().versioning == Versioning::Off {
            true => self,
            false => self.header(VERSION_ID, id.as_str()),
        }
    }

    /// Names the version a write made; null versions are not told.
    pub(super) fn of_new_version(self, made: Option<&VersionId>) -> Self {
        match made {
            Some(id @ VersionId::Named(_)) => self.header(VERSION_ID, id.as_str()),
            _ => self,
        }
    }
}
