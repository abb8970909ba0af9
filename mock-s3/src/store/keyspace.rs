//! A population of synthetic objects, with what serving it fast needs: interned keys and the order of a
//! listing.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use gatecrash_model::{ObjectKeys, Population, Sink, StrId};

use super::key_order::KeyOrder;

/// Populations above this many objects do not cache interned keys.
const CACHED: u32 = 1 << 22;

/// One population of a bucket.
pub(crate) struct Keyspace {
    pub(crate) population: Population,
    /// Interned keys by object, 0 = not yet.
    interned: OnceLock<Box<[AtomicU32]>>,
    /// In which order a listing has the objects.
    order: OnceLock<KeyOrder>,
}

impl Keyspace {
    pub(crate) fn new(population: Population) -> Self {
        Self { population, interned: OnceLock::new(), order: OnceLock::new() }
    }

    /// The interned key of object `n`, without a lock once it is known.
    pub(crate) fn intern(&self, n: u32, key: &str, sink: &dyn Sink) -> StrId {
        if self.population.count > CACHED {
            return sink.intern(key);
        }
        let count = self.population.count;
        let cells = self.interned.get_or_init(|| (0..count).map(|_| AtomicU32::new(0)).collect());
        match cells[n as usize].load(Ordering::Relaxed) {
            0 => {
                let id = sink.intern(key);
                cells[n as usize].store(id.0, Ordering::Relaxed);
                id
            }
            known => StrId(known),
        }
    }

    /// The ETag of an object, without quotes.
    pub(crate) fn etag(&self, key: &str) -> String {
        self.population.etag(key)
    }

    /// The key at a position of a listing.
    pub(crate) fn key_at(&self, position: u32) -> Option<String> {
        (position < self.population.count).then(|| self.population.key(self.order().at(position)))
    }

    /// The first position whose key is not before `bound` (with `past`: is behind it).
    pub(crate) fn position(&self, bound: &str, past: bool) -> u32 {
        let order = self.order();
        let is_before = |position: u32| {
            let key = self.population.key(order.at(position));
            if past { key.as_str() <= bound } else { key.as_str() < bound }
        };
        let (mut low, mut high) = (0, self.population.count);
        while low < high {
            let middle = low.midpoint(high);
            if is_before(middle) { low = middle + 1 } else { high = middle }
        }
        low
    }

    fn order(&self) -> &KeyOrder {
        self.order.get_or_init(|| match &self.population.pattern {
            ObjectKeys::Pattern(pattern) => KeyOrder::of(pattern, self.population.count),
            ObjectKeys::Listed(_) => KeyOrder::Counting, // lists are in order
        })
    }
}
