//! Versions on their way to a bucket's replicas in other regions.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};

use gatecrash_model::hash;
use tokio::sync::mpsc::UnboundedSender;
use tokio::time::Instant;

use super::acl::Acl;
use super::placement::Placement;
use super::version::{Replication, Version, VersionId};
use super::{Budget, Slot};
use crate::replication::Lag;

/// Where a bucket in one region hands over what is to be replicated.
#[derive(Debug)]
pub(crate) struct Outbox {
    jobs: UnboundedSender<Job>,
    link: Arc<Link>,
    posted: AtomicU64,
    /// Neither replicated nor given up.
    pending: Arc<AtomicU64>,
}

/// A bucket's way from one region to others.
#[derive(Debug)]
pub(crate) struct Link {
    /// Tells links apart, also those of before a reset.
    pub(crate) number: u64,
    pub(crate) from: Weak<Placement>,
    pub(crate) to: Vec<Weak<Placement>>,
    pub(crate) lag: Lag,
    pub(crate) delete_markers: bool,
    /// Of lags.
    pub(crate) seed: u64,
}

/// One version that is to be replicated.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) link: Arc<Link>,
    pub(crate) key: String,
    pub(crate) version: VersionId,
    pub(crate) posted: Instant,
    /// Decides its lag.
    pub(crate) draw: u64,
    _pending: Pending,
}

/// Counts itself.
#[derive(Debug)]
struct Pending(Arc<AtomicU64>);

impl Drop for Pending {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Outbox {
    pub(crate) fn new(jobs: UnboundedSender<Job>, link: Link) -> Self {
        Self { jobs, link: Arc::new(link), posted: AtomicU64::new(0), pending: Arc::default() }
    }

    /// How many versions are on their way.
    pub(crate) fn pending(&self) -> u64 {
        self.pending.load(Ordering::Relaxed)
    }

    fn post(&self, key: &str, version: &VersionId) {
        let number = self.posted.fetch_add(1, Ordering::Relaxed);
        self.pending.fetch_add(1, Ordering::Relaxed);
        let job = Job {
            link: Arc::clone(&self.link),
            key: key.to_owned(),
            version: version.clone(),
            posted: Instant::now(),
            draw: hash::combine(&[self.link.seed, 0x9e9, number]),
            _pending: Pending(Arc::clone(&self.pending)),
        };
        // A mock that shuts down replicates no more.
        let _ = self.jobs.send(job);
    }
}

impl Placement {
    /// From now on new versions are handed over.
    pub(crate) fn replicate_through(&self, outbox: Outbox) {
        let _ = self.outbox.set(outbox);
    }

    pub(crate) fn outbox(&self) -> Option<&Outbox> {
        self.outbox.get()
    }

    /// A version is about to be added to a key.
    pub(super) fn hand_over(&self, key: &str, version: &mut Version) {
        let Some(outbox) = self.outbox() else { return };
        match &mut version.stored {
            Some(stored) => stored.attributes.replication = Some(Replication::Pending),
            None if outbox.link.delete_markers => {}
            None => return,
        }
        outbox.post(key, &version.id);
    }

    /// One version of a key.
    pub(crate) fn version_of(&self, key: &str, id: &VersionId) -> Option<Arc<Version>> {
        self.read().get(key)?.versions.iter().find(|version| version.id == *id).cloned()
    }

    /// Writes down what became of a version's replication.
    pub(crate) fn mark(&self, key: &str, id: &VersionId, status: Replication) {
        let mut slots = self.write();
        let slot = slots.get_mut(key);
        let found = slot.and_then(|slot| slot.versions.iter_mut().find(|version| version.id == *id));
        if let Some(stored) = found.and_then(|version| Arc::make_mut(version).stored.as_mut()) {
            stored.attributes.replication = Some(status);
        }
    }

    /// Takes a version over from another region: id, time, ETag, metadata and tags stay, the ACL does not (S3 user
    /// guide, "What does Amazon S3 replicate?"). Whether there was room for it.
    pub(crate) fn receive(&self, key: &str, version: &Version, budget: &Budget) -> bool {
        if !budget.take(version.written()) {
            return false;
        }
        let mut replica = version.clone();
        if let Some(stored) = &mut replica.stored {
            stored.attributes.acl = Acl::default();
            stored.attributes.replication = Some(Replication::Replica);
        }
        self.note_owner(&replica.owner);
        let mut slots = self.write();
        self.note(&slots, key);
        let slot: &mut Slot = slots.entry(key.to_owned()).or_default();
        if slot.versions.iter().any(|known| known.id == replica.id && known.id != VersionId::Null) {
            budget.give_back(version.written());
            return true;
        }
        if replica.id == VersionId::Null {
            slot.drop_null(budget);
        }
        // Written there before what was written here since.
        let at = slot.versions.iter().rposition(|known| known.modified <= replica.modified);
        slot.versions.insert(at.map_or(0, |at| at + 1), Arc::new(replica));
        true
    }
}
