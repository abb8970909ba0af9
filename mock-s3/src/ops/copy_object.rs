//! PUT /bucket/key with x-amz-copy-source
//!
//! The bytes are shared with the source, in whatever region it is. The ETag of what was written in one piece is kept;
//! of a source that has no MD5 for its ETag (multipart, synthetic, another encryption) it is computed up to
//! [`HASHED`] bytes, and kept beyond that.

use std::sync::Arc;

use http::header::IF_MATCH;
use http::{HeaderMap, HeaderName};
use md5::{Digest, Md5};

use super::copy_source::Source;
use super::encryption::{self, Encryption};
use super::new_object::{self, NewObject};
use super::{Answer, Call, checksums, conditions};
use crate::checksum::{Algorithm, Checksum, Hasher, Kind};
use crate::errors::S3Error;
use crate::store::{Data, Object, Stored};
use crate::time::document_date;
use crate::xml::Xml;

const METADATA_DIRECTIVE: HeaderName = HeaderName::from_static("x-amz-metadata-directive");
const TAGGING_DIRECTIVE: HeaderName = HeaderName::from_static("x-amz-tagging-directive");
const ALGORITHM: HeaderName = HeaderName::from_static("x-amz-checksum-algorithm");
/// Larger objects are copied by parts (API reference, CopyObject).
const MAX_SOURCE: u64 = 5 << 30;
/// Bytes that are hashed for one copy at most.
const HASHED: u64 = 32 << 20;

pub(super) fn run(call: &Call<'_>) -> Result<Answer, S3Error> {
    let (head, key) = (call.head, call.head.key.as_str());
    let condition = conditions::of_write(head)?;
    let replaces_metadata = replaces(&head.headers, &METADATA_DIRECTIVE, "Unknown metadata directive.")?;
    let replaces_tags = replaces(&head.headers, &TAGGING_DIRECTIVE, "Unknown tagging directive.")?;
    let algorithm = algorithm(&head.headers)?;
    let source = Source::of(call)?;
    if source.object.length() > MAX_SOURCE {
        return Err(S3Error::of("InvalidRequest").message(format!(
            "The specified copy source is larger than the maximum allowable size for a copy source: {MAX_SOURCE}"
        )));
    }
    let new = NewObject::of(call, key, &of_target(&head.headers, replaces_tags))?;
    check_change(call, &source, &new, replaces_metadata)?;
    if head.header(&IF_MATCH).is_some() {
        new_object::also(call, "s3:GetObject", key)?;
    }
    let NewObject { owner, headers, mut attributes } = new;
    let before = source.object.stored();
    if !replaces_tags && let Some(tags) = before.map(|s| &s.attributes.tags).filter(|tags| !tags.is_empty()) {
        let versioned = if source.named.is_some() { "Version" } else { "" };
        source.allows(call, &format!("s3:GetObject{versioned}Tagging"))?;
        new_object::also(call, "s3:PutObjectTagging", key)?;
        attributes.tags.clone_from(tags);
    }
    let encryption = attributes.encryption.clone();
    let stored = Stored {
        data: call.keep(&source.object.data)?,
        etag: etag(call, &source.object, &encryption),
        hash: before.and_then(|stored| stored.hash),
        headers: if replaces_metadata { headers.into() } else { source.object.headers().into() },
        checksum: checksum(call, &source.object, algorithm),
        parts: Arc::default(),
        attributes,
    };
    let document = document(&stored, call.wall);
    let version = new_object::put(call, key, stored, owner, &condition)?;
    let answer = Answer::xml(document).encrypted(&encryption);
    Ok(source.tell(answer).of_new_version(version.as_ref()).applied(true))
}

fn replaces(headers: &HeaderMap, name: &HeaderName, message: &'static str) -> Result<bool, S3Error> {
    match headers.get(name).map(|value| value.to_str().unwrap_or_default()) {
        None | Some("COPY") => Ok(false),
        Some("REPLACE") => Ok(true),
        Some(other) => Err(S3Error::of("InvalidArgument")
            .message(message)
            .extra("ArgumentName", name.as_str())
            .extra("ArgumentValue", other)),
    }
}

