//! What clients uploaded, and what upstreams made of it.

use gatecrash_model::population::SizeLaw;
use gatecrash_model::{ClientRecord, Op, Pool, UpstreamRecord};

use crate::history::IdMap;
use crate::judge::Scope;
use crate::plan::{SizePlan, WorkloadPlan};

/// Every PutObject that changed a store, by request.
pub(super) struct Uploads<'a> {
    pool: Pool,
    applied: IdMap<Vec<&'a UpstreamRecord>>,
}

/// The body that a client sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Sent {
    pub(super) hash: u64,
    pub(super) length: u64,
}

impl<'a> Uploads<'a> {
    pub(super) fn of(scope: &Scope<'a>) -> Self {
        let mut applied: IdMap<Vec<_>> = IdMap::default();
        let is_put = |u: &&UpstreamRecord| u.op == Op::PutObject && u.has(UpstreamRecord::APPLIED);
        for upstream in scope.history.upstreams.iter().filter(is_put) {
            applied.entry(upstream.request).or_default().push(upstream);
        }
        Self { pool: Pool::new(scope.plan.seed), applied }
    }

    /// How upstreams carried out a request.
    pub(super) fn applied(&self, client: &ClientRecord) -> &[&'a UpstreamRecord] {
        self.applied.get(&client.id().pack()).map_or(&[], Vec::as_slice)
    }

    /// What a client uploaded; `None` for a workload that the plan does not have.
    pub(super) fn sent(&self, scope: &Scope<'_>, client: &ClientRecord) -> Option<Sent> {
        let workload = scope.plan.workloads.get(usize::from(client.workload))?;
        let length = write_size(workload, scope.plan.seed, client.k);
        let key = scope.history.text(client.key);
        let content = self.pool.content(&workload.bucket, key, client.id().pack() + 1);
        Some(Sent { hash: content.hash(&self.pool, length), length })
    }
}

impl Sent {
    /// Whether an upstream got exactly this.
    pub(super) fn is_what_came(self, upstream: &UpstreamRecord) -> bool {
        upstream.body_hash == self.hash && u64::from(upstream.body_bytes) == self.length
    }
}

/// Bytes that arrival `k` uploads.
fn write_size(workload: &WorkloadPlan, seed: u64, k: u32) -> u64 {
    let law = match &workload.write_size {
        SizePlan::Fixed(size) => SizeLaw::Fixed(size.0),
        SizePlan::Weighted(list) => {
            SizeLaw::Weighted(list.iter().map(|(size, share)| (size.0, share.0)).collect())
        }
    };
    law.size(seed, &workload.bucket, k)
}
