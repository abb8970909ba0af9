//! `breaker`: a circuit breaker opens, sheds, finds out carefully and closes.

use gatecrash_model::{Capabilities, Capability, ClientRecord, Nanos};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::outages::{Part, attempts_between};
use super::{Check, CheckInfo, Fixes, Rests, Source};
#[cfg(test)]
use crate::faults::{FaultSpec, Reset, ResetAt};
#[cfg(test)]
use crate::golden::{Golden, Story, Try};
use crate::judge::Scope;
#[cfg(test)]
use crate::profile::DeclaredBreaker;
use crate::units::Span;
use crate::verdict::Finding;

/// Share of the requests that must be asked upstream again once the breaker is closed, and of those turned away
/// that must be turned away fast.
const NEARLY_ALL: f64 = 0.95;

/// The states of the declared circuit breaker of one region, by when it must have reached each.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Breaker {
    /// The region that the fault hits.
    pub region: String,
    /// By when it is open, from the recorded edge of the fault.
    pub opens_within: Span,
    /// How soon a request is answered that it turns away. Default 100 ms.
    #[serde(default = "fast")]
    pub sheds_within: Span,
    /// By when it is closed, counted from one declared open time after the recorded end of the fault.
    pub closes_within: Span,
}

fn fast() -> Span {
    Span::millis(100)
}

impl Check for Breaker {
    const INFO: CheckInfo = CheckInfo {
        name: "breaker",
        summary: "a circuit breaker opens, probes carefully and closes",
        doc: "For a gateway that declares a circuit breaker. From `opens-within` after the recorded edge of \
              the fault until it ends, the region may get the declared number of probes for each declared \
              open time, and no attempt more: more means that the open state still calls upstream, or that \
              the half-open one lets everything through. A request that is turned away without an attempt \
              is answered within `sheds-within`: what waits is a queue, not a breaker. From one open time \
              and `closes-within` after the end of the fault on, 95 % of the requests are asked upstream \
              again (M. Nygard, Release It!, Circuit Breaker; Azure Architecture Center, Circuit Breaker \
              pattern). Inconclusive when none is declared, when the fault lasts shorter than two open \
              times after `opens-within`, or when too few requests come to tell open from closed.",
        sources: &[Source::AZURE_BREAKER, Source::FOWLER_BREAKER],
        fixes: Fixes {
            nginx: "has no breaker: `max_fails` with `fail_timeout` comes near",
            haproxy: "has no breaker: `observe layer7` with `on-error mark-down` comes near",
            envoy: "`outlier_detection` (its `circuit_breakers` are limits on concurrency)",
            others: "Traefik: `circuitBreaker` with its recovery ramp",
        },
        example: "breaker: { region: us-east-1, opens-within: 500ms, closes-within: 1s }",
        needs: Capabilities::of(&[Capability::Framing, Capability::Attempts]),
        min_samples: 30,
        rests: Rests::OnRates,
    };

