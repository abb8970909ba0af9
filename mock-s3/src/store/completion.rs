//! Making an object of the parts of a multipart upload.

use std::sync::Arc;

use gatecrash_model::hash;
use http::{HeaderName, HeaderValue};
use md5::{Digest as _, Md5};

use super::placement::{Condition, Placement};
use super::uploads::{Part, Summing, Upload, Uploads, no_such_upload};
use super::version::{Stored, StoredPart, VersionId};
use super::{Budget, Data};
use crate::auth::sigv4::hex;
use crate::checksum::{Algorithm, Checksum, Kind, composite, full_object, mismatch};
use crate::errors::S3Error;

/// Every part but the last has at least this many bytes (S3 user guide, "Multipart upload limits").
const MIN_PART: u64 = 5 << 20;
/// Completed uploads a bucket remembers.
const REMEMBERED: usize = 1_000;

/// What a caller wants the object to be.
#[derive(Clone, Debug, Default)]
pub(crate) struct Order {
    /// In order of number.
    pub(crate) parts: Vec<Ordered>,
    /// `x-amz-mp-object-size`
    pub(crate) size: Option<u64>,
    /// `x-amz-checksum-*`: what the object's checksum must be.
    pub(crate) checksum: Option<Checksum>,
}

/// One part as CompleteMultipartUpload names it.
#[derive(Clone, Debug)]
pub(crate) struct Ordered {
    pub(crate) number: u32,
    /// Without quotes.
    pub(crate) etag: String,
    /// As in the document.
    pub(crate) checksum: Option<(Algorithm, String)>,
}

/// A completed upload.
#[derive(Clone, Debug)]
pub(crate) struct Completed {
    pub(crate) etag: String,
    /// In a bucket that has or had versions.
    pub(crate) version: Option<VersionId>,
    pub(crate) checksum: Option<Checksum>,
    /// As [`super::Attributes::encryption`].
    pub(crate) encryption: Vec<(HeaderName, HeaderValue)>,
}

/// What is remembered of a completed upload.
#[derive(Clone, Debug)]
pub(super) struct Finished {
    key: String,
    id: String,
    /// Of the parts that were asked for.
    order: u64,
    completed: Completed,
}

impl Placement {
    /// Completes an upload if `condition` holds for the object that is there now. An upload that was completed
    /// with the same parts before gives the same answer, as long as its object is there.
    pub(crate) fn complete_upload(
        &self,
        key: &str,
        id: &str,
        order: &Order,
        now: i64,
        world: (&gatecrash_model::Pool, &Budget),
        condition: Condition<'_>,
    ) -> Result<Completed, S3Error> {
        let mut uploads = self.uploads();
        let name = (key.to_owned(), id.to_owned());
        let Some(upload) = uploads.open.get(&name) else {
            let finished = uploads.finished(key, id, order).ok_or_else(|| no_such_upload(id))?;
            let found = self.find(key, finished.version.as_ref(), world.0).object();
            return match found {
                Some(object) if object.etag == finished.etag => Ok(finished),
                _ => Err(no_such_upload(id)),
            };
        };
        let stored = upload.assembled(order, id)?;
        let mut completed = Completed {
            etag: stored.etag.clone(),
            version: None,
            checksum: stored.checksum.clone(),
            encryption: stored.attributes.encryption.clone(),
        };
        completed.version = self.put(key, stored, Arc::clone(&upload.owner), now, world, condition)?;
        if let Some(mut upload) = uploads.open.remove(&name) {
            for ordered in &order.parts {
                upload.parts.remove(&ordered.number);
            }
            world.1.give_back(upload.written());
        }
        uploads.remember(Finished {
            key: name.0,
            id: name.1,
            order: order.hash(),
            completed: completed.clone(),
        });
        Ok(completed)
    }
}

impl Upload {
    /// The object: its parts one behind the other, not copied.
    fn assembled(&self, order: &Order, id: &str) -> Result<Stored, S3Error> {
        let chosen = order.parts.iter().map(|ordered| self.chosen(ordered, id));
        let chosen = chosen.collect::<Result<Vec<(u32, &Part)>, S3Error>>()?;
        let last = chosen.len().saturating_sub(1);
        if let Some((number, part)) = chosen[..last].iter().find(|(_, part)| part.data.length() < MIN_PART) {
            return Err(S3Error::of("EntityTooSmall")
                .extra("ETag", &*part.etag)
                .extra("MinSizeAllowed", MIN_PART.to_string())
                .extra("ProposedSize", part.data.length().to_string())
                .extra("PartNumber", number.to_string()));
        }
        let data = Data::joined(chosen.iter().map(|(_, part)| part.data.clone()));
        if order.size.is_some_and(|size| size != data.length()) {
            return Err(S3Error::of("InvalidRequest").message(
                "The value of the x-amz-mp-object-size header does not match the size of the completed object.",
            ));
        }
        let checksum = whole(self.summing.unwrap_or(Summing::USUAL), &chosen);
        if let Some(expected) = &order.checksum {
            verify(expected, checksum.as_ref())?;
        }
        Ok(Stored {
            etag: etag(&chosen),
            hash: None,
            headers: Arc::clone(&self.headers),
            checksum,
            parts: chosen.iter().map(|(number, part)| stored_part(*number, part)).collect(),
            attributes: self.attributes.clone(),
            data,
        })
    }

