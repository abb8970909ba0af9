//! What a request says of an object it makes: PutObject, CopyObject, CreateMultipartUpload, PostObject.

use std::sync::Arc;

use gatecrash_model::Decision;
use http::{HeaderMap, HeaderName};

use super::acl_document::{self, Parties};
use super::conditions::WriteCondition;
use super::encryption::{self, Encryption};
use super::metadata::{self, Kept};
use super::{Call, locks, tags};
use crate::errors::S3Error;
use crate::policy::Layer;
use crate::store::{
    Acl, Attributes, BucketState, Current, Document, Owner, Ownership, Placement, Stored, VersionId,
};

const STORAGE_CLASS: HeaderName = HeaderName::from_static("x-amz-storage-class");
const REDIRECT: HeaderName = HeaderName::from_static("x-amz-website-redirect-location");
const TAGGING: HeaderName = HeaderName::from_static(tags::HEADER);
/// S3 takes keys of at most this many bytes.
const MAX_KEY: usize = 1024;
/// The storage classes of general purpose buckets (API reference, PutObject).
const STORAGE_CLASSES: [&str; 9] = [
    "STANDARD",
    "REDUCED_REDUNDANCY",
    "STANDARD_IA",
    "ONEZONE_IA",
    "INTELLIGENT_TIERING",
    "GLACIER",
    "DEEP_ARCHIVE",
    "GLACIER_IR",
    "SNOW",
];

/// An object about to be.
#[derive(Debug)]
pub(super) struct NewObject {
    pub(super) owner: Arc<Owner>,
    pub(super) headers: Kept,
    pub(super) attributes: Attributes,
}

impl NewObject {
    /// Reads headers (of the request, or those a form stands for), and checks that the caller may do all that they
    /// ask for. s3:PutObject itself was asked for before.
    pub(super) fn of(call: &Call<'_>, key: &str, headers: &HeaderMap) -> Result<Self, S3Error> {
        if key.len() > MAX_KEY {
            return Err(S3Error::of("KeyTooLongError")
                .extra("Size", key.len().to_string())
                .extra("MaxSizeAllowed", MAX_KEY.to_string()));
        }
        let placement = call.place()?;
        let state = placement.state();
        let owner = owner(call, placement, &state, headers);
        let mut attributes = Attributes {
            acl: acl(call, placement, &state, key, &owner, headers)?,
            storage_class: storage_class(headers)?,
            encryption: encryption(call, placement, &state, headers)?,
            redirect: redirect(headers)?,
            ..Attributes::default()
        };
        if let Some(value) = headers.get(TAGGING) {
            attributes.tags = tags::of_header(value.to_str().unwrap_or("%FF"))?;
            also(call, "s3:PutObjectTagging", key)?;
        }
        let asked = locks::of_headers(headers, &state, call.wall)?;
        if asked.retention.is_some() {
            also(call, "s3:PutObjectRetention", key)?;
        }
        if asked.legal_hold.is_some() {
            also(call, "s3:PutObjectLegalHold", key)?;
        }
        let default = || Some(state.lock?.default?.from(call.wall));
        attributes.retention = asked.retention.or_else(default);
        attributes.legal_hold = asked.legal_hold;
        Ok(Self { owner, headers: metadata::of_headers(headers)?, attributes })
    }
}

/// Stores a new version if `condition` holds, and gives its bytes back to the budget if it does not.
pub(super) fn put(
    call: &Call<'_>,
    key: &str,
    stored: Stored,
    owner: Arc<Owner>,
    condition: &WriteCondition,
) -> Result<Option<VersionId>, S3Error> {
    let bytes = stored.data.written();
    let check = |now: Option<Current<'_>>| condition.check(key, now);
    let put = call.place()?.put(key, stored, owner, call.wall, call.world(), &check);
    put.inspect_err(|_| call.shared.store.budget().give_back(bytes))
}

/// Refuses what a write does besides writing, unless the caller's own permissions let it (API reference, PutObject,
/// "Permissions": they must be among the caller's IAM permissions). Callers of other accounts, and unsigned ones, whom
/// the bucket lets write need nothing more of the bucket: its owner's conditions on s3:PutObject see these headers.
pub(super) fn also(call: &Call<'_>, action: &str, key: &str) -> Result<(), S3Error> {
    let ruling = call.access.evaluate(action, key);
    match ruling.is_allowed() || (ruling.decision, ruling.layer) == (Decision::ImplicitDeny, Layer::Bucket) {
        true => Ok(()),
        false => Err(call.access.denial(&ruling)),
    }
}

/// Whose the object will be (S3 user guide, "Controlling ownership of objects").
fn owner(call: &Call<'_>, placement: &Placement, state: &BucketState, headers: &HeaderMap) -> Arc<Owner> {
    let hands_over =
        || headers.get(acl_document::CANNED).is_some_and(|name| name == "bucket-owner-full-control");
    match state.ownership {
        Some(Ownership::BucketOwnerEnforced) => Arc::clone(&placement.bucket.owner),
        Some(Ownership::BucketOwnerPreferred) if hands_over() => Arc::clone(&placement.bucket.owner),
        _ => call.writer(placement),
    }
}

fn acl(
    call: &Call<'_>,
    placement: &Placement,
    state: &BucketState,
    key: &str,
    owner: &Arc<Owner>,
    headers: &HeaderMap,
) -> Result<Acl, S3Error> {
    let bucket_owner = &placement.bucket.owner;
    let parties = Parties { accounts: &call.shared.accounts, owner, bucket_owner };
    let Some(acl) = parties.of_headers(headers)? else { return Ok(Acl::default()) };
    acl_document::admit(state, bucket_owner, &acl, true)?;
    also(call, "s3:PutObjectAcl", key)?;
    Ok(acl)
}

/// What the request asks for, or else the bucket's default.
fn encryption(
    call: &Call<'_>,
    placement: &Placement,
    state: &BucketState,
    headers: &HeaderMap,
) -> Result<Encryption, S3Error> {
    let account = &placement.bucket.owner.account;
    match state.documents.get(&Document::Encryption) {
        Some(document) if !encryption::is_named(headers) => {
            encryption::of_write(&encryption::headers_of(document), call.region_name(), account)
        }
        _ => encryption::of_write(headers, call.region_name(), account),
    }
}

fn storage_class(headers: &HeaderMap) -> Result<String, S3Error> {
    let Some(value) = headers.get(STORAGE_CLASS) else { return Ok(String::new()) };
    let name = value.to_str().unwrap_or_default();
    match STORAGE_CLASSES.contains(&name) {
        true if name == "STANDARD" => Ok(String::new()),
        true => Ok(name.to_owned()),
        false => Err(S3Error::of("InvalidStorageClass").extra("StorageClassRequested", name)),
    }
}

fn redirect(headers: &HeaderMap) -> Result<Option<String>, S3Error> {
    let Some(value) = headers.get(REDIRECT) else { return Ok(None) };
    let target = value.to_str().unwrap_or_default();
    match ["/", "http://", "https://"].iter().any(|start| target.starts_with(start)) {
        true => Ok(Some(target.to_owned())),
        false => Err(S3Error::of("InvalidRedirectLocation")),
    }
}
