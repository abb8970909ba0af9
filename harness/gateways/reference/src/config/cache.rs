//! The response cache: off unless this block is given.

use serde::{Deserialize, Serialize};

use super::{ConfigError, require};

/// A shared cache in front of the upstreams (RFC 9111).
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Cache {
    /// Freshness of a 200 whose upstream says nothing about it, in milliseconds; 0 for none. Default 60000.
    pub default_ttl_ms: u64,
    /// Least freshness of a 200 that may be stored, whatever it says of it, in milliseconds. Default 0.
    pub min_ttl_ms: u64,
    /// How long an error is served again without asking, in milliseconds: 404, 405, 410, 414, 500, 501, 502,
    /// 503, 504 and this gateway's own. Default 0.
    pub negative_ttl_ms: u64,
    /// How long past its freshness a copy may stand in for an error, in milliseconds (RFC 5861 section 4).
    /// Default 0.
    pub stale_if_error_ms: u64,
    /// How long a copy that stood in for an error does so without asking again, in milliseconds. Default 1000.
    pub stale_retry_ms: u64,
    /// How long past its freshness a copy is served while another request renews it, in milliseconds (RFC
    /// 5861 section 3). Default 0.
    pub stale_while_revalidate_ms: u64,
    /// Whether requests for one key wait for the one that is fetching it. Default true.
    pub collapse: bool,
    /// How long a request waits for another's fetch before it makes its own, in milliseconds; at least 1.
    /// Default 2000.
    pub lock_timeout_ms: u64,
    /// Largest body that is stored, in bytes. Default 4194304.
    pub max_object: usize,
    /// Bytes of all stored bodies; the oldest make room. Default 67108864.
    pub max_bytes: usize,
}

// === impl Cache ===

impl Default for Cache {
    fn default() -> Self {
        Self {
            default_ttl_ms: 60_000,
            min_ttl_ms: 0,
            negative_ttl_ms: 0,
            stale_if_error_ms: 0,
            stale_retry_ms: 1000,
            stale_while_revalidate_ms: 0,
            collapse: true,
            lock_timeout_ms: 2000,
            max_object: 4 << 20,
            max_bytes: 64 << 20,
        }
    }
}

impl Cache {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        require(self.lock_timeout_ms >= 1, "cache.lock-timeout-ms", "must be at least 1")?;
        require(self.max_object <= self.max_bytes, "cache.max-object", "must not be above `max-bytes`")
    }
}