/// Tags of the request count when they replace those of the source.
fn of_target(headers: &HeaderMap, replaces_tags: bool) -> HeaderMap {
    let mut headers = headers.clone();
    if !replaces_tags {
        headers.remove(super::tags::HEADER);
    }
    headers
}

/// A copy onto itself has to change something.
fn check_change(call: &Call<'_>, source: &Source, new: &NewObject, metadata: bool) -> Result<(), S3Error> {
    let onto_itself = Arc::ptr_eq(&source.placement, call.place()?) && source.key == call.head.key;
    let before = source.object.stored().map(|stored| &stored.attributes);
    let class = before.map_or("", |attributes| &attributes.storage_class);
    let changes = metadata
        || source.named.is_some()
        || new.attributes.storage_class != class
        || new.attributes.redirect.is_some()
        || encryption::is_named(&call.head.headers);
    match onto_itself && !changes {
        true => Err(S3Error::of("InvalidRequest").message(
            "This copy request is illegal because it is trying to copy an object to itself without changing the \
             object's metadata, storage class, website redirect location or encryption attributes.",
        )),
        false => Ok(()),
    }
}

fn algorithm(headers: &HeaderMap) -> Result<Option<Algorithm>, S3Error> {
    let Some(value) = headers.get(ALGORITHM) else { return Ok(None) };
    Algorithm::named(value.to_str().unwrap_or_default()).map(Some).ok_or_else(|| {
        S3Error::of("InvalidRequest").message(
            "Checksum algorithm provided is unsupported. Please try again with any of the valid types: [CRC32, \
             CRC32C, CRC64NVME, SHA1, SHA256]",
        )
    })
}

fn etag(call: &Call<'_>, object: &Object, encryption: &Encryption) -> String {
    let written_whole = object.stored().is_some_and(|stored| {
        !stored.etag.contains('-') && encryption::is_plain(&stored.attributes.encryption)
    });
    if written_whole && encryption::is_plain(encryption) {
        return object.etag.clone();
    }
    match object.length() > HASHED {
        true => object.etag.clone(),
        false => encryption::etag(&md5_of(call, &object.data), encryption),
    }
}

fn md5_of(call: &Call<'_>, data: &Data) -> [u8; 16] {
    let mut state = Md5::new();
    each_chunk(call, data, |chunk| state.update(chunk));
    state.finalize().into()
}

/// Of the whole object, by the algorithm that is wanted or else by the source's own. One of parts, or by another
/// algorithm, is computed anew up to [`HASHED`] bytes.
fn checksum(call: &Call<'_>, object: &Object, wanted: Option<Algorithm>) -> Option<Checksum> {
    let kept = object.stored().and_then(|stored| stored.checksum.as_ref());
    let algorithm = wanted.or(kept.map(|kept| kept.algorithm))?;
    let same = kept.filter(|kept| kept.kind == Kind::FullObject && kept.algorithm == algorithm);
    same.cloned().or_else(|| {
        let mut hasher = (object.length() <= HASHED).then(|| Hasher::new(algorithm))?;
        each_chunk(call, &object.data, |chunk| hasher.update(chunk));
        Some(Checksum::full(algorithm, hasher.finish()))
    })
}

fn each_chunk(call: &Call<'_>, data: &Data, mut take: impl FnMut(&[u8])) {
    let mut chunks = data.clone().chunks();
    while let Some(chunk) = chunks.next(1 << 20, &call.shared.pool_bytes) {
        take(&chunk);
    }
}

fn document(stored: &Stored, wall: i64) -> String {
    let mut xml = Xml::root("CopyObjectResult");
    xml.text("LastModified", &document_date(wall));
    xml.text("ETag", &format!("\"{}\"", stored.etag));
    if let Some(checksum) = &stored.checksum {
        checksums::write(&mut xml, checksum);
    }
    xml.close("CopyObjectResult");
    xml.finish()
}
