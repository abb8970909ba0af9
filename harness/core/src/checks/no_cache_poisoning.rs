//! `no-cache-poisoning`: what broke is never stored.

use std::collections::HashMap;

use gatecrash_model::{AttemptRecord, BodyCheck, Capabilities, Capability, ClientRecord, Ending, Nanos};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::copies::{Key, shared_key, stored_from};
use super::tally::Tally;
use super::{Check, CheckInfo, Fixes, Rests, Source};
use crate::faults::FaultSpec;
#[cfg(test)]
use crate::golden::{Golden, Request, Story, Try};
use crate::judge::{Cause, Scope};
use crate::verdict::Finding;

/// A response whose body broke off, that was not legal HTTP, or that was an error under a 200 is not served
/// again.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct NoCachePoisoning {}

impl Check for NoCachePoisoning {
    const INFO: CheckInfo = CheckInfo {
        name: "no-cache-poisoning",
        summary: "what broke is never stored and served again",
        doc: "A response that was cut short, was no legal HTTP, or held an error under a 200 must not answer \
              a later request: the fault is over and half an object stays, with a length that looks right, \
              until its lifetime ends. Counted are requests for keys that met such a response before. \
              RFC 9111 3.3: an incomplete response may be stored only if marked as such, and must not be \
              served as a whole one. Measured: released packages complete a truncated message as a good \
              200, and one stores it; CloudFront stores a body that has neither length nor chunks and \
              breaks off.",
        sources: &[
            Source::rfc(9111, "3.3", "Storing Incomplete Responses"),
            Source::rfc(9112, "8", "Handling Incomplete Messages"),
            Source::CLOUDFRONT_ORIGINS,
        ],
        fixes: Fixes {
            nginx: "`proxy_http_version 1.1`, so that upstreams send Content-Length or chunks; \
                    `proxy_no_cache` for what has neither",
            haproxy: "`http-response cache-store` only if the response has a Content-Length or chunks",
            envoy: "no setting: the `cache` filter on routes alone whose upstreams send Content-Length or \
                    chunks",
            others: "Varnish: `do_stream = false` for what is stored; everywhere a purge after the incident",
        },
        example: "no-cache-poisoning: {}",
        needs: Capabilities::of(&[Capability::Framing, Capability::Attempts]),
        min_samples: 1,
        rests: Rests::OnExchanges,
    };

    fn judge(&self, scope: &Scope<'_>) -> Finding {
        let broken = first_broken(scope);
        let mut tally = Tally::default();
        for client in scope.clients().filter(|c| c.status != 0) {
            let met = shared_key(scope.plan, client).and_then(|key| broken.get(&key));
            if met.is_none_or(|at| *at >= client.sent()) {
                continue;
            }
            let stored = stored_from(scope, client).filter(|a| is_broken(scope, a));
            // A half that was renewed unread names the exchange that said it was current.
            let unread = scope.source(client).is_none_or(|a| a.status == 304);
            let half = is_half(client) && unread && !scope.hides_attempts(client);
            tally.count(stored.is_none() && !half, client.id(), || {
                let what = stored.map_or("a half object", |a| scope.cause(a).name());
                format!("{} from a stored response: {what}", client.status)
            });
        }
        tally.finding(scope, "no broken response is stored", "no key was asked for again after a broken response")
    }

    #[cfg(test)]
    fn goldens() -> Vec<Golden> {
        let key = |r: Request| r.key("o/1");
        let story = || Story::new().every(1000, 0, 1000, move |r| key(r).tries([Try::cut()]));
        let half = move |r: Request| key(r).tries([]).answer(200).body(BodyCheck::Prefix);
        let whole = move |r: Request| key(r).tries([]).answer(200).from_other(1).body(BodyCheck::Exact);
        vec![
            Golden::pass("fetched again", Self {}, story().every(100, 1000, 2000, key)),
            Golden::pass("broken again", Self {}, story().every(9, 1000, 1090, move |r| key(r).tries([Try::cut()]))),
            Golden::pass(
                "fetched again, then stored",
                Self {},
                story().every(1000, 1000, 2000, key).every(100, 2000, 3000, whole),
            ),
            Golden::fail("half an object is stored", Self {}, story().every(9, 1000, 1090, move |r| half(r).from_other(0))),
            Golden::fail("half an object is renewed", Self {}, story().every(9, 1000, 1090, move |r| half(r).tries([Try::status(304, "")]).from_try(0))),
            Golden::fail("half an object from nowhere", Self {}, story().every(9, 1000, 1090, half)),
            Golden::inconclusive("nothing broke", Self {}, Story::new().every(10, 0, 90, key)),
            Golden::inconclusive("never asked again", Self {}, story()),
        ]
    }
}

/// A complete success with less than the object.
fn is_half(client: &ClientRecord) -> bool {
    matches!(client.status, 200..=299)
        && client.ending == Ending::Complete
        && matches!(client.shape.body(), BodyCheck::Prefix | BodyCheck::Wrong | BodyCheck::Mixed)
}

fn is_broken(scope: &Scope<'_>, attempt: &AttemptRecord) -> bool {
    matches!(scope.cause(attempt), Cause::BodyBroken | Cause::Invalid)
        || matches!(scope.fault(attempt), Some(FaultSpec::ErrorIn200(_)))
}

/// When each key first met a broken response with a head.
fn first_broken<'a>(scope: &Scope<'a>) -> HashMap<Key<'a>, Nanos> {
    let mut first = HashMap::new();
    for client in scope.clients_between(0, Nanos::MAX) {
        let Some(key) = shared_key(scope.plan, client) else { continue };
        for attempt in scope.attempts(client).filter(|a| a.status != 0 && is_broken(scope, a)) {
            let at: &mut Nanos = first.entry(key).or_insert(attempt.ended());
            *at = attempt.ended().min(*at);
        }
    }
    first
}
