//! Multipart uploads under way, and those just completed.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Bound;
use std::sync::{Arc, MutexGuard, PoisonError};

use bytes::Bytes;
use gatecrash_model::hash;
use http::{HeaderName, HeaderValue};

use super::completion::Finished;
use super::listing::List;
use super::merge::behind_all;
use super::placement::Placement;
use super::{Attributes, Budget, Data, Owner};
use crate::checksum::{Algorithm, Checksum, Hasher, Kind};
use crate::errors::S3Error;

/// A bucket's uploads.
#[derive(Default)]
pub(super) struct Uploads {
    /// By key and id; ids of one key are in the order in which they were begun.
    pub(super) open: BTreeMap<(String, String), Upload>,
    /// The latest ones, for callers that complete again because they saw no answer.
    pub(super) finished: VecDeque<Finished>,
    begun: u64,
    /// The bucket is gone.
    closed: bool,
}

/// One upload, and what the object will be.
#[derive(Clone, Debug)]
pub(crate) struct Upload {
    /// Seconds since the Unix epoch.
    pub(crate) initiated: i64,
    pub(crate) owner: Arc<Owner>,
    /// Who began it: an account, or a user whose ARN is the id.
    pub(crate) initiator: Arc<Owner>,
    pub(crate) headers: Arc<[(HeaderName, HeaderValue)]>,
    pub(crate) attributes: Attributes,
    /// The checksum the object is to have.
    pub(crate) summing: Option<Summing>,
    pub(crate) parts: BTreeMap<u32, Part>,
}

/// `x-amz-checksum-algorithm` and `x-amz-checksum-type` of an upload.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Summing {
    pub(crate) algorithm: Algorithm,
    pub(crate) kind: Kind,
}

/// One uploaded part.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    pub(crate) data: Data,
    /// 32 hex digits.
    pub(crate) etag: String,
    /// Seconds since the Unix epoch.
    pub(crate) modified: i64,
    /// By the upload's algorithm: what the object's checksum is made of.
    pub(crate) checksum: Option<Checksum>,
    /// The one it came with, when it is by another algorithm.
    pub(crate) sent: Option<Checksum>,
}

/// One line of a listing of uploads.
#[derive(Clone, Debug)]
pub(crate) enum UploadEntry {
    Upload {
        key: String,
        id: String,
        /// Without its parts.
        upload: Upload,
    },
    /// A common prefix, delimiter included.
    Group(String),
}

/// One page of a listing of uploads.
#[derive(Clone, Debug, Default)]
pub(crate) struct UploadPage {
    pub(crate) entries: Vec<UploadEntry>,
    pub(crate) truncated: bool,
}

/// Not there, completed or aborted.
pub(crate) fn no_such_upload(id: &str) -> S3Error {
    S3Error::of("NoSuchUpload").extra("UploadId", id)
}

// === impl Summing ===

impl Summing {
    /// What S3 computes when nothing was asked for.
    pub(crate) const USUAL: Self = Self { algorithm: Algorithm::Crc64Nvme, kind: Kind::FullObject };

    /// The checksum of some bytes. `pool` is the whole pool.
    pub(crate) fn of(self, data: &Data, pool: &Bytes) -> Checksum {
        let mut hasher = Hasher::new(self.algorithm);
        let mut chunks = data.clone().chunks();
        while let Some(chunk) = chunks.next(1 << 16, pool) {
            hasher.update(&chunk);
        }
        Checksum::full(self.algorithm, hasher.finish())
    }
}

// === impl Upload ===

impl Upload {
    pub(super) fn written(&self) -> u64 {
        self.parts.values().map(|part| part.data.written()).sum()
    }

    fn bare(&self) -> Self {
        let Self { initiated, summing, .. } = *self;
        Self {
            initiated,
            owner: Arc::clone(&self.owner),
            initiator: Arc::clone(&self.initiator),
            headers: Arc::clone(&self.headers),
            attributes: self.attributes.clone(),
            summing,
            parts: BTreeMap::new(),
        }
    }
}

// === impl Placement ===

