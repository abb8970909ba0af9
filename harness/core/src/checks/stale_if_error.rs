//! `stale-if-error`: a copy stands in when the upstream fails, however it fails.

use std::collections::{BTreeMap, HashMap, HashSet};

#[cfg(test)]
use gatecrash_model::BodyCheck;
use gatecrash_model::{Capabilities, Capability, ClientRecord, Nanos};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::copies::{COARSE, Fetch, Fetches, Key, freshness, has_failed, shared_key, stored_from};
use super::tally::Tally;
use super::{Check, CheckInfo, Fixes, Rests, Source};
#[cfg(test)]
use crate::faults::{FaultSpec, Refuse};
#[cfg(test)]
use crate::golden::{Golden, Request, Story, Try};
use crate::history::Seen;
use crate::judge::{Cause, Scope};
#[cfg(test)]
use crate::profile::CachePolicy;
use crate::units::Span;
use crate::verdict::Finding;

/// While a copy is inside the declared window, no request for it fails because the upstream does.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct StaleIfError {
    /// How long such an answer may take. Default: as long as any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within: Option<Span>,
}

impl Check for StaleIfError {
    const INFO: CheckInfo = CheckInfo {
        name: "stale-if-error",
        summary: "a stale copy stands in for a failed fetch",
        doc: "For gateways whose profile declares it: a request whose fetch ends in a 5xx, a refused or \
              dropped connection, an invalid answer or silence is answered from the copy of an earlier \
              one, as long as that is inside its freshness and the declared window (less one second, for \
              caches count in seconds). A cache that stands in for a 503 but not for silence helps on the \
              mildest days only. With `within` such an answer must also come in time: for a silent \
              upstream many caches wait out the whole timeout on each request. RFC 5861 section 4; \
              CloudFront serves expired objects when the origin fails. Inconclusive when no fetch of a \
              stored object failed. Of objects that change (`change-every`) the bytes say how old the copy \
              is: one that was replaced longer ago than freshness and window together fails, whatever Age \
              says.",
        sources: &[
            Source::rfc(5861, "4", "The stale-if-error Cache-Control Extension"),
            Source::rfc(9111, "4.2.4", "Serving Stale Responses"),
            Source::VARNISH_GRACE,
        ],
        fixes: Fixes {
            nginx: "`proxy_cache_use_stale error timeout invalid_header http_500 http_502 http_503 http_504 \
                    updating`",
            haproxy: "no setting: its `cache` serves nothing stale; put a cache that does in front of it",
            envoy: "no setting: its `cache` filter does not stand in for errors; put a cache that does in \
                    front of it",
            others: "Varnish: grace with a health probe; Squid and Traffic Server: `stale-if-error` in \
                     Cache-Control",
        },
        example: "stale-if-error: { within: 3s }",
        needs: Capabilities::of(&[Capability::Framing, Capability::Attempts]),
        min_samples: 1,
        rests: Rests::OnOutcomes,
    };

    fn judge(&self, scope: &Scope<'_>) -> Finding {
        let wanted = "a copy stands in for every failed fetch";
        let Some(policy) = scope.profile.cache.filter(|cache| cache.stale_if_error.0 > 0) else {
            return Finding::inconclusive(wanted, 0, "the profile declares no stale-if-error");
        };
        let (copies, mut tally) = (Copies::of(scope), Tally::default());
        let (mut causes, mut replaced) = (BTreeMap::<&str, u64>::new(), 0u64);
        for client in scope.clients().filter(|c| !c.ending.invites_retry()) {
            let Some(key) = shared_key(scope.plan, client) else { continue };
            let Some(stored) = copies.before(key, client.sent()) else { continue };
            let stale_from = stored + freshness(scope.plan, key.0, &policy);
            if client.sent() + COARSE > stale_from + policy.stale_if_error.0 {
                continue;
            }
            let Some(cause) = failed_with(scope, client, stale_from) else { continue };
            *causes.entry(cause.name()).or_default() += 1;
            let late = self.within.filter(|within| u64::from(client.done) * 1000 > scope.limit(within.0));
            match late {
                _ if !scope.succeeded(client) => {
                    let got = if client.status == 0 { client.ending.to_string() } else { client.status.to_string() };
                    tally.bad(client.id(), format!("{}: answered {got} although there was a copy", cause.name()));
                }
                Some(within) => tally.bad(client.id(), format!("{}: later than {within}", cause.name())),
                None => {
                    // A copy is no older than its window: of what changes, the bytes say how old it is.
                    let whole = freshness(scope.plan, key.0, &policy) + COARSE + policy.stale_if_error.0;
                    let outdated = Seen::of(scope.history, scope.answers, client).map_or(0, |seen| seen.outdated());
                    replaced += u64::from(outdated > 0);
                    tally.count(outdated <= scope.limit(whole), client.id(), || {
                        format!("{}: a version replaced longer ago than the window", cause.name())
                    });
                }
            }
        }
        let met = causes.iter().map(|(cause, n)| format!("{n} x {cause}")).collect::<Vec<_>>().join(", ");
        let finding = tally.finding(scope, wanted, "no fetch of a stored object failed");
        let finding = if met.is_empty() { finding } else { finding.detail(format!("fetches met: {met}")) };
        match replaced {
            0 => finding,
            n => finding.detail(format!("{n} were left with a version that had been replaced")),
        }
    }

