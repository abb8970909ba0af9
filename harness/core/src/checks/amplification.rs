//! `amplification`: upstream attempts per client request, second by second.

use gatecrash_model::{Capabilities, Capability, ClientRecord};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Check, CheckInfo, Fixes, Rests, Source};
#[cfg(test)]
use crate::faults::{FaultSpec, Refuse};
#[cfg(test)]
use crate::golden::{Golden, Story, Try};
use crate::judge::Scope;
use crate::stats::tiles;
use crate::verdict::Finding;

/// Upstream attempts per client request in any stretch of 1 s and 100 requests.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Amplification {
    /// At most this many attempts per request, such as 1.2; below 1 behind a cache.
    pub max: f64,
}

impl Check for Amplification {
    const INFO: CheckInfo = CheckInfo {
        name: "amplification",
        summary: "upstream attempts per client request under fault",
        doc: "Attempts divided by client requests, over consecutive stretches of at least 1 s and 100 \
              requests; the worst one is held against `max`. Retries are load that an ailing upstream gets \
              on top: three tries without a budget treble it, a budget of 10 % holds it at 1.1 (Google SRE \
              Book, ch. 21, Handling Overload). Health probes do not count; requests whose connect \
              attempts nobody saw are left out.",
        sources: &[Source::SRE_OVERLOAD, Source::AWS_RETRIES, Source::ENVOY_CIRCUIT_BREAKING],
        fixes: Fixes {
            nginx: "no budget: fewer tries (`proxy_next_upstream_tries`, `proxy_next_upstream_timeout`)",
            haproxy: "no budget: fewer `retries`, `retry-on conn-failure` alone",
            envoy: "`retry_budget` of the `circuit_breakers` (`budget_percent`, `min_retry_concurrency`), or \
                    `max_retries` at a time",
            others: "Finagle: retry budgets",
        },
        example: "amplification: { max: 1.3 }",
        needs: Capabilities::of(&[Capability::Attempts]),
        min_samples: 30,
        rests: Rests::OnExchanges,
    };

    fn judge(&self, scope: &Scope<'_>) -> Finding {
        let wanted = format!("at most {:.2}x", self.max);
        let seen = scope.clients().filter_map(|c| Some((c, scope.tries(c)?)));
        let (seen, counts): (Vec<&ClientRecord>, Vec<usize>) = seen.unzip();
        let samples = seen.len() as u64;
        if samples < scope.min_samples.max(1) {
            let reason = format!("{samples} requests whose attempts were seen, {} needed", scope.min_samples);
            return Finding::inconclusive(wanted, samples, reason);
        }
        let instants: Vec<_> = seen.iter().map(|c| c.intended).collect();
        let ratio = |range: std::ops::Range<usize>| {
            let len = range.len().max(1);
            counts[range].iter().sum::<usize>() as f64 / len as f64
        };
        let worst = tiles(&instants, 1_000_000_000, 100)
            .into_iter()
            .max_by(|a, b| ratio(a.clone()).total_cmp(&ratio(b.clone())))
            .unwrap_or(0..seen.len());
        let (peak, all) = (ratio(worst.clone()), ratio(0..seen.len()));
        let mut busy: Vec<_> = worst.clone().map(|i| (counts[i], seen[i].id())).collect();
        busy.sort_by_key(|(count, _)| std::cmp::Reverse(*count));
        let (from, until) = (instants[worst.start], instants[worst.end - 1]);
        Finding::judged(peak <= self.max, format!("{peak:.2}x"), wanted, samples)
            .detail(format!(
                "worst between +{:.1}s and +{:.1}s: {:.2}x of {} requests; {all:.2}x over the whole window",
                from as f64 / 1e9,
                until as f64 / 1e9,
                peak,
                worst.len()
            ))
            .exemplars(busy.into_iter().map(|(_, id)| id))
    }

    fn problem(&self) -> Option<&'static str> {
        (self.max.is_nan() || self.max <= 0.0).then_some("a ratio above 0, such as `max: 1.2`")
    }

    #[cfg(test)]
    fn goldens() -> Vec<Golden> {
        let check = || Self { max: 1.2 };
        let twice = |story: Story, from, until| {
            story.every(10, from, until, |r| r.tries([Try::reset(), Try::served()]))
        };
        let calm = || Story::new().every(10, 0, 2000, |r| r);
        let refuse = FaultSpec::Refuse(Refuse {});
        vec![
            Golden::pass("one in ten is tried twice", check(), twice(calm(), 2000, 2100)),
            Golden::fail("one second of doubles", check(), twice(calm(), 2000, 3100)),
            Golden::inconclusive("ten requests", check(), Story::new().every(10, 0, 100, |r| r)),
            Golden::inconclusive(
                "refused attempts were not seen",
                check(),
                Story::new().fault(refuse, 0, 900).every(10, 0, 800, |r| r.tries([])),
            ),
        ]
    }
}
