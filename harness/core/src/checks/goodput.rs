//! `goodput`: whole, correct answers for each second, or for each arrival that was due.

use gatecrash_model::{Capabilities, Capability, ClientRecord};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Check, CheckInfo, Fixes, Rests, Source};
#[cfg(test)]
use crate::golden::{Golden, Story};
use crate::judge::Scope;
use crate::units::{Rate, Share, Span};
use crate::verdict::Finding;

/// Whole, correct answers to what was due in the window, arrivals over the in-flight cap included. At least one of `min`
/// and `of-offered` is given.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Goodput {
    /// At least this many in a second.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<Rate>,
    /// At least this share of the arrivals.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of_offered: Option<Share>,
    /// Only answers within this time of when they were due count. Default: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within: Option<Span>,
}

impl Check for Goodput {
    const INFO: CheckInfo = CheckInfo {
        name: "goodput",
        summary: "whole, correct answers for each second, or of what was offered",
        doc: "What users got: answers that are 2xx, complete and right in every byte, as a rate (`min`) or \
              as a share of all arrivals that were due (`of-offered`). Unlike `success-rate` it also counts \
              against the gateway what was never sent because `max-in-flight` requests were under way, and \
              with `within` what came too late to be of use: a gateway that answers everything after ten \
              seconds has a perfect success rate and no goodput.",
        sources: &[Source::SRE_CASCADING, Source::AWS_SHEDDING],
        fixes: Fixes {
            nginx: "`limit_conn` and `max_conns` of the servers, fewer tries (`proxy_next_upstream_tries`)",
            haproxy: "`maxconn` of the servers with a short `timeout queue`, fewer `retries`",
            envoy: "`circuit_breakers` (`max_pending_requests`, `max_requests`, `retry_budget`), the \
                    `admission_control` filter",
            others: "",
        },
        example: "goodput: { of-offered: 99%, within: 1s }",
        needs: Capabilities::of(&[Capability::Framing]),
        min_samples: 30,
        rests: Rests::OnRates,
    };

    fn judge(&self, scope: &Scope<'_>) -> Finding {
        let wanted = self.wanted();
        let due: Vec<&ClientRecord> = scope.due().collect();
        let offered = due.len() as u64;
        if offered < scope.min_samples.max(1) {
            let reason = format!("{offered} arrivals, {} needed", scope.min_samples);
            return Finding::inconclusive(wanted, offered, reason);
        }
        let (first, last) = (due.first().map_or(0, |c| c.intended), due.last().map_or(0, |c| c.intended));
        // From the first arrival to one mean interval after the last: the time that so many arrivals take.
        let seconds = (last - first) as f64 / 1e9 * offered as f64 / (offered - 1).max(1) as f64;
        let is_right = |c: &ClientRecord| !c.was_dropped() && scope.succeeded(c);
        let in_time = |c: &ClientRecord| self.within.is_none_or(|most| c.response_micros() * 1000 <= most.0);
        let right = due.iter().filter(|c| is_right(c)).count() as u64;
        let lost: Vec<_> = due.iter().filter(|c| !(is_right(c) && in_time(c))).collect();
        let good = offered - lost.len() as u64;
        let (rate, share) = (good as f64 / seconds.max(1e-9), good as f64 / offered as f64);
        let holds = self.min.is_none_or(|min| seconds > 0.0 && rate + 1e-6 >= min.0)
            && self.of_offered.is_none_or(|least| share + 1e-9 >= least.0);
        let dropped = due.iter().filter(|c| c.was_dropped()).count();
        let late = right - good;
        let observed = format!("{rate:.1}/s, {:.2}% of what was offered", share * 100.0);
        Finding::judged(holds, observed, wanted, offered)
            .detail(format!("{good} of {offered} arrivals, {dropped} were not sent, {late} answered too late"))
            .exemplars(lost.iter().map(|c| c.id()))
    }

    fn problem(&self) -> Option<&'static str> {
        (self.min.is_none() && self.of_offered.is_none()).then_some("a bound, `min` or `of-offered`")
    }

    #[cfg(test)]
    fn goldens() -> Vec<Golden> {
        let rate = |min| Self { min: Some(Rate(min)), of_offered: None, within: None };
        let share = || Self { min: None, of_offered: Some(Share(0.95)), within: None };
        let soon = || Self { within: Some(Span::millis(100)), ..share() };
        // A hundred a second for four seconds, then as many that are of no use.
        let story = || Story::new().every(10, 0, 4_000, |r| r.took(20));
        let failing = || story().every(10, 4_000, 8_000, |r| r.answer(503));
        let slow = || story().every(10, 4_000, 8_000, |r| r.took(200));
        let dropped = || story().every(10, 4_000, 8_000, |r| r.ending(gatecrash_model::Ending::Dropped));
        vec![
            Golden::pass("a hundred a second", rate(100.0), story()),
            Golden::pass("all of them", share(), story()),
            Golden::pass("late answers count where no time is given", share(), slow()),
            Golden::fail("fifty a second are no sixty", rate(60.0), failing()),
            Golden::fail("half of them fail", share(), failing()),
            Golden::fail("half of them come too late", soon(), slow()),
            // Of a run, that is the doing of the load's cap; a trial of a capacity search is bad by it.
            Golden::inconclusive("half of them were never sent", share(), dropped()),
            Golden::inconclusive("ten requests", share(), Story::new().every(10, 0, 100, |r| r)),
        ]
    }
}

impl Goodput {
    fn wanted(&self) -> String {
        let rate = self.min.map(|min| format!("at least {min}"));
        let share = self.of_offered.map(|least| format!("at least {least} of what is offered"));
        let within = self.within.map(|most| format!("within {most}"));
        [rate, share, within].into_iter().flatten().collect::<Vec<_>>().join(", ")
    }
}
