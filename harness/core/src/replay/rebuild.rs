//! From requests that were made to a workload that makes them again.

use std::collections::{BTreeMap, HashMap};
use std::io::{self, BufRead, Read as _};
use std::sync::Arc;

use gatecrash_model::{KeyList, Nanos};

use super::access_log::{self, Line};
use super::{Log, Logged, Texts, stored_run};
use crate::plan::{Kind, Script};

/// Most requests of one log.
pub const MOST: usize = 4_000_000;
/// Longest line, bytes: user agents may be long.
const LONGEST: u64 = 64 << 10;
/// Wrong lines that are shown.
const SHOWN: usize = 3;
const SECOND: Nanos = 1_000_000_000;

/// Which requests of a log are wanted.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Bounds<'a> {
    /// Only those to this bucket; where there are several and none is named, those to `own`.
    pub bucket: Option<&'a str>,
    /// The bucket of the workload.
    pub own: &'a str,
    /// Of a stored run, only those of this workload.
    pub workload: Option<&'a str>,
    /// How much of the beginning is left out.
    pub skip: Nanos,
    /// How much of the rest is taken, in the time of the log.
    pub length: Nanos,
    /// At most so many requests.
    pub limit: usize,
    /// How many times as fast they are replayed, above 0.
    pub speed: f64,
}

/// An object that was there before the log began: its key, and its size where a line tells it.
pub type ReadObject = (Arc<str>, Option<u64>);

/// A workload as a log tells it.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Rebuilt {
    /// Its requests.
    pub script: Script,
    /// When they are due, from the first one.
    pub instants: Vec<Nanos>,
    /// What they upload, bytes; 0 for those that do not.
    pub uploads: Vec<u64>,
    /// Objects that were there before the first request, in order of their keys, with their sizes where these are known.
    pub objects: Vec<ReadObject>,
    /// Lines that are no request of ours, most frequent first.
    pub left_out: Vec<(String, u64)>,
    /// Lines that could not be read.
    pub malformed: u64,
    /// The first of them, with what was expected.
    pub shown: Vec<String>,
}

/// Why nothing could be rebuilt.
#[derive(Debug, thiserror::Error)]
pub enum RebuildError {
    /// A file.
    #[error("cannot read {0}: {1}")]
    Read(String, io::Error),
    /// A gzip file.
    #[error("{0} is compressed: unpack it first")]
    Compressed(String),
    /// Hardly a log.
    #[error("{malformed} of {lines} lines are none of an S3 server access log: {}", shown.join("; "))]
    NoLog {
        /// Lines that could not be read.
        malformed: u64,
        /// All lines.
        lines: u64,
        /// The first wrong ones.
        shown: Vec<String>,
    },
    /// Nothing that can be made again, with what is there instead.
    #[error("there is no request in it that can be replayed{0}")]
    Nothing(String),
    /// Which bucket?
    #[error("it has requests to the buckets {}: name one, `bucket: {}`", .0.join(", "), .0[0])]
    Buckets(Vec<String>),
    /// Not that one.
    #[error("it has no request to `{bucket}`, but to {}", .others.join(", "))]
    OtherBuckets {
        /// The one that is wanted.
        bucket: String,
        /// Those that there are.
        others: Vec<String>,
    },
    /// Too long.
    #[error("it has more than {MOST} requests: take a part of them")]
    TooMany,
}

/// Rebuilds the workload that a log tells of.
pub fn rebuild(log: Log, bounds: &Bounds<'_>) -> Result<Rebuilt, RebuildError> {
    let mut heap = Heap::default();
    match log {
        Log::Texts(texts) => heap.read(texts)?,
        Log::Run(run) => {
            for line in stored_run::lines(&run.0, &run.1, bounds.workload) {
                heap.add(line)?;
            }
        }
    }
    heap.rebuilt(bounds)
}

/// All requests of a log, before anything is chosen.
#[derive(Default)]
struct Heap {
    buckets: Vec<String>,
    kinds: Vec<Kind>,
    kind_places: HashMap<Kind, u32>,
    keys: Vec<Arc<str>>,
    key_places: HashMap<Arc<str>, u32>,
    entries: Vec<Entry>,
    /// Lines that are no request of ours, by bucket and name.
    others: BTreeMap<(u32, String), u64>,
    lines: u64,
    malformed: u64,
    shown: Vec<String>,
}

#[derive(Clone, Copy)]
struct Entry {
    at: Nanos,
    /// `u64::MAX`: not known.
    size: u64,
    bucket: u32,
    kind: u32,
    key: u32,
    status: u16,
    coarse: bool,
}

