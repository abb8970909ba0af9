//! `crash-free`: the gateway survives.

use gatecrash_model::{AttemptRecord, Capabilities, Capability, ClientRecord, Ending};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::tally::Tally;
use super::{Check, CheckInfo, Fixes, Rests, Source};
use crate::faults::{FaultSpec, Host};
#[cfg(test)]
use crate::golden::{Golden, Story, Try};
use crate::judge::Scope;
use crate::verdict::Finding;

/// The gateway's process and listener live, and no request makes the task that serves it vanish.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct CrashFree {}

impl Check for CrashFree {
    const INFO: CheckInfo = CheckInfo {
        name: "crash-free",
        summary: "process, listener and connections survive every fault",
        doc: "The gateway's process must not end by itself (which fails a run that expects nothing of the \
              kind, too), its listener must accept, and no connection \
              may close without a byte under a request: on a first request that is never legal, on a \
              reused connection it is a legal race (RFC 9112 9.3.1) unless the gateway was just reading a \
              malformed answer for that request - then the task that served it died. Of a gateway that \
              gatecrash did not start, listener and connections are seen alone. A panic per bad \
              response is a denial of service for whoever shares the process. Measured: nginx 1.22 drops \
              the client for some malformed heads and chunk sizes.",
        sources: &[Source::rfc(9112, "9.3.1", "Retrying Requests"), Source::CWE_UNCAUGHT],
        fixes: Fixes {
            nginx: "no setting: a current version; the master starts a dead worker again, so more than one \
                    of `worker_processes`",
            haproxy: "no setting: a current version; `master-worker no-exit-on-failure`, or a supervisor \
                      that starts it again",
            envoy: "no setting: a current version, under a supervisor that starts it again",
            others: "report it upstream",
        },
        example: "crash-free: {}",
        needs: Capabilities::of(&[Capability::Framing, Capability::Wire]),
        min_samples: 1,
        rests: Rests::OnExchanges,
    };

    fn judge(&self, scope: &Scope<'_>) -> Finding {
        let mut tally = Tally::default();
        for client in scope.clients() {
            // Nobody refused: the time for it ran out while the gateway, or we, had no processor.
            let took = client.ended().saturating_sub(client.sent());
            if client.ending == Ending::ConnectFailed && scope.was_starved_of(client, took) {
                tally.starved(client.id());
                continue;
            }
            tally.count(!is_vanished(scope, client), client.id(), || match client.ending {
                Ending::Refused | Ending::ConnectFailed => {
                    format!("connecting to the gateway: {}", client.ending)
                }
                ending => format!("ended without a byte ({ending})"),
            });
        }
        let deaths: Vec<_> = scope.history.gateway_deaths().collect();
        let process = scope.missing(Capabilities::of(&[Capability::Process])).is_none();
        let wanted =
            if process { "process, listener and connections live" } else { "listener and connections live" };
        let finding = tally.finding(scope, wanted, "no request was sent");
        let Some((at, how)) = deaths.first() else {
            return if process { finding } else { finding.detail("the process itself was not seen") };
        };
        let died = format!("the gateway's process died at +{:.2}s: {how}", *at as f64 / 1e9);
        let details = finding.details.clone();
        let dead = Finding::judged(false, "died", wanted, finding.samples).detail(died);
        dead.details(details).exemplars(finding.exemplars)
    }

    #[cfg(test)]
    fn goldens() -> Vec<Golden> {
        use gatecrash_model::Event;
        let story = || Story::new().every(10, 0, 50, |r| r);
        let told = |ending| story().every(10, 50, 60, move |r| r.ending(ending));
        let reading =
            || story().every(10, 50, 60, |r| r.tries([Try::garbage()]).ending(Ending::DroppedReused));
        let stream_reset =
            || story().every(10, 50, 60, |r| r.tries([Try::garbage()]).answer(0).ending(Ending::StreamReset));
        let dead_after_garbage = || {
            let tries = || [Try::garbage(), Try::reset()];
            story().every(10, 50, 60, move |r| r.tries(tries()).ending(Ending::DroppedReused))
        };
        let starved = Event::Stalled { at: 300_000_000, lasted: 200_000_000 };
        let late = || story().every(10, 50, 60, |r| r.ending(Ending::ConnectFailed).took(700));
        let died = Event::GatewayDied { at: 40_000_000, how: "signal 11".into() };
        vec![
            Golden::pass("all answered", Self {}, story()),
            Golden::pass("a reused connection was closed", Self {}, told(Ending::DroppedReused)),
            Golden::fail("a first connection was closed", Self {}, told(Ending::DroppedFirst)),
            Golden::fail("closed while reading garbage", Self {}, reading()),
            Golden::fail("its stream reset while reading garbage", Self {}, stream_reset()),
            Golden::pass("closed by a dead connection after garbage", Self {}, dead_after_garbage()),
            Golden::fail("nobody listens", Self {}, told(Ending::Refused)),
            Golden::fail("no connection came about", Self {}, late()),
            Golden::inconclusive("no connection came about, for want of a processor", Self {}, late().event(starved)),
            Golden::fail("the process died", Self {}, story().event(died)),
            Golden::pass("all answered by somebody unseen", Self {}, story().without(Capability::Process)),
            Golden::fail(
                "somebody unseen closed a first connection",
                Self {},
                told(Ending::DroppedFirst).without(Capability::Process),
            ),
            Golden::inconclusive("framing was not seen", Self {}, story().without(Capability::Framing)),
        ]
    }
}

fn is_vanished(scope: &Scope<'_>, client: &ClientRecord) -> bool {
    match client.ending {
        Ending::DroppedFirst => !is_starved(scope, client),
        Ending::DroppedReused => scope.attempts(client).last().is_some_and(wrote_nonsense),
        Ending::StreamReset if client.status == 0 => scope.attempts(client).last().is_some_and(wrote_nonsense),
        Ending::Refused | Ending::ConnectFailed => !is_starved(scope, client),
        _ => false,
    }
}

/// Whether at least a byte of a malformed answer reached the gateway.
fn wrote_nonsense(attempt: &AttemptRecord) -> bool {
    attempt.has(AttemptRecord::ILLEGAL) && attempt.first_byte != u32::MAX
}

/// Whether a fault on the gateway's own process explains that it cannot accept.
fn is_starved(scope: &Scope<'_>, client: &ClientRecord) -> bool {
    let excuses =
        |spec: &FaultSpec| spec.info().host == Host::Process && !matches!(spec, FaultSpec::Reload(_));
    let faults = scope.plan.faults.iter().enumerate().filter(|(_, f)| excuses(&f.spec));
    faults.map(|(i, _)| i as u16).any(|i| scope.intervals.active(i, client.intended, client.ended()))
}
