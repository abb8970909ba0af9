//! A bucket in one region: its name there and what was written to it.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use gatecrash_model::{Pool, Sink, StoreEntry, StrId};

use super::bucket::Bucket;
use super::object::{Body, Object, Upload};
use super::{Budget, Keyspace};

/// One bucket in one region.
pub(crate) struct Placement {
    pub(crate) bucket: Arc<Bucket>,
    /// Its name in the region.
    pub(crate) name: String,
    slots: RwLock<BTreeMap<String, Slot>>,
}

/// A key that was written or deleted: hides the synthetic object of the same key.
#[derive(Default)]
pub(super) struct Slot {
    pub(super) upload: Option<Arc<Upload>>,
    writes: u32,
}

/// What has to hold for a write to happen.
pub(crate) type Condition<'c> = &'c dyn Fn(Option<&str>) -> bool;

/// Why a write did not happen.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum WriteRefused {
    Full,
    Condition,
}

impl Placement {
    pub(crate) fn new(bucket: Arc<Bucket>, name: &str) -> Self {
        Self { bucket, name: name.to_owned(), slots: RwLock::default() }
    }

    /// The object of a key now.
    pub(crate) fn object(&self, key: &str, pool: &Pool) -> Option<Object> {
        if let Some(slot) = self.read().get(key) {
            return slot.upload.as_ref().map(|upload| Object {
                body: Body::Memory(upload.bytes.clone()),
                length: upload.bytes.len() as u64,
                etag: upload.etag.clone(),
                modified: upload.modified,
                headers: Some(Arc::clone(upload)),
            });
        }
        let (keyspace, n) = self.synthetic(key)?;
        Some(Object {
            body: Body::Pool(pool.content(&self.bucket.name, key, 0)),
            length: keyspace.population.size(n),
            etag: keyspace.etag(key),
            modified: self.bucket.created,
            headers: None,
        })
    }

    /// Stores a version if `condition` holds for the ETag that is there now.
    pub(crate) fn put(
        &self,
        key: &str,
        upload: Upload,
        budget: &Budget,
        condition: Condition<'_>,
    ) -> Result<(), WriteRefused> {
        let length = upload.bytes.len() as u64;
        if !budget.take(length) {
            return Err(WriteRefused::Full);
        }
        let mut slots = self.write();
        if !condition(self.etag_in(&slots, key).as_deref()) {
            budget.give_back(length);
            return Err(WriteRefused::Condition);
        }
        let slot = slots.entry(key.to_owned()).or_default();
        slot.writes += 1;
        if let Some(old) = slot.upload.replace(Arc::new(upload)) {
            budget.give_back(old.bytes.len() as u64);
        }
        Ok(())
    }

    /// Deletes a key. Whether there was an object.
    pub(crate) fn delete(&self, key: &str, budget: &Budget) -> bool {
        let mut slots = self.write();
        match slots.get_mut(key) {
            Some(slot) => match slot.upload.take() {
                Some(old) => {
                    budget.give_back(old.bytes.len() as u64);
                    true
                }
                None => false,
            },
            None if self.synthetic(key).is_some() => {
                slots.insert(key.to_owned(), Slot::default());
                true
            }
            None => false,
        }
    }

    /// The synthetic object of a key, whether or not it is hidden.
    pub(crate) fn synthetic(&self, key: &str) -> Option<(&Keyspace, u32)> {
        self.bucket.keyspaces.iter().find_map(|space| Some((space, space.population.index(key)?)))
    }

    /// The interned key, without a lock for synthetic objects seen before.
    pub(crate) fn intern(&self, key: &str, sink: &dyn Sink) -> StrId {
        match self.synthetic(key) {
            Some((keyspace, n)) => keyspace.intern(n, key, sink),
            None => sink.intern(key),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.list(&super::List { limit: 1, ..super::List::default() }).entries.is_empty()
    }

    /// The uploads, in order of key.
    pub(super) fn entries(&self, region: &str) -> Vec<StoreEntry> {
        let slots = self.read();
        let uploads = slots.iter().filter_map(|(key, slot)| Some((key, slot.writes, slot.upload.as_ref()?)));
        uploads
            .map(|(key, writes, upload)| StoreEntry {
                region: region.to_owned(),
                bucket: self.bucket.name.to_string(),
                key: key.clone(),
                length: upload.bytes.len() as u64,
                hash: upload.hash,
                writes,
            })
            .collect()
    }

    pub(super) fn read(&self) -> RwLockReadGuard<'_, BTreeMap<String, Slot>> {
        self.slots.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, BTreeMap<String, Slot>> {
        self.slots.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn etag_in(&self, slots: &BTreeMap<String, Slot>, key: &str) -> Option<String> {
        match slots.get(key) {
            Some(slot) => slot.upload.as_ref().map(|upload| upload.etag.clone()),
            None => self.synthetic(key).map(|(keyspace, _)| keyspace.etag(key)),
        }
    }
}
