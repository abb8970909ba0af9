//! When the circuit breaker of a region opens, and how it finds out that the region is well again.

use serde::{Deserialize, Serialize};

use super::{ConfigError, require};

/// A circuit breaker for each region. Closed, it counts failed attempts in a row; open, it turns attempts away,
/// so that they go to another region or are answered 503 at once; half open, it lets a few through: when all of
/// them are well it closes, at the first that fails it opens again.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Breaker {
    /// Failed attempts in a row (transport failure or 5xx, SlowDown excepted) that open it; at least 1. Default
    /// 10.
    pub failures: u32,
    /// How long it stays open, in milliseconds; at least 1. Default 1000.
    pub open_ms: u64,
    /// Attempts let through while half open; at least 1. Default 3.
    pub probes: u32,
}

// === impl Breaker ===

impl Default for Breaker {
    fn default() -> Self {
        Self { failures: 10, open_ms: 1000, probes: 3 }
    }
}

impl Breaker {
    pub(super) fn check(self) -> Result<(), ConfigError> {
        require(self.failures >= 1, "breaker.failures", "must be at least 1")?;
        require(self.open_ms >= 1, "breaker.open-ms", "must be at least 1")?;
        require(self.probes >= 1, "breaker.probes", "must be at least 1")
    }
}
