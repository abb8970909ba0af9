//! The `timeline` block.

use schemars::JsonSchema;
use serde::Deserialize;

use super::Named;
use super::arrivals::PhaseLoad;
use crate::faults::FaultSpec;
use crate::plan::{Per, Side};
use crate::rules::{Matcher, Ramp, RateLimit};
use crate::scenario::decode::Spanned;
use crate::units::{Share, Span};

/// One phase.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Phase {
    /// Its name.
    pub(crate) phase: Spanned<String>,
    /// How long it lasts.
    pub(crate) r#for: Spanned<Span>,
    /// Faults that begin in it. Default: none.
    #[serde(default)]
    pub(crate) inject: Vec<Spanned<Inject>>,
    /// Workloads whose rate or users differ in this phase. Default: none.
    #[serde(default)]
    pub(crate) load: Named<PhaseLoad>,
}

/// A fault with what decides when it fires.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Inject {
    /// Its name, unique in the file; draws are keyed by it. Default: `<fault>-<phase>`.
    #[serde(default)]
    pub(crate) name: Option<Spanned<String>>,
    /// Where. Default: every endpoint of every region.
    #[serde(default)]
    pub(crate) target: Target,
    /// Which exchanges. Default: all.
    #[serde(default)]
    pub(crate) r#match: Option<Spanned<Matcher>>,
    /// How likely it is to fire. Default: 100%.
    #[serde(default)]
    pub(crate) probability: Option<Spanned<Share>>,
    /// What the probability is per. Default: attempt.
    #[serde(default)]
    pub(crate) per: Option<Spanned<Per>>,
    /// When in the phase it begins. Default: 0s.
    #[serde(default)]
    pub(crate) at: Option<Spanned<Span>>,
    /// How long it lasts. Default: to the end of its phase.
    #[serde(default)]
    pub(crate) r#for: Option<Spanned<Span>>,
    /// The last phase it lasts through, to that phase's end. Default: its own.
    #[serde(default)]
    pub(crate) until: Option<Spanned<String>>,
    /// Most firings. Default: no limit.
    #[serde(default)]
    #[schemars(range(min = 1))]
    pub(crate) limit: Option<Spanned<u64>>,
    /// Only the first exchanges that match may be hit (depends on order: not replayable one by one). Default: all.
    #[serde(default)]
    #[schemars(range(min = 1))]
    pub(crate) first: Option<Spanned<u64>>,
    /// The first exchanges that match are let through; `first` and `match: { nth: ... }` count from there (depends
    /// on order: not replayable one by one). Default: 0.
    #[serde(default)]
    pub(crate) after: Option<Spanned<u64>>,
    /// The probability changes while the fault is on, beginning with `probability` (depends on time: not replayable
    /// one by one). Default: it stays.
    #[serde(default)]
    pub(crate) ramp: Option<Spanned<Ramp>>,
    /// A token bucket, filled at a rate (depends on time and order: not replayable one by one). Default: none.
    #[serde(default)]
    pub(crate) rate: Option<Spanned<RateLimit>>,
    /// What it does.
    pub(crate) fault: Spanned<FaultSpec>,
}

/// Where a fault acts.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Target {
    /// Region. Default: all.
    #[serde(default)]
    pub(crate) region: Option<Spanned<String>>,
    /// Endpoint of the region, from 1. Default: all.
    #[serde(default)]
    pub(crate) endpoint: Option<Spanned<u16>>,
    /// Side of the gateway: between it and its upstreams, or between the clients and it, where `slow-request` and
    /// `half-request` belong and `latency`, `bandwidth`, `slow-body`, `stall`, `truncate` and `reset` or `close` while
    /// the answer comes are what clients do: they read slowly, stop or leave. The requests that a client's fault
    /// touches are left out of all expectations. Default: upstream.
    #[serde(default)]
    pub(crate) side: Option<Spanned<Side>>,
}
