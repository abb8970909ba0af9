//! What happened, in order: the last events in memory for `GET /events`, all of them in a file where one was asked for.
//!
//! Neither holds the proxy up: the ring forgets the oldest, and a file that cannot keep up loses lines, which are
//! counted in it.

use std::collections::VecDeque;
use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use gatecrash_model::Clock;

use super::json::Object;

/// Events kept in memory.
const RING: usize = 10_000;
/// Lines that may wait for the file.
const WAITING: usize = 65_536;

pub(crate) struct Journal {
    clock: Arc<dyn Clock>,
    ring: Mutex<Ring>,
}

struct Ring {
    /// Number of the next event, from 1.
    next: u64,
    lines: VecDeque<Line>,
    file: Option<Written>,
}

#[derive(Clone)]
struct Line {
    number: u64,
    json: Arc<str>,
}

/// The file's end of the journal.
struct Written {
    lines: SyncSender<Arc<str>>,
    /// Lines that found no room since the last one that did.
    lost: u64,
    writer: JoinHandle<()>,
}

/// A look into the ring.
pub(crate) struct Page {
    /// Each a JSON object.
    pub(crate) lines: Vec<Arc<str>>,
    /// Number of the newest event there is.
    pub(crate) newest: u64,
    /// Events after the one asked for that the ring no longer holds.
    pub(crate) forgotten: u64,
}

impl Journal {
    pub(crate) fn new(clock: Arc<dyn Clock>, path: Option<&Path>) -> io::Result<Self> {
        let file = path.map(Written::open).transpose()?;
        let ring = Ring { next: 1, lines: VecDeque::new(), file };
        Ok(Self { clock, ring: Mutex::new(ring) })
    }

    /// Adds an event; `members` follow its number, time and kind.
    pub(crate) fn add(&self, kind: &str, members: impl FnOnce(Object) -> Object) {
        let at = self.clock.now();
        let mut ring = self.lock();
        let number = ring.next;
        let json = Object::new().raw("seq", number).raw("at_ns", at).text("event", kind);
        ring.push(members(json).finish().into());
    }

    /// Events with numbers above `since`, at most `limit`, oldest first.
    pub(crate) fn since(&self, since: u64, limit: usize) -> Page {
        let ring = self.lock();
        let newest = ring.next - 1;
        let oldest = ring.lines.front().map_or(ring.next, |line| line.number);
        let forgotten = oldest.saturating_sub(since.saturating_add(1));
        let wanted = ring.lines.iter().filter(|line| line.number > since).take(limit);
        Page { lines: wanted.map(|line| Arc::clone(&line.json)).collect(), newest, forgotten }
    }

    /// Writes what waits for the file, and closes it.
    pub(crate) async fn close(&self) {
        if let Some(Written { lines, writer, .. }) = { self.lock().file.take() } {
            drop(lines);
            _ = tokio::task::spawn_blocking(move || writer.join()).await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Ring> {
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ring {
    fn push(&mut self, json: Arc<str>) {
        if self.lines.len() == RING {
            self.lines.pop_front();
        }
        if let Some(file) = &mut self.file {
            file.write(Arc::clone(&json));
        }
        self.lines.push_back(Line { number: self.next, json });
        self.next += 1;
    }
}

impl Written {
    fn open(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().create(true).append(true).open(path)?;
        let (lines, waiting) = sync_channel(WAITING);
        let writer = std::thread::Builder::new()
            .name("journal".into())
            .spawn(move || write_all(&waiting, BufWriter::new(file)))?;
        Ok(Self { lines, lost: 0, writer })
    }

    fn write(&mut self, line: Arc<str>) {
        if self.lost > 0 {
            let told = Object::new().text("event", "lines-lost").raw("lines", self.lost).finish();
            if self.lines.try_send(told.into()).is_ok() {
                self.lost = 0;
            }
        }
        if let Err(TrySendError::Full(_)) = self.lines.try_send(line) {
            self.lost += 1;
        }
    }
}

/// The writer's thread: flushes whenever nothing waits.
fn write_all(waiting: &Receiver<Arc<str>>, mut file: BufWriter<File>) {
    while let Ok(first) = waiting.recv() {
        let mut next = Some(first);
        while let Some(line) = next {
            if file.write_all(line.as_bytes()).and_then(|()| file.write_all(b"\n")).is_err() {
                return;
            }
            next = waiting.try_recv().ok();
        }
        if file.flush().is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Stopped;

    impl Clock for Stopped {
        fn now(&self) -> u64 {
            7
        }

        fn wall_seconds(&self) -> i64 {
            0
        }
    }

    #[test]
    fn the_ring_forgets_the_oldest_and_says_so() {
        let journal = Journal::new(Arc::new(Stopped), None).unwrap();
        for _ in 0..RING + 5 {
            journal.add("tick", |json| json);
        }
        let page = journal.since(2, 2);
        assert_eq!((page.newest, page.forgotten), (RING as u64 + 5, 3));
        assert_eq!(&*page.lines[0], r#"{"seq":6,"at_ns":7,"event":"tick"}"#);
        assert_eq!(page.lines.len(), 2);
        let none = journal.since(u64::MAX, 10);
        assert_eq!((none.lines.len(), none.forgotten), (0, 0));
    }

    #[tokio::test]
    async fn the_file_has_every_line() {
        let path = std::env::temp_dir().join(format!("gatecrash-journal-{}.ndjson", std::process::id()));
        let journal = Journal::new(Arc::new(Stopped), Some(&path)).unwrap();
        for n in 0..1000 {
            journal.add("tick", |json| json.raw("n", n));
        }
        journal.close().await;
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        assert_eq!(text.lines().count(), 1000);
        assert_eq!(text.lines().last(), Some(r#"{"seq":1000,"at_ns":7,"event":"tick","n":999}"#));
    }
}
