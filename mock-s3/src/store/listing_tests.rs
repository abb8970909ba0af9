//! Listings of keys and of versions: their order, their pages, what they leave out.

use std::sync::Arc;

use gatecrash_model::{Pool, Population, SizeLaw};
use proptest::prelude::*;

use super::listing::Page;
use super::{
    Attributes, Bucket, BucketState, Budget, Data, Entry, Keyspace, List, Owner, Placement, Stored,
    VersionEntry, VersionId, Versioning,
};

fn stored() -> Stored {
    Stored {
        data: Data::memory(&b"data"[..]),
        etag: "e".into(),
        hash: None,
        headers: Arc::default(),
        checksum: None,
        parts: Arc::default(),
        attributes: Attributes::default(),
    }
}

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
            change_every: None,
        }));
    }
    let placement = Placement::new(Arc::new(bucket), "b", BucketState::default());
    let (pool, budget) = (Pool::new(1), Budget::new(1000, None));
    let world = (&pool, &budget);
    for key in ["a", "doc/1.json", "doc/x", "z/1", "z/2"] {
        placement.put(key, stored(), Arc::clone(&owner), 0, world, &|_| Ok(())).unwrap();
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

#[test]
fn a_group_that_is_the_start_is_not_listed_again() {
    let placement = placement();
    let list = List { delimiter: "/".into(), after: "doc/".into(), ..all() };
    assert_eq!(names(&placement.list(&list)), ["img/", "z/"]);
    let list = List { delimiter: "oc".into(), after: "do".into(), ..all() };
    assert_eq!(names(&placement.list(&list))[..2], ["doc", "img/00"]);
}

/// A version of a key as text: the key, the id's beginning, `*` for the latest, `!` for a delete marker.
fn line(entry: &VersionEntry) -> String {
    let (id, marker, latest) = match entry {
        VersionEntry::Version { version, latest, .. } => (version.id.as_str(), version.is_marker(), *latest),
        VersionEntry::Synthetic { latest, .. } => ("null", false, *latest),
        VersionEntry::Group(group) => return group.clone(),
    };
    let id = if id == "null" { "null" } else { "id" };
    format!("{} {id}{}{}", entry.name(), if marker { "!" } else { "" }, if latest { "*" } else { "" })
}

#[test]
fn versions_come_newest_first_with_markers_and_synthetic_ones() {
    let placement = placement();
    let owner = Arc::new(Owner::of_account("1"));
    let (pool, budget) = (Pool::new(1), Budget::new(1000, None));
    let world = (&pool, &budget);
    placement.configure(|state| state.versioning = Versioning::Enabled);
    for key in ["a", "img/02"] {
        placement.put(key, stored(), Arc::clone(&owner), 0, world, &|_| Ok(())).unwrap();
    }
    placement.delete("img/00", None, &owner, 0, world, &|_| Ok(())).unwrap();
    placement.delete("a", None, &owner, 0, world, &|_| Ok(())).unwrap();
    let lines = |list: &List, after: Option<&VersionId>| {
        placement.list_versions(list, after).entries.iter().map(line).collect::<Vec<_>>()
    };
    let images = List { prefix: "img/".into(), ..all() };
    assert_eq!(lines(&images, None), ["img/00 id!*", "img/00 null", "img/02 id*", "img/02 null"]);
    assert_eq!(lines(&List { prefix: "a".into(), ..all() }, None), ["a id!*", "a id", "a null"]);
    let grouped = List { delimiter: "/".into(), ..all() };
    assert_eq!(lines(&grouped, None), ["a id!*", "a id", "a null", "doc/", "img/", "z/"]);
    // A version that has gone meanwhile: all that are left of the key.
    let from = List { prefix: "img/".into(), after: "img/02".into(), ..all() };
    let gone = VersionId::parse("gone");
    assert_eq!(lines(&from, Some(&gone)), ["img/02 id*", "img/02 null"]);
    assert_eq!(lines(&from, Some(&VersionId::Null)), Vec::<String>::new());
}

proptest! {
    /// Whatever was written and deleted, in whatever state of versioning.
    #[test]
    fn pages_of_every_size_join_to_the_whole(
        changes in proptest::collection::vec((0..3_u8, 0..14_usize), 0..40),
        prefix in "[ad]?(b/)?",
        delimiter in "[/b]?",
        limit in 1..7_usize,
    ) {
        const KEYS: [&str; 14] = [
            "a", "a/b/c", "ab", "ab/", "ab/1", "ab/12", "ab/2", "b", "d", "db/1", "db/3", "db/x", "é/b", "é",
        ];
        let owner = Arc::new(Owner::of_account("1"));
        let mut bucket = Bucket::empty("b", Arc::clone(&owner), 0, 7);
        for (pattern, count) in [("db/{n}", 11), ("ab/{n:02}", 101)] {
            let (pattern, sizes) = (pattern.parse().unwrap(), SizeLaw::Fixed(9));
            bucket.keyspaces.push(Keyspace::new(Population { bucket: "b".into(), count, pattern, sizes, seed: 0, change_every: None }));
        }
        let placement = Placement::new(Arc::new(bucket), "b", BucketState::default());
        let (pool, budget) = (Pool::new(1), Budget::new(1000, None));
        let world = (&pool, &budget);
        for (what, key) in changes {
            match what {
                0 => drop(placement.put(KEYS[key], stored(), Arc::clone(&owner), 0, world, &|_| Ok(())).unwrap()),
                1 => drop(placement.delete(KEYS[key], None, &owner, 0, world, &|_| Ok(())).unwrap()),
                _ => placement.configure(|state| {
                    state.versioning = if key % 2 == 0 { Versioning::Enabled } else { Versioning::Suspended };
                }),
            }
        }
        let whole = List { prefix, delimiter, ..all() };
        let expected: Vec<String> = names(&placement.list(&whole)).into_iter().map(str::to_owned).collect();
        let mut list = List { limit, ..whole.clone() };
        let mut joined = Vec::new();
        loop {
            let page = placement.list(&list);
            prop_assert!(page.entries.len() <= limit);
            joined.extend(names(&page).into_iter().map(str::to_owned));
            let Some(next) = page.next else { break };
            list.after = next;
        }
        prop_assert!(expected.is_sorted());
        prop_assert_eq!(joined, expected);

        let expected: Vec<String> = placement.list_versions(&whole, None).entries.iter().map(line).collect();
        let mut list = List { limit, ..whole };
        let (mut joined, mut after) = (Vec::new(), None);
        loop {
            let page = placement.list_versions(&list, after.as_ref());
            prop_assert!(page.entries.len() <= limit);
            joined.extend(page.entries.iter().map(line));
            let Some((key, version)) = page.next else { break };
            (list.after, after) = (key, version);
        }
        prop_assert_eq!(joined, expected);
    }
}

#[test]
fn pages_of_a_huge_population_cost_as_much_as_those_of_a_small_one() {
    let owner = Arc::new(Owner::of_account("1"));
    let mut bucket = Bucket::empty("b", owner, 0, 7);
    let (pattern, sizes) = ("img/{n}.bin".parse().unwrap(), SizeLaw::Fixed(9));
    let count = u32::MAX;
    bucket.keyspaces.push(Keyspace::new(Population {
        bucket: "b".into(),
        count,
        pattern,
        sizes,
        seed: 0,
        change_every: None,
    }));
    let placement = Placement::new(Arc::new(bucket), "b", BucketState::default());
    let middle = List { after: "img/2".into(), ..all() };
    let page = placement.list(&middle);
    assert_eq!(names(&page)[..3], ["img/2.bin", "img/20.bin", "img/200.bin"]);
    assert_eq!(page.next.as_deref(), names(&page).last().copied());
    assert!(names(&page).is_sorted());
    let end = List { after: "img/999999999".into(), ..all() };
    assert_eq!(names(&placement.list(&end)), ["img/999999999.bin"]);
    let grouped = List { delimiter: "/".into(), ..all() };
    assert_eq!(names(&placement.list(&grouped)), ["img/"]);
    assert!(placement.list_versions(&grouped, None).next.is_none());
}
