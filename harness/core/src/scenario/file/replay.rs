//! `from-log` of a workload: requests that somebody made before.

use schemars::JsonSchema;
use serde::Deserialize;

use super::Speed;
use crate::scenario::decode::Spanned;
use crate::units::Span;

/// A log with details.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct FromLog {
    /// The log, relative to this file: one of Amazon S3 server access logs, a folder of them, or the directory of a
    /// run.
    pub(crate) file: String,
    /// Only its requests to this bucket. Default: to the one of the workload, or to the only one there is.
    #[serde(default)]
    pub(crate) bucket: Option<Spanned<String>>,
    /// Of a run, only the requests of this workload. Default: of all.
    #[serde(default)]
    pub(crate) workload: Option<Spanned<String>>,
    /// How many times as fast it is replayed, as in `2` or `2x`. Default: 1.
    #[serde(default)]
    pub(crate) speed: Option<Spanned<Speed>>,
    /// How much of its beginning is left out. Default: nothing.
    #[serde(default)]
    pub(crate) skip: Option<Spanned<Span>>,
    /// How much of the rest is taken, in the log's own time. Default: all of it.
    #[serde(default)]
    pub(crate) r#for: Option<Spanned<Span>>,
    /// At most so many requests. Default: all, at most 4000000.
    #[serde(default)]
    #[schemars(range(min = 1))]
    pub(crate) limit: Option<Spanned<u32>>,
    /// Requests that may be in flight; starts beyond are dropped and counted. Default: 1000.
    #[serde(default)]
    #[schemars(range(min = 1))]
    pub(crate) max_in_flight: Option<Spanned<u32>>,
}
