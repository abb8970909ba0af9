//! The synthetic objects of a bucket as closed forms: which keys exist and how long each one is.
//!
//! The load generator and the mock both hold the same value, so that the generator knows what to expect
//! without asking. Contents are [`crate::Pool::content`] of (bucket, key, version 0), and where the objects change
//! those of their [`Lineage`].

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::time::Nanos;
use crate::versions::Lineage;
use crate::{draw, hash};

/// Objects 0 to `count - 1` of one bucket.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Population {
    /// Bucket name in the scenario, not a region's own name for it.
    pub bucket: String,
    /// How many there are.
    pub count: u32,
    /// How they are called.
    pub pattern: ObjectKeys,
    /// How long they are.
    pub sizes: SizeLaw,
    /// Seed of the run: decides weighted sizes.
    pub seed: u64,
    /// How often each of them changes, ns; they never do when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change_every: Option<Nanos>,
}

/// How the objects of a population are called.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ObjectKeys {
    /// By a number.
    Pattern(KeyPattern),
    /// One by one; object `n` is the one with key `n`.
    Listed(KeyList),
}

/// Keys in byte order, none twice. Cheap to clone.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(from = "Vec<String>", into = "Vec<String>")]
pub struct KeyList(Arc<[Arc<str>]>);

/// Lengths one by one, bytes. Cheap to clone.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(from = "Vec<u64>", into = "Vec<u64>")]
pub struct Lengths(Arc<[u64]>);

/// Object keys with a number in them: `doc/{n}.json`, or `img/{n:06}.bin` with leading zeros to six digits.
#[derive(Clone, PartialEq, Eq, Debug, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct KeyPattern {
    before: String,
    after: String,
    width: usize,
}

/// The length of object `n`, bytes.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SizeLaw {
    /// All alike.
    Fixed(u64),
    /// (bytes, share): a keyed draw picks one for each object. Shares need not add up to 1.
    Weighted(Vec<(u64, f64)>),
    /// Lognormal, as objects of real stores roughly are: many short ones, few long ones.
    #[serde(rename_all = "kebab-case")]
    Lognormal {
        /// Half of the objects are shorter.
        median: u64,
        /// One in a hundred is longer.
        p99: u64,
        /// None is longer; a longer draw is cut down to it.
        max: u64,
    },
    /// Object `n` has length `n`; one beyond them is empty.
    Listed(Lengths),
}

/// Why a text is no key pattern.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum PatternError {
    /// No `{n}`.
    #[error("the key pattern has no {{n}} or {{n:06}}")]
    NoNumber,
    /// More than one `{…}`, or one that is not closed.
    #[error("a key pattern has one {{n}} or {{n:06}} and no other brace")]
    Braces,
    /// The width is not `0` and one or two digits, 1 to 10.
    #[error("the width in {{n:0W}} is 1 to 10, written with a leading zero as in {{n:06}}")]
    Width,
}

// === impl Population ===

impl Population {
    /// The key of object `n`.
    pub fn key(&self, n: u32) -> String {
        self.pattern.key(n)
    }

    /// The object with this key, if there is one.
    pub fn index(&self, key: &str) -> Option<u32> {
        self.pattern.index(key).filter(|n| *n < self.count)
    }

    /// The length of object `n`, bytes.
    pub fn size(&self, n: u32) -> u64 {
        self.sizes.size(self.seed, &self.bucket, n)
    }

    /// The ETag of the object with this key (of its first version), without quotes: 32 hex digits and the `-1` of a multipart upload with
    /// one part, so that nobody takes it for the MD5 of the bytes. Follows from seed, bucket and key alone.
    pub fn etag(&self, key: &str) -> String {
        let words = [self.seed, hash::bytes(self.bucket.as_bytes()), hash::bytes(key.as_bytes())];
        tag_text(hash::combine(&words))
    }

    /// The versions of the object with this key; `None` when there is none, or it does not change.
    pub fn lineage(&self, key: &str) -> Option<Lineage> {
        let every = self.change_every.filter(|_| self.index(key).is_some())?;
        Some(Lineage::new(self.seed, &self.bucket, key, every))
    }