// === impl Heap ===

impl Heap {
    fn read(&mut self, texts: Texts) -> Result<(), RebuildError> {
        let mut buffer = Vec::new();
        for (name, text) in texts {
            let fail = |error| RebuildError::Read(name.clone(), error);
            let mut text = text.map_err(fail)?;
            if text.fill_buf().map_err(fail)?.starts_with(&[0x1f, 0x8b]) {
                return Err(RebuildError::Compressed(name));
            }
            for number in 1u64.. {
                if !next_line(&mut *text, &mut buffer).map_err(fail)? {
                    break;
                }
                let line = String::from_utf8_lossy(&buffer);
                let line = line.trim_end_matches(['\n', '\r']);
                if line.is_empty() || line.starts_with('#') {
                    continue;
                }
                self.lines += 1;
                match access_log::parse(line) {
                    Ok(line) => self.add(line)?,
                    Err(why) => {
                        self.malformed += 1;
                        if self.shown.len() < SHOWN {
                            self.shown.push(format!("{name}:{number}: {why}"));
                        }
                    }
                }
            }
        }
        Ok(())
    }

    fn add(&mut self, line: Line) -> Result<(), RebuildError> {
        match line {
            Line::Other(bucket, name) => {
                let bucket = self.bucket(&bucket);
                *self.others.entry((bucket, name)).or_default() += 1;
            }
            Line::Request(bucket, Logged { at, coarse, kind, key, status, size }) => {
                if self.entries.len() == MOST {
                    return Err(RebuildError::TooMany);
                }
                let bucket = self.bucket(&bucket);
                let (kind, key) = (self.kind(kind), self.key(&key));
                let size = size.unwrap_or(u64::MAX);
                self.entries.push(Entry { at, size, bucket, kind, key, status, coarse });
            }
        }
        Ok(())
    }

    fn bucket(&mut self, name: &str) -> u32 {
        let known = self.buckets.iter().position(|bucket| bucket == name);
        known.unwrap_or_else(|| {
            self.buckets.push(name.to_owned());
            self.buckets.len() - 1
        }) as u32
    }

    fn kind(&mut self, kind: Kind) -> u32 {
        match self.kind_places.get(&kind) {
            Some(place) => *place,
            None => {
                let place = self.kinds.len() as u32;
                self.kinds.push(kind.clone());
                self.kind_places.insert(kind, place);
                place
            }
        }
    }

    fn key(&mut self, key: &str) -> u32 {
        match self.key_places.get(key) {
            Some(place) => *place,
            None => {
                let (place, key) = (self.keys.len() as u32, Arc::<str>::from(key));
                self.keys.push(Arc::clone(&key));
                self.key_places.insert(key, place);
                place
            }
        }
    }

    /// The bucket whose requests are wanted.
    fn wanted(&self, bounds: &Bounds<'_>) -> Result<u32, RebuildError> {
        let place = |name: &str| self.buckets.iter().position(|bucket| bucket == name).map(|at| at as u32);
        let with_requests = || {
            let has = |bucket: &u32| self.entries.iter().any(|entry| entry.bucket == *bucket);
            (0..self.buckets.len() as u32)
                .filter(has)
                .map(|b| self.buckets[b as usize].clone())
                .collect::<Vec<_>>()
        };
        match bounds.bucket {
            Some(name) => place(name).ok_or_else(|| RebuildError::OtherBuckets {
                bucket: name.to_owned(),
                others: with_requests(),
            }),
            None => match (place(bounds.own), with_requests().as_slice()) {
                (Some(own), _) => Ok(own),
                (None, [only]) => Ok(place(only).unwrap_or_default()),
                (None, []) => Ok(0),
                (None, several) => Err(RebuildError::Buckets(several.to_vec())),
            },
        }
    }