    #[cfg(test)]
    fn goldens() -> Vec<Golden> {
        let key = |r: Request| r.key("o/1");
        let declares = |p: &mut crate::profile::Profile| {
            let (default_ttl, stale_if_error) = (Span::millis(500), Span::seconds(4));
            p.cache = Some(CachePolicy { default_ttl, stale_if_error, ..CachePolicy::default() });
        };
        let story = || Story::new().profile(declares).every(1000, 0, 1000, key);
        let stale = move |r: Request, tried: Vec<Try>| {
            key(r).tries(tried).answer(200).from_other(0).body(BodyCheck::Exact)
        };
        let changing = move |behind| {
            let story = Story::new().profile(declares).changing(1000).every(1000, 8000, 9000, key);
            story.every(100, 9000, 9500, move |r| stale(r, vec![Try::status(503, "SlowDown")]).behind(behind))
        };
        let failed = move |r: Request, tried: Try, status| key(r).tries([tried]).answer(status);
        let busy = || Try::status(503, "SlowDown");
        let refused = |tell: fn(Request) -> Request| {
            let refuse = FaultSpec::Refuse(Refuse {});
            story().fault(refuse, 1000, 3000).every(100, 1100, 2900, tell)
        };
        let (patient, eager) = (Self { within: None }, Self { within: Some(Span::millis(500)) });
        let silent = move || story().every(2000, 1000, 3000, move |r| stale(r, vec![Try::silent()]));
        vec![
            Golden::pass("it stands in for a 503", patient.clone(), story().every(100, 1000, 2000, move |r| stale(r, vec![busy()]))),
            Golden::pass("it stands in for silence", patient.clone(), silent()),
            Golden::pass(
                "it stands in for nobody there",
                patient.clone(),
                refused(|r| r.key("o/1").tries([]).answer(200).from_other(0).body(BodyCheck::Exact)),
            ),
            Golden::pass(
                "no copy is left",
                patient.clone(),
                silent().every(100, 6000, 7000, move |r| failed(r, Try::silent(), 504)),
            ),
            Golden::pass("with a version of the window", patient.clone(), changing(2)),
            Golden::fail("with a version of before the window", patient.clone(), changing(8)),
            Golden::fail("not for silence", patient.clone(), story().every(100, 1000, 2000, move |r| failed(r, Try::silent(), 504))),
            Golden::fail("not for nobody there", patient.clone(), refused(|r| r.key("o/1").tries([]).answer(502))),
            Golden::fail("too late", eager, silent()),
            Golden::inconclusive("nothing failed", patient.clone(), story().every(100, 1000, 2000, key)),
            Golden::inconclusive("nothing was stored", patient.clone(), Story::new().profile(declares).every(9, 0, 90, move |r| failed(r, Try::silent(), 504))),
            Golden::inconclusive("nothing is declared", patient, silent().profile(|p| p.cache = None)),
        ]
    }
}

/// How a request's fetch failed: its own, one that nobody saw, or another's it waited for. `None` when it did
/// not fail, or no copy was needed.
fn failed_with(scope: &Scope<'_>, client: &ClientRecord, stale_from: Nanos) -> Option<Cause> {
    let own = scope.attempts(client).last();
    match own.map(|a| (scope.cause(a), has_failed(scope, a))) {
        Some((cause, true)) => return Some(cause),
        Some((_, false)) => return None,
        None => {}
    }
    let connect = scope.connect_causes(client).first().copied();
    if scope.succeeded(client) {
        let aged = client.sent() > stale_from && stored_from(scope, client).is_some();
        return connect.filter(|_| aged);
    }
    let is_owed = client.status >= 500 || client.status == 0;
    is_owed.then(|| connect.unwrap_or(Cause::NoUpstream))
}

/// When each key was fetched whole; keys that are written to have other versions, and are left out.
struct Copies<'a> {
    fetched: HashMap<Key<'a>, Vec<Nanos>>,
}

impl<'a> Copies<'a> {
    fn of(scope: &Scope<'a>) -> Self {
        let written: HashSet<_> =
            scope.history.clients.iter().filter(|c| c.op.is_write()).map(|c| c.key).collect();
        let mut fetched = HashMap::<Key<'a>, Vec<Nanos>>::new();
        for (key, fetches) in Fetches::of(scope).iter().filter(|(key, _)| !written.contains(&key.1)) {
            let whole = |f: &&Fetch<'_>| {
                scope.cause(f.last) == Cause::Served && matches!(f.last.status, 200 | 304)
            };
            let mut ends: Vec<_> = fetches.iter().filter(whole).map(|f| f.until).collect();
            ends.sort_unstable();
            fetched.insert(key, ends);
        }
        Self { fetched }
    }

    /// When the latest copy that was there at `at` was fetched.
    fn before(&self, key: Key<'a>, at: Nanos) -> Option<Nanos> {
        let ends = self.fetched.get(&key)?;
        ends[..ends.partition_point(|end| *end < at)].last().copied()
    }
}
