//! Judging a run: each expectation over its window, guarded against vacuous verdicts.

use gatecrash_model::{Capability, ClientRecord, Nanos};

use crate::history::{History, Join};
use crate::plan::{ExpectationPlan, Plan};
use crate::profile::Profile;
use crate::rules::Matcher;

/// What a check may look at.
#[derive(Clone, Copy, Debug)]
pub struct Scope<'a> {
    /// The plan.
    pub plan: &'a Plan,
    /// What is expected of this gateway.
    pub profile: &'a Profile,
    /// Everything observed.
    pub history: &'a History,
    /// Who caused what.
    pub join: &'a Join,
    /// Window on intended start, from.
    pub from: Nanos,
    /// Window on intended start, until (exclusive).
    pub until: Nanos,
    /// Phase index, when the expectation names one.
    pub phase: Option<u16>,
    /// Which requests.
    pub matcher: &'a Matcher,
    /// Least samples.
    pub min_samples: u64,
    /// Allowance for time limits: max(50 ms, 10 %) is the check's own; this is the scheduler slack measured in the run.
    pub slack: Nanos,
}

impl<'a> Scope<'a> {
    /// The scope of an expectation; `None` when its phase never began.
    pub fn of(
        expectation: &'a ExpectationPlan,
        plan: &'a Plan,
        profile: &'a Profile,
        history: &'a History,
        join: &'a Join,
        slack: Nanos,
    ) -> Option<Self> {
        let (start, end) = match expectation.phase {
            Some(phase) => history.phase_window(phase)?,
            None => (0, history.end() + 1),
        };
        let from = start + expectation.after.map_or(0, |s| s.0);
        let until = expectation.before.map_or(end, |s| end.min(start + s.0));
        let min_samples = expectation.min_samples.unwrap_or_else(|| expectation.check.info().min_samples);
        let (phase, matcher) = (expectation.phase, &expectation.matcher);
        Some(Self { plan, profile, history, join, from, until, phase, matcher, min_samples, slack })
    }

    /// Client requests of the window that match and were sent, by intended time.
    pub fn clients(&self) -> impl Iterator<Item = &'a ClientRecord> + use<'a> {
        let scope = *self;
        let begin = scope.history.clients.partition_point(|c| c.intended < scope.from);
        let end = scope.history.clients.partition_point(|c| c.intended < scope.until);
        scope.history.clients[begin..end.max(begin)]
            .iter()
            .filter(move |c| !c.was_dropped() && scope.includes(c))
    }

    /// Whether a client request matches, whatever its time.
    pub fn includes(&self, client: &ClientRecord) -> bool {
        let bucket = self.plan.workloads.get(usize::from(client.workload)).map_or("", |w| w.bucket.as_str());
        self.matcher.matches_request(client.op, bucket, self.history.text(client.key))
            && self.matcher.method.as_deref().is_none_or(|m| m.eq_ignore_ascii_case(client.op.method()))
            && self.matcher.upstream_status.is_none_or(|status| {
                self.join.attempts(self.history, client.id()).any(|a| a.status == status)
            })
    }

    /// What of `needed` nobody could observe in this run, in words.
    pub fn missing(&self, needed: gatecrash_model::Capabilities) -> Option<String> {
        let names: Vec<_> = self.history.capabilities.missing(needed).map(Capability::name).collect();
        (!names.is_empty()).then(|| names.join(", "))
    }
}
