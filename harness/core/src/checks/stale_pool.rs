//! `stale-pool`: a pooled connection that died is the gateway's business.

use gatecrash_model::{AttemptRecord, Capabilities, Capability, ClientRecord, EndedBy};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::tally::Tally;
use super::{Check, CheckInfo, Fixes, Rests, Source};
use crate::faults::FaultSpec;
#[cfg(test)]
use crate::faults::{CloseOnReuse, Reset, ResetAt};
#[cfg(test)]
use crate::golden::{Golden, Request, Story, Try};
use crate::judge::Scope;
use crate::verdict::Finding;

/// A pooled connection that died under a repeatable request does not show at the client; under another it is an
/// honest 502 or 503.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct StalePool {}

impl Check for StalePool {
    const INFO: CheckInfo = CheckInfo {
        name: "stale-pool",
        summary: "a dead pooled connection does not show at the client",
        doc: "Servers close kept connections whenever they like, and now and then a request is on its way at \
              that moment: it ends without one response byte, on a connection that had carried another \
              before. That is no sign of trouble upstream, and RFC 9112 9.3.1 says what to do: repeat a \
              request that is safe to repeat (those the profile declares repeatable) on another connection. \
              All others get an honest 502 or 503, or their own kept connection closed. Only requests all of \
              whose failed attempts met a dead pooled connection count (fault `close-on-reuse`, or an \
              upstream that closed); inconclusive when there were none. The background noise of 502s that \
              many gateways have in front of S3 is this.",
        sources: &[Source::rfc(9112, "9.3.1", "Retrying Requests"), Source::ENVOY_ROUTER],
        fixes: Fixes {
            nginx: "`proxy_next_upstream error` with two tries, `keepalive_timeout` of the `upstream` block \
                    below the upstream's",
            haproxy: "`retry-on conn-failure empty-response`, `http-reuse safe`, `pool-purge-delay` below \
                      the upstream's idle timeout",
            envoy: "`retry_on: reset`, an `idle_timeout` (1 h by default) below the upstream's",
            others: "",
        },
        example: "stale-pool: {}",
        needs: Capabilities::of(&[Capability::Framing, Capability::Attempts, Capability::Wire]),
        min_samples: 1,
        rests: Rests::OnOutcomes,
    };

    fn judge(&self, scope: &Scope<'_>) -> Finding {
        let mut tally = Tally::default();
        for client in scope.clients() {
            let (mut dead, mut answered, mut other) = (0, 0, 0);
            for attempt in scope.attempts(client) {
                match attempt {
                    a if is_dead(scope, a) => dead += 1,
                    a if a.status != 0 => answered += 1,
                    _ => other += 1,
                }
            }
            if dead == 0 || other > 0 {
                continue;
            }
            let hidden = if scope.profile.replays.contains(&client.op) {
                answered > 0
            } else {
                answered > 0 || is_honest(client)
            };
            tally.count(hidden, client.id(), || {
                let how = if client.status == 0 { client.ending.to_string() } else { client.status.to_string() };
                let tries = if dead == 1 { String::new() } else { format!(", {dead} in turn") };
                format!("{} on a dead pooled connection{tries}: {how}", client.op)
            });
        }
        let why = "no request met a dead pooled connection and nothing worse";
        tally.finding(scope, "dead pooled connections do not show", why)
    }

    #[cfg(test)]
    fn goldens() -> Vec<Golden> {
        use gatecrash_model::Op;
        let on = |spec: FaultSpec, tell: fn(Request) -> Request| {
            Story::new().fault(spec, 0, 1000).every(10, 0, 50, tell)
        };
        let close = || FaultSpec::CloseOnReuse(CloseOnReuse { with: Default::default() });
        let told = |tell| on(close(), tell);
        fn dead() -> Try {
            Try::reset().reused().by(0)
        }
        vec![
            Golden::pass("tried again", Self {}, told(|r| r.tries([dead(), Try::served()]))),
            Golden::pass("a 404 is an answer", Self {}, told(|r| r.tries([dead(), Try::status(404, "NoSuchKey")]))),
            Golden::pass("POST is 502", Self {}, told(|r| r.op(Op::DeleteObjects).tries([dead()]))),
            Golden::fail("GET is 502", Self {}, told(|r| r.tries([dead()]))),
            Golden::fail("GET met two in turn", Self {}, told(|r| r.tries([dead(), dead()]))),
            Golden::fail("POST is 200", Self {}, told(|r| r.op(Op::DeleteObjects).tries([dead()]).answer(200))),
            Golden::inconclusive("then a new one died too", Self {}, told(|r| r.tries([dead(), Try::reset()]))),
            Golden::inconclusive("connections live", Self {}, told(|r| r)),
            Golden::inconclusive(
                "an upstream that resets whatever comes",
                Self {},
                on(FaultSpec::Reset(Reset { at: ResetAt::Request }), |r| r.tries([dead()])),
            ),
        ]
    }
}

/// Whether an attempt met a pooled connection that was dead for no other reason than its age.
fn is_dead(scope: &Scope<'_>, attempt: &AttemptRecord) -> bool {
    let by_age = match scope.fault(attempt) {
        None => attempt.ended_by == EndedBy::Upstream,
        Some(fault) => matches!(fault, FaultSpec::CloseOnReuse(_)),
    };
    by_age && attempt.is_stale()
}

/// An error that admits it, or "please retry": a kept connection closed, a stream refused.
fn is_honest(client: &ClientRecord) -> bool {
    matches!(client.status, 502 | 503) || client.ending.invites_retry()
}
