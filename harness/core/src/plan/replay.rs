//! Requests that somebody made before, as a workload.

use std::sync::Arc;

use gatecrash_model::{KeyList, Lengths, Op};
use serde::{Deserialize, Serialize};

use super::{BucketPlan, Plan, WorkloadPlan};
use crate::units::Span;

/// A workload out of a log. When its requests are due stands in [`WorkloadPlan::trace`], what they upload in
/// [`WorkloadPlan::write_size`].
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct ReplayPlan {
    /// The log, as the scenario names it.
    pub file: String,
    /// How many times as fast as it happened.
    pub speed: f64,
    /// From the first request to the last, as replayed.
    pub length: Span,
    /// Lines that are no request of ours, by what they are.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<(String, u64)>,
    /// The requests. Not part of a stored plan: the history has them.
    #[serde(skip)]
    pub script: Arc<Script>,
}

/// Requests by arrival number.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Script {
    /// All keys that requests name.
    pub keys: KeyList,
    /// What requests ask for, each kind once.
    pub kinds: Vec<Kind>,
    /// Of each request the place of its kind and that of its key.
    pub requests: Vec<(u32, u32)>,
}

/// What a replayed request asks for.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Kind {
    /// A whole object.
    Get,
    /// So many bytes of an object; a log does not say which.
    Part(u64),
    /// Metadata.
    Head,
    /// An upload.
    Put,
    /// A removal.
    Delete,
    /// A page of a list.
    List {
        /// Keys that begin with this.
        prefix: String,
        /// At most so many, 1 to 1000.
        max_keys: u16,
    },
}

/// The objects of a bucket one by one, as logs tell them.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct ListedPlan {
    /// The log, as the scenario names it.
    pub file: String,
    /// Their keys.
    pub keys: KeyList,
    /// Their sizes, in the order of the keys.
    pub sizes: Lengths,
    /// Places of those that some request of the run writes or deletes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changed: Vec<u32>,
}

// === impl Kind ===

impl Kind {
    /// The operation.
    pub fn op(&self) -> Op {
        match self {
            Self::Get | Self::Part(_) => Op::GetObject,
            Self::Head => Op::HeadObject,
            Self::Put => Op::PutObject,
            Self::Delete => Op::DeleteObject,
            Self::List { .. } => Op::ListObjectsV2,
        }
    }

    /// Whether it leaves another object behind, or none.
    pub fn changes(&self) -> bool {
        matches!(self, Self::Put | Self::Delete)
    }
}

// === impl Script ===

impl Script {
    /// The keys that requests write or delete.
    pub fn changed(&self) -> impl Iterator<Item = &str> {
        let changing =
            |(kind, _): &&(u32, u32)| self.kinds.get(*kind as usize).is_some_and(|kind| kind.changes());
        self.requests.iter().filter(changing).filter_map(|(_, key)| self.keys.at(*key))
    }
}

impl Plan {
    /// The workloads that replay a log against a bucket.
    pub fn replays<'a>(
        &'a self,
        bucket: &'a BucketPlan,
    ) -> impl Iterator<Item = (&'a WorkloadPlan, &'a ReplayPlan)> {
        let on_it = self.workloads.iter().filter(|workload| workload.bucket == bucket.name);
        on_it.filter_map(|workload| Some((workload, workload.replay.as_ref()?)))
    }
}
