//! Requests that somebody made before: what arrival `k` asks for is looked up, not drawn.
//!
//! What is written here may be read here, so that the right answer to a read depends on the order in which requests
//! arrive. Of such keys a whole object and a whole 404 are both right, and no byte is compared.

use gatecrash_model::KeyList;

use crate::workload::OpPlan;

/// The requests of a workload by arrival number.
#[derive(Clone, Debug)]
pub struct Replay {
    requests: Box<[Replayed]>,
    ops: Vec<OpPlan>,
    keys: KeyList,
    /// A bit for each key: whether some request of the run writes or deletes it.
    changing: Box<[u64]>,
}

/// One request, by the places of its operation and its key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Replayed {
    /// Place of the operation.
    pub op: u32,
    /// Place of the key; of a list any.
    pub key: u32,
}

impl Replay {
    /// `requests` by arrival number, about `keys`; `changes` says of which keys some request of the run writes or
    /// deletes the object. None of `ops` takes several requests.
    pub fn new(
        requests: Box<[Replayed]>,
        ops: Vec<OpPlan>,
        keys: KeyList,
        changes: impl Fn(&str) -> bool,
    ) -> Self {
        let mut changing = vec![0u64; keys.len().div_ceil(64) as usize];
        for n in (0..keys.len()).filter(|n| keys.at(*n).is_some_and(&changes)) {
            changing[n as usize / 64] |= 1 << (n % 64);
        }
        Self { requests, ops, keys, changing: changing.into() }
    }

    /// The operation of arrival `k`; `None` past the last.
    pub(crate) fn op(&self, k: u32) -> Option<&OpPlan> {
        self.ops.get(self.requests.get(k as usize)?.op as usize)
    }

    /// The key of arrival `k`; empty past the last.
    pub(crate) fn key(&self, k: u32) -> &str {
        self.request(k).and_then(|request| self.keys.at(request.key)).unwrap_or_default()
    }

    /// Whether the object of arrival `k` is written or deleted in the run.
    pub(crate) fn is_changing(&self, k: u32) -> bool {
        self.request(k).is_some_and(|request| {
            let words = self.changing.get(request.key as usize / 64);
            words.is_some_and(|word| word >> (request.key % 64) & 1 == 1)
        })
    }

    fn request(&self, k: u32) -> Option<&Replayed> {
        self.requests.get(k as usize)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use gatecrash_model::{ClientRecord, Ending, Lengths, ObjectKeys, Op, Pool, SizeLaw};

    use super::*;
    use crate::plan::{Expect, Payload, RequestPlan};
    use crate::workload::{RangeLaw, Workload};

    fn workload() -> Arc<Workload> {
        let keys: KeyList = ["gone", "old", "new", "read"].map(Arc::from).into_iter().collect(); // gone new old read
        let ops = vec![
            OpPlan::GetObject { range: None },
            OpPlan::GetObject { range: Some(RangeLaw::Random(10)) },
            OpPlan::PutObject,
            OpPlan::DeleteObject,
            OpPlan::ListObjectsV2 { prefix: Some("a b".into()), max_keys: 7, pages: 1 },
        ];
        let requests = [(0, 3), (1, 3), (2, 1), (0, 1), (3, 2), (0, 2), (0, 0), (4, 0)];
        let requests = requests.map(|(op, key)| Replayed { op, key });
        let replay = Replay::new(Box::new(requests), ops, keys, |key| key == "new" || key == "old");
        let mut workload = crate::testing::workload(OpPlan::HeadObject);
        workload.population.count = 2;
        workload.population.pattern =
            ObjectKeys::Listed(["old", "read"].map(Arc::from).into_iter().collect());
        workload.population.sizes = SizeLaw::Listed(Lengths::from(vec![500, 900]));
        workload.writes.sizes = SizeLaw::Listed(Lengths::from(vec![0, 0, 64, 0]));
        workload.replay = Some(replay);
        Arc::new(workload)
    }

    #[test]
    fn arrivals_ask_for_what_was_asked_for() {
        let (workload, pool) = (workload(), Pool::new(7));
        let plans: Vec<RequestPlan> = (0..8).map(|k| workload.plan(&pool, k)).collect();
        let told: Vec<_> = plans.iter().map(|plan| (plan.op, plan.key.as_str())).collect();
        let (get, put, delete) = (Op::GetObject, Op::PutObject, Op::DeleteObject);
        let wanted =
            [(get, "read"), (get, "read"), (put, "new"), (get, "new"), (delete, "old"), (get, "old")];
        assert_eq!(told[..6], wanted);
        assert_eq!(told[6..], [(get, "gone"), (Op::ListObjectsV2, "")]);
        assert!(matches!(plans[0].expect, Expect::Object { index: 1, size: 900, .. }));
        assert_eq!(plans[1].range.map(|(first, last)| last - first), Some(9));
        assert!(matches!(plans[2].payload, Payload::Object { len: 64, .. }));
        assert_eq!([3, 5, 6].map(|k| plans[k].expect), [Expect::Changing, Expect::Changing, Expect::Absent]);
        assert_eq!(plans[7].query, "list-type=2&max-keys=7&prefix=a%20b");
        assert_eq!(workload.deletes(4), ["old"]);
        assert_eq!(workload.stride(), 1);
        assert_eq!(workload.plan(&pool, 8).op, Op::Unknown, "past the last");
    }

    #[test]
    fn what_changes_may_be_there_or_not() {
        let (workload, pool) = (workload(), Pool::new(7));
        let answered = |k, status| {
            let plan = workload.plan(&pool, k);
            plan.is_answered_by(&ClientRecord { status, ending: Ending::Complete, ..ClientRecord::default() })
        };
        assert_eq!([answered(3, 200), answered(3, 404), answered(3, 503)], [true, true, false]);
        assert_eq!([answered(0, 200), answered(0, 404), answered(6, 404)], [true, false, true]);
    }
}
