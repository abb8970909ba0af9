//! By which clock the synthetic objects change.

use std::sync::{Arc, OnceLock};

use gatecrash_model::{Clock, Lineage, Nanos};

use super::Keyspace;
use super::placement::Placement;

/// The clock of a store, or an instant at which it stands still.
#[derive(Clone)]
pub(crate) struct Time {
    clock: Arc<dyn Clock>,
    /// The wall clock at the start of the run, seconds since the Unix epoch; read once, so that a version keeps its
    /// date.
    epoch: Arc<OnceLock<i64>>,
    then: Option<Nanos>,
}

/// What a read of a synthetic object shows of the version that is current.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Face {
    /// The object's versions and the current one's number, where it changes.
    pub(super) lineage: Option<(Lineage, u32)>,
    /// Without quotes.
    pub(super) etag: String,
    /// Seconds since the Unix epoch.
    pub(super) modified: i64,
}

// === impl Time ===

impl Time {
    pub(crate) fn new(clock: &Arc<dyn Clock>) -> Self {
        Self { clock: Arc::clone(clock), epoch: Arc::default(), then: None }
    }

    /// The same, standing still.
    pub(super) fn stopped(&self, then: Nanos) -> Self {
        Self { then: Some(then), ..self.clone() }
    }

    pub(super) fn now(&self) -> Nanos {
        self.then.unwrap_or_else(|| self.clock.now())
    }

    /// The wall clock's seconds at an instant after the start.
    pub(super) fn wall(&self, at: Nanos) -> i64 {
        let seconds = |nanos: Nanos| (nanos / 1_000_000_000) as i64;
        let epoch = self.epoch.get_or_init(|| self.clock.wall_seconds() - seconds(self.clock.now()));
        epoch + seconds(at)
    }
}

// === impl Placement ===

impl Placement {
    /// What tells the version of a synthetic object that is current.
    pub(super) fn face(&self, keyspace: &Keyspace, key: &str) -> Face {
        let unchanging = || Face { lineage: None, etag: keyspace.etag(key), modified: self.bucket.created };
        let lineage = self.time.get().zip(keyspace.population.lineage(key));
        lineage.map_or_else(unchanging, |(time, lineage)| {
            let version = lineage.at(time.now());
            let modified = match version {
                0 => self.bucket.created,
                version => self.bucket.created.max(time.wall(lineage.begins(version))),
            };
            Face { lineage: Some((lineage, version)), etag: lineage.etag(version), modified }
        })
    }
}
