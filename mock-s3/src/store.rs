//! What the mock holds: buckets by region, their synthetic objects (computed) and uploads (in memory).

mod acl;
mod bucket;
mod completion;
mod data;
mod key_order;
mod keyspace;
mod listing;
#[cfg(test)]
mod listing_tests;
mod merge;
mod object;
mod past;
mod placement;
mod replication;
mod snapshot;
mod state;
mod time;
mod uploads;
mod version;
mod version_listing;

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use bytes::Bytes;
use gatecrash_model::{Clock, StoreEntry};

pub(crate) use acl::{Acl, Grant, Grantee, Owner, Permission, canonical_id};
pub(crate) use bucket::Bucket;
pub(crate) use completion::{Order, Ordered};
pub(crate) use data::{Chunks, Data};
pub(crate) use keyspace::Keyspace;
pub(crate) use listing::{Entry, List};
pub(crate) use object::{Current, Found, Object};
pub(crate) use placement::{Deleted, Placement, Slot};
pub(crate) use replication::{Job, Link, Outbox};
pub(crate) use state::{
    BlockPublic, BucketPolicy, BucketState, DefaultRetention, Document, Logging, ObjectLock, Ownership,
    Period, ReplicationRule, ReplicationRules, Versioning,
};
use time::Time;
pub(crate) use uploads::{Part, Summing, Upload, UploadEntry, no_such_upload};
pub(crate) use version::{Attributes, Replication, Retention, Stored, StoredPart, Version, VersionId};
pub(crate) use version_listing::VersionEntry;

/// All regions' buckets.
pub(crate) struct Store {
    /// By region index: name in the region -> the bucket there, in order of name.
    regions: RwLock<Vec<BTreeMap<String, Arc<Placement>>>>,
    budget: Budget,
    /// By which former states of buckets made later are told apart; none: they are not kept.
    remember: OnceLock<Arc<dyn Clock>>,
    /// By which clock synthetic objects change; none: they do not.
    time: OnceLock<Time>,
}

/// The bytes uploads may take together.
pub(crate) struct Budget {
    limit: u64,
    used: AtomicU64,
    /// Where what is beyond the limit goes; none: it is refused.
    spill: Option<PathBuf>,
}

/// Why a bucket was not made or not deleted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Refused {
    Exists,
    Missing,
    NotEmpty,
}

/// The ARN of a bucket, or of an object in it.
pub(crate) fn arn(bucket: &str, key: &str) -> String {
    match key {
        "" => ["arn:aws:s3:::", bucket].concat(),
        key => ["arn:aws:s3:::", bucket, "/", key].concat(),
    }
}

// === impl Store ===

impl Store {
    pub(crate) fn new(regions: Vec<BTreeMap<String, Arc<Placement>>>, budget: Budget) -> Self {
        Self { regions: RwLock::new(regions), budget, remember: OnceLock::new(), time: OnceLock::new() }
    }

    /// From now on all buckets remember what their keys held before.
    pub(crate) fn remember(&self, clock: &Arc<dyn Clock>) {
        let clock = self.remember.get_or_init(|| Arc::clone(clock));
        let regions = self.regions.read().unwrap_or_else(PoisonError::into_inner);
        regions.iter().flat_map(BTreeMap::values).for_each(|placement| placement.remember(clock));
    }

    /// From now on synthetic objects that change do so.
    pub(crate) fn go_by(&self, clock: &Arc<dyn Clock>) {
        let time = self.time.get_or_init(|| Time::new(clock));
        let regions = self.regions.read().unwrap_or_else(PoisonError::into_inner);
        regions.iter().flat_map(BTreeMap::values).for_each(|placement| placement.go_by(time.clone()));
    }

    /// The bucket of this name in a region.
    pub(crate) fn find(&self, region: usize, name: &str) -> Option<Arc<Placement>> {
        self.regions.read().unwrap_or_else(PoisonError::into_inner)[region].get(name).cloned()
    }

    /// A region other than `region` where a bucket of this name is.
    pub(crate) fn elsewhere(&self, region: usize, name: &str) -> Option<usize> {
        let regions = self.regions.read().unwrap_or_else(PoisonError::into_inner);
        (0..regions.len()).find(|other| *other != region && regions[*other].contains_key(name))
    }

    /// A bucket by the scenario's name, in the first region that has it.
    pub(crate) fn placed(&self, name: &str) -> Option<Arc<Placement>> {
        let regions = self.regions.read().unwrap_or_else(PoisonError::into_inner);
        regions.iter().flat_map(BTreeMap::values).find(|placement| *placement.bucket.name == *name).cloned()
    }

