//! Limits on time, retries and idle connections.

use serde::{Deserialize, Serialize};

use super::{ConfigError, require};

/// How long each stage may take, in milliseconds; each at least 1.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Timeouts {
    /// Until the TCP connection stands. Default 500.
    pub connect: u64,
    /// From the last request byte to the complete response head, and between body bytes. Default 1000.
    pub read: u64,
    /// The whole request, with retries and pauses, to the last body byte. Also how long a client may take no
    /// byte of its response. Default 3000.
    pub total: u64,
}

/// Pause before the n-th retry: uniform in [0, min(cap, base * 2^(n-1))), in milliseconds.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Backoff {
    /// Bound of the first pause. Default 25.
    pub base: u64,
    /// Bound of every pause. Default 250.
    pub cap: u64,
    /// Bound of the first pause after SlowDown, or 0 for `base`. Default 0.
    pub throttling: u64,
}

/// A token bucket: over any t seconds at most `burst + ratio * requests + min-per-second * t` retries.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct RetryBudget {
    /// Retries earned by each client request; 0 or more. Default 0.2.
    pub ratio: f64,
    /// Retries earned by each second that passes; 0 or more. Default 3.
    pub min_per_second: f64,
    /// Retries that can be saved up, and are there at the start; 0 or more. Default 10.
    pub burst: f64,
    /// What earns `ratio`. Default `request`.
    pub earned_by: Earned,
    /// What a retry costs; 0 or more. Default 1.
    pub cost: f64,
    /// What a retry after a timeout costs. Default 1.
    pub timeout_cost: f64,
    /// What a retry after SlowDown costs. Default 1.
    pub throttling_cost: f64,
    /// Whether a retry that is well gives back what it cost. Default false.
    pub refund: bool,
}

/// By whose rules a request is tried again.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RetryBy {
    /// HTTP's: what is idempotent, after a failure or a 5xx that may pass, not before Retry-After.
    #[default]
    Http,
    /// Those of AWS SDKs since 2021: any request, after a failure, a 5xx that may pass or a code that says so;
    /// `x-amz-retry-after` in the place of a pause.
    Sdk,
    /// The same, where `x-amz-retry-after` lengthens a pause by at most 5 s.
    #[serde(rename = "sdk-2026")]
    Sdk2026,
}

/// What earns retries.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Earned {
    /// Each client request.
    #[default]
    Request,
    /// Each request that is well at the first attempt.
    Success,
}

/// Upstream connections, for each endpoint.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Pool {
    /// How many idle ones are kept for reuse; 0 turns reuse off. Default 64.
    pub max_idle: usize,
    /// How long one is kept, in milliseconds. Default 4000.
    pub idle_ms: u64,
    /// Most exchanges under way at a time; further ones wait for as long as connecting may take, and then are
    /// answered 503. 0 for no limit. Default 0.
    pub max_active: usize,
}

// === impl RetryBy ===

impl RetryBy {
    pub(crate) fn is_sdk(self) -> bool {
        self != Self::Http
    }
}

// === impl Timeouts ===

impl Default for Timeouts {
    fn default() -> Self {
        Self { connect: 500, read: 1000, total: 3000 }
    }
}

impl Timeouts {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let each = [self.connect, self.read, self.total];
        require(each.iter().all(|&limit| limit >= 1), "timeouts-ms", "must each be at least 1")
    }
}

// === impl Backoff ===

impl Default for Backoff {
    fn default() -> Self {
        Self { base: 25, cap: 250, throttling: 0 }
    }
}

// === impl RetryBudget ===

impl Default for RetryBudget {
    fn default() -> Self {
        Self {
            ratio: 0.2,
            min_per_second: 3.0,
            burst: 10.0,
            earned_by: Earned::Request,
            cost: 1.0,
            timeout_cost: 1.0,
            throttling_cost: 1.0,
            refund: false,
        }
    }
}

impl RetryBudget {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let costs = [self.cost, self.timeout_cost, self.throttling_cost];
        let each = [&[self.ratio, self.min_per_second, self.burst][..], &costs].concat();
        require(
            each.iter().all(|value| value.is_finite() && *value >= 0.0),
            "retry-budget",
            "must hold numbers of 0 or more",
        )
    }
}

// === impl Pool ===

impl Default for Pool {
    fn default() -> Self {
        Self { max_idle: 64, idle_ms: 4000, max_active: 0 }
    }
}
