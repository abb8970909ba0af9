//! `coalescing`: one fetch for all that want the same object, and no queue behind one that failed.

use gatecrash_model::{AttemptRecord, Capabilities, Capability, ClientRecord, Nanos};
#[cfg(test)]
use gatecrash_model::{BodyCheck, Event};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::copies::{Fetch, Fetches, shared_key};
use super::tally::Tally;
use super::{Check, CheckInfo, Fixes, Rests, Source};
#[cfg(test)]
use crate::golden::{Golden, Request, Story, Try};
use crate::judge::{Cause, Scope};
#[cfg(test)]
use crate::profile::CachePolicy;
#[cfg(test)]
use crate::units::Span;
use crate::verdict::Finding;

/// How long two fetches may overlap: the link sees the end of a given-up attempt later than the gateway.
const OVERLAP: Nanos = 20_000_000;
/// How long a request may wait while nobody fetches its key.
const HANDOVER: Nanos = 150_000_000;

/// While one request fetches a key, others wait for it; when it fails, the next takes over at once.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Coalescing {
    /// Most fetches of one key at a time. Default: 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<u32>,
}

impl Check for Coalescing {
    const INFO: CheckInfo = CheckInfo {
        name: "coalescing",
        summary: "one fetch for all that want the same object",
        doc: "For gateways whose profile declares request collapsing. A request that arrives while another \
              one fetches the same key must not fetch it too, unless it has waited for the declared lock \
              timeout; it must not wait longer than that; and when the fetch fails it must not sit there \
              while nobody fetches (150 ms for the handover, and the interval at which it looks where the \
              profile declares one: nginx looks every 500 ms). Without collapsing, an expired hot object \
              is fetched by every client at once; with a lock that outlives its owner, one failure stops \
              a key for everybody. Requests with a client's signature, ranges and answers that cannot be \
              shared (4xx) are left out. RFC 9111 4 lets a cache collapse requests when the response can \
              serve them all.",
        sources: &[
            Source::rfc(9111, "4", "Constructing Responses from Caches"),
            Source::CLOUDFRONT_ORIGINS,
            Source::NGINX_CACHE_LOCK,
        ],
        fixes: Fixes {
            nginx: "`proxy_cache_lock on` with a `proxy_cache_lock_timeout` below the client's patience, \
                    `proxy_cache_use_stale updating`",
            haproxy: "no setting: its `cache` does not collapse; put a cache that does in front of it",
            envoy: "no setting: its `cache` filter promises no collapsing; put a cache that does in front of \
                    it",
            others: "",
        },
        example: "coalescing: {}",
        needs: Capabilities::of(&[Capability::Framing, Capability::Attempts]),
        min_samples: 1,
        rests: Rests::OnOutcomes,
    };

    fn judge(&self, scope: &Scope<'_>) -> Finding {
        let most = self.max.unwrap_or(1).max(1) as usize;
        let wanted = format!("at most {most} at a time for each key");
        let Some((cache, lock)) = scope.profile.cache.and_then(|c| c.lock_timeout.map(|lock| (c, lock))) else {
            return Finding::inconclusive(wanted, 0, "the profile declares no request collapsing");
        };
        let poll = cache.lock_poll.map_or(0, |poll| poll.0);
        let (fetches, mut tally) = (Fetches::of(scope), Tally::default());
        for client in scope.clients().filter(|c| !scope.hides_attempts(c)) {
            let Some(key) = shared_key(scope.plan, client) else { continue };
            let turn = Turn::of(scope, client);
            let fetches = fetches.during(key, turn.sent, turn.end());
            let others = || fetches.iter().filter(|f| f.client.id() != client.id() && is_shareable(scope, f));
            let waited_out = |turn: &Turn| turn.waited() >= lock.0 / 10 * 9;
            let found_one = others().any(|f| (f.from..f.until).contains(&turn.sent));
            let too_long = |lasted: Nanos, limit: Nanos| lasted.checked_sub(limit).filter(|over| *over > 0);
            // By how much each fetch of another went on beside ours.
            let beside = turn.began.filter(|_| !waited_out(&turn)).map_or_else(Vec::new, |at| {
                let in_turn = |f: &&Fetch<'_>| f.from <= at && !waited_out(&Turn::of(scope, f.client));
                let over = |f: &Fetch<'_>| too_long(f.until.saturating_sub(at), OVERLAP + scope.slack);
                others().filter(in_turn).filter_map(over).collect()
            });
            let idle = too_long(turn.longest_gap(fetches), HANDOVER + poll + scope.slack);
            let waited = too_long(turn.waited(), scope.limit(lock.0 + poll)).filter(|_| found_one);
            let (lost, how) = match (beside.iter().max(), idle, waited) {
                (Some(over), ..) if beside.len() >= most => {
                    (*over, "fetched although another request was fetching the key".to_owned())
                }
                (_, Some(idle), _) => (idle, "waited while nobody fetched the key".to_owned()),
                (.., Some(waited)) => (waited, format!("waited longer than {lock}")),
                _ if found_one => {
                    tally.good();
                    continue;
                }
                _ => continue,
            };
            if scope.was_starved_of(client, lost) {
                tally.starved(client.id());
            } else {
                tally.bad(client.id(), how);
            }
        }
        tally.finding(scope, wanted, "no request came while another one was fetching its key")
    }