    /// How many objects there are.
    pub fn len(&self) -> u32 {
        self.count
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }
}

/// An ETag made of a hash.
pub(crate) fn tag_text(high: u64) -> String {
    // Written by hand: every answer of the mock has one.
    let mut text = String::with_capacity(34);
    for word in [high, hash::mix(high)] {
        text.extend(
            (0..16).rev().map(|at| char::from(b"0123456789abcdef"[(word >> (4 * at) & 15) as usize])),
        );
    }
    text.push_str("-1");
    text
}

// === impl SizeLaw ===

impl SizeLaw {
    /// The length of object `n` of `bucket` under `seed`; 0 for a weighted law without shares.
    pub fn size(&self, seed: u64, bucket: &str, n: u32) -> u64 {
        let key = || hash::combine(&[seed, hash::bytes(bucket.as_bytes()), u64::from(n)]);
        match self {
            Self::Fixed(bytes) => *bytes,
            Self::Weighted(choices) => pick(choices, draw::unit(key())),
            Self::Lognormal { median, p99, max } => {
                let law = draw::Lognormal::of_quantiles(*median as f64, *p99 as f64);
                (law.at(key()).round() as u64).min(*max)
            }
            Self::Listed(lengths) => lengths.0.get(n as usize).copied().unwrap_or(0),
        }
    }
}

fn pick(choices: &[(u64, f64)], at: f64) -> u64 {
    let total: f64 = choices.iter().map(|(_, share)| share).sum();
    let mut left = at * total;
    for (bytes, share) in choices {
        if left < *share {
            return *bytes;
        }
        left -= share;
    }
    choices.last().map_or(0, |(bytes, _)| *bytes)
}

// === impl ObjectKeys ===

impl ObjectKeys {
    /// The key of object `n`; empty beyond a list.
    pub fn key(&self, n: u32) -> String {
        match self {
            Self::Pattern(pattern) => pattern.key(n),
            Self::Listed(list) => list.at(n).unwrap_or_default().to_owned(),
        }
    }

    /// The number of a key.
    pub fn index(&self, key: &str) -> Option<u32> {
        match self {
            Self::Pattern(pattern) => pattern.index(key),
            Self::Listed(list) => list.index(key),
        }
    }

    /// What every key begins with, as far as that is known without a look at each.
    pub fn prefix(&self) -> &str {
        match self {
            Self::Pattern(pattern) => pattern.prefix(),
            Self::Listed(_) => "",
        }
    }
}

impl From<KeyPattern> for ObjectKeys {
    fn from(pattern: KeyPattern) -> Self {
        Self::Pattern(pattern)
    }
}

impl std::str::FromStr for ObjectKeys {
    type Err = PatternError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self::Pattern)
    }
}

// === impl KeyList ===

impl KeyList {
    /// Key number `n`.
    pub fn at(&self, n: u32) -> Option<&str> {
        self.0.get(n as usize).map(AsRef::as_ref)
    }

    /// The number of a key.
    pub fn index(&self, key: &str) -> Option<u32> {
        self.0.binary_search_by(|own| own.as_ref().cmp(key)).ok().map(|at| at as u32)
    }

