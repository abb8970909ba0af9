//! `signed-headers-untouched`: what the client signed reaches S3 as it was signed.

use gatecrash_model::{Capabilities, Capability, UpstreamRecord};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::tally::Tally;
use super::{Check, CheckInfo, Fixes, Rests, Source};
#[cfg(test)]
use crate::golden::{Golden, Story, Try};
use crate::judge::Scope;
use crate::plan::SignPlan;
use crate::verdict::Finding;

/// What S3 answers to a request that is not the one that was signed.
const ALTERED: [&str; 2] = ["SignatureDoesNotMatch", "XAmzContentSHA256Mismatch"];

/// No request that the client signed arrives upstream with a signature that does not fit it.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct SignedHeadersUntouched {}

impl Check for SignedHeadersUntouched {
    const INFO: CheckInfo = CheckInfo {
        name: "signed-headers-untouched",
        summary: "a client's signature still fits what reaches S3",
        doc: "Each attempt of a request that the client signed is verified by the mock as S3 does it: \
              method, path, query, signed headers and the hash of the body have to be what was signed. An \
              answer of SignatureDoesNotMatch or XAmzContentSHA256Mismatch that no fault made means that the \
              gateway changed one of them: Host replaced by the upstream's name, a path decoded and encoded \
              anew, a query sorted, a header rewritten or its spaces folded (Amazon S3 API Reference, \
              Signature Calculations: Canonical Request). Clients see 403, and only for some keys. \
              Inconclusive when no signed request reached S3.",
        sources: &[Source::S3_SIGNATURE],
        fixes: Fixes {
            nginx: "`proxy_set_header Host $http_host` and `proxy_pass` without a URI part",
            haproxy: "passes Host unless `http-request set-header Host` is used; no `http-request \
                      normalize-uri`, `set-path` or `replace-path`",
            envoy: "no `host_rewrite_literal` and no `auto_host_rewrite`, `normalize_path: false`, \
                    `merge_slashes: false`",
            others: "everywhere: or let the gateway sign by itself",
        },
        example: "signed-headers-untouched: {}",
        needs: Capabilities::of(&[Capability::Attempts, Capability::Store]),
        min_samples: 1,
        rests: Rests::OnExchanges,
    };

    fn judge(&self, scope: &Scope<'_>) -> Finding {
        let mut tally = Tally::default();
        for client in scope.clients().filter(|c| is_signed(scope, c.workload)) {
            for attempt in scope.attempts(client).filter(|a| a.fault == 0) {
                let Some(seen) = scope.join.upstream(scope.history, attempt) else { continue };
                if seen.has(UpstreamRecord::FAULTED) {
                    continue;
                }
                let code = scope.history.text(seen.code);
                tally.count(!ALTERED.contains(&code), client.id(), || {
                    format!("{code} from {}", scope.link_name(attempt.link()))
                });
            }
        }
        tally.finding(scope, "no signature is broken on the way", "no request signed by a client reached S3")
    }

    #[cfg(test)]
    fn goldens() -> Vec<Golden> {
        let check = || Self {};
        let signed = || {
            let mut story = Story::new();
            story.plan.workloads[0].sign = SignPlan::Client;
            story
        };
        let broken = |code: &'static str| {
            let told = signed().every(10, 0, 100, |r| r.tries([Try::status(403, code)]));
            unfaulted(told)
        };
        vec![
            Golden::pass("all signatures fit", check(), signed().every(10, 0, 500, |r| r)),
            Golden::pass("no permission is another matter", check(), broken("AccessDenied")),
            Golden::fail("no signature fits", check(), broken("SignatureDoesNotMatch")),
            Golden::inconclusive("nobody signed", check(), Story::new().every(10, 0, 500, |r| r)),
        ]
    }
}

fn is_signed(scope: &Scope<'_>, workload: u8) -> bool {
    scope.plan.workloads.get(usize::from(workload)).is_some_and(|w| matches!(w.sign, SignPlan::Client))
}

/// The same story with answers that S3 made of its own accord.
#[cfg(test)]
fn unfaulted(mut story: Story) -> Story {
    for seen in &mut story.history.upstreams {
        seen.flags &= !UpstreamRecord::FAULTED;
    }
    story
}
