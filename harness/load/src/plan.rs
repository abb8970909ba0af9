//! What arrival `k` of a workload asks for: a pure function of the workload and `k`.
//!
//! Every choice is a keyed hash of (seed, workload, k), so any thread, a replay and a judge compute the same
//! request; of objects that change, the time it is due decides the version. Deletes never touch the synthetic objects
//! that other operations read: they name upload keys of earlier arrivals.

use std::sync::Arc;

use gatecrash_model::{ClientRecord, Content, Ending, Nanos, Op, Pool, RequestId, draw, hash};

use crate::workload::{OpPlan, Parts, Workload};

mod delete;
mod follow;
mod read;
mod versions;
pub(crate) use delete::content_md5;
pub(crate) use follow::Wants;
pub use follow::{Journey, Step};
pub(crate) use versions::Versions;

/// One request, ready to be sent.
#[derive(Clone, Debug)]
pub struct RequestPlan {
    /// The workload it belongs to: bucket, headers, signing, timeout.
    pub workload: Arc<Workload>,
    /// Number in its id: that of its arrival, times [`Workload::stride`], and what the step adds.
    pub k: u32,
    /// Which request of its arrival it is.
    pub step: Step,
    /// Operation.
    pub op: Op,
    /// Object key, not encoded; of a batch the first; empty for lists.
    pub key: String,
    /// Query string, encoded and in canonical order; empty when there is none.
    pub query: String,
    /// Bytes asked for, first and last inclusive.
    pub range: Option<(u64, u64)>,
    /// Whether they are asked for as the last ones of the object.
    pub from_end: bool,
    /// Name and value of the header that makes the request conditional.
    pub condition: Option<(&'static str, String)>,
    /// [`ClientRecord::NOT_MODIFIED_DUE`] or [`ClientRecord::PRECONDITION_DUE`], where the condition asks for that
    /// answer.
    pub due: u16,
    /// Request body.
    pub payload: Payload,
    /// The parts of the multipart upload that it belongs to.
    pub parts: Option<Parts>,
    /// What a whole, correct answer carries.
    pub expect: Expect,
    /// The versions of the object, where it changes.
    pub(crate) versions: Option<Versions>,
}

/// A request body.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Payload {
    /// None at all.
    Empty,
    /// Bytes of the run's pool.
    Object {
        /// Which ones.
        content: Content,
        /// How many.
        len: u64,
    },
    /// An XML document.
    Document(Vec<u8>),
}

/// What the body of a 2xx answer is compared with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Expect {
    /// Nothing: not an object.
    Anything,
    /// This synthetic object.
    Object {
        /// Its number in the population.
        index: u32,
        /// Its bytes.
        content: Content,
        /// Its whole length, bytes.
        size: u64,
    },
    /// What a journey put before.
    Uploaded {
        /// Its bytes.
        content: Content,
        /// Its whole length, bytes.
        size: u64,
    },
    /// The key does not exist, so no body can be right.
    Absent,
    /// What stands there depends on the order of requests, and so does whether anything does.
    Changing,
}

/// What a keyed draw is for. The numbers are frozen: seeds depend on them.
#[derive(Clone, Copy)]
enum Choice {
    Op = 1,
    Key = 2,
    Missing = 3,
    Victim = 4,
    Range = 5,
}

// === impl Workload ===

impl Workload {
    /// The request of arrival `k`, when it is due at `at`: of an object that changes, what is current then.
    pub fn plan_at(self: &Arc<Self>, pool: &Pool, k: u32, at: Nanos) -> RequestPlan {
        self.plan(pool, k).of_time(pool, at)
    }

    /// The request of arrival `k`; of an object that changes, about its first version.
    pub fn plan(self: &Arc<Self>, pool: &Pool, k: u32) -> RequestPlan {
        match self.op(k) {
            Some(op) => self.plan_op(pool, k, op),
            None => RequestPlan::blank(self, k),
        }
    }

    /// The request number `k` with an operation that is given.
    pub(crate) fn plan_op(self: &Arc<Self>, pool: &Pool, k: u32, op: &OpPlan) -> RequestPlan {
        let mut plan = RequestPlan::blank(self, k);
        self.fill(&mut plan, op, pool, k);
        plan
    }

    /// Fills in the first request of an operation.
    fn fill(&self, plan: &mut RequestPlan, op: &OpPlan, pool: &Pool, k: u32) {
        plan.op = op.op();
        match op {
            OpPlan::GetObject { range } => {
                (plan.key, plan.expect) = self.target(pool, k);
                if let Some(range) = range {
                    plan.ask_for(*range, self.range_draw(k));
                }
            }
            OpPlan::Conditional { of, condition } => {
                self.fill(plan, of, pool, k);
                plan.make_conditional(*condition);
            }
            OpPlan::MultipartUpload(parts) => {
                plan.parts = Some(*parts);
                plan.key = self.upload_key(k);
                plan.query = "uploads=".to_owned();
                plan.step = Step::Create;
            }
            OpPlan::HeadObject => (plan.key, plan.expect) = self.target(pool, k),
            OpPlan::PutObject => {
                plan.key = self.upload_key(k);
                plan.payload = self.upload(pool, k);
            }
            OpPlan::DeleteObject => plan.key = delete::victims(self, k, 1).next().unwrap_or_default(),
            OpPlan::DeleteObjects { keys } => {
                let keys: Vec<String> = delete::victims(self, k, *keys).collect();
                plan.payload = Payload::Document(delete::document(&keys));
                plan.query = "delete=".to_owned();
                plan.key = keys.into_iter().next().unwrap_or_default();
            }
            OpPlan::ListObjectsV2 { prefix, max_keys, pages } => {
                let prefix = prefix.as_deref().unwrap_or(self.population.pattern.prefix());
                plan.query = format!(
                    "list-type=2&max-keys={max_keys}&prefix={}",
                    percent_encoding::utf8_percent_encode(prefix, crate::encode::QUERY)
                );
                plan.step = if *pages > 1 { Step::Page(1) } else { Step::Only };
            }
        }
    }

