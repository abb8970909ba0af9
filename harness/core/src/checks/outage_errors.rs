//! `outage-errors`: while a part of the upstream is out, clients hardly notice.

use gatecrash_model::{Capabilities, Capability};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::outages::{Part, attempts_between};
use super::{Check, CheckInfo, Fixes, Rests, Source, endings_in_words};
#[cfg(test)]
use crate::faults::{FaultSpec, Swallow};
#[cfg(test)]
use crate::golden::{Golden, Story, Try};
use crate::judge::Scope;
use crate::units::Share;
use crate::verdict::Finding;

/// The share of client requests that fail from the first instant of an outage of one part to its end.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct OutageErrors {
    /// The region that is out.
    pub region: String,
    /// One endpoint of it, from 1. Default: all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<u16>,
    /// At most this share of the requests fails. Default 0 %.
    #[serde(default)]
    pub max: Share,
}

impl Check for OutageErrors {
    const INFO: CheckInfo = CheckInfo {
        name: "outage-errors",
        summary: "an outage of one part costs clients next to nothing",
        doc: "Of the requests that were due from the recorded edge at which the fault came into force to its \
              end, at most `max` (0 %) may fail, the time to detect included: with a healthy peer there is \
              somebody to ask again. Where `failover` says when traffic had moved, this says what the move \
              cost. For GET and HEAD a retry at a peer is always allowed (RFC 9110 9.2.2: idempotent \
              methods), so 0 is within reach; give a `match` for other methods a share of their own. \
              Inconclusive when no fault hit that part, when it had no traffic, or when nobody else is left.",
        sources: &[
            Source::rfc(9110, "9.2.2", "Idempotent Methods"),
            Source::AWS_RETRIES,
            Source::ENVOY_ROUTER,
        ],
        fixes: Fixes {
            nginx: "`proxy_next_upstream error timeout` with a `backup` server and a short \
                    `proxy_connect_timeout`",
            haproxy: "`option redispatch 1`, `retry-on conn-failure empty-response response-timeout`",
            envoy: "`retry_on: connect-failure,reset` with the `retry_host_predicate` `previous_hosts`",
            others: "",
        },
        example: "outage-errors: { region: us-east-1, max: 0.5% }",
        needs: Capabilities::of(&[Capability::Framing, Capability::Attempts]),
        min_samples: 30,
        rests: Rests::OnRates,
    };

    fn judge(&self, scope: &Scope<'_>) -> Finding {
        let wanted = format!("at most {} of the requests fail", self.max);
        let open = |samples, reason: String| Finding::inconclusive(wanted.clone(), samples, reason);
        let (part, hit, end) = match Part::spared(scope, &self.region, self.endpoint) {
            Ok(spared) => spared,
            Err(reason) => return open(0, reason),
        };
        if part.share(scope, &attempts_between(scope, 0, end)).unwrap_or(0.0) == 0.0 {
            return open(0, format!("{} never had traffic", self.region));
        }
        let due: Vec<_> =
            scope.clients_between(hit, end).filter(|c| !c.ending.invites_retry()).collect();
        let samples = due.len() as u64;
        if samples < scope.min_samples.max(1) {
            let needed = scope.min_samples;
            return open(samples, format!("{samples} requests during the outage, {needed} needed"));
        }
        let failed: Vec<_> = due.iter().copied().filter(|c| !scope.succeeded(c)).collect();
        let share = failed.len() as f64 / samples as f64;
        let seconds = (end - hit) as f64 / 1e9;
        Finding::judged(share <= self.max.0 + 1e-9, format!("{:.2}%", share * 100.0), wanted, samples)
            .detail(format!("{} of {samples} requests failed in {seconds:.2}s of outage", failed.len()))
            .details(endings_in_words(failed.iter().copied()))
            .exemplars(failed.iter().map(|c| c.id()))
    }

    #[cfg(test)]
    fn goldens() -> Vec<Golden> {
        let check = || Self { region: "a".into(), endpoint: None, max: Share(0.02) };
        let swallow = || FaultSpec::Swallow(Swallow {});
        let story = || Story::new().standby("b").fault(swallow(), 1000, 3000).every(10, 0, 1000, |r| r);
        let lost = |r: crate::golden::Request| r.tries([Try::silent().by(0)]);
        let moved = |r: crate::golden::Request| r.tries([Try::served().link(1)]);
        let told = |until| story().every(10, 1000, until, lost).every(10, until, 3000, moved);
        vec![
            Golden::pass("two of 200 fail", check(), told(1020)),
            Golden::fail("half a second of failures", check(), told(1500)),
            Golden::inconclusive("no fault", check(), Story::new().standby("b").every(10, 0, 1000, |r| r)),
            Golden::inconclusive(
                "nobody else to ask",
                check(),
                Story::new().fault(swallow(), 500, 1000).every(10, 0, 1000, |r| r),
            ),
        ]
    }
}
