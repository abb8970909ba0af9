//! When an endpoint counts as healthy.

use serde::{Deserialize, Serialize};

use super::{ConfigError, require};

/// Active probes mark an endpoint down and up; failed requests eject it for a while. When no endpoint is
/// left, all are used again: the last one is never given up.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Health {
    /// Path of the active probe (`GET`, user agent `gatecrash-reference-health`), or null for none. Any
    /// well-formed answer below 500 is healthy. Default `/`.
    pub path: Option<String>,
    /// Pause between two probes of an endpoint, in milliseconds; at least 1. Default 500.
    pub interval_ms: u64,
    /// Patience of one probe, in milliseconds; at least 1. Default 500.
    pub timeout_ms: u64,
    /// Failed probes in a row that mark an endpoint down; at least 1. Default 2.
    pub fall: u32,
    /// Good probes in a row that mark it up, or end an ejection early; at least 1. Default 2.
    pub rise: u32,
    /// Failed requests in a row (transport failure or 5xx, SlowDown excepted) that eject an endpoint; 0 for
    /// never. Default 3.
    pub passive_fails: u32,
    /// Length of an ejection, in milliseconds. Default 1000.
    pub eject_ms: u64,
}

// === impl Health ===

impl Default for Health {
    fn default() -> Self {
        Self {
            path: Some("/".to_owned()),
            interval_ms: 500,
            timeout_ms: 500,
            fall: 2,
            rise: 2,
            passive_fails: 3,
            eject_ms: 1000,
        }
    }
}

impl Health {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let path = self.path.as_deref().unwrap_or("/");
        let sendable = path.starts_with('/') && path.bytes().all(|byte| byte.is_ascii_graphic());
        require(sendable, "health.path", "must start with `/` and hold no spaces")?;
        require(self.interval_ms >= 1, "health.interval-ms", "must be at least 1")?;
        require(self.timeout_ms >= 1, "health.timeout-ms", "must be at least 1")?;
        require(self.fall >= 1, "health.fall", "must be at least 1")?;
        require(self.rise >= 1, "health.rise", "must be at least 1")
    }
}
