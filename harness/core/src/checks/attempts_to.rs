//! `attempts-to`: the share of attempts that go to one region.

use gatecrash_model::{AttemptRecord, Capabilities, Capability};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Check, CheckInfo, Fixes, Rests, ShareBounds, Source};
#[cfg(test)]
use crate::golden::{Golden, Story, Try};
use crate::judge::Scope;
#[cfg(test)]
use crate::units::Share;
use crate::verdict::Finding;

/// Share of the window's upstream attempts that went to a region, health probes excluded.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct AttemptsTo {
    /// The region.
    pub region: String,
    /// Bounds on its share.
    pub share: ShareBounds,
}

impl Check for AttemptsTo {
    const INFO: CheckInfo = CheckInfo {
        name: "attempts-to",
        summary: "share of upstream attempts that go to a region",
        doc: "Of all attempts that began in the window and carry the id of a matching request, the share \
              that went through a link of this region. After detection a dead region should see next to \
              nothing, before and after its due share: what is sent to one that cannot answer costs a client \
              its time, and what ails more load. Probes that the recipe declares do not count.",
        sources: &[Source::SRE_LOAD_BALANCING, Source::ENVOY_OUTLIERS],
        fixes: Fixes {
            nginx: "`weight`, `max_fails`, `fail_timeout`, `backup`",
            haproxy: "`weight`, `check` with `inter`, `fall` and `rise`, `backup`, `observe layer7`",
            envoy: "`load_balancing_weight`, `priority` of the endpoints, `outlier_detection`, \
                    `health_checks`",
            others: "",
        },
        example: "attempts-to: { region: us-east-1, share: { max: 1% } }",
        needs: Capabilities::of(&[Capability::Attempts]),
        min_samples: 30,
        rests: Rests::OnRates,
    };

    fn judge(&self, scope: &Scope<'_>) -> Finding {
        let wanted = format!("{} to {}", self.share, self.region);
        let Some(region) = scope.region(&self.region) else {
            return Finding::inconclusive(wanted, 0, format!("there is no region {}", self.region));
        };
        let in_window = |a: &&AttemptRecord| (scope.from..scope.until).contains(&a.start);
        let mut to = Vec::new();
        let mut samples = 0u64;
        for client in scope.history.clients.iter().filter(|c| !c.was_dropped() && scope.includes(c)) {
            for attempt in scope.attempts(client).filter(in_window) {
                samples += 1;
                if scope.plan.region_of_link(attempt.link()) == Some(region) {
                    to.push(client.id());
                }
            }
        }
        if samples < scope.min_samples.max(1) {
            let reason = format!("{samples} attempts, {} needed", scope.min_samples);
            return Finding::inconclusive(wanted, samples, reason);
        }
        let share = to.len() as f64 / samples as f64;
        Finding::judged(self.share.hold(share), format!("{:.2}%", share * 100.0), wanted, samples)
            .detail(format!("{} of {samples} attempts went to {}", to.len(), self.region))
            .exemplars(to)
    }

    fn problem(&self) -> Option<&'static str> {
        self.share.problem()
    }

    #[cfg(test)]
    fn goldens() -> Vec<Golden> {
        let check = || Self { region: "a".into(), share: ShareBounds { min: None, max: Some(Share(0.1)) } };
        let moved = || Story::new().standby("b").every(10, 0, 500, |r| r.tries([Try::served().link(1)]));
        vec![
            Golden::pass("all go to b", check(), moved()),
            Golden::fail("a third goes to a", check(), moved().every(10, 500, 750, |r| r)),
            Golden::inconclusive("five attempts", check(), Story::new().every(10, 0, 50, |r| r)),
        ]
    }
}
