//! `no-false-success`: a 2xx comes from an upstream's 2xx.

use gatecrash_model::{AttemptRecord, Capabilities, Capability};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::tally::Tally;
use super::{Check, CheckInfo, Rests};
#[cfg(test)]
use crate::golden::{Golden, Story, Try};
use crate::judge::{Cause, Scope, is_not_http};
use crate::verdict::Finding;

/// No 2xx reaches a client when nothing that the upstream sent was a 2xx: not for bytes that are no HTTP, not
/// for silence, not for an error.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct NoFalseSuccess {}

impl Check for NoFalseSuccess {
    const INFO: CheckInfo = CheckInfo {
        name: "no-false-success",
        summary: "a failure or garbage upstream never becomes a 2xx",
        doc: "A request whose upstream attempts brought no 2xx - bytes that are no HTTP, no answer, an \
              error status - must not be answered 2xx: the client would store garbage or believe its \
              upload was kept. An invalid response is a 502 (RFC 9110 15.6.3). HTTP/0.9 replies, which \
              some proxies still pass on as a 200, are garbage here. Inconclusive when every request met \
              an upstream 2xx. Typical fixes: a current version; nginx `error_page` without `=200`; \
              HAProxy without `http-request return status 200` for errors.",
        example: "no-false-success: {}",
        needs: Capabilities::of(&[Capability::Framing, Capability::Attempts]),
        min_samples: 1,
        rests: Rests::OnExchanges,
    };

    fn judge(&self, scope: &Scope<'_>) -> Finding {
        let mut tally = Tally::default();
        for client in scope.clients() {
            let attempts: Vec<_> = scope.attempts(client).chain(scope.fed_by(client)).collect();
            if attempts.is_empty()
                || attempts.iter().any(|a| is_2xx(scope, a))
                || scope.hides_attempts(client)
            {
                continue;
            }
            let success = matches!(client.status, 200..=299);
            tally.count(!success, client.id(), || {
                let last = attempts.last().map_or(Cause::NoUpstream, |a| scope.cause(a));
                format!("{} although the upstream's last word was: {}", client.status, in_words(last))
            });
        }
        tally.finding(scope, "no 2xx without an upstream's 2xx", "every request met an upstream 2xx")
    }

    #[cfg(test)]
    fn goldens() -> Vec<Golden> {
        let told = |attempt: fn() -> Try, status: u16| {
            let story = Story::new().every(10, 0, 50, |r| r);
            story.every(10, 60, 100, move |r| r.tries([attempt()]).answer(status))
        };
        vec![
            Golden::pass("garbage is a 502", Self {}, told(Try::garbage, 502)),
            Golden::pass("silence is a 504", Self {}, told(Try::silent, 504)),
            Golden::fail("garbage is a 200", Self {}, told(Try::garbage, 200)),
            Golden::fail("an error is a 200", Self {}, told(|| Try::status(503, "SlowDown"), 200)),
            Golden::inconclusive("nothing fails", Self {}, Story::new().every(10, 0, 50, |r| r)),
        ]
    }
}

fn is_2xx(scope: &Scope<'_>, attempt: &AttemptRecord) -> bool {
    matches!(attempt.status, 200..=299) && !is_not_http(scope.plan, attempt)
}

fn in_words(cause: Cause) -> String {
    if let Cause::Status(status) = cause { format!("status {status}") } else { cause.name().into() }
}
