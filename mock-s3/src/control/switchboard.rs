//! The state in force, as the changes make it.

use std::sync::{Arc, Mutex, PoisonError, RwLock};

use tokio::sync::Notify;

use super::{Change, ChangeId};
use crate::settings::Settings;
use crate::store::Store;

/// The state in force, and how it came about.
pub(crate) struct Switchboard {
    pub(super) current: RwLock<Arc<Settings>>,
    pub(super) changes: Mutex<Changes>,
    pub(super) base: Settings,
    pub(super) regions: Vec<String>,
    /// The configured ones, by the scenario's names.
    pub(super) buckets: Vec<Arc<str>>,
    pub(super) store: Arc<Store>,
    pub(super) seed: u64,
    /// Something has changed; one waits for it.
    pub(super) changed: Notify,
}

#[derive(Default)]
pub(super) struct Changes {
    pub(super) in_force: Vec<(ChangeId, Change)>,
    pub(super) made: u64,
}

impl Switchboard {
    pub(crate) fn new(
        base: Settings,
        regions: Vec<String>,
        buckets: Vec<Arc<str>>,
        store: Arc<Store>,
        seed: u64,
    ) -> Self {
        let current = RwLock::new(Arc::new(base.clone()));
        Self {
            current,
            changes: Mutex::default(),
            base,
            regions,
            buckets,
            store,
            seed,
            changed: Notify::new(),
        }
    }

    /// The state in force.
    pub(crate) fn settings(&self) -> Arc<Settings> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn make(&self, changes: &mut Changes, change: Change) -> ChangeId {
        changes.made += 1;
        let id = ChangeId(changes.made);
        changes.in_force.push((id, change));
        self.refresh(changes);
        id
    }

    /// Takes all changes back and forgets how many there were.
    pub(crate) fn reset(&self) {
        let mut changes = self.changes.lock().unwrap_or_else(PoisonError::into_inner);
        *changes = Changes::default();
        self.refresh(&changes);
    }

    pub(super) fn refresh(&self, changes: &Changes) {
        let settings = self.base.with(changes.in_force.iter().map(|(_, change)| change));
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(settings);
        self.changed.notify_one();
    }

    /// The next change.
    pub(crate) async fn changed(&self) {
        self.changed.notified().await;
    }
}
