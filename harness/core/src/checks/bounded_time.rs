//! `bounded-time`: every request ends within the declared limit.

#[cfg(test)]
use gatecrash_model::Event;
use gatecrash_model::{Capabilities, Capability, ClientRecord, Ending, Nanos, Op};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::tally::Tally;
use super::{Check, CheckInfo, Fixes, Rests, Source};
#[cfg(test)]
use crate::faults::FaultSpec;
#[cfg(test)]
use crate::golden::{Golden, Story, Try};
use crate::judge::{Scope, is_trickle};
use crate::profile::Profile;
use crate::units::Span;
use crate::verdict::Finding;

/// From the first byte sent to the end of the answer, no request takes longer than the gateway declares.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct BoundedTime {}

impl Check for BoundedTime {
    const INFO: CheckInfo = CheckInfo {
        name: "bounded-time",
        summary: "every request ends within the declared limit",
        doc: "The limit is the profile's total timeout or, without one, tries x (connect + read) + \
              back-off; to it come max(50 ms, 10 %) and the scheduler slack measured in the run. Counted \
              from the first byte sent to the end of the exchange, less the time that a client chose to wait \
              for 100 Continue. A gateway without a limit lets one \
              silent upstream hold its workers and connections until none are left. Trickling heads and \
              bodies are judged only if a total is declared: nginx and HAProxy bound the gap between \
              reads, not a trickling body. What was late by no more than four times a stall of the \
              machine at that moment, as a sleeping thread of ours saw it, is no proof.",
        sources: &[Source::AWS_RETRIES, Source::SRE_CASCADING, Source::ENVOY_TIMEOUTS],
        fixes: Fixes {
            nginx: "`proxy_connect_timeout`, `proxy_read_timeout` (the gap between two reads), \
                    `proxy_next_upstream_timeout`; nothing bounds a whole response",
            haproxy: "`timeout connect`, `timeout server` (the gap between two reads), `timeout queue`, \
                      `retries`; nothing bounds a whole response",
            envoy: "the route's `timeout` (15 s by default) bounds all tries and the whole response, \
                    `per_try_timeout` each try",
            others: "",
        },
        example: "bounded-time: {}",
        needs: Capabilities::of(&[Capability::Framing, Capability::OwnTries]),
        min_samples: 1,
        rests: Rests::OnExchanges,
    };

    fn judge(&self, scope: &Scope<'_>) -> Finding {
        let limit = scope.limit(declared(scope.profile));
        let mut tally = Tally::default();
        for client in scope.clients() {
            let took = (u64::from(client.done) * 1000).saturating_sub(own_wait(scope, client));
            let left_early = client.ending == Ending::Hang && took <= limit;
            if left_early || (scope.profile.total_timeout.is_none() && is_trickled(scope, client)) {
                continue;
            }
            if took > limit && scope.was_starved_of(client, took - limit) {
                tally.starved(client.id());
                continue;
            }
            tally.count(took <= limit, client.id(), || {
                let seconds = took / 100_000_000;
                format!("{} after {}.{} s", client.ending, seconds / 10, seconds % 10)
            });
        }
        let wanted = format!("within {}", Span::millis(limit / 1_000_000));
        tally.finding(scope, wanted, "no request lasted long enough to be judged")
    }

    #[cfg(test)]
    fn goldens() -> Vec<Golden> {
        use crate::faults::SlowBody;
        use crate::units::Size;
        let story = || {
            Story::new()
                .every(10, 0, 50, |r| r)
                .every(10, 50, 60, |r| r.tries([Try::silent(), Try::silent()]))
        };
        let hang = |ms| {
            Story::new().every(10, 0, 50, move |r| r.tries([Try::silent()]).ending(Ending::Hang).took(ms))
        };
        let upload = |waits: Option<Span>| {
            let mut story = Story::new().every(10, 0, 50, |r| r.op(Op::PutObject).took(4000));
            story.plan.workloads[0].client.expect_continue = waits;
            story
        };
        let stall = Event::Stalled { at: 1_000_000_000, lasted: 100_000_000 };
        let stalled = |ms| Story::new().event(stall.clone()).every(10, 0, 10, move |r| r.took(ms));
        let slow = FaultSpec::SlowBody(SlowBody { bytes: Size(1), every: Span::millis(100) });
        let trickle = Story::new()
            .fault(slow, 0, 5000)
            .every(10, 0, 50, |r| r.tries([Try::served().by(0)]).took(9000))
            .profile(|p| p.total_timeout = None);
        vec![
            Golden::pass("two silent tries end within the total", Self {}, story()),
            Golden::fail("a hang of 5 s", Self {}, hang(5000)),
            Golden::fail("an answer after 9 s", Self {}, Story::new().every(10, 0, 50, |r| r.took(9000))),
            Golden::pass("an upload of 4 s that waited for 100", Self {}, upload(Some(Span::millis(1000)))),
            Golden::fail("an upload of 4 s that did not", Self {}, upload(None)),
            Golden::inconclusive("0.2 s late while the machine stalled", Self {}, stalled(3550)),
            Golden::fail("five seconds late, which no stall explains", Self {}, stalled(8000)),
            Golden::fail(
                "0.2 s late on a quiet machine, which stalled elsewhere",
                Self {},
                stalled(10).every(10, 5000, 5010, |r| r.took(3550)),
            ),
            Golden::inconclusive("the client left first", Self {}, hang(1000)),
            Golden::inconclusive("a trickle without a declared total", Self {}, trickle),
        ]
    }
}

/// How long the client may have waited for 100 Continue, which is its own time.
fn own_wait(scope: &Scope<'_>, client: &ClientRecord) -> Nanos {
    let plan = scope.plan.workloads.get(usize::from(client.workload));
    let wait = plan.and_then(|workload| workload.client.expect_continue).map_or(0, |wait| wait.0);
    if matches!(client.op, Op::PutObject | Op::UploadPart) { wait } else { 0 }
}

/// What a profile declares for a whole request.
pub(super) fn declared(profile: &Profile) -> Nanos {
    let per_try = profile.connect_timeout.0 + profile.read_timeout.0;
    let tries = u64::from(profile.max_attempts.max(1));
    profile.total_timeout.map_or(tries * per_try + profile.back_off.0, |total| total.0)
}

fn is_trickled(scope: &Scope<'_>, client: &ClientRecord) -> bool {
    scope.attempts(client).chain(scope.fed_by(client)).any(|a| scope.fault(a).is_some_and(is_trickle))
}
