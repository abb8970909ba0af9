//! The one sink of a run: everything seen goes into the run directory, at most half a second after it happened.
//!
//! Memory holds only what is not written yet. A write that fails (disk full) is remembered and ends the run; the
//! process being killed loses what the page cache never got, at most the last half second.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use gatecrash_core::history;
use gatecrash_model::{
    AttemptRecord, ClientRecord, ConnectionRecord, Event, Evidence, FiringRecord, Record, Sink, StrId,
    Strings, UpstreamRecord, VersionRecord,
};

/// How often buffers go to disk.
const FLUSH_EVERY: Duration = Duration::from_millis(500);

/// Files of a history, in the order of [`Buffers::parts`].
pub const FILES: [&str; 9] = [
    "clients.rec",
    "attempts.rec",
    "upstreams.rec",
    "connections.rec",
    "firings.rec",
    "evidence.jsonl",
    "events.jsonl",
    "strings.jsonl",
    "versions.rec",
];

/// The file of [`FILES`] that histories of earlier releases do not have.
pub const VERSIONS: usize = 8;

/// Writes a history.
pub struct Recorder {
    shared: Arc<Shared>,
    writer: Mutex<Option<JoinHandle<()>>>,
}

struct Shared {
    state: Mutex<State>,
    wake: Condvar,
    attempts: AtomicU64,
}

#[derive(Default)]
struct State {
    buffers: [Vec<u8>; 9],
    strings: Strings,
    failed: Option<(PathBuf, io::Error)>,
    stop: bool,
}

impl Recorder {
    /// Creates the files of an empty history in `dir` and starts writing.
    pub fn create(dir: &Path) -> io::Result<Self> {
        std::fs::create_dir_all(dir)?;
        let headers = [
            history::encode_header::<ClientRecord>(),
            history::encode_header::<AttemptRecord>(),
            history::encode_header::<UpstreamRecord>(),
            history::encode_header::<ConnectionRecord>(),
            history::encode_header::<FiringRecord>(),
            Vec::new(),
            Vec::new(),
            Vec::new(),
            history::encode_header::<VersionRecord>(),
        ];
        let mut files = Vec::new();
        for (name, header) in FILES.iter().zip(headers) {
            let path = dir.join(name);
            let mut file = OpenOptions::new().create_new(true).append(true).open(&path)?;
            file.write_all(&header)?;
            files.push((path, file));
        }
        let shared =
            Arc::new(Shared { state: Mutex::default(), wake: Condvar::new(), attempts: AtomicU64::new(0) });
        let writer = std::thread::Builder::new().name("recorder".into()).spawn({
            let shared = Arc::clone(&shared);
            move || write_until_stopped(&shared, &mut files)
        })?;
        Ok(Self { shared, writer: Mutex::new(Some(writer)) })
    }

    /// Attempts recorded so far, probes included.
    pub fn attempts(&self) -> u64 {
        self.shared.attempts.load(Ordering::Relaxed)
    }

    /// What went wrong with writing, if anything did.
    pub fn failure(&self) -> Option<String> {
        let state = self.shared.lock();
        state.failed.as_ref().map(|(path, error)| format!("cannot write {}: {error}", path.display()))
    }

    /// Writes what is left and closes the files; says what went wrong.
    pub fn finish(&self) -> Result<(), String> {
        self.shared.lock().stop = true;
        self.shared.wake.notify_all();
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        if writer.is_some_and(|w| w.join().is_err()) {
            return Err("the recorder's thread panicked".into());
        }
        self.failure().map_or(Ok(()), Err)
    }

    fn record<R: Record>(&self, part: usize, record: &R) {
        record.encode(&mut self.shared.lock().buffers[part]);
    }

    fn line<T: serde::Serialize>(&self, part: usize, value: &T) {
        let mut state = self.shared.lock();
        append_line(&mut state.buffers[part], value);
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        let _ = self.finish();
    }
}

impl Sink for Recorder {
    fn client(&self, record: ClientRecord) {
        self.record(0, &record);
    }
    fn attempt(&self, record: AttemptRecord) {
        self.shared.attempts.fetch_add(1, Ordering::Relaxed);
        self.record(1, &record);
    }
    fn upstream(&self, record: UpstreamRecord) {
        self.record(2, &record);
    }
    fn connection(&self, record: ConnectionRecord) {
        self.record(3, &record);
    }
    fn firing(&self, record: FiringRecord) {
        self.record(4, &record);
    }
    fn version(&self, record: VersionRecord) {
        self.record(VERSIONS, &record);
    }
    fn evidence(&self, evidence: Evidence) {
        self.line(5, &evidence);
    }
    fn event(&self, event: Event) {
        self.line(6, &event);
    }
    fn intern(&self, text: &str) -> StrId {
        let mut state = self.shared.lock();
        let (id, new) = state.strings.intern(text);
        if new {
            append_line(&mut state.buffers[7], &text);
        }
        id
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn append_line<T: serde::Serialize>(out: &mut Vec<u8>, value: &T) {
    // Writing JSON into memory fails only for types that are not JSON; ours are.
    if serde_json::to_writer(&mut *out, value).is_ok() {
        out.push(b'\n');
    }
}

fn write_until_stopped(shared: &Shared, files: &mut [(PathBuf, File)]) {
    loop {
        let mut state = shared.lock();
        if !state.stop {
            state = shared.wake.wait_timeout(state, FLUSH_EVERY).unwrap_or_else(PoisonError::into_inner).0;
        }
        let stop = state.stop;
        let broken = state.failed.is_some();
        let full = std::mem::take(&mut state.buffers);
        drop(state);
        // Strings first: a record on disk never names a string that is not.
        for part in (0..full.len()).rev().filter(|_| !broken) {
            let (path, file) = &mut files[part];
            if let Err(error) = file.write_all(&full[part]) {
                shared.lock().failed = Some((path.clone(), error));
                break;
            }
        }
        if stop {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_recorded_is_on_disk_after_finish() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let recorder = Recorder::create(dir.path()).expect("files");
        let id = recorder.intern("img/1");
        recorder.client(ClientRecord { k: 9, key: id, ..Default::default() });
        recorder.event(Event::LoadEnd { at: 3 });
        recorder.finish().expect("written");
        let bytes = std::fs::read(dir.path().join(FILES[0])).expect("clients");
        let records = history::decode_all::<ClientRecord>(&bytes).expect("readable");
        assert_eq!(records.len(), 1);
        assert_eq!(records[0].k, 9);
        assert_eq!(std::fs::read_to_string(dir.path().join(FILES[7])).expect("strings"), "\"img/1\"\n");
    }
}