    /// A bucket by the scenario's name, in one region.
    pub(crate) fn in_place(&self, region: usize, bucket: &str) -> Option<Arc<Placement>> {
        let regions = self.regions.read().unwrap_or_else(PoisonError::into_inner);
        regions[region].values().find(|placement| *placement.bucket.name == *bucket).cloned()
    }

    /// The buckets of a region, in order of name.
    pub(crate) fn in_region(&self, region: usize) -> Vec<Arc<Placement>> {
        self.regions.read().unwrap_or_else(PoisonError::into_inner)[region].values().cloned().collect()
    }

    /// Makes an empty bucket, unless the name is taken in any region.
    pub(crate) fn create(&self, region: usize, bucket: Bucket, state: BucketState) -> Result<(), Refused> {
        let name = bucket.name.to_string();
        let mut regions = self.regions.write().unwrap_or_else(PoisonError::into_inner);
        if regions.iter().any(|buckets| buckets.contains_key(&name)) {
            return Err(Refused::Exists);
        }
        let placement = Placement::new(Arc::new(bucket), &name, state);
        if let Some(clock) = self.remember.get() {
            placement.remember(clock);
        }
        regions[region].insert(name, Arc::new(placement));
        Ok(())
    }

    /// Deletes an empty bucket.
    pub(crate) fn delete(&self, region: usize, name: &str) -> Result<(), Refused> {
        let mut regions = self.regions.write().unwrap_or_else(PoisonError::into_inner);
        let placement = regions[region].get(name).ok_or(Refused::Missing)?;
        if !placement.is_empty() {
            return Err(Refused::NotEmpty);
        }
        placement.close_uploads(&self.budget);
        regions[region].remove(name);
        Ok(())
    }

    /// Goes back to the buckets of a fresh store.
    pub(crate) fn reset(&self, fresh: Self) {
        let fresh = fresh.regions.into_inner().unwrap_or_else(PoisonError::into_inner);
        if let Some(clock) = self.remember.get() {
            fresh.iter().flat_map(BTreeMap::values).for_each(|placement| placement.remember(clock));
        }
        if let Some(time) = self.time.get() {
            fresh.iter().flat_map(BTreeMap::values).for_each(|placement| placement.go_by(time.clone()));
        }
        *self.regions.write().unwrap_or_else(PoisonError::into_inner) = fresh;
        self.budget.used.store(0, Ordering::Release);
    }

    pub(crate) fn budget(&self) -> &Budget {
        &self.budget
    }

    /// Every uploaded object that is current, by region, bucket and key. Buckets deleted meanwhile are gone with
    /// what they held.
    pub(crate) fn entries(&self, names: &[String], pool: &Bytes) -> Vec<StoreEntry> {
        let regions = self.regions.read().unwrap_or_else(PoisonError::into_inner);
        let placed = regions.iter().zip(names).flat_map(|(buckets, region)| {
            buckets.values().flat_map(move |placement| placement.entries(region, pool))
        });
        placed.collect()
    }
}

// === impl Budget ===

impl Budget {
    pub(crate) fn new(limit: u64, spill: Option<PathBuf>) -> Self {
        Self { limit, used: AtomicU64::new(0), spill }
    }

    /// Makes room for an upload: as it is, or moved to a file. None: there is no room.
    pub(crate) fn keep(&self, data: Data) -> Option<Data> {
        let bytes = data.written();
        match self.take(bytes) {
            true => Some(data),
            false => data.spilled(self.spill.as_deref()?).ok(),
        }
    }

    /// Takes `bytes`, if that many are left.
    pub(crate) fn take(&self, bytes: u64) -> bool {
        let take = |used: u64| used.checked_add(bytes).filter(|sum| *sum <= self.limit);
        self.used.fetch_update(Ordering::AcqRel, Ordering::Acquire, take).is_ok()
    }

    /// Takes `bytes` that were given back, whether or not that many are left.
    pub(crate) fn restore(&self, bytes: u64) {
        self.used.fetch_add(bytes, Ordering::AcqRel);
    }

    /// What was taken before a reset may come back after it: nothing falls below zero.
    pub(crate) fn give_back(&self, bytes: u64) {
        let less = |used: u64| Some(used.saturating_sub(bytes));
        // Always some: it cannot fail.
        let _ = self.used.fetch_update(Ordering::AcqRel, Ordering::Acquire, less);
    }
}

/// Names of a configuration, to find what is declared twice.
pub(crate) fn first_twice<'n>(names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let mut seen = HashMap::new();
    names.into_iter().find(|name| seen.insert(*name, ()).is_some())
}
