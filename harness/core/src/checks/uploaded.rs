//! What clients uploaded, and what upstreams made of it.

use gatecrash_model::population::SizeLaw;
use gatecrash_model::{ClientRecord, Op, Pool, RequestId, UpstreamRecord};

use crate::history::IdMap;
use crate::judge::Scope;
use crate::plan::WorkloadPlan;

/// Every upload, or part of one, that changed a store, by request.
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
        let is_upload = |u: &&UpstreamRecord| {
            let uploads = [Op::PutObject, Op::UploadPart, Op::CompleteMultipartUpload];
            uploads.contains(&u.op) && u.has(UpstreamRecord::APPLIED)
        };
        for upstream in scope.history.upstreams.iter().filter(is_upload) {
            applied.entry(upstream.request).or_default().push(upstream);
        }
        Self { pool: Pool::new(scope.plan.seed), applied }
    }

    /// How upstreams carried out a request.
    pub(super) fn applied(&self, client: &ClientRecord) -> &[&'a UpstreamRecord] {
        self.applied.get(&client.id().pack()).map_or(&[], Vec::as_slice)
    }

    /// What a client uploaded: of a part its bytes, of a completed multipart upload all its parts'. `None` for what
    /// the plan does not have.
    pub(super) fn sent(&self, scope: &Scope<'_>, client: &ClientRecord) -> Option<Sent> {
        let workload = scope.plan.workloads.get(usize::from(client.workload))?;
        let step = client.k % workload.stride();
        let first = RequestId { k: client.k - step, ..client.id() };
        let (from, length) = match client.op {
            Op::UploadPart => {
                let size = part_size(workload, |count| count >= step)?;
                (u64::from(step - 1) * size, size)
            }
            Op::CompleteMultipartUpload => {
                let count = step - 1;
                (0, u64::from(count) * part_size(workload, |parts| parts == count)?)
            }
            _ => (0, write_size(workload, scope.plan.seed, client.k / workload.stride())),
        };
        let key = scope.history.text(client.key);
        let content =
            self.pool.upload(workload.write_body, &workload.bucket, key, first.pack() + 1).after(from);
        Some(Sent { hash: content.hash(&self.pool, length), length })
    }
}

impl Sent {
    /// Whether an upstream got exactly this.
    pub(super) fn is_what_came(self, upstream: &UpstreamRecord) -> bool {
        upstream.body_hash == self.hash && u64::from(upstream.body_bytes) == self.length
    }
}

/// The one size of the parts of uploads that have a fitting number of them; `None` when there are several.
fn part_size(workload: &WorkloadPlan, fits: impl Fn(u32) -> bool) -> Option<u64> {
    let mut sizes = workload.ops.iter().filter_map(|op| op.parts).filter(|p| fits(u32::from(p.count)));
    let size = sizes.next()?.size;
    sizes.all(|other| other.size == size).then_some(size.0)
}

/// Bytes that arrival `k` uploads.
fn write_size(workload: &WorkloadPlan, seed: u64, k: u32) -> u64 {
    SizeLaw::from(&workload.write_size).size(seed, &workload.bucket, k)
}
