//! `status-map`: what went wrong upstream decides the status.

#[cfg(test)]
use gatecrash_model::Event;
use gatecrash_model::{AttemptId, AttemptRecord, BodyCheck, Capabilities, Capability, ClientRecord, Ending};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::tally::Tally;
use super::{Check, CheckInfo, Fixes, Rests, Source};
#[cfg(test)]
use crate::faults::{FaultSpec, Refuse, Swallow};
#[cfg(test)]
use crate::golden::{Golden, Story, Try};
use crate::judge::{Cause, Scope};
#[cfg(test)]
use crate::profile::CachePolicy;
#[cfg(test)]
use crate::units::Span;
use crate::verdict::Finding;

/// Each request that found no usable answer upstream gets a status of the profile's set for that cause.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct StatusMap {}

impl Check for StatusMap {
    const INFO: CheckInfo = CheckInfo {
        name: "status-map",
        summary: "502, 503 or 504 by what went wrong upstream",
        doc: "No connection and an invalid answer are 502 or 503, no answer in time is 504 (RFC 9110 \
              15.6.3 to 15.6.5), as the gateway's profile declares; never 2xx, 3xx or 4xx. The status is \
              what callers, caches and alarms act on: a 404 for a dead upstream is cached and deletes data \
              downstream, a 200 hides the failure. The cause is that of the last attempt; where attempts \
              of one request met different ends, each is accepted. An error of the gateway's own is no \
              proof where a stall of the machine, as a sleeping thread of ours saw it, may have run out \
              one of its timeouts. Measured: nginx 1.22 answers 502 \
              refused, 504 connect timeout; HAProxy 2.6 answers 503 to both.",
        sources: &[
            Source::rfc(9110, "15.6.3", "502 Bad Gateway"),
            Source::rfc(9110, "15.6.4", "503 Service Unavailable"),
            Source::rfc(9110, "15.6.5", "504 Gateway Timeout"),
        ],
        fixes: Fixes {
            nginx: "`error_page 502 =503` and the like; `proxy_read_timeout` below the client's own timeout",
            haproxy: "`errorfile` or `http-error status`; `timeout server` below the client's own timeout",
            envoy: "`mappers` of `local_reply_config` with a `response_flag_filter`; the route's `timeout` \
                    below the client's own",
            others: "",
        },
        example: "status-map: {}",
        needs: Capabilities::of(&[Capability::Framing, Capability::Attempts, Capability::OwnTries]),
        min_samples: 1,
        rests: Rests::OnExchanges,
    };

    fn judge(&self, scope: &Scope<'_>) -> Finding {
        let mut tally = Tally::default();
        for client in scope.clients().filter(|c| is_owed_a_status(scope, c)) {
            let Some((cause, allowed)) = expected(scope, client) else { continue };
            let kept = allowed.contains(&client.status);
            if !kept && is_for_want_of_time(scope, client) {
                tally.starved(client.id());
                continue;
            }
            tally.count(kept, client.id(), || {
                let list = allowed.iter().map(u16::to_string).collect::<Vec<_>>().join(" or ");
                let got =
                    if client.status == 0 { client.ending.to_string() } else { client.status.to_string() };
                format!("{}: answered {got}, the profile says {list}", cause.name())
            });
        }
        tally.finding(scope, "the profile's status for each cause", "every request found an answer upstream")
    }

    #[cfg(test)]
    fn goldens() -> Vec<Golden> {
        let told = |attempt: fn() -> Try, status: u16| {
            let story = Story::new().every(10, 0, 50, |r| r);
            story.every(10, 60, 100, move |r| r.tries([attempt()]).answer(status))
        };
        let both = |status| {
            Story::new().every(10, 0, 90, move |r| r.tries([Try::silent(), Try::reset()]).answer(status))
        };
        let refuse = || FaultSpec::Refuse(Refuse {});
        let refused = |status| {
            Story::new().fault(refuse(), 100, 500).every(10, 110, 480, move |r| r.tries([]).answer(status))
        };
        let stall = Event::Stalled { at: 105_000_000, lasted: 150_000_000 };
        let late = |status| {
            let story = Story::new().every(10, 0, 50, |r| r).event(stall.clone());
            story.every(10, 60, 100, move |r| r.tries([Try::reset()]).answer(status).took(600))
        };
        let stalled = |status| told(Try::reset, status).event(stall.clone());
        let in_turns = (0..6).map(|turn: u64| Event::Stalled { at: (150 + 90 * turn) * 1_000_000, lasted: 80_000_000 });
        let in_turns = in_turns.fold(
            Story::new().every(10, 0, 50, |r| r).every(10, 60, 100, |r| r.tries([Try::reset()]).answer(504).took(600)),
            Story::event,
        );
        let swallowed = FaultSpec::Swallow(Swallow {});
        vec![
            Golden::pass("a reset is a 502", Self {}, told(Try::reset, 502)),
            Golden::pass("silence is a 504", Self {}, told(Try::silent, 504)),
            Golden::pass("refused is a 503", Self {}, refused(503)),
            Golden::pass("two causes, the first one's status", Self {}, both(504)),
            Golden::pass("two causes, the last one's status", Self {}, both(502)),
            Golden::pass(
                "swallowed, then served by a retry, and one that is a 504",
                Self {},
                Story::new()
                    .fault(swallowed, 0, 200)
                    .every(10, 0, 50, |r| r.tries([Try::silent().by(0), Try::served()]))
                    .every(10, 50, 60, |r| r.tries([Try::silent().by(0)])),
            ),
            Golden::fail("silence is a 502", Self {}, told(Try::silent, 502)),
            Golden::fail("a reset is a 404", Self {}, told(Try::reset, 404)),
            Golden::fail("garbage is a 200", Self {}, told(Try::garbage, 200)),
            Golden::fail("refused is a 404", Self {}, refused(404)),
            Golden::inconclusive("a reset is a 504 while the machine stalled", Self {}, late(504)),
            Golden::inconclusive("a reset is a 504 while every thread waited in turn", Self {}, in_turns),
            Golden::fail("a reset is a 504 at once, while the machine stalled", Self {}, stalled(504)),
            Golden::fail("a reset is a 404, which no stall explains", Self {}, stalled(404)),
            Golden::fail(
                "a reset is a 504 on a quiet machine, which stalled elsewhere",
                Self {},
                stalled(502).every(10, 5000, 5040, |r| r.tries([Try::reset()]).answer(504)),
            ),
            Golden::inconclusive(
                "an error that the gateway made before and kept",
                Self {},
                Story::new().every(10, 0, 50, |r| r.tries([]).answer(504)).profile(|p| {
                    p.cache = Some(CachePolicy { negative_ttl: Span::seconds(1), ..CachePolicy::default() });
                }),
            ),
            Golden::inconclusive("nothing fails", Self {}, Story::new().every(10, 0, 50, |r| r)),
        ]
    }
}

