//! An origin group: instead of health and a budget, a fixed course through two regions for each request.

use serde::{Deserialize, Serialize};

use super::{ConfigError, require};

/// Every request begins at the first region; the second one is for reads that fail there. No region is
/// remembered as bad.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct OriginGroup {
    /// Attempts at each region when connecting fails, or a GET or HEAD is not answered in time; at least 1.
    /// Default 3.
    pub attempts: u32,
    /// Statuses that send a GET, HEAD or OPTIONS to the second region. Default 500, 502, 503, 504.
    pub failover_on: Vec<u16>,
}

// === impl OriginGroup ===

impl Default for OriginGroup {
    fn default() -> Self {
        Self { attempts: 3, failover_on: vec![500, 502, 503, 504] }
    }
}

impl OriginGroup {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        require(self.attempts >= 1, "origin-group.attempts", "must be at least 1")
    }
}
