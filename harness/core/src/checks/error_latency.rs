//! `error-latency`: errors are fast errors.

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

/// Bounds on quantiles of the response time of requests that failed, counted from when they were due.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ErrorLatency {
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

impl Check for ErrorLatency {
    const INFO: CheckInfo = CheckInfo {
        name: "error-latency",
        summary: "quantiles of the response time of failures",
        doc: "The same as `latency`, over requests that did not succeed. An error that takes as long as a \
              success holds a connection and a worker for nothing, and callers with a shorter timeout \
              never see it; a slow error is how one dead upstream takes a whole gateway down. A quantile q \
              needs 10/(1-q) samples.",
        sources: &[Source::SRE_MONITORING, Source::AWS_RETRIES],
        fixes: Fixes {
            nginx: "`proxy_connect_timeout`, `proxy_read_timeout`, `proxy_next_upstream_timeout`",
            haproxy: "`timeout connect` and `retries`, which multiply, `timeout server`, `timeout queue`",
            envoy: "`connect_timeout` of the cluster, the route's `timeout` (15 s by default), \
                    `per_try_timeout`",
            others: "",
        },
        example: "error-latency: { p50: { max: 2s } }",
        needs: Capabilities::of(&[Capability::Framing]),
        min_samples: 1,
        rests: Rests::OnTimes,
    };

    fn judge(&self, scope: &Scope<'_>) -> Finding {
        self.quantiles().judge(scope, scope.answered().filter(|c| !scope.succeeded(c)), "failures")
    }

    fn problem(&self) -> Option<&'static str> {
        self.quantiles().problem()
    }

    #[cfg(test)]
    fn goldens() -> Vec<Golden> {
        let check =
            || Self { p50: Some(SpanBounds { min: None, max: Some(Span::millis(100)) }), ..Self::default() };
        let story = |ms| Story::new().every(10, 0, 400, move |r| r.answer(503).took(ms));
        vec![
            Golden::pass("errors take 20 ms", check(), story(20)),
            Golden::fail("errors take a second", check(), story(1000)),
            Golden::inconclusive("nothing fails", check(), Story::new().every(10, 0, 400, |r| r)),
        ]
    }
}

impl ErrorLatency {
    fn quantiles(&self) -> Quantiles {
        Quantiles([self.p50, self.p90, self.p99, self.p999, self.max])
    }
}
