//! `body-complete`: a body that the upstream cut short must not look whole to the client.

use gatecrash_model::{AttemptRecord, BodyCheck, Capabilities, Capability, Ending, Op};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::tally::Tally;
use super::{Check, CheckInfo, Fixes, Rests, Source};
#[cfg(test)]
use crate::golden::{Golden, Story, Try};
use crate::judge::Scope;
use crate::verdict::Finding;

/// No response whose upstream body ended early is complete under its client-side framing.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct BodyComplete {}

impl Check for BodyComplete {
    const INFO: CheckInfo = CheckInfo {
        name: "body-complete",
        summary: "a body cut by the upstream is never complete for the client",
        doc: "When the upstream ends before its Content-Length or last chunk, the gateway has to pass the \
              break on: an incomplete message must be recognisable as incomplete (RFC 9112 8) - no last \
              chunk, fewer bytes than Content-Length, or a reset. Otherwise half an object is stored as a \
              whole one. Inconclusive when no body was cut. nginx 1.22 and HAProxy 2.6 pass a cut of \
              Content-Length and chunked bodies on; HAProxy ends a close-delimited body cleanly after a \
              reset.",
        sources: &[
            Source::rfc(9112, "8", "Handling Incomplete Messages"),
            Source::rfc(9112, "6.3", "Message Body Length"),
        ],
        fixes: Fixes {
            nginx: "`proxy_http_version 1.1`, so that bodies of the upstream are framed and a cut can be \
                    told",
            haproxy: "no setting: it passes cuts of a framed body on; have upstreams send Content-Length or \
                      chunks, for a body that ends with its connection it ends cleanly after a reset",
            envoy: "no setting: it closes the client's connection in the middle of the message, \
                    `delayed_close_timeout` (1 s) later",
            others: "",
        },
        example: "body-complete: {}",
        needs: Capabilities::of(&[Capability::Framing, Capability::Attempts, Capability::Wire]),
        min_samples: 1,
        rests: Rests::OnExchanges,
    };

    fn judge(&self, scope: &Scope<'_>) -> Finding {
        let (mut tally, untrue) = (Tally::default(), scope.untrue_attempts());
        let is_broken = |a: &&AttemptRecord| is_cut(a) && !untrue.contains(&a.attempt);
        for client in scope.clients() {
            let Some(source) = scope.source(client).filter(is_broken) else { continue };
            let looks_whole = client.ending == Ending::Complete
                && matches!(client.status, 200..=299)
                && client.shape.body() != BodyCheck::Exact;
            tally.count(!looks_whole, client.id(), || {
                format!(
                    "complete {} although the upstream's body ended ({}) after {} bytes",
                    client.status, source.ending, source.response_bytes
                )
            });
        }
        tally.finding(scope, "no cut body is complete for the client", "no response body was cut upstream")
    }

    #[cfg(test)]
    fn goldens() -> Vec<Golden> {
        let story = || Story::new().every(10, 0, 30, |r| r.tries([Try::cut()]));
        let reset = || Story::new().every(10, 0, 30, |r| r.tries([Try::cut()]).ending(Ending::CutRst));
        let whole = |body| {
            story().every(10, 30, 40, move |r| r.tries([Try::cut()]).ending(Ending::Complete).body(body))
        };
        vec![
            Golden::pass("the cut is passed on", Self {}, story()),
            Golden::pass("a reset is a cut too", Self {}, reset()),
            Golden::pass("all bytes came before the cut", Self {}, whole(BodyCheck::Exact)),
            Golden::fail("half a body is complete", Self {}, whole(BodyCheck::Prefix)),
            Golden::inconclusive("nothing was cut", Self {}, Story::new().every(10, 0, 100, |r| r)),
            Golden::inconclusive("attempts were not seen", Self {}, story().without(Capability::Attempts)),
        ]
    }
}

/// Whether the response's body ended before it was whole.
pub(super) fn is_cut(attempt: &AttemptRecord) -> bool {
    attempt.status != 0
        && !matches!(attempt.op, Op::HeadObject | Op::HeadBucket)
        && matches!(attempt.ending, Ending::CutFin | Ending::CutRst | Ending::Hang)
        && attempt.first_byte != u32::MAX
        && (attempt.promised == u32::MAX || attempt.response_bytes < attempt.promised)
}
