//! Listings: synthetic and uploaded keys merged in byte order, grouped by a delimiter, page by page.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use super::keyspace::Keyspace;
use super::object::Object;
use super::placement::{Placement, Slot};
use super::version::Version;

/// What to list.
#[derive(Clone, Debug, Default)]
pub(crate) struct List {
    pub(crate) prefix: String,
    /// Empty: no grouping.
    pub(crate) delimiter: String,
    /// Only what comes behind this.
    pub(crate) after: String,
    /// Keys and groups on one page.
    pub(crate) limit: usize,
}

/// One line of a listing.
#[derive(Clone, Debug)]
pub(crate) enum Entry {
    Key {
        key: String,
        length: u64,
        etag: String,
        modified: i64,
        /// None for synthetic objects.
        version: Option<Arc<Version>>,
    },
    /// A common prefix, delimiter included.
    Group(String),
}

/// One page of a listing.
#[derive(Clone, Debug, Default)]
pub(crate) struct Page {
    pub(crate) entries: Vec<Entry>,
    /// Where the next page begins, as [`List::after`]; none on the last page.
    pub(crate) next: Option<String>,
}

impl Placement {
    pub(crate) fn list(&self, list: &List) -> Page {
        let slots = self.read();
        let mut merge = Merge::new(&self.bucket.keyspaces, &slots);
        let mut page = Page::default();
        match list.after.as_str() < list.prefix.as_str() {
            true => merge.seek(&list.prefix, false),
            false => merge.seek(&list.after, !list.after.is_empty()),
        }
        let mut last = String::new();
        while let Some(key) = merge.key().filter(|key| key.starts_with(&list.prefix)) {
            if page.entries.len() == list.limit {
                page.next = (list.limit > 0).then_some(last);
                break;
            }
            let group = group(&key, list);
            match group {
                Some(group) => {
                    last = behind(&group);
                    merge.seek(&last, true);
                    page.entries.push(Entry::Group(group));
                }
                None => {
                    let entry = self.entry(&slots, &key);
                    last.clone_from(&key);
                    merge.pass(&key);
                    page.entries.extend(entry);
                }
            }
        }
        page
    }

    fn entry(&self, slots: &BTreeMap<String, Slot>, key: &str) -> Option<Entry> {
        let key = key.to_owned();
        if let Some(object) = slots.get(&key).and_then(|slot| Object::of(slot.version(None)?)) {
            let (length, modified) = (object.length(), object.modified);
            return Some(Entry::Key { key, length, etag: object.etag, modified, version: object.version });
        }
        let (keyspace, n) = self.synthetic(&key)?;
        let (length, etag) = (keyspace.population.size(n), keyspace.etag(&key));
        Some(Entry::Key { key, length, etag, modified: self.bucket.created, version: None })
    }
}

/// The common prefix a key belongs to.
fn group(key: &str, list: &List) -> Option<String> {
    if list.delimiter.is_empty() {
        return None;
    }
    let rest = &key[list.prefix.len()..];
    let at = rest.find(&list.delimiter)?;
    Some(key[..list.prefix.len() + at + list.delimiter.len()].to_owned())
}

/// A text behind every key that begins with `prefix`: no key has the last code point twice in a row after it.
fn behind(prefix: &str) -> String {
    format!("{prefix}\u{10FFFF}\u{10FFFF}")
}

/// Several ordered sources of keys, read as one. Deleted keys are passed over.
struct Merge<'s> {
    spaces: Vec<(&'s Keyspace, usize, Option<String>)>,
    slots: &'s BTreeMap<String, Slot>,
    slot: Option<&'s str>,
}

impl<'s> Merge<'s> {
    fn new(keyspaces: &'s [Keyspace], slots: &'s BTreeMap<String, Slot>) -> Self {
        Self { spaces: keyspaces.iter().map(|space| (space, 0, None)).collect(), slots, slot: None }
    }

    /// Goes to the first key not before `bound`, or behind it.
    fn seek(&mut self, bound: &str, past: bool) {
        for (space, position, key) in &mut self.spaces {
            *position = space.position(bound, past);
            *key = space.at(*position).map(|n| space.population.key(n));
        }
        let bound = if past { Bound::Excluded(bound) } else { Bound::Included(bound) };
        self.slot = self.slots.range::<str, _>((bound, Bound::Unbounded)).next().map(|(key, _)| key.as_str());
        self.skip_deleted();
    }

    /// The smallest key.
    fn key(&self) -> Option<String> {
        self.smallest().map(str::to_owned)
    }

    fn smallest(&self) -> Option<&str> {
        self.spaces.iter().filter_map(|(.., key)| key.as_deref()).chain(self.slot).min()
    }

    /// Goes past a key in every source.
    fn pass(&mut self, key: &str) {
        self.pass_one(key);
        self.skip_deleted();
    }

    fn pass_one(&mut self, passed: &str) {
        for (space, position, key) in &mut self.spaces {
            if key.as_deref() == Some(passed) {
                *position += 1;
                *key = space.at(*position).map(|n| space.population.key(n));
            }
        }
        if self.slot == Some(passed) {
            let behind = (Bound::Excluded(passed), Bound::Unbounded);
            self.slot = self.slots.range::<str, _>(behind).next().map(|(key, _)| key.as_str());
        }
    }

