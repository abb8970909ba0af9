//! The S3 server access log: its records, written to a file or delivered into buckets as S3 does.
//!
//! Formats: S3 user guide, "Amazon S3 server access log format" (space-separated text) and "Log format in CloudWatch
//! Logs" (JSON). A request to no bucket, or to one that does not exist, is in nobody's log.

mod delivery;
mod line;
mod operation;

use std::io;
use std::path::Path;
use std::sync::Arc;

pub(crate) use delivery::{Deliveries, Due};
pub(crate) use line::Line;

use crate::observe::{Finished, LineFile, Observer};

/// How a record is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum AccessLogFormat {
    /// 27 fields separated by blanks, as in log objects.
    #[default]
    Text,
    /// One JSON object a line, as in CloudWatch Logs.
    Json,
}

/// The access log of all buckets in one file.
#[derive(Debug)]
pub struct AccessLogFile {
    lines: LineFile,
    format: AccessLogFormat,
}

impl AccessLogFile {
    /// Opens a file to append to.
    pub fn append(path: &Path, format: AccessLogFormat) -> io::Result<Self> {
        Ok(Self { lines: LineFile::append(path)?, format })
    }
}

impl Observer for AccessLogFile {
    fn finished(&self, exchange: &Arc<Finished>) {
        let own = exchange.on_known_bucket().then(|| Line::requests(exchange));
        let lines = own.into_iter().flatten().chain(Line::source(exchange));
        lines.for_each(|line| match self.format {
            AccessLogFormat::Text => self.lines.line(&line.text()),
            AccessLogFormat::Json => self.lines.line(&line.json().to_string()),
        });
    }

    fn flush(&self) {
        self.lines.flush();
    }
}