impl Placement {
    /// Begins an upload; its id. None when the bucket is gone.
    pub(crate) fn begin_upload(&self, key: &str, upload: Upload) -> Option<String> {
        let mut uploads = self.uploads();
        if uploads.closed {
            return None;
        }
        let id = id(self.bucket.seed, uploads.begun);
        uploads.begun += 1;
        uploads.open.insert((key.to_owned(), id.clone()), upload);
        Some(id)
    }

    /// Looks at an upload.
    pub(crate) fn upload<T>(&self, key: &str, id: &str, look: impl FnOnce(&Upload) -> T) -> Option<T> {
        self.uploads().open.get(&(key.to_owned(), id.to_owned())).map(look)
    }

    /// Adds a part, in place of the one that had its number. The budget has been asked before; it gets back
    /// what was replaced, or the part itself when there is no such upload.
    pub(crate) fn put_part(
        &self,
        key: &str,
        id: &str,
        number: u32,
        part: Part,
        budget: &Budget,
    ) -> Result<(), S3Error> {
        let mut uploads = self.uploads();
        let Some(upload) = uploads.open.get_mut(&(key.to_owned(), id.to_owned())) else {
            budget.give_back(part.data.written());
            return Err(no_such_upload(id));
        };
        if let Some(replaced) = upload.parts.insert(number, part) {
            budget.give_back(replaced.data.written());
        }
        Ok(())
    }

    /// Ends an upload without an object; whether there was one.
    pub(crate) fn abort_upload(&self, key: &str, id: &str, budget: &Budget) -> bool {
        let aborted = self.uploads().open.remove(&(key.to_owned(), id.to_owned()));
        budget.give_back(aborted.as_ref().map_or(0, Upload::written));
        aborted.is_some()
    }

    /// The bucket goes: so do its uploads (a bucket can be deleted while uploads to it are under way).
    pub(super) fn close_uploads(&self, budget: &Budget) {
        let mut uploads = self.uploads();
        uploads.closed = true;
        budget.give_back(uploads.open.values().map(Upload::written).sum());
        uploads.open.clear();
    }

    /// One page of the uploads, in order of key and, for one key, as they were begun. `after` goes on within the
    /// key [`List::after`], behind the upload with this id.
    pub(crate) fn list_uploads(&self, list: &List, after: Option<&str>) -> UploadPage {
        let uploads = self.uploads();
        let mut page = UploadPage::default();
        let owned = |key: &str, id: &str| (key.to_owned(), id.to_owned());
        let mut from = match after {
            Some(id) if list.after >= list.prefix => Bound::Excluded(owned(&list.after, id)),
            _ if list.after < list.prefix || list.after.is_empty() => {
                Bound::Included(owned(&list.prefix, ""))
            }
            _ if list.group(&list.after) == Some(&list.after) => match behind_all(&list.after) {
                Some(behind) => Bound::Included((behind, String::new())),
                None => return page,
            },
            // Behind all ids of the key: `\0` is the smallest thing a longer key goes on with.
            _ => Bound::Included((format!("{}\0", list.after), String::new())),
        };
        if list.limit == 0 {
            return page;
        }
        while let Some(((key, id), upload)) = uploads.open.range((from, Bound::Unbounded)).next() {
            if !key.starts_with(&list.prefix) {
                break;
            }
            if page.entries.len() == list.limit {
                page.truncated = true;
                break;
            }
            if let Some(group) = list.group(key) {
                page.entries.push(UploadEntry::Group(group.to_owned()));
                let Some(behind) = behind_all(group) else { break };
                from = Bound::Included((behind, String::new()));
            } else {
                let (key, id) = (key.clone(), id.clone());
                from = Bound::Excluded((key.clone(), id.clone()));
                page.entries.push(UploadEntry::Upload { key, id, upload: upload.bare() });
            }
        }
        page
    }

    pub(super) fn uploads(&self) -> MutexGuard<'_, Uploads> {
        self.uploads.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Upload ids: as long and opaque as S3's, and in order.
fn id(seed: u64, count: u64) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._";
    let opaque = (0..112).map(|at| {
        let draw = hash::combine(&[seed, 0x3a7, count, at]);
        LETTERS[(draw % 64) as usize] as char
    });
    format!("{count:016x}").chars().chain(opaque).collect()
}
