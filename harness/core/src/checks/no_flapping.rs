//! `no-flapping`: an upstream that fails now and then does not go out and in.

use gatecrash_model::{AttemptRecord, Capabilities, Capability, Nanos, RequestId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::outages::attempts_between;
use super::{Check, CheckInfo, Fixes, Rests, Source};
#[cfg(test)]
use crate::faults::{FaultSpec, Reset, ResetAt};
#[cfg(test)]
use crate::golden::{Golden, Story, Try};
use crate::judge::{Cause, Scope};
use crate::verdict::Finding;

/// How unlikely it must be that an upstream in use was passed over that often by chance.
const CHANCE: f64 = 1e-4;
/// Least share of the traffic for an upstream to count as being on the route.
const ON_THE_ROUTE: f64 = 0.05;
/// Leaving once and coming back once is what health checks are for.
const ONE_WAY_AND_BACK: usize = 2;

/// How often an upstream leaves the route or comes back to it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct NoFlapping {
    /// At most this many changes a minute, of the endpoint that changes most.
    pub max_per_minute: f64,
}

impl Check for NoFlapping {
    const INFO: CheckInfo = CheckInfo {
        name: "no-flapping",
        summary: "a route does not change with every result",
        doc: "First attempts show the route: an endpoint that had its share and is passed over so often in a \
              row that chance does not explain it (1 in 10000) has left the route, and comes back with the \
              next first attempt it gets. Both are changes; for no endpoint may there be more than \
              `max-per-minute`, and one way and back is never too much. A gateway that lets a single result \
              flip an upstream's health moves all its traffic to and fro while that upstream fails now and \
              then: cold caches, connections opened anew, load in waves on the peer (RFC 2439 damps routes \
              of BGP for this reason). Needs a fault that fails a part of the attempts, best 30 to 70 %; \
              inconclusive when none failed and where attempts find no connection, since nobody sees those.",
        sources: &[Source::rfc(2439, "", "BGP Route Flap Damping"), Source::ENVOY_OUTLIERS],
        fixes: Fixes {
            nginx: "`max_fails` above 1",
            haproxy: "`fall` and `rise` above 1, a higher `error-limit`",
            envoy: "`consecutive_5xx`, `unhealthy_threshold` and `healthy_threshold` above 1, \
                    `base_ejection_time`, which grows with each ejection",
            others: "",
        },
        example: "no-flapping: { max-per-minute: 10 }",
        needs: Capabilities::of(&[Capability::Attempts]),
        min_samples: 100,
        rests: Rests::OnRates,
    };

    fn judge(&self, scope: &Scope<'_>) -> Finding {
        let wanted = format!("at most {} changes a minute", self.max_per_minute);
        let open = |samples, reason: &str| Finding::inconclusive(wanted.clone(), samples, reason);
        let (from, until) = (scope.from, scope.until);
        if scope.hides_attempts_between(from, until) {
            return open(0, "attempts that find no connection are not seen");
        }
        let attempts = attempts_between(scope, from, until);
        if attempts.iter().all(|a| matches!(scope.cause(a), Cause::Served)) {
            return open(0, "no attempt failed, so nothing asked for a change of route");
        }
        let first: Vec<_> = attempts.into_iter().filter(|a| a.number == 1).collect();
        let samples = first.len() as u64;
        if samples < scope.min_samples.max(1) {
            return open(samples, &format!("{samples} first attempts, {} needed", scope.min_samples));
        }
        let worst = shares_before(scope)
            .into_iter()
            .map(|(link, share)| (link, changes(&first, link, share)))
            .max_by_key(|(_, changes)| changes.len());
        let Some((link, changes)) = worst else {
            return open(samples, "no endpoint had a share of the traffic before the fault");
        };
        let minutes = (until - from) as f64 / 60e9;
        let allowed = (self.max_per_minute * minutes).max(ONE_WAY_AND_BACK as f64);
        let observed = format!("{} changes in {:.1}s", changes.len(), minutes * 60.0);
        let moments: Vec<_> = changes.iter().take(8).map(Change::in_words).collect();
        Finding::judged(changes.len() as f64 <= allowed, observed, wanted, samples)
            .detail(format!(
                "{} changed most: {}{}",
                scope.link_name(link),
                if moments.is_empty() { "never".into() } else { moments.join(", ") },
                if changes.len() > moments.len() { ", ..." } else { "" }
            ))
            .exemplars(changes.iter().filter_map(|c| c.request))
    }

