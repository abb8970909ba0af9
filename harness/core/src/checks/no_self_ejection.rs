//! `no-self-ejection`: the last upstream is not put away for longer than the fault lasts.

use gatecrash_model::{Capabilities, Capability, ClientRecord};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::tally::Tally;
use super::{Check, CheckInfo, Fixes, Rests, Source};
#[cfg(test)]
use crate::faults::{FaultSpec, Swallow};
#[cfg(test)]
use crate::golden::{Golden, Story, Try};
use crate::judge::Scope;
use crate::units::Span;
use crate::verdict::Finding;

/// Soon after the last fault ended, no request is refused without asking an upstream.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct NoSelfEjection {
    /// By when every request is tried upstream again, from the recorded end of the fault.
    pub within: Span,
}

impl Check for NoSelfEjection {
    const INFO: CheckInfo = CheckInfo {
        name: "no-self-ejection",
        summary: "the last upstream is not ejected beyond the fault",
        doc: "From `within` after the recorded end of the last fault on, no request may fail without an \
              upstream attempt. A gateway that ejects its only upstream turns a hiccup into an outage of \
              its own making: an ejected peer that nobody asks cannot prove that it is well. Inconclusive \
              when no fault ended in the window. Measured: nginx with one server never ejects it; with \
              several, all down, it answers 502 until `fail_timeout`.",
        sources: &[Source::ENVOY_PANIC, Source::AWS_HEALTH_CHECKS],
        fixes: Fixes {
            nginx: "`max_fails=0`, or a short `fail_timeout`; a single server is never ejected",
            haproxy: "a lower `inter` and `downinter`, a low `rise`, `option allbackups`; without `check` no \
                      server is ejected",
            envoy: "`max_ejection_percent` below 100, `healthy_panic_threshold` (50 % by default) above 0",
            others: "",
        },
        example: "no-self-ejection: { within: 1s }",
        needs: Capabilities::of(&[Capability::Framing, Capability::Attempts]),
        min_samples: 10,
        rests: Rests::OnOutcomes,
    };

    fn judge(&self, scope: &Scope<'_>) -> Finding {
        let wanted = format!("every request is tried upstream from {} after the fault on", self.within);
        let Some((off, end)) = scope.restored() else {
            return Finding::inconclusive(wanted, 0, "no fault ended in this window");
        };
        if !scope.end_confirmed(off) {
            return Finding::inconclusive(wanted, 0, "our probe did not see the fault end");
        }
        let mut tally = Tally::default();
        let refused =
            |c: &ClientRecord| !scope.succeeded(c) && c.status >= 500 && scope.attempts(c).next().is_none();
        for client in scope.clients_between(off + self.within.0, end) {
            tally.count(!refused(client), client.id(), || {
                format!("{} without asking upstream", client.status)
            });
        }
        tally.finding(scope, wanted, "no request was due after the fault")
    }

    #[cfg(test)]
    fn goldens() -> Vec<Golden> {
        let check = || Self { within: Span::millis(500) };
        let story = |back| {
            let swallow = FaultSpec::Swallow(Swallow {});
            let story = Story::new().fault(swallow, 500, 1000).every(10, 0, 500, |r| r);
            let story = story.every(10, 500, 1000, |r| r.tries([Try::silent().by(0)]));
            story.every(10, 1000, back, |r| r.tries([]).answer(503)).every(10, back, 3000, |r| r)
        };
        vec![
            Golden::pass("asked again after 0.2 s", check(), story(1200)),
            Golden::fail("ejected for 1.5 s more", check(), story(2500)),
            Golden::inconclusive("nothing ended", check(), Story::new().every(10, 0, 1000, |r| r)),
        ]
    }
}
