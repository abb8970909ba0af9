//! The link behind a proxy that understands HTTP: client -> toxics -> link with its rules -> upstream.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use gatecrash_core::rules::RuleSet;
use gatecrash_model::{Clock, Sink};

use super::address::resolve;
use super::reply::ApiError;
use crate::link::Link;
use crate::wire::{LinkConfig, Shared};

/// What links of one proxy share, so that rules outlive a move.
pub(crate) struct Behind {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) sink: Arc<dyn Sink>,
    pub(crate) rules: Arc<RuleSet>,
}

impl Behind {
    /// A link on a port of its own; its upstream is resolved once.
    pub(crate) async fn start(&self, upstream: &str) -> Result<Link, ApiError> {
        let upstream =
            resolve(upstream).await.map_err(|why| ApiError::new(500, format!("upstream: {why}")))?;
        let shared = Shared {
            clock: Arc::clone(&self.clock),
            sink: Arc::clone(&self.sink),
            rules: Arc::clone(&self.rules),
            registry: Arc::default(),
            attempts: Arc::default(),
        };
        let config = LinkConfig::between(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), upstream);
        Link::start(config, shared)
            .map_err(|why| ApiError::new(500, format!("the link behind the proxy: {why}")))
    }
}
