//! A bucket in one region: its name there, its configuration, and what was written to it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use gatecrash_model::{Clock, Nanos, Pool, Sink, StrId};

use super::bucket::Bucket;
use super::data::Data;
use super::object::{Current, Found, Object};
use super::past::Past;
use super::replication::Outbox;
use super::state::{BucketState, Versioning};
use super::time::{Face, Time};
use super::uploads::Uploads;
use super::version::{Attributes, Stored, Version, VersionId};
use super::{Budget, Keyspace, Owner};
use crate::errors::S3Error;

/// One bucket in one region.
pub(crate) struct Placement {
    pub(crate) bucket: Arc<Bucket>,
    /// Its name in the region.
    pub(crate) name: String,
    state: RwLock<Arc<BucketState>>,
    /// The state says where its access log goes: asked for every request.
    logged: AtomicBool,
    slots: RwLock<BTreeMap<String, Slot>>,
    /// Taken before the slots where both are.
    pub(super) uploads: Mutex<Uploads>,
    /// Version ids given out.
    ids: AtomicU64,
    /// Whether another account than the bucket's ever owned an object in it.
    shared: AtomicBool,
    /// What keys held before, where that is remembered.
    past: OnceLock<Past>,
    /// Which version of a synthetic object that changes is current.
    pub(super) time: OnceLock<Time>,
    /// Where new versions go, where they go anywhere.
    pub(super) outbox: OnceLock<Outbox>,
}

/// A key that was written or deleted.
#[derive(Clone, Debug, Default)]
pub(crate) struct Slot {
    /// Oldest first; the last one is the current one.
    pub(super) versions: Vec<Arc<Version>>,
    /// The synthetic object of the key is gone: overwritten as the null version, or deleted.
    pub(super) covers: bool,
    pub(super) writes: u32,
}

/// What has to hold for a write to happen, given the object that is there now.
pub(crate) type Condition<'c> = &'c dyn Fn(Option<Current<'_>>) -> Result<(), S3Error>;

/// What a deletion came to.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Deleted {
    /// Something was there.
    pub(crate) applied: bool,
    /// What was made, or removed, is a delete marker.
    pub(crate) marker: bool,
    /// The version made or removed; none in a bucket that never had versions.
    pub(crate) version: Option<VersionId>,
}

impl Placement {
    pub(crate) fn new(bucket: Arc<Bucket>, name: &str, state: BucketState) -> Self {
        Self {
            bucket,
            name: name.to_owned(),
            logged: AtomicBool::new(state.logging.is_some()),
            state: RwLock::new(Arc::new(state)),
            slots: RwLock::default(),
            uploads: Mutex::default(),
            ids: AtomicU64::new(0),
            shared: AtomicBool::new(false),
            past: OnceLock::new(),
            time: OnceLock::new(),
            outbox: OnceLock::new(),
        }
    }

    /// From now on it remembers what keys held before.
    pub(super) fn remember(&self, clock: &Arc<dyn Clock>) {
        self.past.get_or_init(|| Past::new(Arc::clone(clock)));
    }

    /// From now on synthetic objects that change do so.
    pub(super) fn go_by(&self, time: Time) {
        self.time.get_or_init(|| time);
    }

    /// The bucket with other contents, as of then.
    pub(super) fn with_slots(&self, slots: BTreeMap<String, Slot>, then: Nanos) -> Self {
        let state = BucketState::clone(&self.state());
        let fresh = Self::new(Arc::clone(&self.bucket), &self.name, state);
        if let Some(time) = self.time.get() {
            fresh.go_by(time.stopped(then));
        }
        Self { slots: RwLock::new(slots), ..fresh }
    }

    pub(super) fn past(&self) -> Option<&Past> {
        self.past.get()
    }

