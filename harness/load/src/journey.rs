//! Journeys: what one user does, step after step, on an object of its own or on those of the bucket.
//!
//! Which request a step makes is a pure function of the workload, the request number and what the journey has put so
//! far; who walks the steps, and when, is an engine's business.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use gatecrash_model::{Content, Op, Pool};

use crate::plan::{Expect, Payload, RequestPlan};
use crate::workload::{OpPlan, Parts, RangeLaw, Workload};

/// All journeys of a workload and the users who take them.
#[derive(Clone, PartialEq, Debug)]
pub struct Journeys {
    /// The journeys; a user keeps to one of them.
    pub each: Vec<Journey>,
    /// How many users there are over time: each change starts from the users of the one before, the first from none.
    pub changes: Vec<Change>,
    /// When the last user may begin another step, from T0.
    pub until: Duration,
    /// Rules in goose's own words, such as `p95<500ms for GET GetObject`.
    pub thresholds: Vec<String>,
    /// Folder for the engine's own reports; none are written when absent.
    pub reports: Option<PathBuf>,
}

/// A sequence of steps that a user walks again and again.
#[derive(Clone, PartialEq, Debug)]
pub struct Journey {
    /// Its name.
    pub name: String,
    /// Its share of the users, beside the weights of the others; at least 1.
    pub weight: u32,
    /// Pause after each step, shortest and longest; whole milliseconds.
    pub think: (Duration, Duration),
    /// What happens, in order.
    pub steps: Vec<Step>,
}

/// A change of the number of users.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Change {
    /// Users at its end.
    pub users: u32,
    /// How long it takes, whole seconds.
    pub over: Duration,
}

/// One request of a journey. What reads is about the object the journey has put, and about one of the bucket before.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    /// Uploads an object of the user's own.
    Put,
    /// The same in parts: create, the parts, complete; abort when one of them fails.
    Multipart(Parts),
    /// Asks for metadata.
    Head,
    /// Reads a whole object.
    Get,
    /// Reads a part of it.
    Range(RangeLaw),
    /// Lists objects of the bucket.
    List,
    /// Removes what was put; what follows is about objects of the bucket again.
    Delete,
}

/// An object that a journey has put.
#[derive(Clone, PartialEq, Debug)]
pub struct Upload {
    /// Its key.
    pub key: String,
    /// Its bytes.
    pub content: Content,
    /// Its length, bytes.
    pub size: u64,
}

/// Keys on one page of a list.
const PAGE: u16 = 100;

impl Journeys {
    /// How many users are ever started: who leaves does not come back, another one comes.
    pub fn users(&self) -> u32 {
        let mut before = 0;
        self.changes.iter().fold(0u32, |all, change| {
            let more = change.users.saturating_sub(before);
            before = change.users;
            all.saturating_add(more)
        })
    }
}

impl Step {
    /// The operation it sends; of several requests the first one's.
    pub fn op(self) -> Op {
        match self {
            Self::Put => Op::PutObject,
            Self::Multipart(_) => Op::CreateMultipartUpload,
            Self::Head => Op::HeadObject,
            Self::Get | Self::Range(_) => Op::GetObject,
            Self::List => Op::ListObjectsV2,
            Self::Delete => Op::DeleteObject,
        }
    }

    /// What it is called in a scenario.
    pub fn name(self) -> &'static str {
        match self {
            Self::Put => "put",
            Self::Multipart(_) => "multipart",
            Self::Head => "head",
            Self::Get => "get",
            Self::Range(_) => "range",
            Self::List => "list",
            Self::Delete => "delete",
        }
    }
}

impl Workload {
    /// The request of a step, with number `k`; `None` for a delete where nothing was put.
    pub fn step(
        self: &Arc<Self>,
        pool: &Pool,
        k: u32,
        step: Step,
        upload: Option<&Upload>,
    ) -> Option<RequestPlan> {
        let range = if let Step::Range(range) = step { Some(range) } else { None };
        let alone = match step {
            Step::Put => OpPlan::PutObject,
            Step::Multipart(parts) => OpPlan::MultipartUpload(parts),
            Step::Head => OpPlan::HeadObject,
            Step::Get | Step::Range(_) => OpPlan::GetObject { range },
            Step::List => OpPlan::ListObjectsV2 { prefix: None, max_keys: PAGE, pages: 1 },
            Step::Delete => OpPlan::DeleteObject,
        };
        let mut plan = match (step, upload) {
            (Step::Delete, None) => return None,
            (Step::Put | Step::Multipart(_) | Step::List, _) | (_, None) => {
                return Some(self.plan_op(pool, k, &alone));
            }
            (_, Some(upload)) => {
                RequestPlan { op: step.op(), key: upload.key.clone(), ..RequestPlan::blank(self, k) }
            }
        };
        if let (Some(upload), true) = (upload, step != Step::Delete) {
            plan.expect = Expect::Uploaded { content: upload.content, size: upload.size };
            if let Some(law) = range {
                plan.ask_for(law, self.range_draw(k));
            }
        }
        Some(plan)
    }
}

