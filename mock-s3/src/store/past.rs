//! What keys held before: for reads and listings that come too late, and for writes that are taken back.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use gatecrash_model::{Clock, Nanos};

use super::Budget;
use super::placement::{Placement, Slot};

/// Former states of one key, at most.
const OF_A_KEY: usize = 16;
/// Former states of a bucket, at most; beyond, all are forgotten.
const OF_A_BUCKET: usize = 1 << 16;

/// The former states of the keys of a bucket in one region.
pub(crate) struct Past {
    clock: Arc<dyn Clock>,
    states: Mutex<States>,
}

#[derive(Default)]
struct States {
    /// Oldest first.
    of: HashMap<String, VecDeque<Former>>,
    count: usize,
}

/// What a key held until a moment.
struct Former {
    until: Nanos,
    slot: Slot,
}

impl Past {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, states: Mutex::default() }
    }

    /// A key is about to change.
    pub(super) fn note(&self, key: &str, slot: Option<&Slot>) {
        let former = Former { until: self.clock.now(), slot: slot.cloned().unwrap_or_default() };
        let mut states = self.states.lock().unwrap_or_else(PoisonError::into_inner);
        if states.count >= OF_A_BUCKET {
            *states = States::default();
        }
        let of_key = states.of.entry(key.to_owned()).or_default();
        of_key.push_back(former);
        if of_key.len() > OF_A_KEY {
            of_key.pop_front();
        } else {
            states.count += 1;
        }
    }

    /// What a key held then, where that is not what it holds now.
    fn slot(&self, key: &str, then: Nanos) -> Option<Slot> {
        let states = self.states.lock().unwrap_or_else(PoisonError::into_inner);
        states.of.get(key)?.iter().find(|former| former.until > then).map(|former| former.slot.clone())
    }

    /// The same of every key that has changed since.
    fn slots(&self, then: Nanos) -> Vec<(String, Slot)> {
        let states = self.states.lock().unwrap_or_else(PoisonError::into_inner);
        let changed = states.of.iter().filter_map(|(key, formers)| {
            let former = formers.iter().find(|former| former.until > then)?;
            Some((key.clone(), former.slot.clone()))
        });
        changed.collect()
    }
}

impl Placement {
    /// A copy of the bucket with one key, or all of them, as they were then. It is read and thrown away.
    pub(crate) fn as_it_was(&self, key: Option<&str>, then: Nanos) -> Arc<Self> {
        let now = self.read();
        let mut slots: BTreeMap<String, Slot> = match key {
            Some(key) => now.get(key).map(|slot| (key.to_owned(), slot.clone())).into_iter().collect(),
            None => now.clone(),
        };
        drop(now);
        if let Some(past) = self.past() {
            match key {
                Some(key) => slots.extend(past.slot(key, then).map(|slot| (key.to_owned(), slot))),
                None => slots.extend(past.slots(then)),
            }
        }
        // An untouched key has no slot.
        slots.retain(|_, slot| slot.covers || !slot.versions.is_empty());
        Arc::new(self.with_slots(slots, then))
    }

    /// What a key holds now.
    pub(crate) fn memory_of(&self, key: &str) -> Option<Slot> {
        self.read().get(key).cloned()
    }

    /// Makes a key hold what it held.
    pub(crate) fn recall(&self, key: &str, before: Option<Slot>, budget: &Budget) {
        let mut slots = self.write();
        let bytes = |slot: &Slot| slot.versions.iter().map(|version| version.written()).sum::<u64>();
        budget.give_back(slots.remove(key).as_ref().map_or(0, bytes));
        if let Some(slot) = before {
            budget.restore(bytes(&slot));
            slots.insert(key.to_owned(), slot);
        }
    }
}
