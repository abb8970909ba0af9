//! `deadline`: nothing begins when it is too late.

#[cfg(test)]
use gatecrash_model::Event;
use gatecrash_model::{AttemptRecord, Capabilities, Capability, ClientRecord, Nanos};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::tally::Tally;
use super::{Check, CheckInfo, Fixes, Rests, Source};
#[cfg(test)]
use crate::golden::{Golden, Request, Story, Try};
use crate::judge::Scope;
use crate::units::Span;
use crate::verdict::Finding;

/// From the gateway's decision to the head on the link: connecting, and a busy machine.
const TRANSIT: Nanos = 50_000_000;

/// No attempt begins after the request's deadline.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Deadline {
    /// The deadline, counted from the request's first attempt. Default: the profile's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Span>,
}

impl Check for Deadline {
    const INFO: CheckInfo = CheckInfo {
        name: "deadline",
        summary: "no attempt begins after the request's deadline",
        doc: "Once a request's time is up its client has an error or is gone: another attempt is load for \
              nobody, at the moment when the upstream has most of it (Google SRE Book, ch. 22, Addressing \
              Cascading Failures: deadlines). The gateway's clock began between the client's first byte \
              and the first attempt, so an attempt counts as late when it begins later than the deadline \
              after the first attempt, 50 ms and the scheduler slack of the run on top. The deadline is the \
              profile's, or `after`. Inconclusive when none is declared, or no request came near it.",
        sources: &[Source::SRE_CASCADING, Source::AWS_RETRIES],
        fixes: Fixes {
            nginx: "`proxy_next_upstream_timeout`",
            haproxy: "no limit over all tries: `retries` x (`timeout connect` + `timeout server`) has to fit",
            envoy: "the route's `timeout`, which cancels retries, with `per_try_timeout` below it",
            others: "",
        },
        example: "deadline: {}",
        needs: Capabilities::of(&[Capability::Attempts]),
        min_samples: 1,
        // It counts from the gateway's first attempt: when the client came does not matter.
        rests: Rests::OnOutcomes,
    };

    fn judge(&self, scope: &Scope<'_>) -> Finding {
        let Some(Span(deadline)) = self.after.or(scope.profile.deadline) else {
            let reason = "the profile declares no deadline";
            return Finding::inconclusive("no attempt after the deadline", 0, reason);
        };
        let mut tally = Tally::default();
        for client in scope.clients() {
            let attempts: Vec<_> = scope.attempts(client).collect();
            let Some(first) = attempts.first() else { continue };
            let due = first.start + deadline;
            let late = |a: &&AttemptRecord| a.start.checked_sub(due + TRANSIT + scope.slack).filter(|by| *by > 0);
            let late: Vec<_> = attempts.iter().filter_map(late).collect();
            if let Some(most) = late.iter().max() {
                if scope.was_starved_of(client, *most) {
                    tally.starved(client.id());
                } else {
                    tally.bad(client.id(), format!("{} attempts that began too late", late.len()));
                }
            } else if came_near(client, &attempts, due, deadline) {
                tally.good();
            }
        }
        let wanted = format!("no attempt begins later than {}", Span(deadline));
        tally.finding(scope, wanted, "no request came near its deadline")
    }

    #[cfg(test)]
    fn goldens() -> Vec<Golden> {
        let told = |tell: fn(Request) -> Request| Story::new().every(100, 0, 500, tell);
        let short = || Self { after: Some(Span::millis(1000)) };
        let late = |r: Request| r.tries([Try::silent().took(2900), Try::silent().pause(200)]).took(3000);
        let silent = |r: Request| r.tries([Try::silent(), Try::silent().pause(200)]);
        vec![
            Golden::pass("given up at the deadline", Self::default(), told(|r| r.tries([Try::silent().took(3000)]))),
            Golden::pass("the last try is cut short", short(), told(|r| r.tries([Try::silent().took(990)]))),
            Golden::fail("a try after the answer", Self::default(), told(late)),
            Golden::fail("a try after the route's deadline", short(), told(silent)),
            Golden::inconclusive(
                "a try after the answer, for want of a processor",
                Self::default(),
                told(late).event(Event::Stalled { at: 3_000_000_000, lasted: 100_000_000 }),
            ),
            Golden::inconclusive("far from the deadline", Self::default(), told(silent)),
            Golden::inconclusive("none declared", Self::default(), told(late).profile(|p| p.deadline = None)),
        ]
    }
}

/// Whether a request was still unfinished in the last tenth of its time.
fn came_near(client: &ClientRecord, attempts: &[&AttemptRecord], due: Nanos, deadline: Nanos) -> bool {
    let near = due - deadline / 10;
    client.ended() >= near || attempts.iter().any(|a| a.ended() >= near)
}
