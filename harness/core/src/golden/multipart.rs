//! A multipart upload of three parts in a story.

use gatecrash_model::{
    AttemptId, BodyCheck, ClientRecord, Ending, Event, Framing, Op, Pool, RequestId, Shape, StoreEntry,
    UpstreamRecord,
};

use super::{Stored, Story};
use crate::plan::{OpPlan, PartsPlan};
use crate::units::{Share, Size};

/// Parts, and bytes in each.
const PARTS: (u16, u64) = (3, 1000);
const MS: u64 = 1_000_000;

impl Story {
    /// With an upload in parts, completed at 200 ms: its second part reached the store as said, and so did the whole.
    pub fn in_parts(mut self, part: Stored, whole: Stored) -> Self {
        let (count, size) = PARTS;
        let parts = PartsPlan { count, size: Size(size) };
        let op = OpPlan { parts: Some(parts), ..OpPlan::plain(Op::PutObject, Share(0.5)) };
        self.plan.workloads[0].ops.push(op);
        let first = 1000 * self.plan.workloads[0].stride();
        let pool = Pool::new(self.plan.seed);
        let id = |k| RequestId { workload: 0, k: first + k };
        let content = pool.content("media", "up/1000", id(0).pack() + 1);
        let (key, _) = self.history.strings.intern("up/1000");
        for k in 0..u32::from(count) + 2 {
            let op = match k {
                0 => Op::CreateMultipartUpload,
                k if k <= u32::from(count) => Op::UploadPart,
                _ => Op::CompleteMultipartUpload,
            };
            let torn = u64::from(k == 2 && part == Stored::Torn);
            let from = u64::from(k.saturating_sub(1)) * size;
            let is_part = op == Op::UploadPart;
            self.history.clients.push(ClientRecord {
                intended: (150 + 10 * u64::from(k)) * MS,
                attempt: AttemptId::NONE,
                k: id(k).k,
                done: 5_000,
                key,
                status: 200,
                op,
                ending: Ending::Complete,
                shape: Shape::new(Framing::Length, BodyCheck::NotChecked),
                ..ClientRecord::default()
            });
            self.history.upstreams.push(UpstreamRecord {
                attempt: AttemptId::NONE,
                request: id(k).pack(),
                received: (151 + 10 * u64::from(k)) * MS,
                body_hash: if is_part { content.after(from).hash(&pool, size) ^ torn } else { 1 },
                body_bytes: if is_part { size as u32 } else { 0 },
                status: 200,
                key,
                op,
                flags: UpstreamRecord::APPLIED | UpstreamRecord::BODY_WHOLE,
                ..UpstreamRecord::default()
            });
        }
        if whole != Stored::Absent {
            let length = u64::from(count) * size;
            let hash = content.hash(&pool, length) ^ u64::from(whole == Stored::Torn);
            let (region, bucket, key) = ("a".into(), "media".into(), "up/1000".into());
            self.history.events.push(Event::Stored(StoreEntry {
                region,
                bucket,
                key,
                length,
                hash,
                writes: 1,
            }));
        }
        self.history.sort();
        self
    }
}
