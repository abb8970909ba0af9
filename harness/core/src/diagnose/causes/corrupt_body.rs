//! `corrupt-body`: bytes that change

use std::collections::BTreeMap;

use super::super::evidence::Evidence;
use super::super::{Cause, Observations, Place, Sample};

pub(super) const CAUSE: Cause = Cause {
    name: "corrupt-body",
    summary: "the same object comes with different bytes",
    doc: "Whole answers with one ETag and different bytes. No gateway notices; a client that verifies \
          checksums does. If S3 itself is steady and the gateway is not, the gateway or its cache \
          damages them.",
    look_at: &[
        ("nginx", "`proxy_cache` files on a bad disk, `sub_filter`, `gzip` of stored encodings"),
        ("HAProxy", "`compression`, Lua or filters that touch bodies"),
        ("Envoy", "body-changing filters (Lua, WASM, compressor)"),
        ("clients", "checksum validation of the SDK, `x-amz-checksum-mode: ENABLED`"),
    ],
    find,
};

fn find(seen: &Observations) -> Option<Evidence> {
    [Place::Endpoint, Place::Gateway].into_iter().find_map(|place| found_at(seen, place))
}

fn found_at(seen: &Observations, place: Place) -> Option<Evidence> {
    let whole = |at: Place| {
        let answers = seen.reads(at).filter_map(Sample::answer).filter(|a| a.status < 300 && !a.part);
        answers.filter_map(|a| Some((a.etag.as_deref()?, a.digest?)))
    };
    let mine: Vec<_> = whole(place).collect();
    let mut times: BTreeMap<(&str, u64), usize> = BTreeMap::new();
    let others = [Place::Endpoint].into_iter().filter(|at| *at != place).flat_map(whole);
    for body in mine.iter().copied().chain(others) {
        *times.entry(body).or_default() += 1;
    }
    // The bytes seen most often under an ETag are taken for the right ones; of equals, the first.
    let right = |etag: &str| times.iter().filter(|((e, _), _)| *e == etag).max_by_key(|(_, n)| **n);
    let odd = |body: &&(&str, u64)| right(body.0).is_some_and(|(right, _)| right.1 != body.1);
    let met = mine.iter().filter(odd).count();
    Evidence::of(place, met, mine.len(), "whole bodies differ from others with the same ETag")
}
