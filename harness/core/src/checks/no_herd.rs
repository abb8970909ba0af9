//! `no-herd`: when the upstream is back, it is not run over.

use gatecrash_model::{AttemptRecord, Capabilities, Capability, Nanos};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::outages::attempts_between;
use super::{Check, CheckInfo, Fixes, Rests, Source};
#[cfg(test)]
use crate::faults::{FaultSpec, Swallow};
#[cfg(test)]
use crate::golden::{Golden, Request, Story, Try};
use crate::judge::Scope;
use crate::units::Span;
use crate::verdict::Finding;

/// The busiest `window` after the fault ended, against the busiest of the time before it began.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct NoHerd {
    /// At most this many times the attempts of the busiest steady window.
    pub max: f64,
    /// Width of a window. Default 1 s.
    #[serde(default = "a_second")]
    pub window: Span,
    /// How long after the fault ended windows are looked at. Default 3 s.
    #[serde(default = "a_while")]
    pub within: Span,
}

fn a_second() -> Span {
    Span::seconds(1)
}

fn a_while() -> Span {
    Span::seconds(3)
}

impl Check for NoHerd {
    const INFO: CheckInfo = CheckInfo {
        name: "no-herd",
        summary: "an upstream that is back is not run over",
        doc: "The attempts in the busiest `window` of the time `within` after the recorded end of the last \
              fault, divided by those in the busiest window before the first fault; if the offered load \
              changed in between, divided by that, too. Requests that a gateway held back while its upstream \
              was out (queues, waiters on a lock, a breaker that lets all of them through when it half \
              opens) arrive at once when it is back, and bring it down again: a thundering herd (Google SRE \
              Book, ch. 22, Addressing Cascading Failures). Narrow windows see short bursts; with fewer than \
              20 attempts in a steady window, chance alone doubles it. Inconclusive when no fault ended, \
              when there was no steady time before, or when hardly anything arrived afterwards.",
        sources: &[Source::SRE_CASCADING, Source::ENVOY_SLOW_START],
        fixes: Fixes {
            nginx: "`max_conns`, `proxy_cache_lock` (`slow_start` is in the commercial version alone)",
            haproxy: "`maxconn` and `maxqueue` of the servers, `slowstart`",
            envoy: "`slow_start_config`, `max_requests` and `max_pending_requests` of the `circuit_breakers`",
            others: "everywhere: an answer at once instead of queueing, few half-open probes, request \
                     coalescing in caches",
        },
        example: "no-herd: { max: 2, window: 100ms }",
        needs: Capabilities::of(&[Capability::Attempts]),
        min_samples: 30,
        rests: Rests::OnRates,
    };

    fn judge(&self, scope: &Scope<'_>) -> Finding {
        let wanted = format!("at most {}x the busiest {} before", self.max, self.window);
        let open = |samples, reason: String| Finding::inconclusive(wanted.clone(), samples, reason);
        let Some((off, end)) = scope.restored() else {
            return open(0, "no fault ended in or before this window".into());
        };
        if !scope.end_confirmed(off) {
            return open(0, "our probe did not see the fault end".into());
        }
        let (end, hit) = (end.min(off + self.within.0), scope.intervals.all().map(|(_, i)| i.from).min());
        let hit = hit.unwrap_or(0);
        let (before, after) = (attempts_between(scope, 0, hit), attempts_between(scope, off, end));
        for (what, attempts, from, until) in [("before", &before, 0, hit), ("after", &after, off, end)] {
            let samples = attempts.len() as u64;
            if samples < scope.min_samples.max(1) || until - from < self.window.0 {
                let seconds = (until - from) as f64 / 1e9;
                return open(samples, format!("{samples} attempts in {seconds:.2}s {what} the fault"));
            }
        }
        let offered = |from, until| scope.clients_between(from, until).count() as f64 / (until - from) as f64;
        let growth = (offered(off, end) / offered(0, hit)).max(1.0);
        let (steady, _) = busiest(&before, self.window.0);
        let (peak, at) = busiest(&after, self.window.0);
        let ratio = peak as f64 / (steady as f64 * growth);
        let in_peak = after.iter().filter(|a| (at..at + self.window.0).contains(&a.start));
        Finding::judged(ratio <= self.max, format!("{ratio:.2}x"), wanted, after.len() as u64)
            .detail(format!(
                "{peak} attempts in the {} from {:.2}s after the fault on, {steady} in the busiest before it",
                self.window,
                (at - off) as f64 / 1e9
            ))
            .exemplars(in_peak.filter_map(|a| a.request()))
    }

    fn problem(&self) -> Option<&'static str> {
        if self.max.is_nan() || self.max < 1.0 {
            return Some("a ratio of at least 1, such as `max: 2`");
        }
        (self.window.0 == 0 || self.window.0 > self.within.0).then_some("a `window` no wider than `within`")
    }

    #[cfg(test)]
    fn goldens() -> Vec<Golden> {
        let check = || Self { max: 2.0, window: Span::millis(100), within: Span::seconds(1) };
        let swallow = || FaultSpec::Swallow(Swallow {});
        let story = || Story::new().fault(swallow(), 1000, 2000).unguarded().every(10, 0, 1000, |r| r);
        let shed = |r: Request| r.tries([]).answer(503);
        let held = (1000..2000).step_by(10).fold(story(), |story, at| {
            story.with(Request::at(at).tries([Try::served().pause(2050 - at)]))
        });
        vec![
            Golden::pass(
                "shed, then as before",
                check(),
                story().every(10, 1000, 2000, shed).every(10, 2000, 4000, |r| r),
            ),
            Golden::fail(
                "held back and let go at once",
                check(),
                held.every(10, 2000, 4000, |r| r),
            ),
            Golden::inconclusive("nothing ended", check(), Story::new().every(10, 0, 1000, |r| r)),
            Golden::inconclusive(
                "nothing came back",
                check(),
                story().every(10, 1000, 4000, shed),
            ),
        ]
    }
}

/// Most attempts that began within one width, and when the first of them did.
fn busiest(attempts: &[&AttemptRecord], width: Nanos) -> (usize, Nanos) {
    let mut first = 0;
    let mut best = (0, 0);
    for (last, attempt) in attempts.iter().enumerate() {
        while attempt.start - attempts[first].start >= width {
            first += 1;
        }
        if last + 1 - first > best.0 {
            best = (last + 1 - first, attempts[first].start);
        }
    }
    best
}
