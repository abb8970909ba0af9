//! Objects that change while a run goes on: which version of one is current when, as a closed form.
//!
//! An object that changes has a new version at fixed distances of time, each object with an offset of its own, so that
//! not all of them change at once. Bytes and ETag of a version follow from (seed, bucket, key, number): the mock serves
//! them, the load generator recognises them, and a judge knows when each of them was current, from the plan alone.

use crate::content::{Content, Pool};
use crate::time::Nanos;
use crate::{hash, population};

/// Marks the numbers of versions among those that contents are made of: uploads count from 1, far below.
const VERSION: u64 = 1 << 62;
/// What a draw of the offset is for.
const OFFSET: u64 = 0x0ff5e7;
/// Versions are searched so far back at most.
const MOST: u32 = 1 << 16;

/// The versions of one object, numbered from 0.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Lineage {
    seed: u64,
    bucket: u64,
    key: u64,
    every: Nanos,
}

impl Lineage {
    /// The versions of an object that changes every so often; `every` is at least 1.
    pub(crate) fn new(seed: u64, bucket: &str, key: &str, every: Nanos) -> Self {
        let (bucket, key) = (hash::bytes(bucket.as_bytes()), hash::bytes(key.as_bytes()));
        Self { seed, bucket, key, every: every.max(1) }
    }

    /// The version that is current at an instant.
    pub fn at(self, at: Nanos) -> u32 {
        u32::try_from(at.saturating_add(self.offset()) / self.every).unwrap_or(u32::MAX)
    }

    /// When a version begins to be current; the first one is from the start.
    pub fn begins(self, version: u32) -> Nanos {
        u64::from(version).saturating_mul(self.every).saturating_sub(self.offset())
    }

    /// When a version is replaced by the next one.
    pub fn replaced(self, version: u32) -> Nanos {
        self.begins(version.saturating_add(1))
    }

    /// Versions that begin within so long a time, at most.
    pub fn within(self, time: Nanos) -> u32 {
        u32::try_from(time / self.every).unwrap_or(u32::MAX).saturating_add(1)
    }

    /// The bytes of a version; the first one's are those of an object that does not change.
    pub fn content(self, pool: &Pool, version: u32) -> Content {
        let number = if version == 0 { 0 } else { VERSION | u64::from(version) };
        pool.placed(self.bucket, self.key, number)
    }

    /// The ETag of a version, without quotes; the first one's is that of an object that does not change.
    pub fn etag(self, version: u32) -> String {
        population::tag_text(self.tag(version))
    }

    /// The version, no newer than `newest`, that an ETag names, with or without quotes or a `W/`.
    pub fn tagged(self, etag: &str, newest: u32) -> Option<u32> {
        let text = etag.trim().trim_start_matches("W/").trim_matches('"');
        let word = u64::from_str_radix(text.get(..16)?, 16).ok()?;
        let found = self.search(newest, |version| self.tag(version) == word)?;
        (text == self.etag(found)).then_some(found)
    }

    /// The version, no newer than `newest`, of which these bytes at an offset are.
    pub fn of_bytes(self, pool: &Pool, offset: u64, bytes: &[u8], newest: u32) -> Option<u32> {
        self.search(newest, |version| self.content(pool, version).mismatch(pool, offset, bytes).is_none())
    }

    /// The version, no newer than `newest`, whose byte at `offset` stands at this place of the pool.
    pub fn at_place(self, pool: &Pool, place: usize, offset: u64, newest: u32) -> Option<u32> {
        self.search(newest, |version| self.content(pool, version).is_at(place, offset))
    }

    /// The newest version that fits.
    fn search(self, newest: u32, fits: impl Fn(u32) -> bool) -> Option<u32> {
        (newest.saturating_sub(MOST)..=newest).rev().find(|version| fits(*version))
    }

    fn tag(self, version: u32) -> u64 {
        match version {
            0 => hash::combine(&[self.seed, self.bucket, self.key]),
            version => hash::combine(&[self.seed, self.bucket, self.key, u64::from(version)]),
        }
    }

    /// How long before the start of the run the first version began.
    fn offset(self) -> Nanos {
        hash::combine(&[self.seed, self.bucket, self.key, OFFSET]) % self.every
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Population, SizeLaw};
    use proptest::prelude::*;

    const EVERY: Nanos = 2_000_000_000;

    fn population() -> Population {
        Population {
            bucket: "media".into(),
            count: 5,
            pattern: "o/{n}".parse().unwrap(),
            sizes: SizeLaw::Fixed(1000),
            seed: 7,
            change_every: Some(EVERY),
        }
    }

    proptest! {
        #[test]
        fn exactly_one_version_is_current(at in 0u64..1 << 50) {
            let lineage = population().lineage("o/3").unwrap();
            let version = lineage.at(at);
            prop_assert!((lineage.begins(version)..lineage.replaced(version)).contains(&at));
            prop_assert_eq!(lineage.replaced(version), lineage.begins(version + 1));
        }
    }

    #[test]
    fn objects_change_as_often_but_not_all_at_once() {
        let begins: Vec<_> = (0..5).map(|n| population().lineage(&format!("o/{n}")).unwrap()).collect();
        assert!(begins.windows(2).all(|two| two[0].begins(1) != two[1].begins(1)), "{begins:?}");
        assert!(
            begins.iter().all(|l| l.at(0) == 0 && l.begins(2) - l.begins(1) == EVERY && l.begins(1) <= EVERY)
        );
        assert_eq!(begins[0].within(EVERY / 2), 1);
        assert!(population().lineage("o/5").is_none() && population().lineage("up/1").is_none());
        assert!(Population { change_every: None, ..population() }.lineage("o/3").is_none());
    }

    #[test]
    fn the_first_version_is_the_object_that_does_not_change() {
        let (population, pool) = (population(), Pool::new(7));
        let lineage = population.lineage("o/3").unwrap();
        assert_eq!(lineage.content(&pool, 0), pool.content("media", "o/3", 0));
        assert_eq!(lineage.etag(0), population.etag("o/3"));
    }

    #[test]
    fn bytes_and_tags_name_their_version() {
        let pool = Pool::new(7);
        let lineage = population().lineage("o/3").unwrap();
        for version in [0, 1, 2, 9] {
            let content = lineage.content(&pool, version);
            let bytes = content.chunk(&pool, 500, 16);
            assert_eq!(lineage.of_bytes(&pool, 500, bytes, 9), Some(version));
            assert_eq!(lineage.of_bytes(&pool, 501, bytes, 9), None);
            let place = pool.locate(bytes).unwrap();
            assert_eq!(lineage.at_place(&pool, place, 500, 9), Some(version));
            let tag = lineage.etag(version);
            let texts = [tag.clone(), format!("\"{tag}\""), format!("W/\"{tag}\"")];
            assert!(texts.iter().all(|text| lineage.tagged(text, 9) == Some(version)), "{texts:?}");
        }
        let tag = lineage.etag(3);
        assert_eq!(
            [lineage.tagged(&tag, 2), lineage.tagged(&tag[..33], 9), lineage.tagged("\"x\"", 9)],
            [None; 3]
        );
        assert_eq!(lineage.tagged(&population().lineage("o/2").unwrap().etag(3), 9), None);
    }
}
