//! When, among the exchanges that match, a fault fires: counts, a ramp of its probability, a rate.
//!
//! Counts and rates depend on the order and the time of exchanges: what they let through cannot be replayed one by
//! one, and the judge does not recompute it.

use std::sync::atomic::{AtomicU64, Ordering};

use gatecrash_model::Nanos;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::units::{Rate, Share, Span};

/// What narrows down the exchanges that match, besides the draw. Empty: nothing does.
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Trigger {
    /// Exchanges that match and are let through before the first that may be hit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<u64>,
    /// How many exchanges may be hit, counted as they match (after those of `after`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first: Option<u64>,
    /// The probability changes while the fault is on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ramp: Option<Ramp>,
    /// A token bucket.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate: Option<RateLimit>,
}

/// The probability goes from `probability` to `to` while the fault is on, and stays there.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Ramp {
    /// The last probability.
    pub to: Share,
    /// How long the way there takes.
    pub over: Span,
    /// In this many equal steps. Default: evenly.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub steps: Option<u32>,
}

/// A token bucket, filled at a rate: either what exceeds it is hit (`above`), or no more than it (`at-most`).
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RateLimit {
    /// Exchanges that match up to this rate are let through; those that exceed it may be hit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub above: Option<Rate>,
    /// The fault fires at this rate at most; what exceeds it is let through.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_most: Option<Rate>,
    /// Tokens that an unused bucket holds. Default: 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub burst: Option<u32>,
}

/// The filling of one token bucket. All of it is one instant: when the tokens that were taken will be back.
#[derive(Debug)]
pub(super) struct Bucket {
    /// Nanoseconds to a token.
    interval: u64,
    /// Nanoseconds of tokens that may be missing when one is taken.
    slack: u64,
    full_again: AtomicU64,
}

// === impl Trigger ===

impl Trigger {
    /// Whether what fires can be recomputed from the records alone.
    pub fn is_recomputable(&self) -> bool {
        *self == Self::default()
    }

    /// Which of those that may be hit the `matched`-th exchange is, from 1; `None` when it may not.
    pub(super) fn turn(&self, matched: u64) -> Option<u64> {
        let turn = matched.checked_sub(self.after.unwrap_or(0)).filter(|turn| *turn > 0)?;
        self.first.is_none_or(|first| turn <= first).then_some(turn)
    }

    /// The probability `elapsed` nanoseconds after the fault came into force.
    pub(super) fn probability(&self, start: Share, elapsed: Nanos) -> f64 {
        self.ramp.map_or(start.0, |ramp| ramp.at(start.0, elapsed))
    }

    /// The bucket of `above`.
    pub(super) fn above(&self) -> Option<Bucket> {
        let limit = self.rate?;
        limit.above.map(|rate| Bucket::new(rate, limit.burst))
    }

    /// The bucket of `at-most`.
    pub(super) fn at_most(&self) -> Option<Bucket> {
        let limit = self.rate?;
        limit.at_most.map(|rate| Bucket::new(rate, limit.burst))
    }
}

// === impl Ramp ===

impl Ramp {
    /// The probability after `elapsed` nanoseconds, from `start` on.
    pub fn at(&self, start: f64, elapsed: Nanos) -> f64 {
        let way = (elapsed as f64 / self.over.0.max(1) as f64).min(1.0);
        let way = self.steps.map_or(way, |steps| (way * f64::from(steps)).floor() / f64::from(steps.max(1)));
        start + (self.to.0 - start) * way
    }
}

// === impl RateLimit ===

impl RateLimit {
    /// Why its parameters make no sense together: completes "expected ...".
    pub fn problem(&self) -> Option<&'static str> {
        match (self.above, self.at_most) {
            (Some(rate), None) | (None, Some(rate)) if rate.0 > 0.0 => {
                (self.burst == Some(0)).then_some("a `burst` of at least 1")
            }
            (None, None) | (Some(_), Some(_)) => Some("one of `above` and `at-most`"),
            _ => Some("a rate above 0/s"),
        }
    }
}

// === impl Bucket ===

impl Bucket {
    fn new(rate: Rate, burst: Option<u32>) -> Self {
        // Rates below one in 30 years never give a second token.
        let interval = (1e9 / rate.0.max(1e-9)) as u64;
        let slack = u64::from(burst.unwrap_or(1).max(1) - 1).saturating_mul(interval);
        Self { interval, slack, full_again: AtomicU64::new(0) }
    }

    /// Takes a token, if there is one.
    pub(super) fn take(&self, now: Nanos) -> bool {
        let taken = |full_again: u64| {
            let fits = full_again <= now.saturating_add(self.slack);
            fits.then(|| full_again.max(now).saturating_add(self.interval))
        };
        self.full_again.fetch_update(Ordering::SeqCst, Ordering::SeqCst, taken).is_ok()
    }
}