    /// How many there are.
    pub fn len(&self) -> u32 {
        u32::try_from(self.0.len()).unwrap_or(u32::MAX)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromIterator<Arc<str>> for KeyList {
    fn from_iter<I: IntoIterator<Item = Arc<str>>>(keys: I) -> Self {
        let mut keys: Vec<_> = keys.into_iter().collect();
        keys.sort_unstable();
        keys.dedup();
        Self(keys.into())
    }
}

impl From<Vec<String>> for KeyList {
    fn from(keys: Vec<String>) -> Self {
        keys.into_iter().map(Arc::from).collect()
    }
}

impl From<KeyList> for Vec<String> {
    fn from(list: KeyList) -> Self {
        list.0.iter().map(|key| key.to_string()).collect()
    }
}

// === impl Lengths ===

impl From<Vec<u64>> for Lengths {
    fn from(lengths: Vec<u64>) -> Self {
        Self(lengths.into())
    }
}

impl From<Lengths> for Vec<u64> {
    fn from(lengths: Lengths) -> Self {
        lengths.0.to_vec()
    }
}

// === impl KeyPattern ===

impl KeyPattern {
    /// The key of object `n`.
    pub fn key(&self, n: u32) -> String {
        let Self { before, after, width } = self;
        format!("{before}{n:0width$}{after}")
    }

    /// The number in a key of this pattern, exactly as [`KeyPattern::key`] writes it.
    pub fn index(&self, key: &str) -> Option<u32> {
        let digits = key.strip_prefix(self.before.as_str())?.strip_suffix(self.after.as_str())?;
        let canonical =
            digits.len() == self.width.max(1) || (digits.len() > self.width && !digits.starts_with('0'));
        (canonical && digits.bytes().all(|b| b.is_ascii_digit())).then(|| digits.parse().ok())?
    }

    /// What every key begins with.
    pub fn prefix(&self) -> &str {
        &self.before
    }

    /// What every key ends with.
    pub fn suffix(&self) -> &str {
        &self.after
    }

    /// Digits of a short number, filled up with zeros; 0 or 1: none is filled up.
    pub fn width(&self) -> usize {
        self.width
    }
}

impl std::str::FromStr for KeyPattern {
    type Err = PatternError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (before, rest) = text.split_once('{').ok_or(PatternError::NoNumber)?;
        let (inside, after) = rest.split_once('}').ok_or(PatternError::Braces)?;
        if before.contains('}') || after.contains(['{', '}']) {
            return Err(PatternError::Braces);
        }
        let width = match inside.strip_prefix('n').ok_or(PatternError::NoNumber)? {
            "" => 0,
            width => width
                .strip_prefix(":0")
                .filter(|w| w.bytes().all(|b| b.is_ascii_digit()))
                .and_then(|w| w.parse().ok())
                .filter(|w| (1..=10).contains(w))
                .ok_or(PatternError::Width)?,
        };
        Ok(Self { before: before.to_owned(), after: after.to_owned(), width })
    }
}

impl fmt::Display for KeyPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.width {
            0 => write!(f, "{}{{n}}{}", self.before, self.after),
            width => write!(f, "{}{{n:0{width}}}{}", self.before, self.after),
        }
    }
}

