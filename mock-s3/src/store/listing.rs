//! Listings: synthetic and uploaded keys merged in byte order, grouped by a delimiter, page by page.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::merge::{Merge, Shown};
use super::object::Object;
use super::placement::{Placement, Slot};
use super::version::Version;

/// What to list.
#[derive(Clone, Debug, Default)]
pub(crate) struct List {
    pub(crate) prefix: String,
    /// Empty: no grouping.
    pub(crate) delimiter: String,
    /// Only what comes behind this; behind the whole group where it is one.
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

// === impl List ===

impl List {
    /// The common prefix a key belongs to.
    pub(super) fn group<'k>(&self, key: &'k str) -> Option<&'k str> {
        if self.delimiter.is_empty() {
            return None;
        }
        let at = key.strip_prefix(self.prefix.as_str())?.find(&self.delimiter)?;
        Some(&key[..self.prefix.len() + at + self.delimiter.len()])
    }

    /// Goes to the first key to be listed.
    pub(super) fn begin(&self, merge: &mut Merge<'_>) {
        if self.after.as_str() < self.prefix.as_str() || self.after.is_empty() {
            merge.seek(&self.prefix, false);
        } else if self.group(&self.after) == Some(&self.after) {
            merge.seek_behind_all(&self.after);
        } else {
            merge.seek(&self.after, true);
        }
    }
}

// === impl Placement ===

impl Placement {
    /// One page of the current objects.
    pub(crate) fn list(&self, list: &List) -> Page {
        let slots = self.read();
        let mut merge = Merge::new(&self.bucket.keyspaces, &slots, Shown::Current);
        let mut page = Page::default();
        if list.limit == 0 {
            return page;
        }
        list.begin(&mut merge);
        let mut last = String::new();
        while let Some(key) = merge.key().filter(|key| key.starts_with(&list.prefix)) {
            if page.entries.len() == list.limit {
                page.next = Some(last);
                break;
            }
            match list.group(&key) {
                Some(group) => {
                    merge.seek_behind_all(group);
                    last = group.to_owned();
                    page.entries.push(Entry::Group(group.to_owned()));
                }
                None => {
                    page.entries.extend(self.entry(&slots, &key));
                    merge.pass(&key);
                    last = key;
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
        let (length, face) = (keyspace.population.size(n), self.face(keyspace, &key));
        Some(Entry::Key { key, length, etag: face.etag, modified: face.modified, version: None })
    }
}
