//! `success-rate`: the share of requests with a whole, correct 2xx answer.

use gatecrash_model::{Capabilities, Capability};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Check, CheckInfo, Fixes, Rests, ShareBounds, Source};
#[cfg(test)]
use crate::golden::{Golden, Story};
use crate::judge::Scope;
use crate::units::Share;
use crate::verdict::Finding;

/// Share of requests answered 2xx (or the 304 or 412 that their condition asks for), whole, with every byte right. Dropped reused connections are a
/// legal "please retry" and count neither way.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct SuccessRate {
    /// At least.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<Share>,
    /// At most (to prove that a fault bites).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<Share>,
}

impl Check for SuccessRate {
    const INFO: CheckInfo = CheckInfo {
        name: "success-rate",
        summary: "share of requests with a whole, correct answer",
        doc: "A request succeeds when its answer is 2xx (or the 304 or 412 that its If-None-Match or \
              If-Match asks for), complete under its own framing, and every body byte is the object's. \
              Requests dropped on a reused client connection are a legal retry signal (RFC 9112 9.3.1) and \
              count neither as success nor as failure. It is what service level objectives are written in, \
              and what users have of a gateway. `max` proves that a fault bites.",
        sources: &[Source::SRE_OBJECTIVES, Source::rfc(9112, "9.3.1", "Retrying Requests")],
        fixes: Fixes {
            nginx: "`proxy_next_upstream error timeout invalid_header http_503` over at least two servers, \
                    bounded by `proxy_next_upstream_tries`",
            haproxy: "`retry-on all-retryable-errors` with `option redispatch 1`, and `http-request \
                      disable-l7-retry if METH_POST`",
            envoy: "a `retry_policy` with `retry_on: 5xx` (refused and broken connections included) and the \
                    `retry_host_predicate` `previous_hosts`",
            others: "",
        },
        example: "success-rate: { min: 99% }",
        needs: Capabilities::of(&[Capability::Framing]),
        min_samples: 30,
        rests: Rests::OnRates,
    };

    fn judge(&self, scope: &Scope<'_>) -> Finding {
        let bounds = ShareBounds { min: self.min, max: self.max };
        let counted: Vec<_> = scope.answered().collect();
        let samples = counted.len() as u64;
        if samples < scope.min_samples.max(1) {
            let reason = format!("{samples} requests, {} needed", scope.min_samples);
            return Finding::inconclusive(bounds.to_string(), samples, reason);
        }
        let good = counted.iter().filter(|c| scope.succeeded(c)).count();
        let share = good as f64 / samples as f64;
        let failed = counted.iter().filter(|c| !scope.succeeded(c));
        let observed = format!("{:.2}%", share * 100.0);
        Finding::judged(bounds.hold(share), observed, bounds.to_string(), samples)
            .detail(format!("{} of {samples} requests did not succeed", samples - good as u64))
            .details(super::endings_in_words(failed.clone().copied()))
            .exemplars(failed.map(|c| c.id()))
    }

    fn problem(&self) -> Option<&'static str> {
        ShareBounds { min: self.min, max: self.max }.problem()
    }

    #[cfg(test)]
    fn goldens() -> Vec<Golden> {
        let check = || Self { min: Some(Share(0.9)), max: None };
        let bites = || Self { min: None, max: Some(Share(0.5)) };
        let story = || Story::new().every(10, 0, 400, |r| r);
        let dropped = || story().every(10, 400, 500, |r| r.ending(gatecrash_model::Ending::DroppedReused));
        vec![
            Golden::pass("every answer is whole", check(), story()),
            Golden::pass("drops of reused connections count neither way", check(), dropped()),
            Golden::fail("a fifth is 502", check(), story().every(10, 400, 500, |r| r.answer(502))),
            Golden::fail("the fault does not bite", bites(), story()),
            Golden::inconclusive("ten requests", check(), Story::new().every(10, 0, 100, |r| r)),
        ]
    }
}
