//! `stale-reads`: how many reads are answered with what the object was long ago.

use std::collections::HashMap;

#[cfg(test)]
use gatecrash_model::BodyCheck;
use gatecrash_model::{
    AttemptRecord, Capabilities, Capability, ClientRecord, Nanos, Op, RequestId, StrId,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::copies::{COARSE, freshness, has_failed, shared_key, stored_from};
use super::{Check, CheckInfo, Fixes, Rests, Source};
use crate::faults::FaultSpec;
#[cfg(test)]
use crate::faults::StaleRead;
#[cfg(test)]
use crate::golden::{Golden, Request, Story, Try};
use crate::history::{IdMap, Seen};
use crate::judge::Scope;
use crate::profile::CachePolicy;
#[cfg(test)]
use crate::profile::Profile;
use crate::units::{Share, Span};
use crate::verdict::Finding;

/// The share of successful reads that got an object as it was longer ago than `older-than`.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct StaleReads {
    /// The age above which a read is stale. Default: what the Cache-Control of the objects allows, else the cache's
    /// declared lifetime, and one second, for caches count in seconds; where a fetch has failed since, the declared
    /// window of `stale-if-error`, too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub older_than: Option<Span>,
    /// At most this share of stale reads. Default: 0%.
    #[serde(default)]
    pub max: Share,
}

impl Check for StaleReads {
    const INFO: CheckInfo = CheckInfo {
        name: "stale-reads",
        summary: "share of reads answered with what the object was long ago",
        doc: "Of objects that change (`change-every`) the bytes name their version, and the ETag of an answer \
              without a body: a read is stale when its version had been replaced for longer than \
              `older-than` (with the allowance of all time limits) when it was sent. It counts where it \
              could be stale: where the object had changed since somebody read it. What an upstream itself \
              gave too late (fault `stale-read`) is taken off. Of other objects the age counts: each \
              response names the upstream exchange it came from, and it is stale when that ended more than \
              `older-than` before the read was sent. Without a cache no read is stale. The bound is what \
              readers can live with; by default the lifetime that Cache-Control gives (RFC 9111 4.2), or \
              the gateway declares, and in an outage the window in which a stale copy may stand in (RFC \
              5861 4).",
        sources: &[
            Source::rfc(9111, "4.2", "Freshness"),
            Source::rfc(5861, "4", "The stale-if-error Cache-Control Extension"),
        ],
        fixes: Fixes {
            nginx: "`proxy_cache_valid`, no `proxy_ignore_headers Cache-Control`, `proxy_cache_use_stale` without \
                    `updating`",
            haproxy: "`max-age` of the `cache` section (60 s by default); it serves nothing stale",
            envoy: "no setting: the `cache` filter goes by the Cache-Control of the response",
            others: "at the objects: `Cache-Control: max-age` and a shorter `stale-if-error`; Varnish: a \
                     shorter grace",
        },
        example: "stale-reads: { older-than: 10s, max: 1% }",
        needs: Capabilities::of(&[Capability::Framing, Capability::Attempts]),
        min_samples: 30,
        rests: Rests::OnRates,
    };

