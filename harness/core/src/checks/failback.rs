//! `failback`: a healed region gets its traffic back.

#[cfg(test)]
use gatecrash_model::BodyCheck;
use gatecrash_model::{Capabilities, Capability, Nanos};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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

/// After the fault on `to` ended, it gets 90 % of its share back in time, and not too early.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Failback {
    /// The region that healed.
    pub to: String,
    /// By when it has its share again, from the recorded end of the fault.
    pub within: Span,
    /// Until when it must not have: no return on the first good answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<Span>,
}

impl Check for Failback {
    const INFO: CheckInfo = CheckInfo {
        name: "failback",
        summary: "a healed region gets its traffic back in time",
        doc: "From `within` after the recorded end of the fault, the region must serve at least 90 % of \
              the share it had before the first fault; before `not-before`, at most 10 % of it. An answer \
              out of a cache counts at the time its copy was fetched. A gateway \
              that never returns runs on its standby until that fails too; one that returns at the first \
              good answer flaps. Inconclusive when traffic had never left. Measured: nginx returns after \
              `fail_timeout`, HAProxy after `rise` probes.",
        sources: &[Source::ENVOY_PRIORITIES, Source::ENVOY_SLOW_START, Source::NGINX_UPSTREAM],
        fixes: Fixes {
            nginx: "`fail_timeout`, after which a server is tried again (`slow_start` is in the commercial \
                    version alone)",
            haproxy: "`rise` x `inter`, after which a server is up again, `slowstart`",
            envoy: "`healthy_threshold` of the `health_checks`, `base_ejection_time` (30 s by default, times \
                    the ejections), `slow_start_config`",
            others: "",
        },
        example: "failback: { to: us-east-1, within: 20s, not-before: 3s }",
        needs: Capabilities::of(&[Capability::Framing, Capability::Attempts]),
        min_samples: 30,
        rests: Rests::OnRates,
    };

    fn judge(&self, scope: &Scope<'_>) -> Finding {
        let wanted = format!("{} has its share again within {}", self.to, self.within);
        let open = |samples, reason: String| Finding::inconclusive(wanted.clone(), samples, reason);
        let Some(to) = scope.region(&self.to) else {
            return open(0, format!("there is no region {}", self.to));
        };
        let Some((hit, healed, end)) = healed(scope, to) else {
            return open(0, format!("no fault on {} ended before the end of this window", self.to));
        };
        let is_to = |served: &&Served<'_>| served.is_by(to);
        let before = successes(scope, 0, hit);
        let due = match before.len() {
            0..30 => planned_share(scope, to),
            all => before.iter().filter(is_to).count() as f64 / all as f64,
        };
        let during = successes(scope, hit, healed);
        let kept = during.iter().filter(is_to).count() as f64;
        if due == 0.0 || kept > 0.5 * due * during.len() as f64 {
            return open(0, format!("traffic had not left {} while the fault was on", self.to));
        }
        let after = Served::between(scope, healed, end);
        let moments: Vec<_> = after.iter().map(|served| (served.at, served.is_by(to))).collect();
        let late: Vec<_> = after.iter().filter(|served| served.at >= healed + self.within.0).collect();
        let samples = late.len() as u64;
        if samples < scope.min_samples.max(1) {
            let needed = scope.min_samples;
            return open(
                samples,
                format!("{samples} requests later than {} after the end, {needed} needed", self.within),
            );
        }
        let back = late.iter().filter(|served| served.is_by(to)).count();
        let in_time = back as f64 >= 0.9 * due * samples as f64;
        let owed = scope.clients_between(healed, end).filter(|c| !c.ending.invites_retry()).count();
        let early: Vec<_> = match self.not_before {
            Some(t) => after.iter().filter(|served| served.at < healed + t.0).collect(),
            None => Vec::new(),
        };
        let too_early = early.iter().filter(|served| served.is_by(to)).count() as f64 > 0.1 * due * early.len() as f64;
        let observed = match settled(&moments, 0.9 * due) {
            Some(at) => format!("after {:.2}s", (at - healed) as f64 / 1e9),
            None => "never".into(),
        };
        let finding = Finding::judged(in_time && !too_early, observed, wanted, samples).detail(format!(
            "{back} of {samples} requests later than {} were served by {}, whose share is {:.0}%",
            self.within,
            self.to,
            due * 100.0
        ));
        let finding = finding.details(left_out(owed, after.len()));
        let finding =
            if too_early { finding.detail("traffic came back before `not-before`") } else { finding };
        finding.exemplars(late.iter().filter(|served| !served.is_by(to)).map(|served| served.client.id()))
    }

    #[cfg(test)]
    fn goldens() -> Vec<Golden> {
        let check = || Self { to: "a".into(), within: Span::millis(500), not_before: None };
        let patient = || Self { not_before: Some(Span::millis(200)), ..check() };
        let moved = |r: crate::golden::Request| r.tries([Try::served().link(1)]);
        let story = |back| {
            let swallow = FaultSpec::Swallow(Swallow {});
            let first = |r: crate::golden::Request| r.tries([Try::silent().by(0), Try::served().link(1)]);
            let story = Story::new().standby("b").fault(swallow, 1000, 2000).every(10, 0, 1000, |r| r);
            story.every(10, 1000, 1020, first).every(10, 1020, back, moved).every(10, back, 4000, |r| r)
        };
        let stored = |r: crate::golden::Request| {
            r.key("o/50").tries([]).answer(200).body(BodyCheck::Exact).from_other(150)
        };
        vec![
            Golden::pass("back after 0.3 s", check(), story(2300)),
            Golden::fail("back after 1 s", check(), story(3000)),
            Golden::fail("never back", check(), story(4000)),
            Golden::fail("back too early", patient(), story(2050)),
            Golden::pass("back, with copies of the standby in a cache", check(), story(2300).every(10, 2305, 4000, stored)),
            Golden::inconclusive("nothing ended", check(), Story::new().every(10, 0, 1000, |r| r)),
        ]
    }
}

/// The last fault on a region: recorded on, recorded off, and the end of the quiet after it.
fn healed(scope: &Scope<'_>, region: u16) -> Option<(Nanos, Nanos, Nanos)> {
    let hits = |fault: u16| scope.plan.faults[usize::from(fault)].region.is_none_or(|r| r == region);
    let edges: Vec<_> = scope.intervals.all().filter(|(f, _)| hits(*f)).map(|(_, i)| i).collect();
    let off = edges.iter().map(|i| i.until).filter(|off| *off < scope.until).max()?;
    let on = edges.iter().map(|i| i.from).filter(|on| *on < off).min()?;
    let next = edges.iter().map(|i| i.from).filter(|on| *on >= off).min();
    Some((on, off, next.unwrap_or(scope.until).min(scope.until)))
}

fn successes<'a>(scope: &Scope<'a>, from: Nanos, until: Nanos) -> Vec<Served<'a>> {
    let all = Served::between(scope, from, until).into_iter();
    all.filter(|served| scope.succeeded(served.client)).collect()
}

/// The share of a region by its endpoints, when the run tells nothing.
fn planned_share(scope: &Scope<'_>, region: u16) -> f64 {
    let primary = || scope.plan.regions.iter().filter(|r| r.primary).map(|r| f64::from(r.endpoints));
    let own = &scope.plan.regions[usize::from(region)];
    if own.primary { f64::from(own.endpoints) / primary().sum::<f64>() } else { 0.0 }
}
