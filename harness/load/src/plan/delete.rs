//! Which uploads a delete names, and the document of a batch.

use base64::Engine as _;
use md5::{Digest as _, Md5};

use super::Choice;
use crate::workload::{OpPlan, Workload};

/// How far a victim is looked for before an arrival that uploaded nothing will do.
const SEARCH: u32 = 64;

/// `count` upload keys of arrivals before `k`, starting at a keyed draw and walking back (round to `k - 1`)
/// over the arrivals that upload. Where there is no upload within reach, the key of one that never was:
/// deleting it is legal and changes nothing. Keys may repeat between deletes, not within one batch.
///
/// A delete that is replayed names what it named.
pub(super) fn victims(workload: &Workload, k: u32, count: u16) -> impl Iterator<Item = String> + '_ {
    let replayed = workload.replay.as_ref().map(|replay| replay.key(k).to_owned());
    let drawn = replayed.is_none().then(|| drawn(workload, k, count)).into_iter().flatten();
    replayed.into_iter().chain(drawn)
}

fn drawn(workload: &Workload, k: u32, count: u16) -> impl Iterator<Item = String> + '_ {
    let start = (draw_below(workload, k)).unwrap_or(k);
    let uploads = (0..SEARCH.min(k))
        .map(move |back| (start + k - back) % k)
        .filter(|j| workload.op(*j).is_some_and(OpPlan::is_upload));
    let none = if k == 0 { 0 } else { start };
    let mut uploads = uploads.peekable();
    let fallback = uploads.peek().is_none().then_some(none);
    uploads.chain(fallback).take(usize::from(count)).map(|j| workload.writes.keys.key(j))
}

fn draw_below(workload: &Workload, k: u32) -> Option<u32> {
    let draw = u128::from(workload.draw(Choice::Victim, k));
    (k > 0).then_some(((draw * u128::from(k)) >> 64) as u32)
}

/// The body of a DeleteObjects request.
pub(super) fn document(keys: &[String]) -> Vec<u8> {
    let mut xml =
        String::from("<Delete xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Quiet>true</Quiet>");
    for key in keys {
        xml.push_str("<Object><Key>");
        for c in key.chars() {
            match c {
                '&' => xml.push_str("&amp;"),
                '<' => xml.push_str("&lt;"),
                '>' => xml.push_str("&gt;"),
                c => xml.push(c),
            }
        }
        xml.push_str("</Key></Object>");
    }
    xml.push_str("</Delete>");
    xml.into_bytes()
}

/// The value of Content-MD5, which S3 wants with a batch.
pub(crate) fn content_md5(document: &[u8]) -> String {
    base64::engine::general_purpose::STANDARD.encode(Md5::digest(document))
}