    fn judge(&self, scope: &Scope<'_>) -> Finding {
        let older = self.older_than.map_or("objects may get".to_owned(), |span| span.to_string());
        let wanted = format!("at most {} older than {older}", self.max);
        let bounds = Bounds::of(self.older_than, scope);
        let parts = [by_version(scope, &bounds), by_age(scope, &bounds)];
        let met: Vec<&Part> = parts.iter().filter(|part| part.reads > 0).collect();
        let least = scope.min_samples.max(1);
        let fails = |part: &&&Part| part.samples >= least && part.share() > self.max.0 + 1e-9;
        let (samples, stale) = met.iter().fold((0, 0), |(n, s), part| (n + part.samples, s + part.stale.len()));
        let failing = met.iter().any(|part| fails(&part));
        if !failing && let Some(open) = met.iter().find(|part| part.samples < least) {
            return Finding::inconclusive(wanted, samples, open.too_few(least));
        }
        if met.is_empty() {
            let reason = format!("0 reads that name their exchange, {least} needed");
            return Finding::inconclusive(wanted, 0, reason);
        }
        let observed = format!("{:.1}%", stale as f64 / samples.max(1) as f64 * 100.0);
        let mut worst: Vec<_> = met.iter().flat_map(|part| part.stale.iter()).collect();
        worst.sort_by_key(|(over, ..)| std::cmp::Reverse(*over));
        let shown = worst.iter().take(3).map(|(_, request, how)| format!("{request}: {how}")).collect::<Vec<_>>();
        Finding::judged(!failing, observed, wanted, samples)
            .details(met.iter().map(|part| part.told()))
            .details(shown)
            .exemplars(worst.iter().map(|(_, request, _)| *request))
    }

    #[cfg(test)]
    fn goldens() -> Vec<Golden> {
        let check = || Self { older_than: Some(Span::seconds(1)), max: Share(0.1) };
        let key = |r: Request| r.key("o/1");
        let copy = move |r: Request| key(r).tries([]).answer(200).from_other(0).body(BodyCheck::Exact);
        let story = |until| Story::new().every(5000, 0, 5000, key).every(10, 100, until, copy);
        // Objects that change each second, read before and then so many versions late, of a young fetch.
        let read = move |behind| move |r: Request| key(r).behind(behind);
        let first = move || Story::new().changing(1000).every(1000, 0, 1000, read(0));
        let changing = move |behind| first().every(10, 9000, 9400, read(behind));
        let still = Story::new().changing(60_000).every(10, 0, 400, read(0));
        let once = Story::new().changing(1000).every(10, 9000, 9400, |r| r.behind(0));
        let declared = Self::default;
        let lives = move |control: &str, behind| {
            let mut story = changing(behind);
            story.plan.buckets[0].cache_control = Some(control.to_owned());
            story
        };
        let stands_in = |p: &mut Profile| {
            let (default_ttl, stale_if_error) = (Span::seconds(1), Span::seconds(4));
            p.cache = Some(CachePolicy { default_ttl, stale_if_error, ..CachePolicy::default() });
        };
        let failing = move |story: Story| {
            story.every(100, 8950, 9000, move |r| key(r).tries([Try::status(503, "SlowDown")]))
        };
        let late = move |behind| {
            let fault = FaultSpec::StaleRead(StaleRead { by: Span::seconds(3) });
            let tell = move |r| read(behind)(r).tries([Try::served().by(0)]);
            first().fault(fault, 8500, 9500).every(10, 9000, 9400, tell)
        };
        let waited = move |took| {
            let story = first().every(9, 6990, 6999, move |r| read(0)(r).tries([Try::served().took(took)]));
            story.every(10, 9000, 9400, move |r| read(3)(r).tries([]).answer(200).from_other(1).took(1000))
        };
        let revalidated = move |behind| {
            let due = ClientRecord::NOT_MODIFIED_DUE;
            first().every(10, 9000, 9400, move |r| {
                key(r).tries([]).answer(304).from_other(0).flag(due).tag_behind(behind)
            })
        };
        vec![
            Golden::pass("all of one second", check(), story(1000)),
            Golden::fail("half of them older", check(), story(2000)),
            Golden::inconclusive("one read", check(), story(100)),
            Golden::pass("versions of the last second", check(), changing(1)),
            Golden::fail("versions of longer ago, served young", check(), changing(3)),
            Golden::inconclusive("no object changed", check(), still),
            Golden::inconclusive("nothing was read twice", check(), once),
            Golden::pass("within what is declared", declared(), lives("max-age=1", 1)),
            Golden::fail("longer than is declared", declared(), lives("max-age=1", 4)),
            Golden::fail("a window nobody needs", declared(), lives("max-age=1", 4).profile(stands_in)),
            Golden::pass("a window that is needed", declared(), failing(lives("max-age=1", 4).profile(stands_in))),
            Golden::fail("longer than the window", declared(), failing(lives("max-age=1", 9).profile(stands_in))),
            Golden::pass("the upstream was late itself", declared(), late(3)),
            Golden::fail("later than the upstream", declared(), late(6)),
            Golden::pass("as old as the fetch it waited for", declared(), waited(3000)),
            Golden::fail("older than the fetch", declared(), waited(500)),
            Golden::fail("by 304s", check(), revalidated(3)),
        ]
    }
}