    /// The upload keys that arrival `k` (not its request id) deletes, in order; empty unless it is a delete.
    pub fn deletes(&self, k: u32) -> Vec<String> {
        match self.op(k) {
            Some(OpPlan::DeleteObject) => delete::victims(self, k, 1).collect(),
            Some(OpPlan::DeleteObjects { keys }) => delete::victims(self, k, *keys).collect(),
            _ => Vec::new(),
        }
    }

    /// The operation of arrival `k`; `None` when no share is above 0.
    pub fn op(&self, k: u32) -> Option<&OpPlan> {
        if let Some(replay) = &self.replay {
            return replay.op(k);
        }
        if let [(only, share)] = self.ops.as_slice() {
            return (*share > 0.0).then_some(only);
        }
        let total: f64 = self.ops.iter().map(|(_, share)| share).sum();
        let mut left = draw::unit(self.draw(Choice::Op, k)) * total;
        let mut last = None;
        for (op, share) in self.ops.iter().filter(|(_, share)| *share > 0.0) {
            if left < *share {
                return Some(op);
            }
            left -= share;
            last = Some(op);
        }
        last
    }

    /// The body that arrival `k` uploads: version `packed id + 1` of its key.
    fn upload(&self, pool: &Pool, k: u32) -> Payload {
        let len = self.writes.sizes.size(self.seed, &self.population.bucket, k);
        Payload::Object { content: self.content(pool, k), len }
    }

    /// The bytes that arrival `k` uploads.
    pub(crate) fn content(&self, pool: &Pool, k: u32) -> Content {
        let first = RequestId { workload: u16::from(self.index), k: k.saturating_mul(self.stride()) };
        pool.upload(self.writes.body, &self.population.bucket, &self.upload_key(k), first.pack() + 1)
    }

    /// The key that arrival `k` writes, if it writes.
    pub(crate) fn upload_key(&self, k: u32) -> String {
        match &self.replay {
            Some(replay) => replay.key(k).to_owned(),
            None => self.writes.keys.key(k),
        }
    }

    /// The object a read is for.
    fn target(&self, pool: &Pool, k: u32) -> (String, Expect) {
        let population = &self.population;
        if let Some(replay) = &self.replay {
            let key = replay.key(k).to_owned();
            let expect = match population.index(&key) {
                _ if replay.is_changing(k) => Expect::Changing,
                None => Expect::Absent,
                Some(index) => self.synthetic(pool, &key, index),
            };
            return (key, expect);
        }
        let index = self.keys.pick(self.draw(Choice::Key, k), k, population.count);
        let mut key = population.key(index);
        if population.is_empty() || draw::fires(self.draw(Choice::Missing, k), self.missing) {
            key.push_str(".missing");
            return (key, Expect::Absent);
        }
        let expect = self.synthetic(pool, &key, index);
        (key, expect)
    }

    fn synthetic(&self, pool: &Pool, key: &str, index: u32) -> Expect {
        let content = pool.content(&self.population.bucket, key, 0);
        Expect::Object { index, content, size: self.population.size(index) }
    }

    /// What decides which part of an object arrival `k` asks for.
    pub(crate) fn range_draw(&self, k: u32) -> u64 {
        self.draw(Choice::Range, k)
    }

    fn draw(&self, choice: Choice, k: u32) -> u64 {
        hash::combine(&[self.seed, choice as u64, u64::from(self.index), u64::from(k)])
    }
}

// === impl RequestPlan ===

impl RequestPlan {
    /// The first request of arrival `k`, about nothing yet.
    pub(crate) fn blank(workload: &Arc<Workload>, k: u32) -> Self {
        Self {
            workload: Arc::clone(workload),
            k: k.saturating_mul(workload.stride()),
            step: Step::Only,
            op: Op::Unknown,
            key: String::new(),
            query: String::new(),
            range: None,
            from_end: false,
            condition: None,
            due: 0,
            payload: Payload::Empty,
            parts: None,
            expect: Expect::Anything,
            versions: None,
        }
    }

    /// The request's id.
    pub fn id(&self) -> RequestId {
        RequestId { workload: u16::from(self.workload.index), k: self.k }
    }

    /// Whether this is the right answer: a success, the 404 of a key that does not or need not exist, or that of an
    /// upload to abort that is gone already.
    pub fn is_answered_by(&self, record: &ClientRecord) -> bool {
        let absent = matches!(self.expect, Expect::Absent | Expect::Changing) || self.step == Step::Abort;
        record.is_success() || (absent && record.status == 404 && record.ending == Ending::Complete)
    }

    /// Whether its path names the bucket alone.
    pub fn is_on_bucket(&self) -> bool {
        matches!(self.op, Op::ListObjectsV2 | Op::DeleteObjects)
    }

    /// The arrival it belongs to.
    pub fn arrival(&self) -> u32 {
        self.k / self.workload.stride()
    }
}

// === impl Payload ===

impl Payload {
    /// Bytes in it.
    pub fn len(&self) -> u64 {
        match self {
            Self::Empty => 0,
            Self::Object { len, .. } => *len,
            Self::Document(bytes) => bytes.len() as u64,
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[cfg(test)]
mod tests;
