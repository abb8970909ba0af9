//! What arrival `k` of a workload asks for: a pure function of the workload and `k`.
//!
//! Every choice is a keyed hash of (seed, workload, k), so any thread, a replay and a judge compute the same
//! request. Deletes never touch the synthetic objects that other operations read: they name upload keys of
//! earlier arrivals.

use std::sync::Arc;

use gatecrash_model::{ClientRecord, Content, Ending, Op, Pool, RequestId, draw, hash};

use crate::workload::{ByteRange, OpPlan, Workload};

mod delete;
pub(crate) use delete::content_md5;

/// One request, ready to be sent.
#[derive(Clone, Debug)]
pub struct RequestPlan {
    /// The workload it belongs to: bucket, headers, signing, timeout.
    pub workload: Arc<Workload>,
    /// Arrival number.
    pub k: u32,
    /// Operation.
    pub op: Op,
    /// Object key, not encoded; of a batch the first; empty for lists.
    pub key: String,
    /// Query string, encoded and in canonical order; empty when there is none.
    pub query: String,
    /// Bytes asked for, first and last inclusive.
    pub range: Option<(u64, u64)>,
    /// Request body.
    pub payload: Payload,
    /// What a whole, correct answer carries.
    pub expect: Expect,
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
}

/// What a keyed draw is for. The numbers are frozen: seeds depend on them.
#[derive(Clone, Copy)]
enum Choice {
    Op = 1,
    Key = 2,
    Missing = 3,
    Victim = 4,
}

// === impl Workload ===

impl Workload {
    /// The request of arrival `k`.
    pub fn plan(self: &Arc<Self>, pool: &Pool, k: u32) -> RequestPlan {
        match self.op(k) {
            Some(op) => self.plan_op(pool, k, op),
            None => RequestPlan::blank(self, k, Op::Unknown),
        }
    }

    /// The request number `k` with an operation that is given.
    pub(crate) fn plan_op(self: &Arc<Self>, pool: &Pool, k: u32, op: &OpPlan) -> RequestPlan {
        let mut plan = RequestPlan::blank(self, k, op.op());
        match op {
            OpPlan::GetObject { range } => {
                (plan.key, plan.expect) = self.target(pool, k);
                plan.read(*range);
            }
            OpPlan::HeadObject => (plan.key, plan.expect) = self.target(pool, k),
            OpPlan::PutObject => {
                plan.key = self.writes.keys.key(k);
                plan.payload = self.upload(pool, k);
            }
            OpPlan::DeleteObject => plan.key = delete::victims(self, k, 1).next().unwrap_or_default(),
            OpPlan::DeleteObjects { keys } => {
                let keys: Vec<String> = delete::victims(self, k, *keys).collect();
                plan.payload = Payload::Document(delete::document(&keys));
                plan.query = "delete=".to_owned();
                plan.key = keys.into_iter().next().unwrap_or_default();
            }
            OpPlan::ListObjectsV2 { prefix, max_keys } => {
                let prefix = prefix.as_deref().unwrap_or(self.population.pattern.prefix());
                plan.query = format!(
                    "list-type=2&max-keys={max_keys}&prefix={}",
                    percent_encoding::utf8_percent_encode(prefix, crate::encode::QUERY)
                );
            }
        }
        plan
    }

    /// The upload keys that arrival `k` deletes, in order; empty unless it is a delete.
    pub fn deletes(&self, k: u32) -> Vec<String> {
        match self.op(k) {
            Some(OpPlan::DeleteObject) => delete::victims(self, k, 1).collect(),
            Some(OpPlan::DeleteObjects { keys }) => delete::victims(self, k, *keys).collect(),
            _ => Vec::new(),
        }
    }

    /// The operation of arrival `k`; `None` when no share is above 0.
    pub fn op(&self, k: u32) -> Option<&OpPlan> {
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
        let version = RequestId { workload: u16::from(self.index), k }.pack() + 1;
        let bucket = &self.population.bucket;
        let content = pool.content(bucket, &self.writes.keys.key(k), version);
        Payload::Object { content, len: self.writes.sizes.size(self.seed, bucket, k) }
    }

    /// The object a read is for.
    fn target(&self, pool: &Pool, k: u32) -> (String, Expect) {
        let population = &self.population;
        let index = self.keys.pick(self.draw(Choice::Key, k), k, population.count);
        let mut key = population.key(index);
        if population.is_empty() || draw::fires(self.draw(Choice::Missing, k), self.missing) {
            key.push_str(".missing");
            return (key, Expect::Absent);
        }
        let content = pool.content(&population.bucket, &key, 0);
        (key, Expect::Object { index, content, size: population.size(index) })
    }

    fn draw(&self, choice: Choice, k: u32) -> u64 {
        hash::combine(&[self.seed, choice as u64, u64::from(self.index), u64::from(k)])
    }
}

// === impl RequestPlan ===

impl RequestPlan {
    /// A request about nothing yet.
    pub(crate) fn blank(workload: &Arc<Workload>, k: u32, op: Op) -> Self {
        Self {
            workload: Arc::clone(workload),
            k,
            op,
            key: String::new(),
            query: String::new(),
            range: None,
            payload: Payload::Empty,
            expect: Expect::Anything,
        }
    }

    /// Asks for a range of what is expected, its end clipped to the object.
    pub(crate) fn read(&mut self, range: Option<ByteRange>) {
        self.range = range.map(|r| (r.first, r.last));
        if let (Some((first, last)), Expect::Object { size, .. } | Expect::Uploaded { size, .. }) =
            (&mut self.range, self.expect)
            && *first < size
        {
            *last = (*last).min(size - 1);
        }
    }

    /// The request's id.
    pub fn id(&self) -> RequestId {
        RequestId { workload: u16::from(self.workload.index), k: self.k }
    }

    /// Whether this is the right answer: a success, or the 404 of a key that does not exist.
    pub fn is_answered_by(&self, record: &ClientRecord) -> bool {
        let absent = self.expect == Expect::Absent && record.status == 404;
        record.is_success() || (absent && record.ending == Ending::Complete)
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