    #[cfg(test)]
    fn goldens() -> Vec<Golden> {
        let lock = |p: &mut crate::profile::Profile| {
            let lock_timeout = Some(Span::millis(1000));
            p.cache = Some(CachePolicy { default_ttl: Span::seconds(60), lock_timeout, ..CachePolicy::default() });
        };
        let story = || Story::new().profile(lock);
        let polls = |p: &mut crate::profile::Profile| {
            p.cache.iter_mut().for_each(|cache| cache.lock_poll = Some(Span::millis(500)));
        };
        let key = |r: Request| r.key("o/1");
        let leads = move |r: Request| key(r).tries([Try::served().took(300)]);
        let fails = move |r: Request| key(r).tries([Try::reset().took(300)]);
        let shares = move |r: Request, took| {
            key(r).tries([]).answer(200).from_other(0).body(BodyCheck::Exact).took(took)
        };
        let one = || story().every(1000, 0, 1000, leads);
        let failed = || story().every(1000, 0, 1000, fails);
        let late = move |pause| move |r: Request| key(r).tries([Try::served().pause(pause)]);
        vec![
            Golden::pass("all wait for one", Self {max: None}, one().every(20, 100, 200, |r| shares(r, 210))),
            Golden::pass("the next takes over", Self::default(), failed().every(200, 200, 400, late(110))),
            Golden::pass(
                "on its own after the lock's timeout",
                Self::default(),
                story()
                    .every(5000, 0, 5000, |r| key(r).tries([Try::served().took(3000)]))
                    .every(5000, 100, 5000, late(1000)),
            ),
            Golden::pass(
                "it looks every half second",
                Self::default(),
                failed().every(200, 200, 400, late(500)).profile(polls),
            ),
            Golden::fail(
                "later than it looks",
                Self::default(),
                failed().every(200, 200, 400, late(900)).profile(polls),
            ),
            Golden::fail("each for itself", Self::default(), one().every(20, 100, 200, leads)),
            Golden::fail("the lock outlives its owner", Self::default(), failed().every(200, 200, 400, late(900))),
            Golden::fail(
                "a wait without end",
                Self::default(),
                story()
                    .every(5000, 0, 5000, |r| key(r).tries([Try::served().took(3000)]))
                    .every(5000, 100, 5000, |r| shares(r, 2950)),
            ),
            Golden::fail("a slow handover", Self::default(), failed().every(200, 200, 400, late(400))),
            Golden::inconclusive(
                "a handover to a thread that had no processor",
                Self::default(),
                failed()
                    .every(200, 200, 400, late(400))
                    .event(Event::Stalled { at: 500_000_000, lasted: 100_000_000 }),
            ),
            Golden::inconclusive("every key is alone", Self::default(), story().every(10, 0, 90, |r| r)),
            Golden::inconclusive(
                "nothing is declared",
                Self::default(),
                one().every(20, 100, 200, leads).profile(|p| p.cache = None),
            ),
        ]
    }
}

/// When a request came, and when it began to fetch or was answered.
struct Turn {
    sent: Nanos,
    began: Option<Nanos>,
    answered: Nanos,
}

impl Turn {
    fn of(scope: &Scope<'_>, client: &ClientRecord) -> Self {
        let began = scope.attempts(client).next().map(|a: &AttemptRecord| a.start);
        Self { sent: client.sent(), began, answered: client.answered().unwrap_or_else(|| client.ended()) }
    }

    fn end(&self) -> Nanos {
        self.began.unwrap_or(self.answered)
    }

    fn waited(&self) -> Nanos {
        self.end().saturating_sub(self.sent)
    }

    /// The longest stretch of the wait in which nobody fetched.
    fn longest_gap(&self, fetches: &[Fetch<'_>]) -> Nanos {
        let (mut longest, mut covered) = (0, self.sent);
        for fetch in fetches.iter().filter(|f| f.until > self.sent && f.from < self.end()) {
            longest = longest.max(fetch.from.saturating_sub(covered));
            covered = covered.max(fetch.until);
        }
        longest.max(self.end().saturating_sub(covered))
    }
}

/// Whether the others can use what a fetch brings, or have to do without because it failed.
fn is_shareable(scope: &Scope<'_>, fetch: &Fetch<'_>) -> bool {
    !matches!(scope.cause(fetch.last), Cause::Status(400..=499))
}
