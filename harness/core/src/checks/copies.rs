//! What caches are about: keys that several requests share, the fetches that fill them, and whose answer a
//! response is.

use std::collections::HashMap;

use gatecrash_model::{AttemptRecord, ClientRecord, Nanos, Op, StrId};

use crate::judge::{Cause, Scope};
use crate::plan::Plan;
use crate::profile::CachePolicy;

/// Caches count whole seconds: a copy this near to the end of its time may be gone, or this far beyond it still be there.
pub(super) const COARSE: Nanos = 1_000_000_000;

/// An object as clients name it: bucket and key.
pub(super) type Key<'a> = (&'a str, StrId);

/// What one request asked the upstream for a key.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fetch<'a> {
    pub(super) client: &'a ClientRecord,
    /// Start of its first attempt.
    pub(super) from: Nanos,
    /// End of its last attempt.
    pub(super) until: Nanos,
    pub(super) last: &'a AttemptRecord,
}

/// The key a request shares with others: whole reads that no client signed, of objects that may be stored. A
/// signature makes the answer one client's own (RFC 9111 3.5).
pub(super) fn shared_key<'a>(plan: &'a Plan, client: &ClientRecord) -> Option<Key<'a>> {
    let workload = plan.workloads.get(usize::from(client.workload))?;
    let whole = workload.ops.iter().all(|op| op.range.is_none() && op.condition.is_none());
    let shared = client.op == Op::GetObject && whole && !workload.sign.is_by_client();
    let shared = shared && may_be_stored(plan, &workload.bucket);
    shared.then_some((workload.bucket.as_str(), client.key))
}

/// Every fetch of a run by key.
#[derive(Debug, Default)]
pub(super) struct Fetches<'a> {
    by_key: HashMap<Key<'a>, Vec<Fetch<'a>>>,
    longest: Nanos,
}

impl<'a> Fetches<'a> {
    pub(super) fn of(scope: &Scope<'a>) -> Self {
        let mut all = Self::default();
        for client in scope.clients_between(0, Nanos::MAX) {
            let Some(key) = shared_key(scope.plan, client) else { continue };
            let mut attempts = scope.attempts(client);
            let Some(first) = attempts.next() else { continue };
            let last = attempts.last().unwrap_or(first);
            let fetch = Fetch { client, from: first.start, until: last.ended(), last };
            all.longest = all.longest.max(fetch.until.saturating_sub(fetch.from));
            all.by_key.entry(key).or_default().push(fetch);
        }
        all.by_key.values_mut().for_each(|list| list.sort_by_key(|fetch| fetch.from));
        all
    }

    /// The fetches of each key, in order of start.
    pub(super) fn iter(&self) -> impl Iterator<Item = (Key<'a>, &[Fetch<'a>])> {
        self.by_key.iter().map(|(key, list)| (*key, list.as_slice()))
    }

    /// A stretch of a key's fetches that has all that were under way at some instant of `from..=until`.
    pub(super) fn during(&self, key: Key<'a>, from: Nanos, until: Nanos) -> &[Fetch<'a>] {
        let Some(list) = self.by_key.get(&key) else { return &[] };
        let begin = list.partition_point(|f| f.from + self.longest < from);
        let end = list.partition_point(|f| f.from <= until);
        &list[begin..end.max(begin)]
    }
}

/// The attempt of another request that a response came from, when it was over before this request was sent: the
/// response is a stored one.
pub(super) fn stored_from<'a>(scope: &Scope<'a>, client: &ClientRecord) -> Option<&'a AttemptRecord> {
    let foreign = |a: &&AttemptRecord| a.request != client.id().pack() && a.ended() < client.sent();
    scope.fed_by(client).filter(foreign)
}

fn may_be_stored(plan: &Plan, bucket: &str) -> bool {
    let control = control_of(plan, bucket);
    !control.split(',').any(|part| matches!(part.trim(), "no-store" | "private" | "no-cache"))
}

/// The Cache-Control of a bucket's objects; empty where they have none.
fn control_of<'a>(plan: &'a Plan, bucket: &str) -> &'a str {
    let bucket = plan.buckets.iter().find(|b| b.name == bucket);
    bucket.and_then(|b| b.cache_control.as_deref()).unwrap_or_default()
}

/// How long an object of a bucket is fresh: what its Cache-Control says, else what the gateway declares.
pub(super) fn freshness(plan: &Plan, bucket: &str, policy: &CachePolicy) -> Nanos {
    let control = control_of(plan, bucket);
    let seconds = |name: &str| {
        let directives = control.split(',').filter_map(|part| part.trim().split_once('='));
        directives
            .filter(|(n, _)| n.eq_ignore_ascii_case(name))
            .find_map(|(_, value)| value.parse::<u64>().ok())
    };
    let told = seconds("s-maxage").or_else(|| seconds("max-age"));
    told.map_or(policy.default_ttl.0, |seconds| seconds * 1_000_000_000)
}

/// Whether an attempt left the gateway with nothing that may be stored: no usable answer, or a 5xx.
pub(super) fn has_failed(scope: &Scope<'_>, attempt: &AttemptRecord) -> bool {
    let cause = scope.cause(attempt);
    cause.is_failure() || matches!(cause, Cause::Status(500..=599))
}
