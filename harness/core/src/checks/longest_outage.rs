//! `longest-outage`: the longest gap between two successes.

use gatecrash_model::{Capabilities, Capability, ClientRecord};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Check, CheckInfo, Fixes, Rests, Source};
#[cfg(test)]
use crate::golden::{Golden, Story};
use crate::judge::Scope;
use crate::units::Span;
use crate::verdict::Finding;

/// The longest time in the window without one success.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct LongestOutage {
    /// At most.
    pub max: Span,
}

impl Check for LongestOutage {
    const INFO: CheckInfo = CheckInfo {
        name: "longest-outage",
        summary: "longest gap between two successes",
        doc: "The longest stretch of the window, its edges included, in which no request that was due was \
              answered whole and correct. A success rate hides whether failures are sprinkled or come as \
              one dark stretch that every user notices.",
        sources: &[Source::SRE_RISK, Source::AWS_HEALTH_CHECKS],
        fixes: Fixes {
            nginx: "`max_fails` and `fail_timeout` with `proxy_next_upstream`, a `proxy_connect_timeout` of \
                    a second or less",
            haproxy: "`check` with `inter`, `fastinter` and `fall`, `observe layer7`, a short `timeout \
                      connect`",
            envoy: "`outlier_detection` (`consecutive_5xx`), `health_checks` with a short `interval`, a \
                    short `connect_timeout`",
            others: "",
        },
        example: "longest-outage: { max: 5s }",
        needs: Capabilities::of(&[Capability::Framing]),
        min_samples: 30,
        rests: Rests::OnRates,
    };

    fn judge(&self, scope: &Scope<'_>) -> Finding {
        let wanted = format!("at most {}", self.max);
        let due: Vec<_> = scope.answered().collect();
        let samples = due.len() as u64;
        if samples < scope.min_samples.max(1) {
            let reason = format!("{samples} requests, {} needed", scope.min_samples);
            return Finding::inconclusive(wanted, samples, reason);
        }
        let mut edges: Vec<_> = due.iter().filter(|c| scope.succeeded(c)).map(|c| c.intended).collect();
        let last = due.iter().map(|c| c.intended).max().unwrap_or(scope.from);
        edges.insert(0, due.first().map_or(scope.from, |c| c.intended));
        edges.push(last);
        let gap = edges.windows(2).max_by_key(|w| w[1] - w[0]).map_or((0, 0), |w| (w[0], w[1]));
        let longest = Span(gap.1 - gap.0);
        let within = |c: &&&ClientRecord| !scope.succeeded(c) && gap.0 <= c.intended && c.intended <= gap.1;
        let dark: Vec<_> = due.iter().filter(within).map(|c| c.id()).collect();
        let observed = format!("{:.2}s", longest.as_seconds());
        Finding::judged(longest <= self.max, observed, wanted, samples)
            .detail(format!("from +{:.2}s on, {} requests failed in a row", gap.0 as f64 / 1e9, dark.len()))
            .exemplars(dark)
    }

    #[cfg(test)]
    fn goldens() -> Vec<Golden> {
        let check = || Self { max: Span::millis(500) };
        let dark = |ms: u64| {
            let story = Story::new().every(10, 0, 1000, |r| r);
            story.every(10, 1000, 1000 + ms, |r| r.answer(503)).every(10, 1000 + ms, 3000, |r| r)
        };
        vec![
            Golden::pass("0.3 s without a success", check(), dark(300)),
            Golden::fail("0.8 s without a success", check(), dark(800)),
            Golden::fail("dark until the end", check(), dark(2000)),
            Golden::inconclusive("three requests", check(), Story::new().every(10, 0, 30, |r| r)),
        ]
    }
}
