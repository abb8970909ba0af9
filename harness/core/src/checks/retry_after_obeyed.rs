//! `retry-after-obeyed`: who is asked to wait waits.

use gatecrash_model::{AttemptRecord, Capabilities, Capability, Nanos};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::tally::Tally;
use super::{Check, CheckInfo, Fixes, Rests, Source};
#[cfg(test)]
use crate::faults::{FaultSpec, S3Error};
#[cfg(test)]
use crate::golden::{Golden, Story, Try};
use crate::judge::Scope;
use crate::units::Span;
use crate::verdict::Finding;

/// By how much an attempt may seem early: the clocks of two connections are read by different tasks.
const EARLY: Nanos = 10_000_000;

/// No request is tried again in a region before the Retry-After of that region's answer has passed.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RetryAfterObeyed {}

impl Check for RetryAfterObeyed {
    const INFO: CheckInfo = CheckInfo {
        name: "retry-after-obeyed",
        summary: "no retry before Retry-After has passed",
        doc: "After an answer with Retry-After the same request must not come to that region again before so \
              many seconds have passed since it came there first (RFC 9110 10.2.3); another region may be \
              asked at once, and passing the answer on instead of trying again is fine. A retry that comes \
              earlier finds the same prefix throttled and adds to the load that made the service ask. \
              x-amz-retry-after is for AWS SDKs and not judged here. Inconclusive when no attempt was \
              answered with Retry-After.",
        sources: &[Source::rfc(9110, "10.2.3", "Retry-After"), Source::ENVOY_ROUTES],
        fixes: Fixes {
            nginx: "no setting: `proxy_next_upstream` does not look at it; leave out `http_503` and \
                    `http_429`, so that the client waits",
            haproxy: "no setting: `retry-on` does not look at it; leave out 503 and 429, so that the client \
                      waits",
            envoy: "`rate_limited_retry_back_off` with `Retry-After` among its `reset_headers`; `retry_on: \
                    5xx` alone does not look at it",
            others: "",
        },
        example: "retry-after-obeyed: {}",
        needs: Capabilities::of(&[Capability::Attempts, Capability::OwnTries]),
        min_samples: 1,
        rests: Rests::OnExchanges,
    };

    fn judge(&self, scope: &Scope<'_>) -> Finding {
        let (mut tally, waits) = (Tally::default(), scope.asked_waits());
        let wait_of = |a: &AttemptRecord| waits.get(&a.attempt).and_then(|w| w.whole_seconds());
        for client in scope.clients() {
            let attempts: Vec<_> = scope.attempts(client).collect();
            let asked = attempts.iter().enumerate().filter_map(|(i, a)| Some((i, *a, wait_of(a)?)));
            let mut early = asked.clone().filter_map(|(i, answer, wait)| {
                too_early(scope, answer, &attempts[i + 1..], wait).map(|pause| (pause, wait))
            });
            match early.next() {
                Some((_, wait)) => tally.bad(client.id(), format!("tried again before {} had passed", Span(wait))),
                None if asked.count() > 0 => tally.good(),
                None => {}
            }
        }
        let why = "no attempt was answered with Retry-After";
        tally.finding(scope, "no retry before Retry-After has passed", why)
    }

    #[cfg(test)]
    fn goldens() -> Vec<Golden> {
        let story = |wait| Story::new().standby("b").fault(slow_down(wait), 0, 1000);
        let busy = || Try::status(503, "SlowDown").by(0);
        let again = |wait, next: Try| {
            story(wait).every(10, 0, 50, move |r| r.tries([busy(), next.clone()]))
        };
        vec![
            Golden::pass("after the pause", Self {}, again(true, Try::served().pause(2001))),
            Golden::pass("in another region", Self {}, again(true, Try::served().link(1))),
            Golden::pass("never again", Self {}, story(true).every(10, 0, 50, move |r| r.tries([busy()]))),
            Golden::fail("at once", Self {}, again(true, Try::served().pause(20))),
            Golden::fail("almost in time", Self {}, again(true, Try::served().pause(1900))),
            Golden::inconclusive("no pause was asked for", Self {}, again(false, Try::served())),
            Golden::inconclusive(
                "attempts were not seen",
                Self {},
                again(true, Try::served()).without(Capability::Attempts),
            ),
        ]
    }
}

/// How long after the attempt that was asked to wait the first of `later` came to its region, where that was
/// too early.
fn too_early(
    scope: &Scope<'_>,
    answer: &AttemptRecord,
    later: &[&AttemptRecord],
    wait: Nanos,
) -> Option<Nanos> {
    let region = |a: &AttemptRecord| scope.plan.region_of_link(a.link());
    let same = later.iter().filter(|a| region(a) == region(answer));
    let pauses = same.map(|a| a.start.saturating_sub(answer.start));
    pauses.min().filter(|pause| pause + EARLY < wait)
}

/// SlowDown, with a pause of two seconds or without.
#[cfg(test)]
pub(super) fn slow_down(wait: bool) -> FaultSpec {
    FaultSpec::S3Error(S3Error {
        code: "SlowDown".into(),
        status: None,
        message: None,
        retry_after: wait.then_some(Span::seconds(2)),
        amz_retry_after: None,
    })
}