/// Reads that are judged in one way.
#[derive(Default)]
struct Part {
    what: &'static str,
    /// What keeps a read from being a sample.
    but: &'static str,
    reads: u64,
    samples: u64,
    /// How far beyond the bound, which request, and what it got.
    stale: Vec<(Nanos, RequestId, String)>,
    oldest: Nanos,
}

impl Part {
    fn share(&self) -> f64 {
        self.stale.len() as f64 / self.samples.max(1) as f64
    }

    fn too_few(&self, least: u64) -> String {
        format!("{} {} ({} reads, {}), {least} needed", self.samples, self.what, self.reads, self.but)
    }

    fn told(&self) -> String {
        let (stale, oldest) = (self.stale.len(), self.oldest as f64 / 1e9);
        format!("{stale} of {} {}; the oldest was {oldest:.1}s old", self.samples, self.what)
    }

    /// One more sample.
    fn add(&mut self, client: &ClientRecord, age: Nanos, bound: Nanos, how: impl FnOnce() -> String) {
        self.samples += 1;
        self.oldest = self.oldest.max(age);
        if age > bound {
            self.stale.push((age - bound, client.id(), how()));
        }
    }
}

/// Objects that do not change, by when they were fetched.
fn by_age(scope: &Scope<'_>, bounds: &Bounds) -> Part {
    let what = "reads that name their exchange";
    let mut part = Part { what, but: "the others name none", ..Part::default() };
    for client in scope.clients() {
        let Some((bucket, _)) = shared_key(scope.plan, client).filter(|_| scope.succeeded(client)) else {
            continue;
        };
        if changes(scope, bucket) || scope.fed_by(client).is_none() {
            continue;
        }
        part.reads += 1;
        let fetched = stored_from(scope, client).map_or(client.sent(), |a| a.ended());
        let (age, bound) = (client.sent() - fetched, bounds.bound(scope, client, bucket, fetched));
        part.add(client, age, bound, || format!("fetched {:.1} s before it was asked for", age as f64 / 1e9));
    }
    part
}

/// Objects that change, by the version the client was left with.
fn by_version(scope: &Scope<'_>, bounds: &Bounds) -> Part {
    let what = "reads of objects that had changed since they were read";
    let mut part = Part { what, but: "no object changed before the others", ..Part::default() };
    if scope.plan.buckets.iter().all(|bucket| bucket.change_every.is_none()) {
        return part;
    }
    let (known, late) = (FirstReads::of(scope), given_late(scope));
    for client in scope.clients().filter(|c| matches!(c.op, Op::GetObject | Op::HeadObject)) {
        let Some(bucket) = bucket_of(scope, client).filter(|bucket| changes(scope, bucket)) else { continue };
        if !scope.succeeded(client) {
            continue;
        }
        part.reads += 1;
        let Some(seen) = Seen::of(scope.history, scope.answers, client) else { continue };
        if !known.changed_since(bucket, client, &seen) {
            continue;
        }
        let own_fault = scope.source(client).and_then(|a| late.get(&a.attempt)).copied().unwrap_or(0);
        let since = seen.replaced().unwrap_or(client.sent());
        // A fetch gives what was current when it began, and its copy lives from its end.
        let fetch = scope.fed_by(client).filter(|a| a.request != client.id().pack());
        let took = fetch.map_or(0, |a| a.ended() - a.start);
        let bound = scope.limit(bounds.bound(scope, client, bucket, since)) + took + own_fault;
        let allowed = bound as f64 / 1e9;
        part.add(client, seen.outdated(), bound, || format!("{}; allowed are {allowed:.1} s", seen.told()));
    }
    part
}

