//! `bounded-attempts`: no request is tried more often than declared.

use gatecrash_model::{Capabilities, Capability};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::tally::Tally;
use super::{Check, CheckInfo, Fixes, Rests, Source};
#[cfg(test)]
use crate::faults::{FaultSpec, Refuse};
#[cfg(test)]
use crate::golden::{Golden, Story, Try};
use crate::judge::Scope;
use crate::verdict::Finding;

/// Upstream attempts per client request never exceed the declared maximum, the stale-pool retry included.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct BoundedAttempts {}

impl Check for BoundedAttempts {
    const INFO: CheckInfo = CheckInfo {
        name: "bounded-attempts",
        summary: "no more upstream attempts per request than declared",
        doc: "Counts the upstream attempts that carry a request's id, health probes excluded, against the \
              profile's maximum. Retries multiply through the layers of a system: three tries in each of \
              five are 243 at the bottom (AWS Builders' Library, Timeouts, retries and backoff with \
              jitter). Requests whose connect attempts nobody could see (refused, black-holed) are left \
              out unless the gateway's log is a second witness. Measured: nginx adds one try when a pooled \
              connection turns out dead.",
        sources: &[Source::AWS_RETRIES, Source::SRE_OVERLOAD],
        fixes: Fixes {
            nginx: "`proxy_next_upstream_tries` (by default each server is tried once)",
            haproxy: "`retries` (3 by default)",
            envoy: "`num_retries` of the `retry_policy` (1 by default; without a policy it does not retry)",
            others: "",
        },
        example: "bounded-attempts: {}",
        needs: Capabilities::of(&[Capability::Attempts, Capability::OwnTries]),
        min_samples: 1,
        rests: Rests::OnExchanges,
    };

    fn judge(&self, scope: &Scope<'_>) -> Finding {
        let max = usize::from(scope.profile.max_attempts);
        let mut tally = Tally::default();
        let mut most = 0;
        for client in scope.clients() {
            let tries = scope.tries(client);
            let count = tries.unwrap_or_else(|| scope.attempts(client).count());
            most = most.max(count);
            if count > max {
                tally.bad(client.id(), format!("{count} attempts"));
            } else if tries.is_some_and(|tries| tries > 0) {
                tally.good();
            }
        }
        let why = "no attempt could be counted (none upstream, or connect faults without a witness)";
        let finding = tally.finding(scope, format!("at most {max} attempts"), why);
        finding.detail(format!("{most} attempts at most"))
    }

    #[cfg(test)]
    fn goldens() -> Vec<Golden> {
        let tries = |n| Story::new().every(10, 0, 50, move |r| r.tries(vec![Try::reset(); n]));
        let refuse = || FaultSpec::Refuse(Refuse {});
        let refused = |n| {
            Story::new().fault(refuse(), 0, 900).every(10, 0, 50, move |r| r.tries(vec![Try::reset(); n]))
        };
        let witnessed = |attempts| {
            let log = (0..5).map(|request| gatecrash_model::Event::Witnessed { request, attempts });
            log.fold(refused(1).profile(|p| p.witness = true), Story::event)
        };
        vec![
            Golden::pass("two tries", Self {}, tries(2)),
            Golden::pass("refused tries with a witness", Self {}, witnessed(2)),
            Golden::fail("three tries", Self {}, tries(3)),
            Golden::fail("three by the gateway's own log", Self {}, witnessed(3)),
            Golden::inconclusive(
                "a witness who saw nothing",
                Self {},
                refused(1).profile(|p| p.witness = true),
            ),
            Golden::fail("three seen while others were refused", Self {}, refused(3)),
            Golden::inconclusive("refused tries were not seen", Self {}, refused(1)),
            Golden::inconclusive("attempts were not seen", Self {}, tries(2).without(Capability::Attempts)),
        ]
    }
}