    /// The part that is meant, when there is one and it is what the caller thinks it is.
    fn chosen(&self, ordered: &Ordered, id: &str) -> Result<(u32, &Part), S3Error> {
        let invalid = || {
            S3Error::of("InvalidPart")
                .extra("UploadId", id)
                .extra("PartNumber", ordered.number.to_string())
                .extra("ETag", &*ordered.etag)
        };
        let part = self.parts.get(&ordered.number).filter(|part| part.etag == ordered.etag);
        let part = part.ok_or_else(invalid)?;
        match (self.summing, &ordered.checksum) {
            (Some(Summing { algorithm, kind: Kind::Composite }), None) => {
                let (name, number) = (algorithm.name().to_ascii_lowercase(), ordered.number);
                Err(S3Error::of("InvalidRequest").message(format!(
                    "The upload was created using a {name} checksum. The complete request must include the \
                     checksum for each part. It was missing for part {number} in the request."
                )))
            }
            (_, Some((algorithm, value))) => {
                let mut known = part.checksum.iter().chain(&part.sent);
                match known.any(|known| known.algorithm == *algorithm && known.value == *value) {
                    true => Ok((ordered.number, part)),
                    false => Err(invalid()),
                }
            }
            (_, None) => Ok((ordered.number, part)),
        }
    }
}

impl Order {
    fn hash(&self) -> u64 {
        let words = self.parts.iter().flat_map(|p| [p.number.into(), hash::bytes(p.etag.as_bytes())]);
        hash::combine(&words.collect::<Vec<u64>>())
    }
}

impl Uploads {
    fn finished(&self, key: &str, id: &str, order: &Order) -> Option<Completed> {
        let order = order.hash();
        let found = self.finished.iter().find(|f| f.key == key && f.id == id && f.order == order);
        found.map(|finished| finished.completed.clone())
    }

    fn remember(&mut self, finished: Finished) {
        if self.finished.len() == REMEMBERED {
            self.finished.pop_front();
        }
        self.finished.push_back(finished);
    }
}

/// MD5 of the parts' MD5s, with the number of parts.
fn etag(parts: &[(u32, &Part)]) -> String {
    let mut md5 = Md5::new();
    for (_, part) in parts {
        md5.update(unhex(&part.etag));
    }
    format!("{}-{}", hex(&md5.finalize()), parts.len())
}

/// The object's checksum from those of its parts. None where a part has none: it came without one, which only
/// uploads without a declared algorithm allow.
fn whole(summing: Summing, parts: &[(u32, &Part)]) -> Option<Checksum> {
    let sums = parts.iter().map(|(_, part)| Some((part.checksum.as_ref()?, part.data.length())));
    let sums = sums.collect::<Option<Vec<(&Checksum, u64)>>>()?;
    match summing.kind {
        Kind::FullObject => full_object(summing.algorithm, sums.into_iter()),
        Kind::Composite => composite(summing.algorithm, sums.into_iter().map(|(sum, _)| sum)),
    }
}

/// The checksum the caller says the object has. That of a composite one may come without the number of parts.
fn verify(expected: &Checksum, computed: Option<&Checksum>) -> Result<(), S3Error> {
    match computed {
        Some(computed) if computed.algorithm != expected.algorithm => {
            let (was, is) = (computed.algorithm.name(), expected.algorithm.name());
            Err(S3Error::of("InvalidRequest").message(format!(
                "Checksum Type mismatch occurred, expected checksum Type: {}, actual checksum Type: {}",
                was.to_ascii_lowercase(),
                is.to_ascii_lowercase()
            )))
        }
        Some(computed) if computed.digest() != expected.digest() => Err(mismatch(expected.algorithm)),
        _ => Ok(()),
    }
}

fn unhex(text: &str) -> Vec<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16).unwrap_or_default() as u8;
    text.as_bytes().chunks(2).map(|pair| pair.iter().fold(0, |byte, d| (byte << 4) | digit(*d))).collect()
}

fn stored_part(number: u32, part: &Part) -> StoredPart {
    StoredPart { number, length: part.data.length(), checksum: part.checksum.clone() }
}
