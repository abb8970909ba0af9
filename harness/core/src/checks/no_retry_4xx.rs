//! `no-retry-4xx`: the client's mistakes are not repeated.

use gatecrash_model::{AttemptRecord, Capabilities, Capability, Ending};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::tally::Tally;
use super::{Check, CheckInfo, Fixes, Rests, Source};
#[cfg(test)]
use crate::golden::{Golden, Story, Try};
use crate::judge::Scope;
use crate::verdict::Finding;

/// A 4xx of the upstream gets one attempt, unless the profile declares that status retried.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct NoRetry4xx {}

impl Check for NoRetry4xx {
    const INFO: CheckInfo = CheckInfo {
        name: "no-retry-4xx",
        summary: "an upstream 4xx is not tried again",
        doc: "400, 403, 404, 412, 416 and the like say that this request will not succeed; another try \
              costs the upstream the same again and, for 403, looks like an attack. 401, 409 and 429 only \
              if the profile declares them. Inconclusive when no attempt was answered 4xx. Measured: with \
              `proxy_next_upstream http_429` nginx tries the next peer at once, Retry-After or not.",
        sources: &[Source::rfc(9110, "15.5", "Client Error 4xx"), Source::AWS_SDK_RETRIES],
        fixes: Fixes {
            nginx: "`proxy_next_upstream` without `http_403`, `http_404` and `http_429`",
            haproxy: "`retry-on` without 4xx statuses",
            envoy: "`retry_on` without `retriable-4xx` (a 409), no 4xx among `retriable_status_codes`",
            others: "",
        },
        example: "no-retry-4xx: {}",
        needs: Capabilities::of(&[Capability::Attempts, Capability::OwnTries]),
        min_samples: 1,
        rests: Rests::OnExchanges,
    };

    fn judge(&self, scope: &Scope<'_>) -> Finding {
        let mut tally = Tally::default();
        let is_final = |a: &AttemptRecord| {
            a.ending == Ending::Complete
                && matches!(a.status, 400..=499)
                && !a.has(AttemptRecord::ILLEGAL)
                && !scope.profile.retries_4xx.contains(&a.status)
        };
        for client in scope.clients() {
            let attempts: Vec<_> = scope.attempts(client).collect();
            let Some(at) = attempts.iter().position(|a| is_final(a)) else { continue };
            let more = attempts.len() - at - 1;
            tally
                .count(more == 0, client.id(), || format!("{} tried {more} more times", attempts[at].status));
        }
        tally.finding(scope, "one attempt for a 4xx", "no attempt was answered 4xx")
    }

    #[cfg(test)]
    fn goldens() -> Vec<Golden> {
        let denied = || Try::status(403, "AccessDenied");
        let busy = || Try::status(429, "Throttled");
        let once = || Story::new().every(10, 0, 50, move |r| r.tries([denied()]));
        let twice = || Story::new().every(10, 0, 50, move |r| r.tries([denied(), denied()]));
        let declared = || Story::new().every(10, 0, 50, move |r| r.tries([busy(), denied()]));
        vec![
            Golden::pass("403 once", Self {}, once()),
            Golden::pass(
                "429 again by declaration",
                Self {},
                declared().profile(|p| p.retries_4xx = vec![429]),
            ),
            Golden::fail("403 twice", Self {}, twice()),
            Golden::fail("429 again without", Self {}, declared()),
            Golden::inconclusive("no 4xx", Self {}, Story::new().every(10, 0, 50, |r| r)),
        ]
    }
}
