//! `x-amz-copy-source`: what is copied from, if the caller may read it and the conditions hold.

use std::sync::Arc;

use http::HeaderName;

use super::{Answer, Call, conditions, encryption, found};
use crate::access::Access;
use crate::encoding::decode_strict;
use crate::errors::S3Error;
use crate::store::{Found, Object, Placement, VersionId, Versioning};

const COPY_SOURCE: HeaderName = HeaderName::from_static("x-amz-copy-source");
const EXPECTED_OWNER: HeaderName = HeaderName::from_static("x-amz-source-expected-bucket-owner");
const SOURCE_VERSION: HeaderName = HeaderName::from_static("x-amz-copy-source-version-id");

/// An object that may be copied.
pub(super) struct Source {
    pub(super) placement: Arc<Placement>,
    pub(super) key: String,
    /// The version that was named; the object has one of its own in any case.
    pub(super) named: Option<VersionId>,
    pub(super) object: Object,
}

impl Source {
    /// The source of a request, in any region of the mock.
    pub(super) fn of(call: &Call<'_>) -> Result<Self, S3Error> {
        let Name { bucket, key, version } = Name::parse(call.head.header(&COPY_SOURCE).unwrap_or_default())?;
        let placement = placed(call, &bucket)?;
        let expected = call.head.header(&EXPECTED_OWNER);
        if expected.is_some_and(|expected| expected != placement.bucket.owner.account) {
            return Err(S3Error::of("AccessDenied"));
        }
        let access = Access { placement: Some(&placement), bucket: &bucket, ..call.access };
        let action = if version.is_some() { "s3:GetObjectVersion" } else { "s3:GetObject" };
        let evaluation = access.evaluate(action, &key);
        if !evaluation.is_allowed() {
            return Err(access.denial(&evaluation));
        }
        let object = match placement.find(&key, version.as_ref(), &call.shared.pool) {
            Found::Object(object) => object,
            Found::Marker(_) if version.is_some() => {
                return Err(S3Error::of("InvalidRequest").message(
                    "The source of a copy request may not specifically refer to a delete marker by version id.",
                ));
            }
            Found::Marker(_) | Found::Nothing => return Err(found::missing(&access, &key, version.as_ref())),
        };
        conditions::of_source(call.head, &object)?;
        let attributes = object.stored().map(|stored| &stored.attributes);
        let kept = attributes.map(|attributes| &attributes.encryption);
        encryption::unlock(&call.head.headers, &encryption::OF_SOURCE, kept.unwrap_or(&Vec::new()))?;
        if attributes.is_some_and(|attributes| super::get_object::is_archived(&attributes.storage_class)) {
            return Err(S3Error::of("InvalidObjectState")
                .message("Operation is not valid for the source object's storage class"));
        }
        Ok(Self { placement, key, named: version, object })
    }

    /// Asks for a further action on the source.
    pub(super) fn allows(&self, call: &Call<'_>, action: &str) -> Result<(), S3Error> {
        let access = Access { placement: Some(&self.placement), bucket: &self.placement.name, ..call.access };
        let evaluation = access.evaluate(action, &self.key);
        if evaluation.is_allowed() { Ok(()) } else { Err(access.denial(&evaluation)) }
    }

    /// Names the version that was copied, where the source has versions.
    pub(super) fn tell(&self, answer: Answer) -> Answer {
        let id = self.object.version_id();
        match id == VersionId::Null && self.placement.state().versioning == Versioning::Off {
            true => answer,
            false => answer.header(SOURCE_VERSION, id.as_str()),
        }
    }
}

/// The bucket of this name: in the region of the request, or else in another one.
fn placed(call: &Call<'_>, bucket: &str) -> Result<Arc<Placement>, S3Error> {
    let store = &call.shared.store;
    let elsewhere = || store.find(store.elsewhere(call.region, bucket)?, bucket);
    let missing = || S3Error::of("NoSuchBucket").extra("BucketName", bucket);
    store.find(call.region, bucket).or_else(elsewhere).ok_or_else(missing)
}

/// `[/]bucket/key[?versionId=id]`, percent-encoded.
#[derive(Debug, PartialEq, Eq)]
struct Name {
    bucket: String,
    key: String,
    version: Option<VersionId>,
}

impl Name {
    fn parse(value: &str) -> Result<Self, S3Error> {
        let invalid = |message: &'static str| {
            let error = S3Error::of("InvalidArgument").message(message);
            error.extra("ArgumentName", COPY_SOURCE.as_str()).extra("ArgumentValue", value)
        };
        let (path, version) = match value.split_once("?versionId=") {
            Some((path, version)) => (path, Some(version)),
            None => (value, None),
        };
        let path = decode_strict(path).ok_or_else(|| invalid("Invalid copy source encoding."))?;
        let path = path.strip_prefix('/').unwrap_or(&path);
        let halves = path.split_once('/').filter(|(bucket, key)| !bucket.is_empty() && !key.is_empty());
        let (bucket, key) = halves.ok_or_else(|| {
            invalid("Copy Source must mention the source bucket and key: sourcebucket/sourcekey")
        })?;
        let version = version
            .map(|id| VersionId::read(id).ok_or_else(|| invalid("Invalid version id specified")))
            .transpose()?;
        Ok(Self { bucket: bucket.to_owned(), key: key.to_owned(), version })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        let name = |key: &str, version: Option<&str>| {
            Ok(Name { bucket: "b".into(), key: key.into(), version: version.map(VersionId::parse) })
        };
        let id = "A".repeat(32);
        let versioned = format!("b/k?versionId={id}");
        let table = [
            ("b/k", name("k", None)),
            ("/b/a/k%20%3Fx%2B+", name("a/k ?x++", None)),
            ("%2Fb%2Fk", name("k", None)),
            ("b/k?versionId=null", name("k", Some("null"))),
            (&versioned, name("k", Some(&id))),
            ("b/k?x", name("k?x", None)),
            ("", Err(())),
            ("b", Err(())),
            ("b/", Err(())),
            ("//k", Err(())),
            ("b/%FF", Err(())),
            ("b/k?versionId=1", Err(())),
        ];
        for (value, expected) in table {
            let got = Name::parse(value).map_err(|error| assert_eq!(error.code, "InvalidArgument"));
            assert_eq!(got, expected, "{value}");
        }
    }
}
