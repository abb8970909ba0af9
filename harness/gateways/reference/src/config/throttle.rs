//! How many requests clients may make.

use serde::{Deserialize, Serialize};

use super::{ConfigError, require};

/// A token bucket, a token for each request; one that finds none is answered 429 and not sent (API Gateway Developer
/// Guide, Throttle requests to your REST APIs).
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Throttle {
    /// Tokens for each second; above 0.
    pub rate: f64,
    /// Most tokens there can be, and as many there are at the start; at least 1.
    pub burst: f64,
}

// === impl Throttle ===

impl Throttle {
    pub(super) fn check(self) -> Result<(), ConfigError> {
        require(self.rate.is_finite() && self.rate > 0.0, "throttle.rate", "must be above 0")?;
        require(self.burst.is_finite() && self.burst >= 1.0, "throttle.burst", "must be at least 1")
    }
}
