//! What the mock holds: buckets by region, their synthetic objects (computed) and uploads (in memory).

mod bucket;
mod keyspace;
mod listing;
mod object;
mod placement;

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use gatecrash_model::StoreEntry;

pub(crate) use bucket::Bucket;
pub(crate) use keyspace::Keyspace;
pub(crate) use listing::{Entry, List};
pub(crate) use object::{Body, Object, Upload};
pub(crate) use placement::{Placement, WriteRefused};

/// All regions' buckets.
pub(crate) struct Store {
    /// By region index: name in the region -> the bucket there, in order of name.
    regions: RwLock<Vec<BTreeMap<String, Arc<Placement>>>>,
    budget: Budget,
}

/// The bytes uploads may take together.
pub(crate) struct Budget {
    limit: u64,
    used: AtomicU64,
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
        "" => format!("arn:aws:s3:::{bucket}"),
        key => format!("arn:aws:s3:::{bucket}/{key}"),
    }
}

// === impl Store ===

impl Store {
    pub(crate) fn new(regions: Vec<BTreeMap<String, Arc<Placement>>>, limit: u64) -> Self {
        Self { regions: RwLock::new(regions), budget: Budget { limit, used: AtomicU64::new(0) } }
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

    /// The buckets of a region, in order of name.
    pub(crate) fn in_region(&self, region: usize) -> Vec<Arc<Placement>> {
        self.regions.read().unwrap_or_else(PoisonError::into_inner)[region].values().cloned().collect()
    }

    /// Makes an empty bucket.
    pub(crate) fn create(&self, region: usize, name: &str, account: &str, now: i64) -> Result<(), Refused> {
        let mut regions = self.regions.write().unwrap_or_else(PoisonError::into_inner);
        if regions.iter().any(|buckets| buckets.contains_key(name)) {
            return Err(Refused::Exists);
        }
        let bucket = Arc::new(Bucket::empty(name, account, now));
        regions[region].insert(name.to_owned(), Arc::new(Placement::new(bucket, name)));
        Ok(())
    }

    /// Deletes an empty bucket.
    pub(crate) fn delete(&self, region: usize, name: &str) -> Result<(), Refused> {
        let mut regions = self.regions.write().unwrap_or_else(PoisonError::into_inner);
        let placement = regions[region].get(name).ok_or(Refused::Missing)?;
        if !placement.is_empty() {
            return Err(Refused::NotEmpty);
        }
        regions[region].remove(name);
        Ok(())
    }

    pub(crate) fn budget(&self) -> &Budget {
        &self.budget
    }

    /// Every upload, by region, bucket and key. Buckets deleted meanwhile are gone with what they held.
    pub(crate) fn entries(&self, names: &[String]) -> Vec<StoreEntry> {
        let regions = self.regions.read().unwrap_or_else(PoisonError::into_inner);
        let placed = regions.iter().zip(names).flat_map(|(buckets, region)| {
            buckets.values().flat_map(move |placement| placement.entries(region))
        });
        placed.collect()
    }
}

// === impl Budget ===

impl Budget {
    /// Takes `bytes`, if that many are left.
    pub(crate) fn take(&self, bytes: u64) -> bool {
        let take = |used: u64| used.checked_add(bytes).filter(|sum| *sum <= self.limit);
        self.used.fetch_update(Ordering::AcqRel, Ordering::Acquire, take).is_ok()
    }

    pub(crate) fn give_back(&self, bytes: u64) {
        self.used.fetch_sub(bytes, Ordering::AcqRel);
    }
}

/// Names of a configuration, to find what is declared twice.
pub(crate) fn first_twice<'n>(names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let mut seen = HashMap::new();
    names.into_iter().find(|name| seen.insert(*name, ()).is_some())
}
