//! What a proxy is told: its settings, its doors to the rest of the program, and how it can fail.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use gatecrash_model::Clock;
use tokio::net::lookup_host;

use super::ProxyEvents;

/// One proxy, as its API shows it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ProxySettings {
    /// Unique among proxies; part of the draws of its toxics.
    pub name: String,
    /// `host:port`; an empty host is every interface, port 0 a free one. Once bound, the actual address.
    pub listen: String,
    /// `host:port`, resolved for each connection.
    pub upstream: String,
    /// Whether it accepts; if not, connections are refused.
    pub enabled: bool,
}

/// Doors to the rest of the program.
#[derive(Clone)]
pub struct Doors {
    /// Stamps events.
    pub clock: Arc<dyn Clock>,
    /// Of all draws.
    pub seed: u64,
    /// Hears what happens.
    pub events: Arc<dyn ProxyEvents>,
}

/// Why a proxy cannot run.
#[derive(Debug, thiserror::Error)]
pub enum ProxyError {
    /// It is no `host:port`.
    #[error("address {text}: expected host:port")]
    Address {
        /// What was given.
        text: String,
    },
    /// The host has no address.
    #[error("failed to resolve {host}: {source}")]
    Resolve {
        /// What was given.
        host: String,
        /// Of the resolver.
        source: io::Error,
    },
    /// The address cannot be listened on.
    #[error("failed to listen on {addr}: {source}")]
    Bind {
        /// The resolved address.
        addr: SocketAddr,
        /// Of the system.
        source: io::Error,
    },
    /// No timer of the system's.
    #[error("failed to set up a timer: {source}")]
    Timer {
        /// Of the system.
        source: io::Error,
    },
}

impl std::fmt::Debug for Doors {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Doors").field("seed", &self.seed).finish_non_exhaustive()
    }
}

/// The addresses to listen on that a text may mean, best first; an empty host is both families where the
/// system allows it.
pub(super) async fn listen_addresses(text: &str) -> Result<Vec<SocketAddr>, ProxyError> {
    match text.strip_prefix(':').unwrap_or(text) {
        "" => Ok(everywhere(0)),
        port if text.starts_with(':') => {
            let port = port.parse().map_err(|_| ProxyError::Address { text: text.to_owned() })?;
            Ok(everywhere(port))
        }
        _ => addresses(text).await,
    }
}

/// The addresses a `host:port` stands for.
pub(super) async fn addresses(text: &str) -> Result<Vec<SocketAddr>, ProxyError> {
    if let Ok(addr) = text.parse() {
        return Ok(vec![addr]);
    }
    if text.rsplit_once(':').is_none_or(|(_, port)| port.parse::<u16>().is_err()) {
        return Err(ProxyError::Address { text: text.to_owned() });
    }
    let failed = |source| ProxyError::Resolve { host: text.to_owned(), source };
    let mut found: Vec<_> = lookup_host(text).await.map_err(failed)?.collect();
    // Version 4 first, as Go's listener prefers it: `localhost` is 127.0.0.1.
    found.sort_by_key(SocketAddr::is_ipv6);
    match found.is_empty() {
        true => Err(failed(io::ErrorKind::NotFound.into())),
        false => Ok(found),
    }
}

fn everywhere(port: u16) -> Vec<SocketAddr> {
    vec![(std::net::Ipv6Addr::UNSPECIFIED, port).into(), (std::net::Ipv4Addr::UNSPECIFIED, port).into()]
}
