//! The regions behind the gateway, and the deliberate mistakes one can make about them.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

use super::{ConfigError, Responses, require};

/// One region: its endpoints and what its buckets are called.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Upstream {
    /// Name of the region, also the scope of signatures made for it; unique.
    pub region: String,
    /// Whether requests go here first or only when no primary serves. Default `primary`.
    #[serde(default)]
    pub role: Role,
    /// Addresses that serve the region, used in turn; at least one.
    pub endpoints: Vec<SocketAddr>,
    /// Whether TLS is spoken to them, as `tls` of the gateway says. Default false.
    #[serde(default)]
    pub tls: bool,
    /// Bucket name as clients know it -> name in this region. Buckets not listed keep their name.
    #[serde(default)]
    pub buckets: BTreeMap<String, String>,
}

/// Place of a region in the order of preference.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Serves as long as it is healthy.
    #[default]
    Primary,
    /// Serves when no primary does, and retries of what failed there.
    Standby,
}

/// One deliberate mistake in the service configuration.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Misconfigure {
    /// Every bucket is mapped to this name.
    Bucket(String),
    /// Requests are signed for this region, and its bucket names are used if it is one of the upstreams.
    Region(String),
    /// Upstream requests carry this Host.
    Host(String),
    /// Every upstream connection, probes included, goes to this address.
    Endpoint(SocketAddr),
    /// These integration responses stand in the place of those that are configured, if any.
    Mapping(Responses),
}

// === impl Misconfigure ===

impl Misconfigure {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let plain = match self {
            Self::Bucket(name) | Self::Region(name) | Self::Host(name) => is_plain(name),
            Self::Endpoint(_) | Self::Mapping(_) => true,
        };
        require(plain, "misconfigure", "must be plain ASCII without spaces")
    }
}

/// Whether a name can stand in a path, a header or a signature as it is.
pub(super) fn is_plain(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_graphic())
}

pub(super) fn check(upstreams: &[Upstream]) -> Result<(), ConfigError> {
    let mut regions = BTreeSet::new();
    for upstream in upstreams {
        let problem = format!("names region `{}` more than once", upstream.region);
        require(regions.insert(&upstream.region), "upstreams", &problem)?;
        let problem = format!("region `{}` has no endpoints", upstream.region);
        require(!upstream.endpoints.is_empty(), "upstreams", &problem)?;
        let names = upstream.buckets.values().chain([&upstream.region]);
        let problem = format!("region `{}` has a name that is not plain ASCII", upstream.region);
        require(names.into_iter().all(|name| is_plain(name)), "upstreams", &problem)?;
    }
    let primary = upstreams.iter().any(|upstream| upstream.role == Role::Primary);
    require(primary, "upstreams", "needs at least one region with role primary")
}
