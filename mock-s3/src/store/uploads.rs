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
        upload: Box<Upload>,
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
                page.entries.push(UploadEntry::Upload { key, id, upload: Box::new(upload.bare()) });
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Bucket, BucketState};
    use gatecrash_model::Pool;
    use proptest::prelude::*;

    fn placement() -> (Placement, Arc<Owner>) {
        let owner = Arc::new(Owner::of_account("1"));
        (
            Placement::new(
                Arc::new(Bucket::empty("b", Arc::clone(&owner), 0, 7)),
                "b",
                BucketState::default(),
            ),
            owner,
        )
    }

    fn upload(owner: &Arc<Owner>) -> Upload {
        Upload {
            initiated: 0,
            owner: Arc::clone(owner),
            initiator: Arc::clone(owner),
            headers: Arc::default(),
            attributes: Attributes::default(),
            summing: None,
            parts: BTreeMap::new(),
        }
    }

    fn part(length: usize) -> Part {
        let data = Data::memory(vec![0; length]);
        Part { data, etag: "0".repeat(32), modified: 0, checksum: None, sent: None }
    }

    #[test]
    fn every_byte_goes_back_to_the_budget() {
        let (placement, owner) = placement();
        let budget = Budget::new(100, None);
        let put = |id: &str, number, length| {
            assert!(budget.take(length as u64));
            placement.put_part("k", id, number, part(length), &budget)
        };
        let id = placement.begin_upload("k", upload(&owner)).unwrap();
        put(&id, 1, 60).unwrap();
        put(&id, 1, 40).unwrap();
        put(&id, 2, 60).unwrap();
        assert!(!budget.take(1));
        assert_eq!(placement.upload("k", &id, |upload| upload.parts.len()), Some(2));
        assert!(placement.abort_upload("k", &id, &budget) && !placement.abort_upload("k", &id, &budget));
        assert_eq!(put(&id, 1, 100).unwrap_err().code, "NoSuchUpload");
        let id = placement.begin_upload("k", upload(&owner)).unwrap();
        put(&id, 1, 100).unwrap();
        placement.close_uploads(&budget);
        assert_eq!(put(&id, 1, 100).unwrap_err().code, "NoSuchUpload");
        assert_eq!(placement.begin_upload("k", upload(&owner)), None);
        assert!(budget.take(100));
    }

    #[test]
    fn parts_that_are_left_out_go_back_and_the_object_keeps_the_rest() {
        let (placement, owner) = placement();
        let (pool, budget) = (Pool::new(1), Budget::new(100, None));
        let id = placement.begin_upload("k", upload(&owner)).unwrap();
        for number in 1..=4 {
            assert!(budget.take(25));
            placement.put_part("k", &id, number, part(25), &budget).unwrap();
        }
        let ordered = |number| super::super::Ordered { number, etag: "0".repeat(32), checksum: None };
        let order = super::super::Order { parts: vec![ordered(3)], ..super::super::Order::default() };
        let complete =
            |key: &str| placement.complete_upload(key, &id, &order, 0, (&pool, &budget), &|_| Ok(()));
        assert_eq!(complete("other").unwrap_err().code, "NoSuchUpload");
        let done = complete("k").unwrap();
        assert!(budget.take(75) && !budget.take(1));
        assert_eq!(complete("k").unwrap().etag, done.etag);
        let object = placement.find("k", None, &pool).object().unwrap();
        assert_eq!((object.length(), object.stored().unwrap().parts[0].number), (25, 3));
    }

    proptest! {
        #[test]
        fn pages_of_every_size_join_to_the_whole(
            keys in proptest::collection::vec("[ab]{1,2}(/[ab])?", 0..12),
            prefix in "[ab]?",
            delimiter in "/?",
            limit in 1..6_usize,
        ) {
            let (placement, owner) = placement();
            for key in &keys {
                placement.begin_upload(key, upload(&owner)).unwrap();
            }
            let name = |entry: &UploadEntry| match entry {
                UploadEntry::Upload { key, id, .. } => (key.clone(), id.clone()),
                UploadEntry::Group(group) => (group.clone(), String::new()),
            };
            let whole = List { prefix, delimiter, limit: 1000, ..List::default() };
            let expected: Vec<_> = placement.list_uploads(&whole, None).entries.iter().map(name).collect();
            prop_assert!(expected.is_sorted());
            let mut list = List { limit, ..whole };
            let (mut joined, mut after) = (Vec::new(), None);
            loop {
                let page = placement.list_uploads(&list, after.as_deref());
                joined.extend(page.entries.iter().map(name));
                if !page.truncated {
                    break;
                }
                let (key, id) = joined.last().cloned().expect("a page that goes on is not empty");
                (list.after, after) = (key, Some(id).filter(|id| !id.is_empty()));
            }
            prop_assert_eq!(joined, expected);
        }
    }
}
