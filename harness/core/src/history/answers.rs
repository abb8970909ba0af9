//! Whether an answer is the right one: what exists is served whole, what does not exist is a 404.

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
    /// key that does not exist.
    pub fn is_right(&self, history: &History, client: &ClientRecord) -> bool {
        client.is_success() || self.is_rightly_missing(history, client)
    }

    fn is_rightly_missing(&self, history: &History, client: &ClientRecord) -> bool {
        let whole = client.status == 404 && client.ending == Ending::Complete;
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
    }
}