impl RequestPlan {
    /// What stands in the bucket once this was answered well, with all that follows from it; `None` unless it uploads
    /// an object.
    pub fn uploads(&self, pool: &Pool) -> Option<Upload> {
        if let Some(parts) = self.parts {
            let content = self.workload.content(pool, self.arrival());
            return Some(Upload {
                key: self.key.clone(),
                content,
                size: u64::from(parts.count) * parts.size,
            });
        }
        let Payload::Object { content, len } = self.payload else { return None };
        (self.op == Op::PutObject).then(|| Upload { key: self.key.clone(), content, size: len })
    }
}

/// The number of the `n`th request of a user: users take turns, so that no two requests share one. `None` beyond
/// what a request id holds.
pub fn number(user: u32, n: u32, users: u32) -> Option<u32> {
    n.checked_mul(users)?.checked_add(user)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;
    use crate::workload::ByteRange;

    fn parts() -> (Arc<Workload>, Pool) {
        (Arc::new(testing::workload(OpPlan::GetObject { range: None })), Pool::new(7))
    }

    const ENDS: RangeLaw = RangeLaw::Fixed(ByteRange { first: 10, last: 5000 });

    #[test]
    fn reads_are_of_the_bucket_until_something_is_put() {
        let (workload, pool) = parts();
        for step in [Step::Head, Step::Get, Step::Range(ENDS)] {
            let plan = workload.step(&pool, 3, step, None).unwrap();
            assert!(matches!(plan.expect, Expect::Object { size: 1000, .. }), "{step:?}");
            assert_eq!(plan.op, step.op());
        }
        assert!(workload.step(&pool, 3, Step::Delete, None).is_none());
    }

    #[test]
    fn what_was_put_is_what_is_read_and_removed() {
        let (workload, pool) = parts();
        let put = workload.step(&pool, 8, Step::Put, None).unwrap();
        let upload = put.uploads(&pool).unwrap();
        assert_eq!((upload.key.as_str(), upload.size), ("up/main/8", 64));
        let then = |step| workload.step(&pool, 9, step, Some(&upload)).unwrap();
        let expect = Expect::Uploaded { content: upload.content, size: 64 };
        for step in [Step::Head, Step::Get, Step::Range(ENDS)] {
            assert_eq!((then(step).key.as_str(), then(step).expect), ("up/main/8", expect), "{step:?}");
        }
        assert_eq!(then(Step::Range(ENDS)).range, Some((10, 63)));
        let last = then(Step::Range(RangeLaw::Suffix(16)));
        assert_eq!((last.range, last.from_end), (Some((48, 63)), true));
        assert_eq!(then(Step::Delete).key, "up/main/8");
        assert_eq!((then(Step::List).key.as_str(), then(Step::List).expect), ("", Expect::Anything));
        assert!(then(Step::Get).uploads(&pool).is_none());
    }

    #[test]
    fn an_upload_in_parts_is_read_as_one_object() {
        let parts = Parts { count: 3, size: 1000 };
        let workload = Arc::new(testing::workload(OpPlan::MultipartUpload(parts)));
        let pool = Pool::new(7);
        let create = workload.step(&pool, 4, Step::Multipart(parts), None).unwrap();
        assert_eq!((create.op, create.k, create.query.as_str()), (Op::CreateMultipartUpload, 24, "uploads="));
        let upload = create.uploads(&pool).unwrap();
        assert_eq!((upload.key.as_str(), upload.size), ("up/main/4", 3000));
        let get = workload.step(&pool, 5, Step::Get, Some(&upload)).unwrap();
        assert_eq!(get.expect, Expect::Uploaded { content: upload.content, size: 3000 });
    }

    #[test]
    fn no_two_requests_share_a_number() {
        let users = 7;
        let mut all: Vec<_> =
            (0..users).flat_map(|user| (0..50).map(move |n| number(user, n, users).unwrap())).collect();
        all.sort_unstable();
        assert!(all.iter().copied().eq(0..350));
        assert_eq!(number(6, u32::MAX / 7 + 1, 7), None);
    }

    #[test]
    fn users_who_come_back_are_new_ones() {
        let change = |users| Change { users, over: Duration::from_secs(1) };
        let journeys = Journeys {
            each: Vec::new(),
            changes: [5, 5, 2, 4, 0].map(change).to_vec(),
            until: Duration::from_secs(5),
            thresholds: Vec::new(),
            reports: None,
        };
        assert_eq!(journeys.users(), 7);
    }
}
