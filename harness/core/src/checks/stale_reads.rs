//! `stale-reads`: how many reads are answered with what was fetched long ago.

use gatecrash_model::{Capabilities, Capability};
#[cfg(test)]
use gatecrash_model::BodyCheck;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::copies::{shared_key, stored_from};
use super::{Check, CheckInfo, Fixes, Rests, Source};
#[cfg(test)]
use crate::golden::{Golden, Request, Story};
use crate::judge::Scope;
use crate::units::{Share, Span};
use crate::verdict::Finding;

/// The share of successful reads whose bytes were fetched longer ago than `older-than`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct StaleReads {
    /// The age, from the end of the fetch to the sending of the request, above which a read is stale.
    pub older_than: Span,
    /// At most this share of stale reads. Default: 0%.
    #[serde(default)]
    pub max: Share,
}

impl Check for StaleReads {
    const INFO: CheckInfo = CheckInfo {
        name: "stale-reads",
        summary: "share of reads answered with what was fetched long ago",
        doc: "Each response names the upstream exchange it came from. A read counts as stale when that \
              exchange ended more than `older-than` before the read was sent; without a cache none does. \
              The bound is what readers of changing data can live with: the lifetime that Cache-Control \
              gives (RFC 9111 4.2), and in an outage the window in which a stale copy may stand in (RFC \
              5861 4). It looks at ages, not at versions: whether the object had changed meanwhile does \
              not matter.",
        sources: &[
            Source::rfc(9111, "4.2", "Freshness"),
            Source::rfc(5861, "4", "The stale-if-error Cache-Control Extension"),
        ],
        fixes: Fixes {
            nginx: "`proxy_cache_valid`, `proxy_cache_use_stale` without `updating`",
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
        let wanted = format!("at most {} older than {}", self.max, self.older_than);
        let reads = scope.clients().filter(|c| shared_key(scope.plan, c).is_some() && scope.succeeded(c));
        let (mut samples, mut oldest, mut stale) = (0u64, 0, Vec::new());
        for client in reads.filter(|c| scope.fed_by(c).is_some()) {
            samples += 1;
            let age = stored_from(scope, client).map_or(0, |a| client.sent() - a.ended());
            oldest = oldest.max(age);
            if age > self.older_than.0 {
                stale.push(client.id());
            }
        }
        if samples < scope.min_samples.max(1) {
            let reason = format!("{samples} reads that name their exchange, {} needed", scope.min_samples);
            return Finding::inconclusive(wanted, samples, reason);
        }
        let share = stale.len() as f64 / samples as f64;
        Finding::judged(share <= self.max.0 + 1e-9, format!("{:.1}%", share * 100.0), wanted, samples)
            .detail(format!("{} of {samples} reads; the oldest was {:.1}s old", stale.len(), oldest as f64 / 1e9))
            .exemplars(stale)
    }

    #[cfg(test)]
    fn goldens() -> Vec<Golden> {
        let check = || Self { older_than: Span::seconds(1), max: Share(0.1) };
        let key = |r: Request| r.key("o/1");
        let copy = move |r: Request| key(r).tries([]).answer(200).from_other(0).body(BodyCheck::Exact);
        let story = |until| Story::new().every(5000, 0, 5000, key).every(10, 100, until, copy);
        vec![
            Golden::pass("all of one second", check(), story(1000)),
            Golden::fail("half of them older", check(), story(2000)),
            Golden::inconclusive("one read", check(), story(100)),
        ]
    }
}
