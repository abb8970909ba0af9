//! The bytes of every object, without storing one.
//!
//! An object's content is a slice of a seeded pool, shifted by a hash of (bucket, key, version): O(1) memory, any
//! offset, zero-copy. Each pool word is a whitened form of its own index, so foreign bytes can be traced back to
//! their place in the pool, and so to the object they belong to.

use serde::{Deserialize, Serialize};

use crate::hash;

/// Words in the pool: 2 MiB before it repeats.
const WORDS: usize = 1 << 18;
const POOL: usize = WORDS * 8;
/// Bytes in the pool before it repeats: every place is below this.
pub const PLACES: usize = POOL;
/// The longest slice [`Content::chunk`] hands out at once.
pub const WINDOW: usize = 256 * 1024;

/// Where in the pool's bytes the requests begin that an upload may be made of.
const REQUESTS: usize = POOL + WINDOW;

/// A whole request: a body of nothing else, read from the wrong place, is one request after the other. It names no
/// client's request, so that whoever sees it knows that none sent it.
const REQUEST: &[u8; 64] = b"GET /smuggled/by-a-body HTTP/1.1\r\nHost: smuggle\r\nX-Pad: 1234\r\n\r\n";

/// The key that a request out of a body asks for.
pub const SMUGGLED_KEY: &str = "by-a-body";

/// What uploads are made of.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BodyLaw {
    /// Bytes that are no HTTP and tell whose they are.
    #[default]
    Bytes,
    /// Requests, one after the other, each of 64 bytes.
    HttpRequests,
}

/// The seeded byte pool of a run.
pub struct Pool {
    bytes: Vec<u8>,
    whiten: u64,
}

/// One version of one object, as a place in the pool.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub struct Content {
    shift: usize,
}

// === impl Pool ===

impl Pool {
    /// Builds the pool of `seed` (2.5 MiB of memory).
    pub fn new(seed: u64) -> Self {
        let whiten = hash::combine(&[seed, 0xc0]);
        let mut bytes = Vec::with_capacity(REQUESTS + REQUEST.len() + WINDOW);
        for index in 0..WORDS as u64 {
            bytes.extend_from_slice(&hash::mix(index ^ whiten).to_le_bytes());
        }
        bytes.extend_from_within(..WINDOW);
        (0..=WINDOW / REQUEST.len()).for_each(|_| bytes.extend_from_slice(REQUEST));
        Self { bytes, whiten }
    }

    /// The content of one version. `bucket` is the name in the scenario, not a region's own name for it.
    /// Version 0 is the synthetic original; an upload's version is its packed request id + 1.
    pub fn content(&self, bucket: &str, key: &str, version: u64) -> Content {
        self.placed(hash::bytes(bucket.as_bytes()), hash::bytes(key.as_bytes()), version)
    }

    /// The same, by the hashes of bucket and key.
    pub(crate) fn placed(&self, bucket: u64, key: u64, version: u64) -> Content {
        let place = hash::combine(&[self.whiten, bucket, key, version]);
        Content { shift: (place % POOL as u64) as usize }
    }

    /// The content of an upload of that law; `version` is its packed request id + 1.
    pub fn upload(&self, law: BodyLaw, bucket: &str, key: &str, version: u64) -> Content {
        match law {
            BodyLaw::Bytes => self.content(bucket, key, version),
            BodyLaw::HttpRequests => Content { shift: REQUESTS },
        }
    }

    /// All the bytes: the pool once, its first [`WINDOW`] again, and requests, so that any [`Content::place`] has a
    /// whole window behind it. For hosts that share them by reference count.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Where in the pool these bytes come from (at least 16 are needed), or `None` when they are not ours.
    pub fn locate(&self, bytes: &[u8]) -> Option<usize> {
        (0..8).find_map(|skip| {
            let index = self.index_of(bytes.get(skip..skip + 8)?)?;
            let next = bytes.get(skip + 8..skip + 16).map(|w| self.index_of(w));
            let expected = (index + 1) % WORDS;
            (next.is_none_or(|n| n == Some(expected)) && bytes.len() >= 16)
                .then_some((index * 8 + POOL - skip) % POOL)
        })
    }

    fn index_of(&self, word: &[u8]) -> Option<usize> {
        let word = u64::from_le_bytes(word.try_into().ok()?);
        let index = hash::unmix(word) ^ self.whiten;
        (index < WORDS as u64).then_some(index as usize)
    }
}

impl std::fmt::Debug for Pool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pool").finish_non_exhaustive()
    }
}

// === impl Content ===

impl Content {
    /// Up to `len` bytes from `offset`, at most [`WINDOW`]; never empty unless `len` is 0.
    pub fn chunk(self, pool: &Pool, offset: u64, len: usize) -> &[u8] {
        let start = self.place(offset);
        &pool.bytes[start..start + len.min(WINDOW)]
    }

    /// Where in [`Pool::as_bytes`] the byte at `offset` stands; at least [`WINDOW`] bytes of content follow there.
    pub fn place(self, offset: u64) -> usize {
        match self.shift.checked_sub(REQUESTS) {
            None => ((self.shift as u64).wrapping_add(offset) % POOL as u64) as usize,
            Some(within) => REQUESTS + ((within as u64).wrapping_add(offset) % REQUEST.len() as u64) as usize,
        }
    }

