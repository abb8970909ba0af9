//! `no-retry-after-bytes`: once the client has a byte, it is too late for another try.

use gatecrash_model::{Capabilities, Capability};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::body_complete::is_cut;
use super::tally::Tally;
use super::{Check, CheckInfo, Fixes, Rests, Source};
#[cfg(test)]
use crate::golden::{Golden, Story, Try};
use crate::judge::Scope;
use crate::verdict::Finding;

/// No second attempt begins after a response byte reached the client.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct NoRetryAfterBytes {}

impl Check for NoRetryAfterBytes {
    const INFO: CheckInfo = CheckInfo {
        name: "no-retry-after-bytes",
        summary: "no second attempt after the client got a byte",
        doc: "The client's first response byte and every attempt's start lie on one clock. A try that begins \
              after the first byte went out can only repeat or mix bodies; a broken response must be shown \
              broken (RFC 9112 8). Inconclusive when no response broke after its first bytes.",
        sources: &[
            Source::rfc(9112, "8", "Handling Incomplete Messages"),
            Source::rfc(9110, "9.2.2", "Idempotent Methods"),
        ],
        fixes: Fixes {
            nginx: "no setting: it never tries again once it sent a byte of the response",
            haproxy: "no setting: it never tries again once it sent a byte of the response",
            envoy: "no setting: it never tries again once it passed the head of a response on",
            others: "in gateways of your own: decide on a retry before the head is relayed; buffer small \
                     bodies whole or not at all",
        },
        example: "no-retry-after-bytes: {}",
        needs: Capabilities::of(&[Capability::Framing, Capability::Attempts, Capability::OwnTries]),
        min_samples: 1,
        rests: Rests::OnExchanges,
    };

    fn judge(&self, scope: &Scope<'_>) -> Finding {
        let mut tally = Tally::default();
        for client in scope.clients() {
            let Some(answered) = client.answered() else { continue };
            // A gateway that answers for itself has given up; a try seen after that is seen late, not begun late.
            let relayed = scope.fed_by(client).is_some();
            let late = scope.attempts(client).skip(1).find(|a| relayed && a.start > answered);
            let broke = scope.attempts(client).any(is_cut);
            match late {
                Some(late) => {
                    let ms = (late.start - answered).div_ceil(1_000_000);
                    let step = if ms <= 10 { "10 ms" } else { "a second" };
                    let how = if ms <= 1000 { format!("within {step}") } else { "later".into() };
                    tally.bad(client.id(), format!("tried again after the first byte ({how})"));
                }
                None if broke => tally.good(),
                None => {}
            }
        }
        tally.finding(scope, "no try after the first byte", "no response broke after its first bytes")
    }

    #[cfg(test)]
    fn goldens() -> Vec<Golden> {
        let cut = || Story::new().every(10, 0, 50, |r| r.tries([Try::cut()]).first_byte(2));
        let again = || {
            Story::new()
                .every(10, 0, 50, |r| r.tries([Try::cut(), Try::served().pause(3)]).first_byte(3).took(20))
        };
        let before = || Story::new().every(10, 0, 50, |r| r.tries([Try::reset(), Try::cut()]).first_byte(11));
        let given_up = || {
            let tries = [Try::cut(), Try::served().pause(3)];
            Story::new().every(10, 0, 50, move |r| r.tries(tries.clone()).answer(504).first_byte(3).took(20))
        };
        vec![
            Golden::pass("the cut is shown", Self {}, cut()),
            Golden::pass("a retry before the first byte", Self {}, before()),
            Golden::pass("a try that was seen after the gateway had given up", Self {}, given_up()),
            Golden::fail("a second try after the first byte", Self {}, again()),
            Golden::inconclusive("nothing broke", Self {}, Story::new().every(10, 0, 50, |r| r)),
        ]
    }
}
