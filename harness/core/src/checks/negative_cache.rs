//! `negative-cache`: errors are not served again beyond the declared time.

use std::collections::HashMap;

use gatecrash_model::{Capabilities, Capability, Ending, Nanos, Op, StrId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::copies::stored_from;
use super::tally::Tally;
use super::{Check, CheckInfo, Fixes, Rests, Source};
#[cfg(test)]
use crate::golden::{Golden, Request, Story, Try};
use crate::judge::Scope;
#[cfg(test)]
use crate::profile::CachePolicy;
use crate::units::Span;
use crate::verdict::Finding;

/// An upstream's 4xx or 5xx is served again for the declared negative lifetime at most.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct NegativeCache {}

impl Check for NegativeCache {
    const INFO: CheckInfo = CheckInfo {
        name: "negative-cache",
        summary: "errors are not served again beyond the declared time",
        doc: "Every response names the upstream exchange it came from, so a stored error is told from a new \
              one: an error that was fetched for another request longer ago than the declared negative \
              lifetime (none, when the profile declares no cache) prolongs an outage that is over. Counted \
              are requests for keys whose error is older than that. Errors that the gateway made itself \
              name no exchange; `recovery` sees them. RFC 9110 15.1 lets caches keep 404, 405, 410, 414 \
              and 501 unasked, not 403 or 500 to 504. CloudFront keeps errors for 10 s by default (error \
              caching minimum TTL); nginx-s3-gateway keeps a 403 for 30 s, so that a repaired policy shows \
              half a minute late.",
        sources: &[Source::rfc(9110, "15.1", "Overview of Status Codes"), Source::CLOUDFRONT_ERRORS],
        fixes: Fixes {
            nginx: "`proxy_cache_valid` for 200 and 404 alone, `proxy_no_cache` for errors that come with a \
                    lifetime of their own",
            haproxy: "no setting: its `cache` stores answers of status 200 alone",
            envoy: "no setting: its `cache` filter stores a 404, 405, 410, 414, 451 or 501 only where \
                    Cache-Control gives it a lifetime",
            others: "Varnish: `beresp.ttl = 0s` or `return (abandon)` for 5xx; CloudFront: error caching \
                     minimum TTL 0",
        },
        example: "negative-cache: {}",
        needs: Capabilities::of(&[Capability::Framing, Capability::Attempts]),
        min_samples: 1,
        rests: Rests::OnExchanges,
    };

    fn judge(&self, scope: &Scope<'_>) -> Finding {
        let ttl = scope.profile.cache.map_or(Span(0), |cache| cache.negative_ttl);
        let limit = scope.limit(ttl.0);
        let oldest = oldest_errors(scope);
        let mut tally = Tally::default();
        for client in scope.clients().filter(|c| c.status != 0) {
            let error = oldest.get(&(client.workload, client.op, client.key));
            if error.is_none_or(|at| at + limit >= client.sent()) {
                continue;
            }
            let stored = stored_from(scope, client).filter(|a| client.status >= 400 && a.status >= 400);
            match stored.map(|a| client.sent() - a.ended()).filter(|age| *age > limit) {
                Some(_) => tally.bad(client.id(), format!("a stored {} served again", client.status)),
                None => tally.good(),
            }
        }
        let wanted = format!("no error older than {ttl} is served again");
        tally.finding(scope, wanted, "no key was asked for again after an error")
    }

    #[cfg(test)]
    fn goldens() -> Vec<Golden> {
        let key = |r: Request| r.key("o/1");
        let fails = move |r: Request| key(r).tries([Try::status(503, "SlowDown")]);
        let story = || Story::new().every(1000, 0, 1000, fails);
        let stored = move |r: Request| key(r).tries([]).answer(503).from_other(0);
        let declares = |seconds| {
            move |p: &mut crate::profile::Profile| {
                let negative_ttl = Span::seconds(seconds);
                p.cache = Some(CachePolicy { negative_ttl, ..CachePolicy::default() });
            }
        };
        vec![
            Golden::pass("asked again", Self {}, story().every(100, 1000, 2000, key)),
            Golden::pass("it still fails", Self {}, story().every(100, 1000, 2000, fails)),
            Golden::pass(
                "served again for as long as declared",
                Self {},
                story()
                    .every(100, 1000, 2000, stored)
                    .every(100, 3000, 4000, key)
                    .profile(declares(2)),
            ),
            Golden::fail("served again, nothing declared", Self {}, story().every(100, 1000, 2000, stored)),
            Golden::fail(
                "served again for longer than declared",
                Self {},
                story().every(100, 1000, 6000, stored).profile(declares(2)),
            ),
            Golden::inconclusive("no error", Self {}, Story::new().every(10, 0, 90, key)),
            Golden::inconclusive("never asked again", Self {}, story()),
        ]
    }
}

/// When the first error of each (workload, operation, key) came from upstream, or from the gateway.
fn oldest_errors(scope: &Scope<'_>) -> HashMap<(u8, Op, StrId), Nanos> {
    let mut oldest = HashMap::new();
    for client in scope.clients_between(0, Nanos::MAX) {
        let is_error = client.status >= 400 && client.ending == Ending::Complete && !client.op.is_write();
        if is_error {
            let at = scope.source(client).map_or(client.ended(), |a| a.ended());
            let first: &mut Nanos = oldest.entry((client.workload, client.op, client.key)).or_insert(at);
            *first = at.min(*first);
        }
    }
    oldest
}
