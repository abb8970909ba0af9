//! `no-false-success`: a 2xx comes from an upstream's 2xx.

use gatecrash_model::{AttemptRecord, BodyCheck, Capabilities, Capability, ClientRecord, Ending};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::tally::Tally;
use super::{Check, CheckInfo, Fixes, Rests, Source};
#[cfg(test)]
use crate::faults::{FaultSpec, Misconfigure};
#[cfg(test)]
use crate::golden::{Golden, Story, Try};
use crate::judge::{Cause, Scope, is_not_http};
use crate::verdict::Finding;

/// No 2xx reaches a client when nothing that the upstream sent was a 2xx: not for bytes that are no HTTP, not
/// for silence, not for an error. A 2xx with an illegal head or framing may be mended or visibly broken.
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
              some proxies still pass on as a 200, are garbage here. Where the upstream's 2xx has an \
              illegal head or framing, such as two lengths that differ or a chunk size that is none, the \
              client may get the whole object, for RFC 9112 6.3 lets some of it be mended, or an answer \
              that is visibly broken (RFC 9112 8), but no complete 2xx with other bytes. Inconclusive when \
              every request met a legal upstream 2xx.",
        sources: &[
            Source::rfc(9110, "15.6.3", "502 Bad Gateway"),
            Source::rfc(9112, "6.3", "Message Body Length"),
            Source::rfc(9112, "8", "Handling Incomplete Messages"),
        ],
        fixes: Fixes {
            nginx: "`error_page` without `=200`; no setting keeps it from taking a reply without a status \
                    line for HTTP/0.9",
            haproxy: "no `http-request return status 200` for errors, no `option \
                      accept-invalid-http-response`",
            envoy: "no `mappers` of `local_reply_config` that make errors a 200; an invalid response is a 502 \
                    or 503 without any setting",
            others: "API Gateway: a pattern for each error status in the integration responses, for the \
                     default response takes what is left",
        },
        example: "no-false-success: {}",
        needs: Capabilities::of(&[Capability::Framing, Capability::Attempts]),
        min_samples: 1,
        rests: Rests::OnExchanges,
    };

    fn judge(&self, scope: &Scope<'_>) -> Finding {
        let mut tally = Tally::default();
        for client in scope.clients() {
            let attempts: Vec<_> = scope.attempts(client).chain(scope.fed_by(client)).collect();
            let successes = || attempts.iter().filter(|a| is_2xx(scope, a));
            if attempts.is_empty()
                || successes().any(|a| !a.has(AttemptRecord::ILLEGAL))
                || scope.hides_attempts(client)
            {
                continue;
            }
            let success = matches!(client.status, 200..=299)
                && (successes().next().is_none() || is_whole_and_wrong(client));
            tally.count(!success, client.id(), || {
                let last = attempts.last().map_or(Cause::NoUpstream, |a| scope.cause(a));
                format!("{} although the upstream's last word was: {}", client.status, in_words(last))
            });
        }
        tally.finding(scope, "no 2xx without an upstream's 2xx", "every request met a legal upstream 2xx")
    }

    #[cfg(test)]
    fn goldens() -> Vec<Golden> {
        let told = |attempt: fn() -> Try, status: u16| {
            let story = Story::new().every(10, 0, 50, |r| r);
            story.every(10, 60, 100, move |r| r.tries([attempt()]).answer(status))
        };
        let mended = |body, ending| {
            Story::new()
                .every(10, 0, 50, move |r| r.tries([Try::bad_framing()]).answer(200).body(body).ending(ending))
        };
        let mapped = || {
            let mapping = Some("default:200".into());
            FaultSpec::Misconfigure(Misconfigure { mapping, ..Misconfigure::default() })
        };
        let (whole, cut) = (Ending::Complete, Ending::CutFin);
        vec![
            Golden::pass("garbage is a 502", Self {}, told(Try::garbage, 502)),
            Golden::pass("silence is a 504", Self {}, told(Try::silent, 504)),
            Golden::fail("garbage is a 200", Self {}, told(Try::garbage, 200)),
            Golden::fail("an error is a 200", Self {}, told(|| Try::status(503, "SlowDown"), 200)),
            Golden::fail(
                "an API mapping makes an error a 200",
                Self {},
                told(|| Try::status(403, "AccessDenied"), 200).fault(mapped(), 50, 100),
            ),
            Golden::pass("bad framing is a 502", Self {}, told(Try::bad_framing, 502)),
            Golden::pass("bad framing is mended", Self {}, mended(BodyCheck::Exact, whole)),
            Golden::pass("bad framing is visibly cut", Self {}, mended(BodyCheck::Prefix, cut)),
            Golden::fail("bad framing is a whole half", Self {}, mended(BodyCheck::Prefix, whole)),
            Golden::inconclusive("nothing fails", Self {}, Story::new().every(10, 0, 50, |r| r)),
        ]
    }
}

/// Whether a response looks complete, and its bytes are not the object. A 204 promises none.
fn is_whole_and_wrong(client: &ClientRecord) -> bool {
    client.ending == Ending::Complete
        && client.status != 204
        && (client.shape.body() == BodyCheck::Prefix || client.shape.body().is_wrong())
}

fn is_2xx(scope: &Scope<'_>, attempt: &AttemptRecord) -> bool {
    matches!(attempt.status, 200..=299) && !is_not_http(scope.plan, attempt)
}

fn in_words(cause: Cause) -> String {
    if let Cause::Status(status) = cause { format!("status {status}") } else { cause.name().into() }
}
