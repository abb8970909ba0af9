//! Maps and sets by the packed ids of a run, which are dense and our own: neighbours stay neighbours in memory, and
//! nothing is hashed against an attacker.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};

/// A map by packed request or attempt id.
pub type IdMap<V> = HashMap<u64, V, BuildHasherDefault<IdHasher>>;

/// A set of packed request or attempt ids.
pub type IdSet = HashSet<u64, BuildHasherDefault<IdHasher>>;

/// Where in a list the record of an id is: sorted once, then searched.
#[derive(Debug, Default)]
pub struct Places(Vec<(u64, u32)>);

impl Places {
    /// Of a list's ids in its order; where an id comes twice, its last place counts.
    pub fn of(ids: impl Iterator<Item = u64>) -> Self {
        let mut places: Vec<_> = ids.zip(0..).collect();
        places.sort_unstable();
        Self(places)
    }

    /// The place of an id.
    pub fn find(&self, id: u64) -> Option<usize> {
        let (found, place) = *self.0[..self.0.partition_point(|(other, _)| *other <= id)].last()?;
        (found == id).then_some(place as usize)
    }
}

/// Bits by which a table tells the ids of one bucket apart.
const TAG: u64 = 0xfe00_0000_0000_0000;
/// Buckets from one connection's first attempt to the next one's; a prime.
const STRIDE: u64 = 1021;
/// An odd number without pattern: 2^64 over the golden ratio.
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;

/// Ids that count up fall into buckets that count up: a request's number and an attempt's place on its connection are in
/// the low bits; connections, sixteen bits above, are a stride apart.
#[derive(Clone, Copy, Debug, Default)]
pub struct IdHasher(u64);

impl Hasher for IdHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(self.0.rotate_left(8) ^ u64::from(*byte));
        }
    }

    fn write_u64(&mut self, id: u64) {
        let (low, high) = ((id >> 16).wrapping_mul(STRIDE), (id >> 32).wrapping_mul(SPREAD >> 40));
        let place = (id & 0xffff).wrapping_add(low).wrapping_add(high);
        self.0 = (place & !TAG) | (id.wrapping_mul(SPREAD) & TAG);
    }
}

#[cfg(test)]
mod tests {
    use gatecrash_model::{AttemptId, RequestId};

    use super::*;

    /// Ids in the fullest of as many buckets as a table for them has.
    fn fullest(ids: impl Iterator<Item = u64>) -> usize {
        let ids: Vec<_> = ids.collect();
        let buckets = (ids.len() * 8 / 7).next_power_of_two();
        let mut counts = vec![0; buckets];
        for id in ids {
            let mut hasher = IdHasher::default();
            hasher.write_u64(id);
            counts[hasher.finish() as usize % buckets] += 1;
        }
        counts.into_iter().max().unwrap_or(0)
    }

    #[test]
    fn an_id_is_found_at_its_last_place() {
        let places = Places::of([9, 4, 9, 7].into_iter());
        assert_eq!([4, 7, 9].map(|id| places.find(id)), [Some(1), Some(3), Some(2)]);
        assert_eq!([3, 8, 10].map(|id| places.find(id)), [None; 3]);
        assert_eq!(Places::default().find(0), None);
    }

    #[test]
    fn ids_of_real_runs_spread() {
        let requests = |workloads: u16| {
            (0..workloads).flat_map(|workload| (0..50_000).map(move |k| RequestId { workload, k }.pack()))
        };
        let attempts = |links: u8, conns: u32, ordinals: u16| {
            let of =
                move |link, conn| (0..ordinals).map(move |o| AttemptId { link, conn, ordinal: o }.pack());
            (0..links).flat_map(move |link| (0..conns).flat_map(move |conn| of(link, conn)))
        };
        assert_eq!([fullest(requests(1)), fullest(requests(4))], [1, 1]);
        assert_eq!(fullest(attempts(1, 2000, 1)), 1);
        assert_eq!([fullest(attempts(4, 2000, 30)), fullest(attempts(2, 200, 1000))], [2, 2]);
    }
}
