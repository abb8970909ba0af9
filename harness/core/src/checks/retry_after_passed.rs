//! `retry-after-passed`: the client learns how long to stay away.

use gatecrash_model::{Capabilities, Capability, ClientRecord, Ending};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::tally::Tally;
use super::{Check, CheckInfo, Fixes, Rests, Source};
#[cfg(test)]
use crate::golden::{Golden, Request, Story, Try};
use crate::judge::Scope;
use crate::verdict::Finding;

/// The Retry-After or x-amz-retry-after of an upstream answer that reaches the client is there.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RetryAfterPassed {}

impl Check for RetryAfterPassed {
    const INFO: CheckInfo = CheckInfo {
        name: "retry-after-passed",
        summary: "the client is told how long to wait",
        doc: "An upstream answer that asks for a pause, by Retry-After (RFC 9110 10.2.3) or by \
              x-amz-retry-after (AWS SDKs, in milliseconds), and that is passed on with its status, must \
              still say so. Both are end-to-end fields: a gateway that drops them, or replaces the answer by \
              a page of its own, makes well-behaved clients come back at once. Errors the gateway made \
              itself, and answers with another status, are `status-pass`'s and `status-map`'s business. \
              Inconclusive when no such answer reached a client.",
        sources: &[Source::rfc(9110, "10.2.3", "Retry-After"), Source::AWS_SDK_RETRIES],
        fixes: Fixes {
            nginx: "`proxy_intercept_errors off` and no `proxy_hide_header Retry-After`",
            haproxy: "no `http-response del-header Retry-After`, no `http-response return` for relayed \
                      answers",
            envoy: "no `response_headers_to_remove` that names it, no `custom_response` filter on the route",
            others: "",
        },
        example: "retry-after-passed: {}",
        needs: Capabilities::of(&[Capability::Framing, Capability::Attempts]),
        min_samples: 1,
        rests: Rests::OnExchanges,
    };

    fn judge(&self, scope: &Scope<'_>) -> Finding {
        let (mut tally, waits) = (Tally::default(), scope.asked_waits());
        for client in scope.clients().filter(|c| c.ending == Ending::Complete) {
            let Some(source) = scope.source(client).filter(|a| a.status == client.status) else { continue };
            if waits.contains_key(&source.attempt) {
                tally.count(client.has(ClientRecord::RETRY_AFTER), client.id(), || {
                    format!("{} without the upstream's word on when to try again", client.status)
                });
            }
        }
        let why = "no answer that asks for a pause reached a client";
        tally.finding(scope, "the wish for a pause is passed on", why)
    }

    #[cfg(test)]
    fn goldens() -> Vec<Golden> {
        let busy = |wait: bool, tell: fn(Request) -> Request| {
            let story = Story::new().fault(super::retry_after_obeyed::slow_down(wait), 0, 1000);
            let story = story.every(10, 0, 50, move |r| {
                tell(r.tries([Try::status(503, "SlowDown").by(0)]))
            });
            story.every(10, 50, 100, |r| r)
        };
        vec![
            Golden::pass("it is passed on", Self {}, busy(true, |r| r.flag(ClientRecord::RETRY_AFTER))),
            Golden::fail("it is dropped", Self {}, busy(true, |r| r)),
            Golden::inconclusive("the answer was replaced", Self {}, busy(true, |r| r.answer(502))),
            Golden::inconclusive("no pause was asked for", Self {}, busy(false, |r| r)),
        ]
    }
}