/// How old a read may be.
struct Bounds {
    older_than: Option<Span>,
    policy: CachePolicy,
    /// When fetches of each key failed, in order; only of gateways that let a copy stand in.
    failed: HashMap<StrId, Vec<Nanos>>,
}

impl Bounds {
    fn of(older_than: Option<Span>, scope: &Scope<'_>) -> Self {
        let policy = scope.profile.cache.unwrap_or_default();
        let mut failed = HashMap::<_, Vec<_>>::new();
        if older_than.is_none() && policy.stale_if_error.0 > 0 {
            let reads = |a: &&AttemptRecord| matches!(a.op, Op::GetObject | Op::HeadObject);
            for attempt in scope.history.attempts.iter().filter(reads).filter(|a| has_failed(scope, a)) {
                failed.entry(attempt.key).or_default().push(attempt.start);
            }
        }
        Self { older_than, policy, failed }
    }

    /// The bound for a read of what began to be old at `since`.
    fn bound(&self, scope: &Scope<'_>, client: &ClientRecord, bucket: &str, since: Nanos) -> Nanos {
        if let Some(span) = self.older_than {
            return span.0;
        }
        let lifetime = freshness(scope.plan, bucket, &self.policy);
        let until = client.ended();
        let failed = self.failed.get(&client.key).is_some_and(|times| {
            times.get(times.partition_point(|at| *at < since)).is_some_and(|at| *at <= until)
        });
        let window = self.policy.stale_if_error.0;
        let stands_in = window > 0 && (failed || scope.hides_attempts_between(since, until));
        let coarse = if lifetime > 0 { COARSE } else { 0 };
        lifetime + coarse + if stands_in { window } else { 0 }
    }
}

/// The first version of each object that somebody had read, and when.
struct FirstReads<'a>(HashMap<(&'a str, StrId), (Nanos, u32)>);

impl<'a> FirstReads<'a> {
    fn of(scope: &Scope<'a>) -> Self {
        let mut first = HashMap::new();
        for client in scope.clients_between(0, Nanos::MAX) {
            let Some(bucket) = bucket_of(scope, client) else { continue };
            if let Some(seen) = Seen::of(scope.history, scope.answers, client) {
                let read = (client.ended(), seen.version());
                let known = first.entry((bucket, client.key)).or_insert(read);
                *known = (*known).min(read);
            }
        }
        Self(first)
    }

    /// Whether the object changed between a read and this one.
    fn changed_since(&self, bucket: &'a str, client: &ClientRecord, seen: &Seen) -> bool {
        let first = self.0.get(&(bucket, client.key));
        first.is_some_and(|(at, version)| *at < client.sent() && *version < seen.current_when_sent())
    }
}

fn bucket_of<'a>(scope: &Scope<'a>, client: &ClientRecord) -> Option<&'a str> {
    scope.plan.workloads.get(usize::from(client.workload)).map(|w| w.bucket.as_str())
}

fn changes(scope: &Scope<'_>, bucket: &str) -> bool {
    scope.plan.buckets.iter().any(|b| b.name == bucket && b.change_every.is_some())
}

/// By how much the upstream itself was late with an attempt, by packed attempt id.
fn given_late(scope: &Scope<'_>) -> IdMap<Nanos> {
    let by = |fault: u16| match scope.plan.faults.get(usize::from(fault)).map(|f| &f.spec) {
        Some(FaultSpec::StaleRead(stale)) => Some(stale.by.0),
        _ => None,
    };
    scope.history.firings.iter().filter_map(|f| Some((f.attempt, by(f.fault)?))).collect()
}
