//! Whether an answer is the right one: what exists is served whole, what does not exist is a 404, and a condition
//! that does not hold is a 304 or 412.

use gatecrash_model::population::KeyPattern;
use gatecrash_model::{ClientRecord, Ending, Op};

use super::History;
use crate::plan::Plan;

/// What of each workload's bucket exists from the start.
#[derive(Clone, Debug, Default)]
pub struct Answers {
    populations: Vec<Option<(KeyPattern, u32)>>,
}

impl Answers {
    /// The populations of a plan's workloads.
    pub fn of(plan: &Plan) -> Self {
        let population = |bucket: &str| {
            let bucket = plan.buckets.iter().find(|b| b.name == bucket)?;
            Some((bucket.key.parse().ok()?, bucket.objects))
        };
        Self { populations: plan.workloads.iter().map(|w| population(&w.bucket)).collect() }
    }

    /// Whether a request was answered rightly: [`ClientRecord::is_success`], or a whole 404 for a synthetic
    /// key that does not exist, or for an upload to abort that is gone already.
    pub fn is_right(&self, history: &History, client: &ClientRecord) -> bool {
        client.is_success() || self.is_rightly_missing(history, client)
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
        population.and_then(Option::as_ref).is_some_and(|(pattern, count)| {
            pattern.index(history.text(client.key)).is_none_or(|n| n >= *count)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::golden::{Request, Story};

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
