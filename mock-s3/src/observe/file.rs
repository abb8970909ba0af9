//! Observers that write a line for each exchange to a file.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::{Finished, Observer, json};

/// A file that grows line by line. What cannot be written is counted.
#[derive(Debug)]
pub struct LineFile {
    out: Mutex<BufWriter<File>>,
    failed: AtomicU64,
}

/// The journal as NDJSON in a file.
#[derive(Debug)]
pub struct JournalFile {
    lines: LineFile,
    written: Mutex<u64>,
}

impl LineFile {
    /// Opens a file to append to.
    pub fn append(path: &Path) -> io::Result<Self> {
        let file = File::options().create(true).append(true).open(path)?;
        Ok(Self { out: Mutex::new(BufWriter::new(file)), failed: AtomicU64::new(0) })
    }

    /// Writes a line.
    pub fn line(&self, text: &str) {
        let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        if writeln!(out, "{text}").is_err() {
            self.failed.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Hands buffered lines to the file.
    pub fn flush(&self) {
        let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        if out.flush().is_err() {
            self.failed.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// How often writing failed: the file is incomplete when this is not 0.
    pub fn failed(&self) -> u64 {
        self.failed.load(Ordering::Relaxed)
    }
}

impl JournalFile {
    /// Opens a file to append to.
    pub fn append(path: &Path) -> io::Result<Self> {
        Ok(Self { lines: LineFile::append(path)?, written: Mutex::new(0) })
    }
}

impl Observer for JournalFile {
    fn finished(&self, exchange: &Arc<Finished>) {
        // Held over the line, so that numbers stand in order.
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        *written += 1;
        self.lines.line(&json(*written, exchange).to_string());
    }

    fn flush(&self) {
        self.lines.flush();
    }

    fn reset(&self) {
        *self.written.lock().unwrap_or_else(PoisonError::into_inner) = 0;
    }
}