/// Whether a stall of the machine may have run out a timeout of the gateway, and the answer is one it gives then: in no
/// shorter time, unless it has put its upstreams away for it.
fn is_for_want_of_time(scope: &Scope<'_>, client: &ClientRecord) -> bool {
    let (profile, shortest) = (scope.profile, scope.shortest_timeout());
    let gives = |sets: &[&Vec<u16>]| sets.iter().any(|set| set.contains(&client.status));
    let waited = client.status == 0 || gives(&[&profile.timeout, &profile.connect_timeout_status]);
    let at_once = gives(&[&profile.no_upstream, &profile.refused]);
    let ran_out = u64::from(client.done) * 1000 >= shortest;
    (at_once || waited && ran_out) && scope.was_starved_of(client, shortest)
}

/// What invites to a retry is legal, a dead listener is `crash-free`'s business, and a client that left
/// before the gateway's own limit did not wait for a status.
fn is_owed_a_status(scope: &Scope<'_>, client: &ClientRecord) -> bool {
    let ended_early =
        || u64::from(client.done) * 1000 <= scope.limit(super::bounded_time::declared(scope.profile));
    match client.ending {
        Ending::Refused | Ending::ConnectFailed => false,
        ending if ending.invites_retry() => false,
        Ending::Hang if client.status == 0 => !ended_early(),
        _ => true,
    }
}

/// The last cause and all statuses that fit, when the request found no usable answer.
fn expected(scope: &Scope<'_>, client: &ClientRecord) -> Option<(Cause, Vec<u16>)> {
    let attempts: Vec<_> = scope.attempts(client).collect();
    let fed = scope.fed_by(client);
    if fed.is_some_and(|a| !scope.cause(a).is_failure() || is_tolerated(a, client)) {
        return None;
    }
    if client.is_success() && client.shape.body() == BodyCheck::Exact {
        return None;
    }
    let connect = scope.connect_causes(client);
    let keeps_errors = scope.profile.cache.is_some_and(|cache| cache.negative_ttl.0 > 0);
    if attempts.is_empty() && fed.is_none() && keeps_errors {
        return None;
    }
    let seen: Vec<_> = attempts.iter().map(|a| scope.cause(a)).collect();
    let last = match seen.last() {
        Some(Cause::BodyBroken) if attempts.last().is_some_and(|a| a.status == client.status) => return None,
        Some(last) if last.is_failure() => *last,
        Some(_) if connect.is_empty() || client.attempt != AttemptId::NONE => return None,
        None if connect.is_empty() && client.status < 500 => return None,
        None if connect.is_empty() => Cause::NoUpstream,
        _ => connect[0],
    };
    if seen.is_empty() && matches!(client.status, 200..=399) && client.attempt != AttemptId::NONE {
        return None;
    }
    let causes = seen.into_iter().chain(connect).chain([last]);
    let nobody = attempts.is_empty().then_some(Cause::NoUpstream);
    let mut allowed: Vec<_> = causes.chain(nobody).flat_map(|c| c.statuses(scope.profile)).collect();
    allowed.sort_unstable();
    allowed.dedup();
    Some((last, allowed))
}

/// Whether a broken or irregular response was passed on so that nobody is misled: with its own status, and
/// either whole and right, or visibly broken. RFC 9112 lets a proxy mend some irregular heads;
/// `no-false-success` and the body checks judge the rest.
fn is_tolerated(source: &AttemptRecord, client: &ClientRecord) -> bool {
    let misleading = client.ending == Ending::Complete
        && !matches!(client.status, 204 | 304)
        && (client.shape.body() == BodyCheck::Prefix || client.shape.body().is_wrong());
    source.status == client.status && matches!(source.status, 200..=599) && !misleading
}
