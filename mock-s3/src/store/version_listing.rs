//! The listing of all versions: keys in byte order, each with its newest version first.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::listing::List;
use super::merge::{Merge, Shown};
use super::placement::{Placement, Slot};
use super::version::{Version, VersionId};

/// One line of a listing of versions.
#[derive(Clone, Debug)]
pub(crate) enum VersionEntry {
    /// An uploaded version or a delete marker.
    Version { key: String, version: Arc<Version>, latest: bool },
    /// A synthetic object: the null version of its key.
    Synthetic { key: String, length: u64, etag: String, modified: i64, latest: bool },
    /// A common prefix, delimiter included.
    Group(String),
}

/// One page of a listing of versions.
#[derive(Clone, Debug, Default)]
pub(crate) struct VersionPage {
    pub(crate) entries: Vec<VersionEntry>,
    /// The last line of this page, where the next one goes on; none on the last page. A group has no version.
    pub(crate) next: Option<(String, Option<VersionId>)>,
}

impl Placement {
    /// One page of all versions. With `after` goes on within the key [`List::after`], behind that version; from
    /// the key's first version, when it is gone by now.
    pub(crate) fn list_versions(&self, list: &List, after: Option<&VersionId>) -> VersionPage {
        let slots = self.read();
        let mut merge = Merge::new(&self.bucket.keyspaces, &slots, Shown::Versions);
        let mut page = VersionPage::default();
        if list.limit == 0 {
            return page;
        }
        match after {
            Some(_) if list.after >= list.prefix => merge.seek(&list.after, false),
            _ => list.begin(&mut merge),
        }
        while let Some(key) = merge.key().filter(|key| key.starts_with(&list.prefix)) {
            if let Some(group) = list.group(&key) {
                if page.is_full(list) {
                    return page;
                }
                merge.seek_behind_all(group);
                page.entries.push(VersionEntry::Group(group.to_owned()));
                continue;
            }
            let mut versions = self.versions_of(&slots, &key);
            if key == list.after
                && let Some(after) = after
                && let Some(at) = versions.iter().position(|entry| entry.id() == Some(after))
            {
                versions.drain(..=at);
            }
            for entry in versions {
                if page.is_full(list) {
                    return page;
                }
                page.entries.push(entry);
            }
            merge.pass(&key);
        }
        page.next = None;
        page
    }

    /// The versions of a key, newest first.
    fn versions_of(&self, slots: &BTreeMap<String, Slot>, key: &str) -> Vec<VersionEntry> {
        let slot = slots.get(key);
        let versions = slot.map_or(&[][..], |slot| &slot.versions);
        let mut entries: Vec<VersionEntry> = versions
            .iter()
            .rev()
            .map(|version| VersionEntry::Version {
                key: key.to_owned(),
                version: Arc::clone(version),
                latest: false,
            })
            .collect();
        if !slot.is_some_and(|slot| slot.covers)
            && let Some((keyspace, n)) = self.synthetic(key)
        {
            let face = self.face(keyspace, key);
            entries.push(VersionEntry::Synthetic {
                key: key.to_owned(),
                length: keyspace.population.size(n),
                etag: face.etag,
                modified: face.modified,
                latest: false,
            });
        }
        if let Some(VersionEntry::Version { latest, .. } | VersionEntry::Synthetic { latest, .. }) =
            entries.first_mut()
        {
            *latest = true;
        }
        entries
    }
}

// === impl VersionPage ===

impl VersionPage {
    /// Whether nothing more goes on the page; then says where the next one begins.
    fn is_full(&mut self, list: &List) -> bool {
        let full = self.entries.len() >= list.limit;
        if full {
            self.next = self.entries.last().map(|last| (last.name().to_owned(), last.id().cloned()));
        }
        full
    }
}

// === impl VersionEntry ===

impl VersionEntry {
    /// The key, or the common prefix.
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Version { key, .. } | Self::Synthetic { key, .. } => key,
            Self::Group(group) => group,
        }
    }

    fn id(&self) -> Option<&VersionId> {
        match self {
            Self::Version { version, .. } => Some(&version.id),
            Self::Synthetic { .. } => Some(&VersionId::Null),
            Self::Group(_) => None,
        }
    }
}
