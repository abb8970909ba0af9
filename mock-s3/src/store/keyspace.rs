//! A population of synthetic objects, with what serving it fast needs: interned keys and the order of a
//! listing.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use gatecrash_model::hash;
use gatecrash_model::{Population, Sink, StrId};

/// Populations above this many objects do not cache interned keys.
const CACHED: u32 = 1 << 22;

/// One population of a bucket.
pub(crate) struct Keyspace {
    pub(crate) population: Population,
    /// Interned keys by object, 0 = not yet.
    interned: OnceLock<Box<[AtomicU32]>>,
    /// Objects in the order of their keys.
    order: OnceLock<Vec<u32>>,
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

    /// The ETag of object `n`, without quotes: 32 hex digits and the `-1` of a multipart upload with one
    /// part.
    pub(crate) fn etag(&self, key: &str) -> String {
        let words = [
            self.population.seed,
            hash::bytes(self.population.bucket.as_bytes()),
            hash::bytes(key.as_bytes()),
        ];
        let high = hash::combine(&words);
        format!("{high:016x}{:016x}-1", hash::mix(high))
    }

    /// Objects by position in a listing.
    pub(crate) fn at(&self, position: usize) -> Option<u32> {
        self.order().get(position).copied()
    }

    /// The first position whose key is not before `bound` (with `past`: is behind it).
    pub(crate) fn position(&self, bound: &str, past: bool) -> usize {
        self.order().partition_point(|n| {
            let key = self.population.key(*n);
            if past { key.as_str() <= bound } else { key.as_str() < bound }
        })
    }

    fn order(&self) -> &[u32] {
        self.order.get_or_init(|| {
            let mut order: Vec<u32> = (0..self.population.count).collect();
            order.sort_by_cached_key(|n| self.population.key(*n));
            order
        })
    }
}
