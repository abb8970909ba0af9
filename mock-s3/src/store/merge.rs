//! Several ordered sources of keys, read as one.

use std::collections::BTreeMap;
use std::ops::Bound;

use super::keyspace::Keyspace;
use super::placement::Slot;

/// Which keys there are to a reader.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Shown {
    /// Those with an object now.
    Current,
    /// Those with any version, delete markers included.
    Versions,
}

/// The populations of a bucket and what was written to it, as one row of keys in byte order.
pub(super) struct Merge<'s> {
    spaces: Vec<Space<'s>>,
    slots: &'s BTreeMap<String, Slot>,
    /// The key of the slots we are at.
    slot: Option<&'s str>,
    shown: Shown,
}

struct Space<'s> {
    keyspace: &'s Keyspace,
    position: u32,
    key: Option<String>,
}

impl<'s> Merge<'s> {
    pub(super) fn new(keyspaces: &'s [Keyspace], slots: &'s BTreeMap<String, Slot>, shown: Shown) -> Self {
        let spaces = keyspaces.iter().map(|keyspace| Space { keyspace, position: 0, key: None });
        Self { spaces: spaces.collect(), slots, slot: None, shown }
    }

    /// Goes to the first key not before `bound`, or with `past` behind it.
    pub(super) fn seek(&mut self, bound: &str, past: bool) {
        for space in &mut self.spaces {
            space.position = space.keyspace.position(bound, past);
            space.key = space.keyspace.key_at(space.position);
        }
        let bound = if past { Bound::Excluded(bound) } else { Bound::Included(bound) };
        self.slot = self.slots.range::<str, _>((bound, Bound::Unbounded)).next().map(|(key, _)| key.as_str());
        self.skip_hidden();
    }

    /// Goes behind every key that begins with `prefix`.
    pub(super) fn seek_behind_all(&mut self, prefix: &str) {
        match behind_all(prefix) {
            Some(bound) => self.seek(&bound, false),
            None => {
                self.spaces.iter_mut().for_each(|space| space.key = None);
                self.slot = None;
            }
        }
    }

    /// The key we are at.
    pub(super) fn key(&self) -> Option<String> {
        self.smallest().map(str::to_owned)
    }

    /// Goes past a key in every source.
    pub(super) fn pass(&mut self, key: &str) {
        self.pass_one(key);
        self.skip_hidden();
    }

    fn smallest(&self) -> Option<&str> {
        self.spaces.iter().filter_map(|space| space.key.as_deref()).chain(self.slot).min()
    }

    fn pass_one(&mut self, passed: &str) {
        for space in &mut self.spaces {
            if space.key.as_deref() == Some(passed) {
                space.position += 1;
                space.key = space.keyspace.key_at(space.position);
            }
        }
        if self.slot == Some(passed) {
            let behind = (Bound::Excluded(passed), Bound::Unbounded);
            self.slot = self.slots.range::<str, _>(behind).next().map(|(key, _)| key.as_str());
        }
    }

    fn skip_hidden(&mut self) {
        while let Some(key) = self.smallest().map(str::to_owned) {
            if self.slots.get(&key).is_none_or(|slot| self.shows(&key, slot)) {
                return;
            }
            self.pass_one(&key);
        }
    }

    /// Whether a slot has something to show, or leaves the synthetic object uncovered.
    fn shows(&self, key: &str, slot: &Slot) -> bool {
        match (slot.version(None), self.shown) {
            (Some(version), Shown::Current) => !version.is_marker(),
            (Some(_), Shown::Versions) => true,
            (None, _) => !slot.covers && self.spaces.iter().any(|space| space.key.as_deref() == Some(key)),
        }
    }
}

/// The first text behind all that begin with `prefix`; none when there is none. UTF-8 is in the order of its
/// code points.
pub(super) fn behind_all(prefix: &str) -> Option<String> {
    let mut text = prefix.to_owned();
    while let Some(last) = text.pop() {
        // Steps over the surrogates, which are no characters.
        let next = (last as u32 + 1..=char::MAX as u32).find_map(char::from_u32);
        if let Some(next) = next {
            text.push(next);
            return Some(text);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_behind_a_prefix() {
        let table = [
            ("a/", Some("a0")),
            ("é", Some("ê")),
            ("a\u{D7FF}", Some("a\u{E000}")),
            ("a\u{10FFFF}", Some("b")),
            ("\u{10FFFF}\u{10FFFF}", None),
            ("", None),
        ];
        for (prefix, behind) in table {
            assert_eq!(behind_all(prefix).as_deref(), behind, "{prefix:?}");
        }
    }
}
