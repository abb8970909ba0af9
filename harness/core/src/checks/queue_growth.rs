//! `queue-growth`: requests under way do not pile up.

use gatecrash_model::{Capabilities, Capability, ClientRecord};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Check, CheckInfo, Fixes, Rests, Source};
#[cfg(test)]
use crate::golden::{Golden, Story};
use crate::judge::Scope;
use crate::stats::{course_under_way, slope};
use crate::units::Rate;
use crate::verdict::Finding;

/// Least seconds that show a trend.
const SECONDS: usize = 3;

/// Requests under way grow by at most `max` a second.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct QueueGrowth {
    /// By at most this many.
    pub max: Rate,
}

impl Check for QueueGrowth {
    const INFO: CheckInfo = CheckInfo {
        name: "queue-growth",
        summary: "requests under way do not pile up",
        doc: "The slope of the line through the mean number of requests under way in each second of the \
              window (least squares), against `max`. While more arrives than is done, a queue somewhere \
              grows by the difference, and every request waits longer than the one before: the first sign of \
              a load above the capacity, seconds before the first timeout (Google SRE Book, ch. 22: queue \
              management). Give it a phase of constant load; `after` leaves out the start of a fault. Once \
              every request waits for its timeout, the number stands still again, at rate x timeout: bound \
              the latency, too. Inconclusive below three seconds.",
        sources: &[Source::SRE_CASCADING, Source::AWS_QUEUES],
        fixes: Fixes {
            nginx: "`limit_conn`, `limit_req`, `max_conns`",
            haproxy: "`maxconn` with a short `timeout queue`, `maxqueue`",
            envoy: "`max_pending_requests` and `max_requests` of the `circuit_breakers`, the \
                    `admission_control` filter",
            others: "",
        },
        example: "queue-growth: { max: 5/s }",
        needs: Capabilities::of(&[Capability::Framing]),
        min_samples: 30,
        rests: Rests::OnRates,
    };

    fn judge(&self, scope: &Scope<'_>) -> Finding {
        let wanted = format!("at most {} more under way", self.max);
        // What was sent before the window may still be under way in it; after the last arrival it can only drain.
        let clients: Vec<&ClientRecord> = scope.clients_between(0, scope.until).collect();
        let due = clients.iter().filter(|c| c.intended >= scope.from).count() as u64;
        let end = clients.last().map_or(scope.from, |last| last.intended);
        let course = course_under_way(&clients, scope.from, end);
        if due < scope.min_samples.max(1) {
            let reason = format!("{due} requests, {} needed", scope.min_samples);
            return Finding::inconclusive(wanted, due, reason);
        }
        if course.len() < SECONDS {
            let reason = format!("{} whole seconds, {SECONDS} needed to see a trend", course.len());
            return Finding::inconclusive(wanted, due, reason);
        }
        let growth = slope(&course);
        let (first, last) = (course.first().copied().unwrap_or(0.0), course.last().copied().unwrap_or(0.0));
        let thin = course.len().div_ceil(12);
        let shown: Vec<_> = course.iter().step_by(thin).map(|n| format!("{n:.0}")).collect();
        Finding::judged(growth <= self.max.0 + 1e-9, format!("{growth:+.1}/s"), wanted, due)
            .detail(format!("{first:.0} under way in the first second of {}, {last:.0} in the last", course.len()))
            .detail(format!("over time: {}", shown.join(" ")))
    }

    #[cfg(test)]
    fn goldens() -> Vec<Golden> {
        let check = || Self { max: Rate(5.0) };
        let piling = (0..400u64).fold(Story::new(), |story, n| {
            story.with(crate::golden::Request::at(n * 10).took(100 + n * 5))
        });
        vec![
            Golden::pass("twenty under way all the time", check(), load(Story::new(), 9900)),
            Golden::fail("each waits longer than the one before", check(), piling),
            Golden::inconclusive("two seconds", check(), load(Story::new(), 1900)),
            Golden::inconclusive("three requests", check(), Story::new().every(1000, 0, 3000, |r| r)),
        ]
    }
}

/// A hundred requests a second of a fifth of a second each.
#[cfg(test)]
fn load(story: Story, until: u64) -> Story {
    story.every(10, 0, until, |r| r.took(200))
}
