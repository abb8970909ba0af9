//! Workloads out of what happened: server access logs of S3, and runs of gatecrash.
//!
//! A log becomes [`Logged`] requests (`access_log`, `stored_run`), and those a [`Rebuilt`] workload (`rebuild`). The
//! reading of files is the caller's business: a log comes in as lines or as a history.

mod access_log;
mod rebuild;
mod stored_run;

use std::io::BufRead;

pub use access_log::{Line, Malformed, parse};
use gatecrash_model::Nanos;
pub use rebuild::{Bounds, MOST, ReadObject, RebuildError, Rebuilt, rebuild};

use crate::history::History;
use crate::plan::{Kind, Plan};

/// Texts of a log one after the other, with their names.
pub type Texts = Box<dyn Iterator<Item = (String, std::io::Result<Box<dyn BufRead>>)>>;

/// What a scenario names as a log.
pub enum Log {
    /// Lines of server access logs.
    Texts(Texts),
    /// A stored run: its plan, and of its history what clients sent.
    Run(Box<(Plan, History)>),
}

/// One request that somebody made.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Logged {
    /// When it began; from which instant on does not matter.
    pub at: Nanos,
    /// Whether `at` is known to the second only.
    pub coarse: bool,
    /// What it asked for.
    pub kind: Kind,
    /// Its key; empty for a list.
    pub key: String,
    /// The status it was answered with; 0 when it is not known.
    pub status: u16,
    /// Bytes of the whole object, if the log tells.
    pub size: Option<u64>,
}

impl std::fmt::Debug for Log {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Texts(_) => "Texts",
            Self::Run(_) => "Run",
        })
    }
}