    fn rebuilt(mut self, bounds: &Bounds<'_>) -> Result<Rebuilt, RebuildError> {
        if self.malformed * 2 > self.lines {
            let Self { malformed, lines, shown, .. } = self;
            return Err(RebuildError::NoLog { malformed, lines, shown });
        }
        self.key_places = HashMap::new();
        let wanted = self.wanted(bounds)?;
        let mut left_out: Vec<(String, u64)> = self
            .others
            .iter()
            .filter(|((bucket, _), _)| *bucket == wanted)
            .map(|((_, name), count)| (name.clone(), *count))
            .collect();
        left_out.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        let mut entries = std::mem::take(&mut self.entries);
        entries.retain(|entry| entry.bucket == wanted);
        entries.sort_by_key(|entry| entry.at);
        spread(&mut entries);
        let begin = entries.first().map_or(0, |entry| entry.at.saturating_add(bounds.skip));
        let end = begin.saturating_add(bounds.length);
        entries.retain(|entry| (begin..end).contains(&entry.at));
        entries.truncate(bounds.limit);
        if entries.is_empty() {
            let found: Vec<_> = left_out.iter().map(|(name, count)| format!("{count} of {name}")).collect();
            let found = if found.is_empty() { String::new() } else { format!(", only {}", found.join(", ")) };
            return Err(RebuildError::Nothing(found));
        }
        let due = |entry: &Entry| ((entry.at - begin) as f64 / bounds.speed).round() as Nanos;
        let known = |entry: &Entry| Some(entry.size).filter(|size| *size != u64::MAX);
        let upload = |entry: &Entry| match self.kinds[entry.kind as usize] {
            Kind::Put => known(entry).unwrap_or(0),
            _ => 0,
        };
        Ok(Rebuilt {
            instants: entries.iter().map(due).collect(),
            uploads: entries.iter().map(upload).collect(),
            objects: self.objects(&entries),
            left_out,
            malformed: self.malformed,
            shown: std::mem::take(&mut self.shown),
            script: self.script(&entries),
        })
    }

    /// Objects that were read with success before anything wrote them, and how long reads say that they are.
    fn objects(&self, entries: &[Entry]) -> Vec<ReadObject> {
        #[derive(Clone, Copy, PartialEq)]
        enum Seen {
            Not,
            There(Option<u64>),
            Changed,
        }
        let mut seen = vec![(Seen::Not, false); self.keys.len()];
        for entry in entries {
            let (first, changed) = &mut seen[entry.key as usize];
            let answered = matches!(entry.status, 200 | 206 | 304);
            match &self.kinds[entry.kind as usize] {
                Kind::List { .. } => {}
                kind if kind.changes() => {
                    *changed = true;
                    if *first == Seen::Not {
                        *first = Seen::Changed;
                    }
                }
                _ if *changed || !answered => {}
                _ => {
                    let size = Some(entry.size).filter(|size| *size != u64::MAX);
                    match first {
                        Seen::Not => *first = Seen::There(size),
                        Seen::There(before) => *before = (*before).max(size),
                        Seen::Changed => {}
                    }
                }
            }
        }
        let there = |(key, (seen, _)): (&Arc<str>, &(Seen, bool))| match seen {
            Seen::There(size) => Some((Arc::clone(key), *size)),
            _ => None,
        };
        let mut objects: Vec<_> = self.keys.iter().zip(&seen).filter_map(there).collect();
        objects.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        objects
    }

    /// The requests with the keys that they name in order.
    fn script(self, entries: &[Entry]) -> Script {
        let mut named = vec![false; self.keys.len()];
        entries.iter().for_each(|entry| named[entry.key as usize] = true);
        let mut order: Vec<u32> = (0..self.keys.len() as u32).filter(|key| named[*key as usize]).collect();
        order.sort_unstable_by(|a, b| self.keys[*a as usize].cmp(&self.keys[*b as usize]));
        let mut place = vec![0; self.keys.len()];
        (0..).zip(&order).for_each(|(at, key)| place[*key as usize] = at);
        let keys: KeyList = order.iter().map(|key| Arc::clone(&self.keys[*key as usize])).collect();
        let requests = entries.iter().map(|entry| (entry.kind, place[entry.key as usize])).collect();
        Script { keys, kinds: self.kinds, requests }
    }
}

/// Spreads requests of which only the second is known evenly over it, in their order.
fn spread(entries: &mut [Entry]) {
    for same in entries.chunk_by_mut(|a, b| a.at == b.at) {
        let count = same.len() as u64;
        for (number, entry) in (0..count).zip(same).filter(|(_, entry)| entry.coarse) {
            entry.at += SECOND * number / count;
        }
    }
}

/// The next line with its end, at most [`LONGEST`] bytes of it; false at the end of the text.
fn next_line(text: &mut dyn BufRead, line: &mut Vec<u8>) -> io::Result<bool> {
    line.clear();
    (&mut *text).take(LONGEST).read_until(b'\n', line)?;
    if line.len() as u64 == LONGEST && !line.ends_with(b"\n") {
        let mut rest = Vec::new();
        while rest.is_empty() || (rest.len() as u64 == LONGEST && !rest.ends_with(b"\n")) {
            rest.clear();
            if (&mut *text).take(LONGEST).read_until(b'\n', &mut rest)? == 0 {
                break;
            }
        }
    }
    Ok(!line.is_empty())
}

#[cfg(test)]
mod tests;
