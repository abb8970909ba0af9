//! `failover`: with a healthy region left, traffic moves there in time.

#[cfg(test)]
use gatecrash_model::BodyCheck;
use gatecrash_model::{Capabilities, Capability, Nanos};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::outages::Part;
use super::served::{Served, left_out};
use super::{Check, CheckInfo, Fixes, Rests, Source};
#[cfg(test)]
use crate::faults::{FaultSpec, Swallow};
#[cfg(test)]
use crate::golden::{Golden, Story, Try};
use crate::judge::Scope;
use crate::stats::settled;
use crate::units::Span;
use crate::verdict::Finding;

/// The share of requests that must be whole, correct and served by the other region once it took over.
const GOOD: f64 = 0.99;

/// After a fault hit `from`, requests are served, whole and correct, by `to`, and this soon.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Failover {
    /// The region that the fault hits.
    pub from: String,
    /// The region that takes over.
    pub to: String,
    /// Time to detect and move, from the recorded edge of the fault.
    pub within: Span,
}

impl Check for Failover {
    const INFO: CheckInfo = CheckInfo {
        name: "failover",
        summary: "traffic moves to a healthy region in time",
        doc: "From `within` after the recorded edge at which the fault came into force until it ends, 99 % \
              of the requests must succeed and be served by the other region, as their responses name it; an \
              answer out of a cache counts at the time its copy was fetched, and not at all when that was \
              before the fault. \
              Detection takes what health checks and timeouts add up to: probes x interval, or failures x \
              read timeout; until then each request that goes to the dead region waits or fails. \
              Inconclusive when no fault hit the region or it never had traffic.",
        sources: &[Source::AWS_HEALTH_CHECKS, Source::ENVOY_PRIORITIES, Source::CLOUDFRONT_FAILOVER],
        fixes: Fixes {
            nginx: "`max_fails=1` and `fail_timeout` with a `backup` server and `proxy_next_upstream`",
            haproxy: "`check inter 1s fall 2`, `option redispatch 1`, `observe layer7`, `backup`",
            envoy: "a second `priority` of endpoints, with `health_checks` or `outlier_detection`; \
                    `retry_priority` `previous_priorities`",
            others: "CloudFront: an origin group, which asks the primary first each time",
        },
        example: "failover: { from: us-east-1, to: us-west-2, within: 5s }",
        needs: Capabilities::of(&[Capability::Framing, Capability::Attempts]),
        min_samples: 30,
        rests: Rests::OnRates,
    };

    fn judge(&self, scope: &Scope<'_>) -> Finding {
        let wanted = format!("{} serves within {}", self.to, self.within);
        let (Some(from), Some(to)) = (scope.region(&self.from), scope.region(&self.to)) else {
            return Finding::inconclusive(wanted, 0, format!("{} or {} is no region", self.from, self.to));
        };
        let part = Part::named(scope, &self.from, None);
        let Some((part, (hit, end))) = part.and_then(|part| Some((part, part.outage(scope)?))) else {
            return Finding::inconclusive(wanted, 0, format!("no fault hit {} in this window", self.from));
        };
        if !scope.history.attempts.iter().any(|a| scope.plan.region_of_link(a.link()) == Some(from)) {
            return Finding::inconclusive(wanted, 0, format!("{} never had traffic", self.from));
        }
        let told = Served::between(scope, hit, end).into_iter();
        let samples: Vec<_> =
            told.map(|s| (s, scope.succeeded(s.client) && s.is_by(to))).collect();
        let late: Vec<_> = samples.iter().filter(|(served, _)| served.at >= hit + self.within.0).collect();
        let count = late.len() as u64;
        if count < scope.min_samples.max(1) {
            let reason = format!(
                "{count} requests later than {} after the fault, {} needed",
                self.within, scope.min_samples
            );
            return Finding::inconclusive(wanted, count, reason);
        }
        let good = late.iter().filter(|(_, good)| *good).count();
        let moments: Vec<(Nanos, bool)> = samples.iter().map(|(s, good)| (s.at, *good)).collect();
        let observed = match settled(&moments, GOOD) {
            Some(at) => format!("after {:.2}s", (at - hit) as f64 / 1e9),
            None => "never".into(),
        };
        let detected = part.time_to_detect(scope, hit, end);
        let asked: Vec<_> = scope.clients_between(hit, end).filter(|c| !c.ending.invites_retry()).collect();
        let lost = asked.iter().filter(|c| !scope.succeeded(c)).count();
        Finding::judged(good as f64 >= GOOD * count as f64, observed, wanted, count)
            .detail(format!(
                "{good} of {count} requests later than {} after the fault were served by {}",
                self.within, self.to
            ))
            .detail(format!("{lost} of {} requests failed while the fault was on", asked.len()))
            .details(left_out(asked.len(), samples.len()))
            .details(detected.map(|took| format!("time to detect: {:.2}s", took as f64 / 1e9)))
            .exemplars(late.iter().filter(|(_, good)| !good).map(|(s, _)| s.client.id()))
    }

    #[cfg(test)]
    fn goldens() -> Vec<Golden> {
        let check = || Self { from: "a".into(), to: "b".into(), within: Span::millis(500) };
        let story = || {
            let swallow = FaultSpec::Swallow(Swallow {});
            Story::new().standby("b").fault(swallow, 1000, 4000).every(10, 0, 1000, |r| r)
        };
        let lost = |r: crate::golden::Request| r.tries([Try::silent().by(0)]);
        let moved = |r: crate::golden::Request| r.tries([Try::served().link(1)]);
        let noticed = || story().every(10, 1000, 1300, lost);
        let copy = |r: crate::golden::Request| r.key("o/1").answer(200).body(BodyCheck::Exact).from_other(1);
        let stored = move |r| copy(r).tries([]);
        let renewed = move |r| copy(r).tries([Try::status(304, "").link(1)]);
        vec![
            Golden::pass(
                "moved after 0.3 s",
                check(),
                noticed().every(10, 1300, 4000, moved),
            ),
            Golden::fail(
                "moved after 2 s",
                check(),
                story().every(10, 1000, 3000, lost).every(10, 3000, 4000, moved),
            ),
            Golden::fail("never moved", check(), story().every(10, 1000, 4000, lost)),
            Golden::pass(
                "moved, with copies from before in a cache",
                check(),
                noticed().every(20, 1300, 4000, moved).every(20, 1310, 4000, stored),
            ),
            Golden::pass("copies renewed by the other region", check(), noticed().every(10, 1300, 4000, renewed)),
            Golden::inconclusive("nothing but copies from before", check(), noticed().every(10, 1300, 4000, stored)),
            Golden::inconclusive("no fault", check(), Story::new().standby("b").every(10, 0, 1000, |r| r)),
        ]
    }
}
