//! The blocks `expect` and `guards`.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::checks::CheckSpec;
use crate::plan::Severity;
use crate::rules::Matcher;
use crate::scenario::decode::Spanned;
use crate::units::{Share, Span};

/// One expectation.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Expectation {
    /// Phase it is about. Default: the whole run.
    #[serde(default)]
    pub(crate) r#in: Option<Spanned<String>>,
    /// When in the phase (or run) it begins to hold, counted from when the faults that begin with the phase are
    /// in force. Default: at once.
    #[serde(default)]
    pub(crate) after: Option<Spanned<Span>>,
    /// When in the phase (or run) it ceases to hold, counted likewise. Default: at the end.
    #[serde(default)]
    pub(crate) before: Option<Spanned<Span>>,
    /// Which client requests: op, bucket, key, prefix, method, upstream-status. Default: all.
    #[serde(default)]
    pub(crate) r#match: Option<Spanned<Matcher>>,
    /// What has to hold.
    pub(crate) check: Spanned<CheckSpec>,
    /// How bad a failure is. Default: error.
    #[serde(default)]
    pub(crate) severity: Option<Spanned<Severity>>,
    /// Your reason; it is printed with the verdict. Default: none.
    #[serde(default)]
    pub(crate) because: Option<String>,
    /// Least samples to tell anything. Default: the check's own, 30 for ratios and percentiles, 1 for counts.
    #[serde(default)]
    #[schemars(range(min = 1))]
    pub(crate) min_samples: Option<Spanned<u64>>,
    /// Where to read on when it fails. Default: none.
    #[serde(default)]
    pub(crate) runbook: Option<String>,
}

/// Limits on the run itself.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Guards {
    /// The run is aborted after this. Default: 1.5 times the planned time, and 30s.
    #[serde(default)]
    pub(crate) deadline: Option<Spanned<Span>>,
    /// What the load generator must keep to; a breach makes verdicts inconclusive.
    #[serde(default)]
    pub(crate) generator: Generator,
    /// Whether every fault must have fired as its draws say. Default: true.
    #[serde(default)]
    pub(crate) fault_fired: Option<Spanned<bool>>,
}

/// Health of the load generator.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Generator {
    /// Largest 99th percentile of lag behind the schedule: above it response times are inconclusive, above ten
    /// times as much whatever rests on shares and windows. Default: 20ms.
    #[serde(default)]
    pub(crate) max_lag_p99: Option<Spanned<Span>>,
    /// Largest share of starts dropped at the in-flight cap. Default: 0.1%.
    #[serde(default)]
    pub(crate) max_dropped: Option<Spanned<Share>>,
    /// Largest share of one core that a thread of the generator may use; above it in more than one second of ten,
    /// response times are inconclusive. Default: 85%.
    #[serde(default)]
    pub(crate) max_cpu: Option<Spanned<Share>>,
    /// Least share of a phase's starts that were sent by the end of the phase. Default: 99%.
    #[serde(default)]
    pub(crate) min_achieved: Option<Spanned<Share>>,
}
