//! Why a request ended as it did: evidence -> cause -> advice, and the whole story of one request.

mod rules;
mod story;
mod waterfall;

use gatecrash_model::{AttemptRecord, ClientRecord, RequestId, UpstreamRecord};

pub use story::story;
pub(crate) use waterfall::MOST;
pub use waterfall::{Doing, Row, Stretch, Waterfall};

use crate::history::{History, Intervals, Join};
use crate::plan::Plan;

/// Everything known of one request.
struct Evidence<'a> {
    plan: &'a Plan,
    history: &'a History,
    intervals: Intervals,
    client: &'a ClientRecord,
    attempts: Vec<&'a AttemptRecord>,
    upstream: Option<&'a UpstreamRecord>,
}

/// The likeliest cause of what a client saw, with the setting to look at; `None` when nothing is wrong or
/// known.
pub fn likely_cause(plan: &Plan, history: &History, join: &Join, client: &ClientRecord) -> Option<String> {
    let attempts: Vec<_> = join.attempts_of(history, client).collect();
    let last = join.fed_by(history, client).or_else(|| attempts.last().copied());
    let upstream = last.and_then(|a| join.upstream(history, a));
    let intervals = Intervals::of(plan, history);
    let evidence = Evidence { plan, history, intervals, client, attempts, upstream };
    rules::RULES.iter().find_map(|rule| rule(&evidence))
}

/// The likeliest cause of what befell the first of these requests that tells one.
pub fn likely_cause_of(
    plan: &Plan,
    history: &History,
    join: &Join,
    requests: &[RequestId],
) -> Option<String> {
    let clients = requests.iter().filter_map(|id| join.client(history, *id));
    clients.into_iter().find_map(|client| likely_cause(plan, history, join, client))
}

// === impl Evidence ===

impl<'a> Evidence<'a> {
    fn last(&self) -> Option<&'a AttemptRecord> {
        self.attempts.last().copied()
    }

    /// Faults on while the request was under way.
    fn faults_on(&self) -> impl Iterator<Item = &'a crate::plan::FaultPlan> {
        let (from, until) = (self.client.sent(), self.client.ended());
        let faults = self.plan.faults.iter().enumerate();
        faults.filter(move |(i, _)| self.intervals.active(*i as u16, from, until)).map(|(_, f)| f)
    }

    /// The fault that ended last before the request was sent.
    fn fault_before(&self) -> Option<&'a crate::plan::FaultPlan> {
        let sent = self.client.sent();
        let ended = self.intervals.all().filter(|(_, i)| i.until <= sent).max_by_key(|(_, i)| i.until);
        ended.and_then(|(fault, _)| self.plan.faults.get(usize::from(fault)))
    }
}
