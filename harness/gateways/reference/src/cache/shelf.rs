//! The stored copies by key, and a lock for each key that is being fetched. Bounded: the oldest copies make
//! room, and a key without copy and without fetch takes none.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use tokio::sync::Semaphore;

use super::Copy;

#[derive(Debug, Default)]
pub(super) struct Shelf {
    slots: HashMap<String, Slot>,
    /// Keys with a copy, in the order of storing; one that was renewed is in it more than once.
    order: VecDeque<(String, u64)>,
    bytes: usize,
    stamp: u64,
}

#[derive(Debug)]
struct Slot {
    copy: Option<Arc<Copy>>,
    /// Of this copy in the order of storing.
    stamp: u64,
    /// One permit: whoever holds it fetches.
    lock: Arc<Semaphore>,
    /// How often the key was written to while it was here: what was fetched before is not stored after.
    writes: u64,
}

/// A key's state at one instant.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) copy: Option<Arc<Copy>>,
    pub(super) lock: Arc<Semaphore>,
    pub(super) writes: u64,
}

// === impl Shelf ===

impl Shelf {
    pub(super) fn look(&mut self, key: &str) -> Place {
        let empty = || Slot { copy: None, stamp: 0, lock: Arc::new(Semaphore::new(1)), writes: 0 };
        let slot = self.slots.entry(key.to_owned()).or_insert_with(empty);
        if slot.lock.is_closed() {
            slot.lock = Arc::new(Semaphore::new(1));
        }
        Place { copy: slot.copy.clone(), lock: Arc::clone(&slot.lock), writes: slot.writes }
    }

    /// Keeps a copy, unless the key was written to since `writes` was read.
    pub(super) fn put(&mut self, key: &str, copy: Arc<Copy>, writes: u64, max_bytes: usize) {
        let Some(slot) = self.slots.get_mut(key).filter(|slot| slot.writes == writes) else { return };
        self.stamp += 1;
        self.bytes += copy.size();
        self.bytes -= slot.copy.as_ref().map_or(0, |copy| copy.size());
        slot.stamp = self.stamp;
        slot.copy = Some(copy);
        self.order.push_back((key.to_owned(), self.stamp));
        while self.bytes > max_bytes
            && let Some((oldest, stamp)) = self.order.pop_front()
        {
            if self.slots.get(&oldest).is_some_and(|slot| slot.stamp == stamp) {
                self.drop_copy(&oldest);
            }
        }
        if self.order.len() > 2 * self.slots.len() + 16 {
            let slots = &self.slots;
            let is_current = |(key, stamp): &(String, u64)| {
                slots.get(key).is_some_and(|slot| slot.copy.is_some() && slot.stamp == *stamp)
            };
            self.order.retain(is_current);
        }
    }

    /// The key was written to: its copy is no longer the object (RFC 9111 section 4.4).
    pub(super) fn forget(&mut self, key: &str) {
        if let Some(slot) = self.slots.get_mut(key) {
            slot.writes += 1;
            self.drop_copy(key);
        }
    }

    /// Removes the slot of a key that nobody fetches or waits for, besides those with `holders` clones of its
    /// lock, and that has no copy.
    pub(super) fn tidy(&mut self, key: &str, holders: usize) {
        let idle = |slot: &Slot| slot.copy.is_none() && Arc::strong_count(&slot.lock) <= 1 + holders;
        if self.slots.get(key).is_some_and(idle) {
            self.slots.remove(key);
        }
    }

    fn drop_copy(&mut self, key: &str) {
        if let Some(copy) = self.slots.get_mut(key).and_then(|slot| slot.copy.take()) {
            self.bytes -= copy.size();
        }
        self.tidy(key, 0);
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::{HeaderMap, StatusCode};
    use tokio::time::Instant;

    use super::super::control;
    use super::*;
    use crate::config;

    fn copy(size: usize) -> Arc<Copy> {
        let permit = control::permit(&HeaderMap::new(), std::time::Duration::ZERO).unwrap();
        let response = (StatusCode::OK, HeaderMap::new(), Bytes::from(vec![0; size]));
        Arc::new(Copy::new(response, permit, &config::Cache::default(), Instant::now()))
    }

    /// Fetches and stores one key; whether its copy is there.
    fn fill(shelf: &mut Shelf, key: &str, size: usize) -> bool {
        let writes = shelf.look(key).writes;
        shelf.put(key, copy(size), writes, 100);
        shelf.tidy(key, 0);
        shelf.look(key).copy.is_some()
    }

    #[test]
    fn the_oldest_copies_make_room() {
        let mut shelf = Shelf::default();
        for key in ["a", "b", "a", "c"] {
            assert!(fill(&mut shelf, key, 40), "{key}");
        }
        let kept = |shelf: &mut Shelf, key| shelf.look(key).copy.is_some();
        assert_eq!(["a", "b", "c"].map(|key| kept(&mut shelf, key)), [true, false, true]);
        assert_eq!(shelf.bytes, 80);
        assert!(!fill(&mut shelf, "huge", 101));
        assert_eq!(shelf.bytes, 0);
    }

    #[test]
    fn renewing_one_key_takes_no_memory() {
        let mut shelf = Shelf::default();
        (0..1000).for_each(|_| assert!(fill(&mut shelf, "a", 10)));
        assert!(shelf.order.len() < 30, "{}", shelf.order.len());
        assert_eq!(shelf.bytes, 10);
    }

    #[test]
    fn what_was_fetched_before_a_write_is_not_stored_after_it() {
        let mut shelf = Shelf::default();
        let place = shelf.look("a");
        shelf.forget("a");
        shelf.put("a", copy(10), place.writes, 100);
        assert!(shelf.look("a").copy.is_none());
        drop(place);
        shelf.tidy("a", 0);
        assert!(shelf.slots.is_empty());
    }
}