    fn problem(&self) -> Option<&'static str> {
        (self.max_per_minute.is_nan() || self.max_per_minute < 0.0)
            .then_some("a number of changes of 0 or more, such as `max-per-minute: 10`")
    }

    #[cfg(test)]
    fn goldens() -> Vec<Golden> {
        let check = || Self { max_per_minute: 10.0 };
        let reset = || FaultSpec::Reset(Reset { at: ResetAt::Request });
        let story = || {
            let story = Story::new().standby("b").fault(reset(), 1000, 4000).unguarded();
            story.every(10, 0, 1000, |r| r)
        };
        let failed = |r: crate::golden::Request| r.tries([Try::reset().by(0), Try::served().link(1)]);
        let moved = |r: crate::golden::Request| r.tries([Try::served().link(1)]);
        let half = |from| {
            let story = if from == 1000 { story() } else { story().every(10, 1000, from, moved) };
            story.every(20, from, 4000, failed).every(20, from + 10, 4000, |r| r)
        };
        let mut flapping = story();
        for second in [1000, 2000, 3000] {
            flapping = flapping.every(10, second, second + 20, failed);
            flapping = flapping.every(10, second + 20, second + 1000, moved);
        }
        vec![
            Golden::pass("stays in spite of failures", check(), half(1000)),
            Golden::pass("out and back once", check(), half(2000)),
            Golden::fail("out and in each second", check(), flapping),
            Golden::inconclusive("nothing failed", check(), Story::new().every(10, 0, 2000, |r| r)),
        ]
    }
}

/// One change of the route.
#[derive(Debug)]
struct Change {
    at: Nanos,
    left: bool,
    /// The request that showed it.
    request: Option<RequestId>,
}

impl Change {
    fn in_words(&self) -> String {
        format!("{} at +{:.2}s", if self.left { "out" } else { "in" }, self.at as f64 / 1e9)
    }
}

/// Endpoints on the route, with their share of the first attempts before the first fault; of the plan when the
/// run tells nothing.
fn shares_before(scope: &Scope<'_>) -> Vec<(u8, f64)> {
    let links = scope.plan.links();
    let hit = scope.intervals.all().map(|(_, i)| i.from).min().unwrap_or(0);
    let before: Vec<_> = attempts_between(scope, 0, hit).into_iter().filter(|a| a.number == 1).collect();
    let is_primary = |region: u16| scope.plan.regions[usize::from(region)].primary;
    let primaries = links.iter().filter(|(region, _)| is_primary(*region)).count().max(1) as f64;
    let share = |(link, (region, _)): (usize, &(u16, u16))| {
        let link = link as u8;
        let share = match before.len() {
            0..30 if is_primary(*region) => 1.0 / primaries,
            0..30 => 0.0,
            all => before.iter().filter(|a| a.link() == link).count() as f64 / all as f64,
        };
        (link, share)
    };
    links.iter().enumerate().map(share).filter(|(_, share)| *share >= ON_THE_ROUTE).collect()
}

/// When an endpoint with this share of the traffic left the route and came back.
fn changes(first: &[&AttemptRecord], link: u8, share: f64) -> Vec<Change> {
    let patience = (CHANCE.ln() / (1.0 - share.min(0.95)).ln()).ceil() as usize;
    let mut out = Vec::new();
    let mut passed_over: Vec<&AttemptRecord> = Vec::new();
    let mut away = false;
    for attempt in first {
        if attempt.link() != link {
            passed_over.push(attempt);
            if !away && passed_over.len() > patience {
                away = true;
                out.push(Change { at: passed_over[0].start, left: true, request: passed_over[0].request() });
            }
        } else {
            if away {
                out.push(Change { at: attempt.start, left: false, request: attempt.request() });
            }
            away = false;
            passed_over.clear();
        }
    }
    out
}