impl TryFrom<String> for KeyPattern {
    type Error = PatternError;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<KeyPattern> for String {
    fn from(pattern: KeyPattern) -> Self {
        pattern.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn pattern(text: &str) -> KeyPattern {
        text.parse().unwrap()
    }

    #[test]
    fn listed_objects_have_keys_and_lengths_of_their_own() {
        let keys: KeyList = ["b", "a/1", "b", "ä"].map(Arc::from).into_iter().collect();
        let sizes = SizeLaw::Listed(vec![10, 20, 30].into());
        let population = Population {
            bucket: "m".into(),
            count: 3,
            pattern: ObjectKeys::Listed(keys),
            sizes,
            seed: 1,
            change_every: None,
        };
        let all: Vec<_> = (0..4).map(|n| (population.key(n), population.size(n))).collect();
        let wanted = [("a/1", 10), ("b", 20), ("ä", 30), ("", 0)].map(|(key, size)| (key.to_owned(), size));
        assert_eq!(all, wanted);
        assert_eq!(
            ["a/1", "b", "ä", "c", ""].map(|key| population.index(key)),
            [Some(0), Some(1), Some(2), None, None]
        );
    }

    proptest! {
        #[test]
        fn a_key_tells_its_number(n: u32, width in 0usize..=10) {
            let text = if width == 0 { "a/{n}.bin".to_owned() } else { format!("a/{{n:0{width}}}.bin") };
            let pattern = pattern(&text);
            prop_assert_eq!(pattern.index(&pattern.key(n)), Some(n));
            prop_assert_eq!(pattern.to_string(), text);
        }
    }

    #[test]
    fn keys_are_written_as_the_pattern_says() {
        assert_eq!(pattern("img/{n:06}.bin").key(42), "img/000042.bin");
        assert_eq!(pattern("doc/{n}").key(0), "doc/0");
        assert_eq!(pattern("{n:02}").key(12_345), "12345");
    }

    #[test]
    fn only_keys_of_the_pattern_have_a_number() {
        let padded = pattern("img/{n:06}.bin");
        for key in ["img/42.bin", "img/0000042.bin", "img/00004x.bin", "img/.bin", "doc/000042.bin", "img/"] {
            assert_eq!(padded.index(key), None, "{key}");
        }
        let plain = pattern("d/{n}");
        for key in ["d/", "d/00", "d/01", "d/+1", "d/4294967296", "d/1/2"] {
            assert_eq!(plain.index(key), None, "{key}");
        }
    }

    #[test]
    fn bad_patterns_say_why() {
        let table = [
            ("plain", PatternError::NoNumber),
            ("a/{k}", PatternError::NoNumber),
            ("a/{n", PatternError::Braces),
            ("a/{n}{n}", PatternError::Braces),
            ("}{n}", PatternError::Braces),
            ("a/{n:6}", PatternError::Width),
            ("a/{n:00}", PatternError::Width),
            ("a/{n:011}", PatternError::Width),
            ("a/{n:0+6}", PatternError::Width),
        ];
        for (text, error) in table {
            assert_eq!(text.parse::<KeyPattern>(), Err(error), "{text}");
        }
    }

    #[test]
    fn weighted_sizes_follow_their_shares_and_the_seed() {
        let mut population = Population {
            bucket: "media".into(),
            count: 20_000,
            pattern: pattern("{n}").into(),
            sizes: SizeLaw::Weighted(vec![(16_384, 0.9), (1_048_576, 0.1)]),
            seed: 7,
            change_every: None,
        };
        let sizes: Vec<u64> = (0..population.len()).map(|n| population.size(n)).collect();
        let big = sizes.iter().filter(|s| **s == 1_048_576).count();
        assert!(sizes.iter().all(|s| matches!(s, 16_384 | 1_048_576)));
        assert!((1_830..=2_170).contains(&big), "{big}");
        population.seed = 8;
        assert_ne!(sizes, (0..population.len()).map(|n| population.size(n)).collect::<Vec<_>>());
    }

    #[test]
    fn lognormal_sizes_have_their_quantiles_and_stay_below_the_longest() {
        let law = SizeLaw::Lognormal { median: 24 << 10, p99: 2 << 20, max: 8 << 20 };
        let mut sizes: Vec<u64> = (0..50_000).map(|n| law.size(7, "media", n)).collect();
        sizes.sort_unstable();
        let near = |at: usize, bytes: u64| (sizes[at] as f64 / bytes as f64 - 1.0).abs();
        assert!(near(25_000, 24 << 10) < 0.04, "{}", sizes[25_000]);
        assert!(near(49_500, 2 << 20) < 0.15, "{}", sizes[49_500]);
        assert_eq!(*sizes.last().unwrap(), 8 << 20);
        assert_eq!(law.size(7, "media", 3), law.clone().size(7, "media", 3));
        let constant = SizeLaw::Lognormal { median: 9, p99: 9, max: 9 };
        assert!((0..100).all(|n| constant.size(7, "media", n) == 9));
    }

    fn five(sizes: SizeLaw) -> Population {
        Population {
            bucket: "b".into(),
            count: 5,
            pattern: pattern("{n}").into(),
            sizes,
            seed: 0,
            change_every: None,
        }
    }

    #[test]
    fn an_etag_follows_from_seed_bucket_and_key() {
        let population = five(SizeLaw::Fixed(5 << 40));
        let other = Population { seed: 1, ..population.clone() };
        let etag = population.etag("4");
        assert_eq!((etag.len(), etag.ends_with("-1"), &etag), (34, true, &population.clone().etag("4")));
        assert!(etag != population.etag("3") && etag != other.etag("4"));
        assert_eq!(population.size(4), 5_497_558_138_880);
    }

    #[test]
    fn an_index_stays_below_the_count() {
        let population = five(SizeLaw::Fixed(8));
        assert_eq!(population.index("4"), Some(4));
        assert_eq!(population.index("5"), None);
        assert_eq!(population.size(3), 8);
    }
}