    /// The bucket's configuration now.
    pub(crate) fn state(&self) -> Arc<BucketState> {
        Arc::clone(&self.state.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether its requests are logged.
    pub(crate) fn is_logged(&self) -> bool {
        self.logged.load(Ordering::Acquire)
    }

    /// Changes the bucket's configuration.
    pub(crate) fn configure(&self, change: impl FnOnce(&mut BucketState)) {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        change(Arc::make_mut(&mut state));
        self.logged.store(state.logging.is_some(), Ordering::Release);
    }

    /// The current version of a key, or the one asked for.
    pub(crate) fn find(&self, key: &str, version: Option<&VersionId>, pool: &Pool) -> Found {
        let slots = self.read();
        if let Some(slot) = slots.get(key)
            && let Some(version) = slot.version(version)
        {
            return match Object::of(version) {
                Some(object) => Found::Object(object),
                None => Found::Marker(Arc::clone(version)),
            };
        }
        if slots.get(key).is_some_and(|slot| slot.covers) || version.is_some_and(|v| *v != VersionId::Null) {
            return Found::Nothing;
        }
        drop(slots);
        self.original(key, pool).map_or(Found::Nothing, Found::Object)
    }

    /// The current version of a key, or the one asked for, when it was written and is not synthetic.
    pub(crate) fn written(&self, key: &str, version: Option<&VersionId>) -> Option<Arc<Version>> {
        self.read().get(key)?.version(version).cloned()
    }

    /// Whether objects of other accounts may be in it.
    pub(crate) fn is_shared(&self) -> bool {
        self.shared.load(Ordering::Relaxed)
    }

    /// The synthetic object of a key, whether or not it is covered.
    pub(super) fn original(&self, key: &str, pool: &Pool) -> Option<Object> {
        let (keyspace, n) = self.synthetic(key)?;
        let Face { lineage, etag, modified } = self.face(keyspace, key);
        let content = match lineage {
            Some((lineage, version)) => lineage.content(pool, version),
            None => pool.content(&self.bucket.name, key, 0),
        };
        let data = Data::synthetic(content, keyspace.population.size(n));
        Some(Object { data, etag, modified, version: None })
    }

    /// Stores a new version if `condition` holds for the current object; its id, in a bucket that has or had
    /// versions. The budget has been asked before.
    pub(crate) fn put(
        &self,
        key: &str,
        stored: Stored,
        owner: Arc<Owner>,
        now: i64,
        world: (&Pool, &Budget),
        condition: Condition<'_>,
    ) -> Result<Option<VersionId>, S3Error> {
        let (pool, budget) = world;
        let versioning = self.state().versioning;
        let mut slots = self.write();
        let before = self.current_in(&slots, key, pool);
        condition(before.as_ref().map(Object::current))?;
        self.note(&slots, key);
        let slot = slots.entry(key.to_owned()).or_default();
        slot.writes += 1;
        let id = self.next_id(versioning);
        if id == VersionId::Null {
            slot.drop_null(budget);
        }
        self.note_owner(&owner);
        let mut version = Version { id: id.clone(), modified: now, owner, stored: Some(stored) };
        self.hand_over(key, &mut version);
        slot.versions.push(Arc::new(version));
        Ok((versioning != Versioning::Off).then_some(id))
    }

    /// Deletes a key, or one version for good.
    pub(crate) fn delete(
        &self,
        key: &str,
        version: Option<&VersionId>,
        owner: &Arc<Owner>,
        now: i64,
        world: (&Pool, &Budget),
        condition: Condition<'_>,
    ) -> Result<Deleted, S3Error> {
        let (pool, budget) = world;
        let versioning = self.state().versioning;
        let mut slots = self.write();
        self.note(&slots, key);
        if let Some(id) = version {
            return self.remove(&mut slots, key, id, world, condition);
        }
        let before = self.current_in(&slots, key, pool);
        condition(before.as_ref().map(Object::current))?;
        if versioning == Versioning::Off {
            let applied = before.is_some();
            if let Some(slot) = slots.get_mut(key) {
                slot.drop_null(budget);
            } else if applied {
                slots.insert(key.to_owned(), Slot { covers: true, ..Slot::default() });
            }
            return Ok(Deleted { applied, ..Deleted::default() });
        }
        let slot = slots.entry(key.to_owned()).or_default();
        let id = self.next_id(versioning);
        if id == VersionId::Null {
            slot.drop_null(budget);
        }
        let mut marker = Version { id: id.clone(), modified: now, owner: Arc::clone(owner), stored: None };
        self.hand_over(key, &mut marker);
        slot.versions.push(Arc::new(marker));
        Ok(Deleted { applied: true, marker: true, version: Some(id) })
    }

    fn remove(
        &self,
        slots: &mut BTreeMap<String, Slot>,
        key: &str,
        id: &VersionId,
        (pool, budget): (&Pool, &Budget),
        condition: Condition<'_>,
    ) -> Result<Deleted, S3Error> {
        let nothing = Deleted { version: Some(id.clone()), ..Deleted::default() };
        if let Some(slot) = slots.get_mut(key)
            && let Some(at) = slot.versions.iter().position(|v| v.id == *id)
        {
            let version = &slot.versions[at];
            condition(Object::of(version).as_ref().map(Object::current))?;
            let marker = version.is_marker();
            budget.give_back(version.written());
            slot.versions.remove(at);
            if slot.versions.is_empty() && !slot.covers && self.synthetic(key).is_none() {
                slots.remove(key);
            }
            return Ok(Deleted { applied: true, marker, ..nothing });
        }
        let covered = slots.get(key).is_some_and(|slot| slot.covers);
        let original = self.original(key, pool).filter(|_| *id == VersionId::Null && !covered);
        condition(original.as_ref().map(Object::current))?;
        if original.is_some() {
            slots.entry(key.to_owned()).or_default().covers = true;
            return Ok(Deleted { applied: true, ..nothing });
        }
        Ok(nothing)
    }

    /// Changes the attributes of a version in place; none when there is no such object.
    pub(crate) fn change<T>(
        &self,
        key: &str,
        version: Option<&VersionId>,
        pool: &Pool,
        change: impl FnOnce(&mut Version) -> T,
    ) -> Option<T> {
        let mut slots = self.write();
        let slot = slots.get_mut(key);
        if let Some(slot) = slot
            && let Some(at) = slot.position(version)
        {
            return Some(change(Arc::make_mut(&mut slot.versions[at])));
        }
        if slots.get(key).is_some_and(|slot| slot.covers) || version.is_some_and(|v| *v != VersionId::Null) {
            return None;
        }
        // A synthetic object becomes a version like any other: its null version, the oldest.
        let mut materialised = self.materialised(key, pool)?;
        let result = change(&mut materialised);
        let slot = slots.entry(key.to_owned()).or_default();
        slot.covers = true;
        slot.versions.insert(0, Arc::new(materialised));
        Some(result)
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

    /// Neither an object nor a version nor a delete marker is left.
    pub(crate) fn is_empty(&self) -> bool {
        self.read().values().all(|slot| slot.versions.is_empty())
            && self.list(&super::List { limit: 1, ..super::List::default() }).entries.is_empty()
    }

    pub(super) fn read(&self) -> RwLockReadGuard<'_, BTreeMap<String, Slot>> {
        self.slots.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// An object comes to belong to somebody.
    pub(super) fn note_owner(&self, owner: &Owner) {
        if owner.account != self.bucket.owner.account {
            self.shared.store(true, Ordering::Relaxed);
        }
    }

    /// A key is about to change.
    pub(super) fn note(&self, slots: &BTreeMap<String, Slot>, key: &str) {
        if let Some(past) = self.past.get() {
            past.note(key, slots.get(key));
        }
    }

    pub(super) fn write(&self) -> RwLockWriteGuard<'_, BTreeMap<String, Slot>> {
        self.slots.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn current_in(&self, slots: &BTreeMap<String, Slot>, key: &str, pool: &Pool) -> Option<Object> {
        match slots.get(key) {
            Some(slot) if slot.covers || !slot.versions.is_empty() => {
                slot.versions.last().and_then(Object::of)
            }
            _ => self.original(key, pool),
        }
    }

    fn materialised(&self, key: &str, pool: &Pool) -> Option<Version> {
        let original = self.original(key, pool)?;
        let stored = Stored {
            data: original.data,
            etag: original.etag,
            hash: None,
            headers: Arc::default(),
            checksum: None,
            parts: Arc::default(),
            attributes: Attributes::default(),
        };
        let owner = Arc::clone(&self.bucket.owner);
        Some(Version { id: VersionId::Null, modified: original.modified, owner, stored: Some(stored) })
    }

    fn next_id(&self, versioning: Versioning) -> VersionId {
        match versioning {
            Versioning::Enabled => {
                VersionId::generate(self.bucket.seed, self.ids.fetch_add(1, Ordering::Relaxed))
            }
            Versioning::Off | Versioning::Suspended => VersionId::Null,
        }
    }
}

// === impl Slot ===

impl Slot {
    /// The current version, or the one asked for.
    pub(super) fn version(&self, id: Option<&VersionId>) -> Option<&Arc<Version>> {
        self.position(id).map(|at| &self.versions[at])
    }

    fn position(&self, id: Option<&VersionId>) -> Option<usize> {
        match id {
            None => self.versions.len().checked_sub(1),
            Some(id) => self.versions.iter().position(|version| version.id == *id),
        }
    }

    /// The null version makes room for another one.
    pub(super) fn drop_null(&mut self, budget: &Budget) {
        self.covers = true;
        if let Some(at) = self.versions.iter().position(|version| version.id == VersionId::Null) {
            budget.give_back(self.versions.remove(at).written());
        }
    }
}