    fn judge(&self, scope: &Scope<'_>) -> Finding {
        let wanted = format!(
            "open within {}, turns away within {}, closed again within {}",
            self.opens_within, self.sheds_within, self.closes_within
        );
        let open = |samples, reason: String| Finding::inconclusive(wanted.clone(), samples, reason);
        let Some(declared) = scope.profile.breaker.filter(|b| b.open.0 > 0) else {
            return open(0, "the gateway declares no circuit breaker".into());
        };
        let Some(part) = Part::named(scope, &self.region, None) else {
            return open(0, format!("there is no region {}", self.region));
        };
        let Some((hit, end)) = part.outage(scope) else {
            return open(0, format!("no fault hit {} in this window", self.region));
        };
        if scope.hides_attempts_between(hit, end) {
            return open(0, "attempts that find no connection are not seen".into());
        }
        let from = hit + self.opens_within.0;
        if end < from + 2 * declared.open.0 {
            return open(0, format!("the fault lasted shorter than two open times of {}", declared.open));
        }
        let asked = |c: &ClientRecord| scope.attempts(c).any(|a| part.holds(scope, a.link()));
        let due: Vec<_> = scope.clients_between(from, end).collect();
        let rounds = (end - from).div_ceil(declared.open.0) + 1;
        let allowed = (rounds * u64::from(declared.probes)) as usize;
        let closed_from = end + declared.open.0 + self.closes_within.0;
        let after: Vec<_> = scope.clients_between(closed_from, quiet_until(scope, end)).collect();
        let samples = due.len().min(after.len()) as u64;
        if samples < scope.min_samples.max(1) || due.len() < 2 * allowed {
            let (during, after) = (due.len(), after.len());
            return open(samples, format!("{during} requests while it was open, {after} once closed"));
        }
        let reached = attempts_between(scope, from, end);
        let reached: Vec<_> = reached.into_iter().filter(|a| part.holds(scope, a.link())).collect();
        let shed: Vec<_> = due.iter().filter(|c| scope.attempts(c).next().is_none()).collect();
        let limit = scope.limit(self.sheds_within.0);
        let slow: Vec<_> = shed.iter().filter(|c| u64::from(c.done) * 1_000 > limit).collect();
        let absent: Vec<_> = after.iter().filter(|c| !asked(c)).collect();
        let floods = reached.len() > allowed;
        let queues = slow.len() as f64 > (1.0 - NEARLY_ALL) * shed.len() as f64;
        let stays_open = absent.len() as f64 > (1.0 - NEARLY_ALL) * after.len() as f64;
        let mut faults = Vec::new();
        faults.extend(floods.then_some("calls upstream while open"));
        faults.extend(queues.then_some("turns away slowly"));
        faults.extend(stays_open.then_some("does not close"));
        let observed = if faults.is_empty() { "as declared".into() } else { faults.join(", ") };
        let broken = reached.iter().filter(|_| floods).filter_map(|a| a.request()).skip(allowed);
        Finding::judged(faults.is_empty(), observed, wanted, samples)
            .detail(format!(
                "{} attempts at {} while it had to be open for {:.2}s, {allowed} allowed ({} for each {})",
                reached.len(),
                self.region,
                (end - from) as f64 / 1e9,
                declared.probes,
                declared.open
            ))
            .detail(format!("{} of {} requests turned away took too long", slow.len(), shed.len()))
            .detail(format!("{} of {} requests were not asked upstream afterwards", absent.len(), after.len()))
            .exemplars(
                broken
                    .chain(slow.iter().filter(|_| queues).map(|c| c.id()))
                    .chain(absent.iter().filter(|_| stays_open).map(|c| c.id())),
            )
    }

    #[cfg(test)]
    fn goldens() -> Vec<Golden> {
        let check = || Self {
            region: "a".into(),
            opens_within: Span::millis(200),
            sheds_within: fast(),
            closes_within: Span::millis(500),
        };
        let declared = DeclaredBreaker { open: Span::millis(500), probes: 3 };
        let reset = || FaultSpec::Reset(Reset { at: ResetAt::Request });
        let failed = |r: crate::golden::Request| r.tries([Try::reset().by(0)]);
        let story = || {
            let story = Story::new().profile(|p| p.breaker = Some(declared)).fault(reset(), 1000, 3000);
            story.every(10, 0, 1000, |r| r).every(10, 1000, 1100, failed)
        };
        let shed = |took| move |r: crate::golden::Request| r.tries([]).answer(503).took(took);
        let open = |story: Story, until, took| {
            let probes = story.every(500, 1605, 3000, failed);
            probes.every(10, 1100, until, shed(took))
        };
        let undeclared = || open(story(), 3200, 1).profile(|p| p.breaker = None);
        vec![
            Golden::pass("as declared", check(), open(story(), 3200, 1).every(10, 3200, 6000, |r| r)),
            Golden::fail(
                "open calls upstream",
                check(),
                story().every(10, 1100, 3000, failed).every(10, 3000, 6000, |r| r),
            ),
            Golden::fail("never closes", check(), open(story(), 6000, 1)),
            Golden::fail("queues", check(), open(story(), 3200, 400).every(10, 3200, 6000, |r| r)),
            Golden::inconclusive("none declared", check(), undeclared().every(10, 3200, 6000, |r| r)),
            Golden::inconclusive("nothing afterwards", check(), open(story(), 3200, 1)),
        ]
    }
}

/// Until when no other fault began after this one ended.
fn quiet_until(scope: &Scope<'_>, end: Nanos) -> Nanos {
    let next = scope.intervals.all().map(|(_, i)| i.from).filter(|on| *on >= end).min();
    next.unwrap_or(scope.until).min(scope.until)
}
