//! `ejection`: an upstream that fails gets next to no traffic.

use gatecrash_model::{Capabilities, Capability};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::outages::{Part, attempts_between};
use super::{Check, CheckInfo, Fixes, Rests, Source};
#[cfg(test)]
use crate::faults::{FaultSpec, Refuse, Reset, ResetAt};
#[cfg(test)]
use crate::golden::{Golden, Story, Try};
use crate::judge::{Cause, Scope};
use crate::units::{Share, Span};
use crate::verdict::Finding;

/// Least share of its attempts that must fail before an upstream has to be ejected.
const BROKEN: f64 = 0.9;

/// While a region or endpoint fails, it gets at most `max` of the attempts, this soon.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Ejection {
    /// The region that the fault hits.
    pub region: String,
    /// One endpoint of it, from 1. Default: all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<u16>,
    /// Time to detect and to eject, from the recorded edge of the fault.
    pub within: Span,
    /// Its share of the attempts from then on until the fault ends. Default 5 %.
    #[serde(default = "little")]
    pub max: Share,
}

fn little() -> Share {
    Share(0.05)
}

impl Check for Ejection {
    const INFO: CheckInfo = CheckInfo {
        name: "ejection",
        summary: "an upstream that fails gets next to no traffic",
        doc: "From `within` after the recorded edge at which the fault came into force until it ends, at \
              most `max` (5 %) of the attempts may go to the region or endpoint that fails. What is left are \
              the tries that find out whether it is well again; health probes do not count. A health check \
              that only connects keeps a server in rotation whose HTTP is broken, and every request pays for \
              a failed attempt first (Google SRE Book, ch. 20: health of tasks; Envoy manual, Outlier \
              detection). The evidence says the time to detect. Inconclusive when fewer than 90 % of the \
              attempts at it failed, when it had no traffic before, when there is nobody else to ask, and \
              where attempts find no connection, since nobody sees those.",
        sources: &[Source::SRE_LOAD_BALANCING, Source::ENVOY_OUTLIERS, Source::AWS_HEALTH_CHECKS],
        fixes: Fixes {
            nginx: "`max_fails` and `fail_timeout`; what counts as a failure is what `proxy_next_upstream` \
                    names",
            haproxy: "`option httpchk` (plain `check` is TCP only), `observe layer7` with `error-limit` and \
                      `on-error mark-down`",
            envoy: "`outlier_detection`, `http_health_check`",
            others: "",
        },
        example: "ejection: { region: us-east-1, within: 2s, max: 5% }",
        needs: Capabilities::of(&[Capability::Attempts]),
        min_samples: 30,
        rests: Rests::OnRates,
    };

    fn judge(&self, scope: &Scope<'_>) -> Finding {
        let wanted = format!("at most {} of the attempts within {}", self.max, self.within);
        let open = |samples, reason: String| Finding::inconclusive(wanted.clone(), samples, reason);
        let (part, hit, end) = match Part::spared(scope, &self.region, self.endpoint) {
            Ok(spared) => spared,
            Err(reason) => return open(0, reason),
        };
        if scope.hides_attempts_between(hit, end) {
            return open(0, "attempts that find no connection are not seen".into());
        }
        if part.share(scope, &attempts_between(scope, 0, hit)).unwrap_or(0.0) == 0.0 {
            return open(0, format!("{} had no traffic before the fault", self.region));
        }
        let during = attempts_between(scope, hit, end);
        let own: Vec<_> = during.iter().filter(|a| part.holds(scope, a.link())).collect();
        let failed = own.iter().filter(|a| !matches!(scope.cause(a), Cause::Served)).count();
        if (failed as f64) < BROKEN * own.len() as f64 || own.is_empty() {
            return open(own.len() as u64, format!("{failed} of {} attempts at it failed", own.len()));
        }
        let late: Vec<_> = during.iter().filter(|a| a.start >= hit + self.within.0).copied().collect();
        let samples = late.len() as u64;
        if samples < scope.min_samples.max(1) {
            let needed = scope.min_samples;
            return open(
                samples,
                format!("{samples} attempts later than {} after the fault, {needed} needed", self.within),
            );
        }
        let share = part.share(scope, &late).unwrap_or(0.0);
        let stray = late.iter().filter(|a| part.holds(scope, a.link()));
        let detected = match part.time_to_detect(scope, hit, end) {
            Some(took) => format!("time to detect: {:.2}s", took as f64 / 1e9),
            None => "time to detect: never while the fault was on".into(),
        };
        Finding::judged(share <= self.max.0 + 1e-9, format!("{:.1}%", share * 100.0), wanted, samples)
            .detail(format!(
                "{} of {samples} attempts later than {} after the fault went to {}",
                stray.clone().count(),
                self.within,
                self.region
            ))
            .detail(detected)
            .exemplars(stray.filter_map(|a| a.request()))
    }

    #[cfg(test)]
    fn goldens() -> Vec<Golden> {
        let check = || Self { region: "a".into(), endpoint: None, within: Span::millis(500), max: little() };
        let reset = || FaultSpec::Reset(Reset { at: ResetAt::Request });
        let story = || Story::new().standby("b").fault(reset(), 1000, 4000).every(10, 0, 1000, |r| r);
        let late = |r: crate::golden::Request| r.tries([Try::reset().by(0), Try::served().link(1)]);
        let moved = |r: crate::golden::Request| r.tries([Try::served().link(1)]);
        let told = |until| story().every(10, 1000, until, late).every(10, until, 4000, moved);
        let unseen = Story::new().standby("b").fault(FaultSpec::Refuse(Refuse {}), 1000, 4000);
        vec![
            Golden::pass("out after 0.3 s", check(), told(1300)),
            Golden::fail("out after 2 s", check(), told(3000)),
            Golden::fail("asked first all the time", check(), told(4000)),
            Golden::inconclusive("no fault", check(), Story::new().standby("b").every(10, 0, 1000, |r| r)),
            Golden::inconclusive(
                "one of two fails",
                check(),
                story().every(20, 1000, 4000, late).every(20, 1010, 4000, |r| r),
            ),
            Golden::inconclusive(
                "refused attempts are not seen",
                check(),
                unseen.every(10, 0, 1000, |r| r).every(10, 1000, 4000, moved),
            ),
        ]
    }
}