    /// Whether a slot has an object to show: its current version, or the synthetic one it does not cover.
    fn shows(&self, key: &str, slot: &Slot) -> bool {
        match slot.version(None) {
            Some(version) => !version.is_marker(),
            None => !slot.covers && self.spaces.iter().any(|(.., here)| here.as_deref() == Some(key)),
        }
    }

    fn skip_deleted(&mut self) {
        while let Some(key) = self.smallest().map(str::to_owned) {
            if self.slots.get(&key).is_none_or(|slot| self.shows(&key, slot)) {
                return;
            }
            self.pass_one(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use gatecrash_model::{Pool, Population, SizeLaw};

    use crate::store::{Attributes, Bucket, BucketState, Budget, Data, Owner, Stored};

    fn placement() -> Placement {
        let owner = Arc::new(Owner::of_account("1"));
        let mut bucket = Bucket::empty("b", Arc::clone(&owner), 0, 0);
        for (pattern, count) in [("doc/{n}.json", 12), ("img/{n:02}", 3)] {
            bucket.keyspaces.push(Keyspace::new(Population {
                bucket: "b".into(),
                count,
                pattern: pattern.parse().unwrap(),
                sizes: SizeLaw::Fixed(8),
                seed: 1,
            }));
        }
        let placement = Placement::new(Arc::new(bucket), "b", BucketState::default());
        let (pool, budget) = (Pool::new(1), Budget::new(1000, None));
        let world = (&pool, &budget);
        for key in ["a", "doc/1.json", "doc/x", "z/1", "z/2"] {
            let stored = Stored {
                data: Data::memory(&b"data"[..]),
                etag: "e".into(),
                hash: None,
                headers: Arc::default(),
                checksum: None,
                parts: Arc::default(),
                attributes: Attributes::default(),
            };
            placement.put(key, stored, Arc::clone(&owner), 0, world, &|_| Ok(())).unwrap();
        }
        let delete = || placement.delete("img/01", None, &owner, 0, world, &|_| Ok(())).unwrap();
        assert!(delete().applied);
        assert!(!delete().applied);
        placement
    }

    fn names(page: &Page) -> Vec<&str> {
        fn name(entry: &Entry) -> &str {
            match entry {
                Entry::Key { key, .. } => key,
                Entry::Group(group) => group,
            }
        }
        page.entries.iter().map(name).collect()
    }

    fn all() -> List {
        List { limit: 1000, ..List::default() }
    }

    #[test]
    fn everything_in_byte_order_without_what_is_deleted() {
        let placement = placement();
        let page = placement.list(&all());
        assert_eq!(
            names(&page),
            [
                "a",
                "doc/0.json",
                "doc/1.json",
                "doc/10.json",
                "doc/11.json",
                "doc/2.json",
                "doc/3.json",
                "doc/4.json",
                "doc/5.json",
                "doc/6.json",
                "doc/7.json",
                "doc/8.json",
                "doc/9.json",
                "doc/x",
                "img/00",
                "img/02",
                "z/1",
                "z/2"
            ]
        );
        assert_eq!(page.next, None);
        assert!(matches!(&page.entries[2], Entry::Key { length: 4, version: Some(_), .. }));
    }

    #[test]
    fn pages_join_to_the_whole_at_every_size() {
        let placement = placement();
        for delimiter in ["", "/"] {
            let whole = placement.list(&List { delimiter: delimiter.into(), ..all() });
            for limit in 1..=6 {
                let mut joined = Vec::new();
                let mut list = List { delimiter: delimiter.into(), limit, ..List::default() };
                loop {
                    let page = placement.list(&list);
                    joined.extend(names(&page).into_iter().map(str::to_owned));
                    match page.next {
                        Some(next) => list.after = next,
                        None => break,
                    }
                }
                assert_eq!(joined, names(&whole), "{delimiter:?} {limit}");
            }
        }
    }

    #[test]
    fn prefix_delimiter_and_start() {
        let placement = placement();
        let list = |prefix: &str, delimiter: &str, after: &str| {
            let list =
                List { prefix: prefix.into(), delimiter: delimiter.into(), after: after.into(), limit: 1000 };
            names(&placement.list(&list)).into_iter().map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(list("", "/", ""), ["a", "doc/", "img/", "z/"]);
        assert_eq!(list("doc/1", "", ""), ["doc/1.json", "doc/10.json", "doc/11.json"]);
        assert_eq!(list("doc/", "/", "doc/8.json"), ["doc/9.json", "doc/x"]);
        assert_eq!(list("", "/", "doc/5"), ["doc/", "img/", "z/"]);
        assert_eq!(list("", "", "z/1"), ["z/2"]);
        assert_eq!(list("zz", "", ""), Vec::<String>::new());
    }

    #[test]
    fn a_limit_of_zero_is_an_empty_last_page() {
        let placement = placement();
        let page = placement.list(&List::default());
        assert!(page.entries.is_empty() && page.next.is_none());
    }
}
