//! Whether an answer is the right one: what exists is served whole, what does not exist is a 404, and a condition
//! that does not hold is a 304 or 412.

use gatecrash_model::{ClientRecord, Ending, Lineage, Op, Population};

use super::History;
use crate::plan::Plan;

/// What of each workload's bucket exists from the start.
#[derive(Clone, Debug, Default)]
pub struct Answers {
    populations: Vec<Option<Existing>>,
}

#[derive(Clone, Debug)]
struct Existing {
    population: Population,
    /// Places of objects that requests of a log write or delete: what is right then depends on their order.
    changed: Vec<u32>,
}

impl Answers {
    /// The populations of a plan's workloads.
    pub fn of(plan: &Plan) -> Self {
        let population = |bucket: &str| {
            let bucket = plan.buckets.iter().find(|b| b.name == bucket)?;
            let changed = bucket.listed.as_ref().map_or_else(Vec::new, |listed| listed.changed.clone());
            Some(Existing { population: bucket.population(plan.seed).ok()?, changed })
        };
        Self { populations: plan.workloads.iter().map(|w| population(&w.bucket)).collect() }
    }

    /// Whether a request was answered rightly: [`ClientRecord::is_success`], or a whole 404 for a synthetic
    /// key that does not exist or that a replayed log writes or deletes, or for an upload to abort that is gone
    /// already.
    pub fn is_right(&self, history: &History, client: &ClientRecord) -> bool {
        client.is_success() || self.is_rightly_missing(history, client)
    }

    /// The versions of the object a request is for, where it changes.
    pub fn lineage(&self, history: &History, client: &ClientRecord) -> Option<Lineage> {
        let existing = self.populations.get(usize::from(client.workload))?.as_ref()?;
        existing.population.lineage(history.text(client.key))
    }

    fn is_rightly_missing(&self, history: &History, client: &ClientRecord) -> bool {
        let whole = client.status == 404 && client.ending == Ending::Complete;
        if whole && client.op == Op::AbortMultipartUpload {
            return true;
        }
        if !whole || !matches!(client.op, Op::GetObject | Op::HeadObject) {
            return false;
        }
        let population = self.populations.get(usize::from(client.workload));
        population.and_then(Option::as_ref).is_some_and(|existing| {
            let object = existing.population.index(history.text(client.key));
            object.is_none_or(|n| existing.changed.binary_search(&n).is_ok())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::golden::{Request, Story};
    use crate::plan::ListedPlan;

    #[test]
    fn only_the_404_of_a_missing_key_is_right() {
        let told = |request: Request| {
            let story = Story::new().with(request);
            Answers::of(&story.plan).is_right(&story.history, &story.history.clients[0])
        };
        assert!(told(Request::at(0).key("o/1")));
        assert!(told(Request::at(0).key("o/1.missing").answer(404)));
        assert!(told(Request::at(0).key("o/100").answer(404)));
        assert!(!told(Request::at(0).key("o/99").answer(404)));
        assert!(!told(Request::at(0).key("o/1.missing").answer(502)));
        assert!(!told(Request::at(0).op(Op::PutObject).answer(404)));
        assert!(told(Request::at(0).op(Op::AbortMultipartUpload).answer(404)));
    }

    #[test]
    fn of_what_a_log_changes_a_404_is_right_too() {
        let told = |key: &'static str| {
            let mut story = Story::new().with(Request::at(0).key(key).answer(404));
            story.plan.buckets[0].objects = 2;
            story.plan.buckets[0].listed = Some(ListedPlan {
                file: "access.log".into(),
                keys: vec!["kept".to_owned(), "removed".to_owned()].into(),
                sizes: vec![1, 1].into(),
                changed: vec![1],
            });
            Answers::of(&story.plan).is_right(&story.history, &story.history.clients[0])
        };
        assert_eq!(["kept", "removed", "never"].map(told), [false, true, true]);
    }

    #[test]
    fn a_304_or_412_is_right_where_the_request_asks_for_it() {
        let told = |status: u16, due: u16| {
            let story = Story::new().with(Request::at(0).key("o/1").answer(status).flag(due));
            Answers::of(&story.plan).is_right(&story.history, &story.history.clients[0])
        };
        let (fresh, failed) = (ClientRecord::NOT_MODIFIED_DUE, ClientRecord::PRECONDITION_DUE);
        assert_eq!([told(304, fresh), told(200, fresh), told(412, fresh)], [true, true, false]);
        assert_eq!([told(412, failed), told(200, failed), told(304, failed)], [true, false, false]);
        assert_eq!([told(304, 0), told(412, 0)], [false, false], "nobody asked");
    }
}
