//! `recovery`: after the fault, requests succeed again, under the same load.

use gatecrash_model::{Capabilities, Capability, ClientRecord, Nanos};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Check, CheckInfo, Fixes, Rests, Source};
#[cfg(test)]
use crate::faults::{FaultSpec, Swallow};
#[cfg(test)]
use crate::golden::{Golden, Story, Try};
use crate::judge::Scope;
use crate::stats::settled;
use crate::units::{Share, Span};
use crate::verdict::Finding;

/// From `within` after the last fault ended on, at least `min` of the requests succeed.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Recovery {
    /// By when, from the recorded end of the fault.
    pub within: Span,
    /// Share of requests that succeed from then on.
    #[serde(default = "most")]
    pub min: Share,
}

fn most() -> Share {
    Share(0.99)
}

impl Check for Recovery {
    const INFO: CheckInfo = CheckInfo {
        name: "recovery",
        summary: "requests succeed again soon after the fault",
        doc: "From `within` after the recorded end of the last fault to the end of the window (or the next \
              fault), at least `min` (99 %) of the requests must succeed, at the load that was on all the \
              time. What stays down after its cause is gone is a metastable failure: retries, queues, \
              ejected peers, leaked connections or cached errors keep it there (Bronson et al., HotOS \
              2021). Inconclusive when no fault ended.",
        sources: &[Source::METASTABLE, Source::SRE_CASCADING],
        fixes: Fixes {
            nginx: "`max_conns`, a short `fail_timeout`, `proxy_cache_valid` without error statuses",
            haproxy: "`maxconn` with a short `timeout queue`, a low `rise`, fewer `retries`",
            envoy: "`retry_budget`, `max_pending_requests`, a short `base_ejection_time`",
            others: "",
        },
        example: "recovery: { within: 1s }",
        needs: Capabilities::of(&[Capability::Framing]),
        min_samples: 30,
        rests: Rests::OnRates,
    };

    fn judge(&self, scope: &Scope<'_>) -> Finding {
        let wanted = format!("at least {} succeed within {}", self.min, self.within);
        let Some((off, end)) = scope.restored() else {
            return Finding::inconclusive(wanted, 0, "no fault ended in or before this window");
        };
        if !scope.end_confirmed(off) {
            return Finding::inconclusive(wanted, 0, "our probe did not see the fault end");
        }
        let after = scope.clients_between(off, end).filter(|c| !c.ending.invites_retry());
        let after: Vec<_> = after.collect();
        let late: Vec<&ClientRecord> =
            after.iter().copied().filter(|c| c.intended >= off + self.within.0).collect();
        let samples = late.len() as u64;
        if samples < scope.min_samples.max(1) {
            let needed = scope.min_samples;
            let reason =
                format!("{samples} requests later than {} after the fault, {needed} needed", self.within);
            return Finding::inconclusive(wanted, samples, reason);
        }
        let good = late.iter().filter(|c| scope.succeeded(c)).count();
        let moments: Vec<(Nanos, bool)> = after.iter().map(|c| (c.intended, scope.succeeded(c))).collect();
        let observed = match settled(&moments, self.min.0) {
            Some(at) => format!("after {:.2}s", (at - off) as f64 / 1e9),
            None => "never".into(),
        };
        let failed = late.iter().filter(|c| !scope.succeeded(c));
        Finding::judged(good as f64 + 1e-6 >= self.min.0 * samples as f64, observed, wanted, samples)
            .detail(format!(
                "{} of {samples} requests later than {} after the fault failed",
                failed.clone().count(),
                self.within
            ))
            .details(super::endings_in_words(failed.clone().copied()))
            .exemplars(failed.map(|c| c.id()))
    }

    #[cfg(test)]
    fn goldens() -> Vec<Golden> {
        let check = || Self { within: Span::millis(500), min: Share(0.99) };
        let story = |back| {
            let swallow = FaultSpec::Swallow(Swallow {});
            let story = Story::new().fault(swallow, 500, 1000).every(10, 0, 500, |r| r);
            let story = story.every(10, 500, 1000, |r| r.tries([Try::silent().by(0)]));
            story.every(10, 1000, back, |r| r.answer(502)).every(10, back, 3000, |r| r)
        };
        vec![
            Golden::pass("well after 0.2 s", check(), story(1200)),
            Golden::fail("well after 1.5 s", check(), story(2500)),
            Golden::fail("never well", check(), story(3000)),
            Golden::inconclusive("nothing ended", check(), Story::new().every(10, 0, 1000, |r| r)),
        ]
    }
}