    /// The content that begins at `offset` of this one: a part of an upload.
    pub fn after(self, offset: u64) -> Self {
        Self { shift: self.place(offset) }
    }

    /// Compares received bytes with the content at `offset`; the position (in `got`) of the first wrong byte.
    pub fn mismatch(self, pool: &Pool, offset: u64, got: &[u8]) -> Option<usize> {
        let mut done = 0;
        while done < got.len() {
            let expected = self.chunk(pool, offset + done as u64, got.len() - done);
            let got = &got[done..done + expected.len()];
            if got != expected {
                return got.iter().zip(expected).position(|(a, b)| a != b).map(|at| done + at);
            }
            done += expected.len();
        }
        None
    }

    /// Whether bytes found at pool position `place` and seen at `offset` of a body belong to this content.
    pub fn is_at(self, place: usize, offset: u64) -> bool {
        self.place(offset) == place
    }

    /// The streaming hash of the first `len` bytes: what an intact upload stores.
    pub fn hash(self, pool: &Pool, len: u64) -> u64 {
        let mut hash = hash::Hash64::default();
        let mut offset = 0;
        while offset < len {
            let want = usize::try_from(len - offset).unwrap_or(WINDOW);
            let chunk = self.chunk(pool, offset, want);
            hash.update(chunk);
            offset += chunk.len() as u64;
        }
        hash.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::sync::OnceLock;

    fn pool() -> &'static Pool {
        static POOL: OnceLock<Pool> = OnceLock::new();
        POOL.get_or_init(|| Pool::new(7))
    }

    #[test]
    fn requests_follow_one_another_wherever_they_are_cut() {
        let pool = pool();
        let requests = pool.upload(BodyLaw::HttpRequests, "b", "k", 7);
        let whole = REQUEST.repeat(3);
        assert_eq!(requests.chunk(pool, 0, 192), whole);
        assert_eq!(requests.chunk(pool, 70, 100), &whole[6..106]);
        assert_eq!(requests.after(1_000_003).chunk(pool, 0, 64), &whole[1_000_003 % 64..][..64]);
        assert_eq!(requests.chunk(pool, 63, usize::MAX).len(), WINDOW);
        assert_eq!(requests.mismatch(pool, 5, &whole[5..150]), None);
        let mut hash = hash::Hash64::default();
        hash.update(&whole);
        assert_eq!(requests.hash(pool, 192), hash.finish());
        assert_eq!(pool.locate(&whole), None, "they are no object's bytes");
        let text = std::str::from_utf8(REQUEST).unwrap();
        assert!(text.contains(SMUGGLED_KEY) && text.ends_with("\r\n\r\n"));
        assert_eq!(pool.upload(BodyLaw::Bytes, "b", "k", 7), pool.content("b", "k", 7));
    }

    proptest! {
        #[test]
        fn any_cut_is_the_same_object(offset in 0u64..10_000_000, len in 1usize..600_000, cut in 0usize..600_000) {
            let content = pool().content("media", "img/1", 0);
            let whole: Vec<u8> = read(content, offset, len);
            let cut = cut.min(len);
            let mut two = read(content, offset, cut);
            two.extend(read(content, offset + cut as u64, len - cut));
            prop_assert_eq!(&whole, &two);
            prop_assert_eq!(content.mismatch(pool(), offset, &whole), None);
        }

        #[test]
        fn bytes_tell_where_they_come_from(offset in 0u64..10_000_000) {
            let content = pool().content("media", "img/2", 3);
            let bytes = read(content, offset, 24);
            let place = pool().locate(&bytes).expect("our bytes");
            prop_assert!(content.is_at(place, offset));
            prop_assert!(!pool().content("media", "img/3", 3).is_at(place, offset));
        }
    }

    #[test]
    fn a_part_is_the_same_bytes() {
        let content = pool().content("b", "k", 2);
        for offset in [0, 5 << 20, (2 << 20) - 3] {
            assert_eq!(read(content.after(offset), 100, 1000), read(content, offset + 100, 1000));
        }
    }

    #[test]
    fn foreign_bytes_are_not_located() {
        assert_eq!(pool().locate(b"<html><body>502 Bad Gateway</body></html>"), None);
        assert_eq!(pool().locate(&[0; 64]), None);
    }

    #[test]
    fn the_first_wrong_byte_is_found() {
        let content = pool().content("b", "k", 0);
        let mut bytes = read(content, 5, 1000);
        bytes[700] ^= 1;
        assert_eq!(content.mismatch(pool(), 5, &bytes), Some(700));
    }

    #[test]
    fn the_hash_is_the_hash_of_the_bytes() {
        let content = pool().content("b", "k", 9);
        assert_eq!(content.hash(pool(), 700_001), hash::bytes(&read(content, 0, 700_001)));
    }

    fn read(content: Content, offset: u64, len: usize) -> Vec<u8> {
        let mut out = Vec::new();
        while out.len() < len {
            let chunk = content.chunk(pool(), offset + out.len() as u64, len - out.len());
            out.extend_from_slice(chunk);
        }
        out
    }
}
