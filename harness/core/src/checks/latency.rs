//! `latency`: response times of successes, from the intended start.

use gatecrash_model::{Capabilities, Capability};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::quantiles::Quantiles;
use super::{Check, CheckInfo, Fixes, Rests, Source, SpanBounds};
#[cfg(test)]
use crate::golden::{Golden, Story};
use crate::judge::Scope;
#[cfg(test)]
use crate::units::Span;
use crate::verdict::Finding;

/// Bounds on quantiles of the response time of whole, correct answers, counted from when they were due.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Latency {
    /// Median.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p50: Option<SpanBounds>,
    /// 90th percentile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p90: Option<SpanBounds>,
    /// 99th percentile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p99: Option<SpanBounds>,
    /// 99.9th percentile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p999: Option<SpanBounds>,
    /// The slowest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<SpanBounds>,
}

impl Check for Latency {
    const INFO: CheckInfo = CheckInfo {
        name: "latency",
        summary: "quantiles of the response time of successes",
        doc: "Response times of whole, correct answers, by nearest rank, from the instant each request was \
              due: waiting behind a stalled gateway counts, as it does for a user who did not wait for us \
              (no coordinated omission). A quantile q needs 10/(1-q) samples: 20 for the median, 1000 for \
              p99.",
        sources: &[Source::SRE_MONITORING, Source::TAIL_AT_SCALE, Source::WRK2],
        fixes: Fixes {
            nginx: "`proxy_connect_timeout` and `proxy_read_timeout` far below their 60 s, `keepalive` to \
                    the upstreams, `least_conn`",
            haproxy: "`timeout connect`, `timeout server`, `http-reuse`, `balance leastconn`",
            envoy: "`connect_timeout` of the cluster, `per_try_timeout`, `lb_policy: LEAST_REQUEST`; for \
                    reads a `hedge_policy`",
            others: "",
        },
        example: "latency: { p50: { max: 50ms }, p99: { max: 250ms } }",
        needs: Capabilities::of(&[Capability::Framing]),
        min_samples: 1,
        rests: Rests::OnTimes,
    };

    fn judge(&self, scope: &Scope<'_>) -> Finding {
        self.quantiles().judge(scope, scope.answered().filter(|c| scope.succeeded(c)), "successes")
    }

    fn problem(&self) -> Option<&'static str> {
        self.quantiles().problem()
    }

    #[cfg(test)]
    fn goldens() -> Vec<Golden> {
        let max = |ms| Some(SpanBounds { min: None, max: Some(Span::millis(ms)) });
        let check = || Self { p50: max(50), max: max(500), ..Self::default() };
        let story = || Story::new().every(10, 0, 400, |r| r.took(20));
        let late = || Story::new().every(10, 0, 400, |r| r.took(20).lag(100));
        let p99 = || Self { p99: max(50), ..Self::default() };
        vec![
            Golden::pass("all take 20 ms", check(), story()),
            Golden::fail("one takes a second", check(), story().every(10, 400, 410, |r| r.took(1000))),
            Golden::fail("sent late counts from when it was due", check(), late().patient()),
            Golden::inconclusive("40 samples say nothing of p99", p99(), story()),
        ]
    }
}

impl Latency {
    /// (quantile, bounds) of those percentiles that have bounds.
    pub(crate) fn limits(&self) -> impl Iterator<Item = (f64, SpanBounds)> + use<> {
        let all = [(0.5, self.p50), (0.9, self.p90), (0.99, self.p99), (0.999, self.p999)];
        all.into_iter().filter_map(|(quantile, bounds)| Some((quantile, bounds?)))
    }

    fn quantiles(&self) -> Quantiles {
        Quantiles([self.p50, self.p90, self.p99, self.p999, self.max])
    }
}
