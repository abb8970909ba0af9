//! Replayed logs in the load generator's terms.

use std::collections::HashSet;

use gatecrash_core::plan::{BucketPlan, Kind, Plan, ReplayPlan};
use gatecrash_load::{OpPlan, RangeLaw, Replay, Replayed};

/// The requests of a log. Which objects change is a matter of all logs that are replayed against the bucket.
pub(super) fn replay(plan: &Plan, bucket: &BucketPlan, log: &ReplayPlan) -> Replay {
    let changed: HashSet<&str> =
        plan.replays(bucket).flat_map(|(_, replay)| replay.script.changed()).collect();
    let script = &log.script;
    let requests = script.requests.iter().map(|(op, key)| Replayed { op: *op, key: *key }).collect();
    let ops = script.kinds.iter().map(op).collect();
    Replay::new(requests, ops, script.keys.clone(), |key| changed.contains(key))
}

fn op(kind: &Kind) -> OpPlan {
    match kind {
        Kind::Get => OpPlan::GetObject { range: None },
        Kind::Part(bytes) => OpPlan::GetObject { range: Some(RangeLaw::Random(*bytes)) },
        Kind::Head => OpPlan::HeadObject,
        Kind::Put => OpPlan::PutObject,
        Kind::Delete => OpPlan::DeleteObject,
        Kind::List { prefix, max_keys } => {
            OpPlan::ListObjectsV2 { prefix: Some(prefix.clone()), max_keys: *max_keys, pages: 1 }
        }
    }
}
