//! The name server of a plan: one name for each region, with the addresses of its endpoints.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use gatecrash_core::plan::Plan;
use gatecrash_model::Clock;
use gatecrash_wire::dns::{NameServer, NamedRegion};

use crate::exit::Failure;
use crate::gateway::Endpoint;

/// Where it answers, on any free port: an address of its own, so that it is not mistaken for an endpoint.
const ADDRESS: Ipv4Addr = Ipv4Addr::new(127, 0, 53, 1);

pub(super) async fn start(
    plan: &Plan,
    endpoints: &[Endpoint],
    clock: Arc<dyn Clock>,
) -> Result<NameServer, Failure> {
    let named = |name: &String| NamedRegion {
        name: name.clone(),
        addresses: endpoints
            .iter()
            .filter(|endpoint| endpoint.region == *name)
            .filter_map(|endpoint| if let IpAddr::V4(ip) = endpoint.addr.ip() { Some(ip) } else { None })
            .collect(),
    };
    let regions = plan.regions.iter().map(|region| named(&region.name)).collect();
    let port = endpoints.first().map_or(0, |endpoint| endpoint.addr.port());
    NameServer::start(ADDRESS, regions, port, clock).await.map_err(|e| {
        Failure::environment(format!("the name server cannot listen on {ADDRESS}: {e}"))
            .hint("it needs an address of its own in 127.0.0.0/8 and a port that is free for UDP and TCP")
    })
}
