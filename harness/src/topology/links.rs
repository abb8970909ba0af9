//! The chaos links of a plan, one per upstream endpoint.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use gatecrash_core::plan::{Plan, Side};
use gatecrash_core::rules::RuleSet;
use gatecrash_mock_s3::MockS3;
use gatecrash_model::RunId;
use gatecrash_wire::tls::Authority;
use gatecrash_wire::{Link, LinkConfig, Shared};

use super::external::External;
use super::seat::Seat;
use super::{Ground, tls};
use crate::exit::Failure;
use crate::gateway::{self, Endpoint};

/// One link per endpoint, each on its own address of 127.0.0.0/8 and all on one port.
pub(super) async fn start(
    plan: &Plan,
    run: RunId,
    mock: &MockS3,
    shared: &Shared,
    authority: Option<&Arc<Authority>>,
    port: u16,
) -> Result<(Vec<Seat>, Vec<Endpoint>), Failure> {
    let mut last = None;
    for _ in 0..20 {
        let mut links: Vec<Seat> = Vec::new();
        let mut endpoints = Vec::new();
        for (index, (region, number)) in plan.links().into_iter().enumerate() {
            let place = &plan.regions[usize::from(region)];
            let shared_port = links.first().map_or(port, |l: &Seat| l.addr().port());
            let ip = Ipv4Addr::new(127, 0, 10, index as u8 + 1);
            let listen = SocketAddr::new(IpAddr::V4(ip), shared_port);
            let upstream =
                mock.addr(&place.name).ok_or_else(|| Failure::environment("the mock lost a region"))?;
            if let Some(server) = &place.toxiproxy {
                let name = format!("gatecrash-{run}-{}-{number}", place.name);
                match External::start(server, name, listen, upstream).await {
                    Ok(proxy) => {
                        endpoints.push(Endpoint {
                            region: place.name.clone(),
                            number,
                            addr: proxy.addr(),
                            primary: place.primary,
                        });
                        links.push(Seat::External(proxy));
                        continue;
                    }
                    Err(failure) => {
                        for link in links {
                            link.stop().await;
                        }
                        return Err(failure);
                    }
                }
            }
            let config = LinkConfig {
                index: index as u8,
                side: Side::Upstream,
                region,
                endpoint: number,
                listen,
                upstream,
                tls: tls::terminator(authority, place, IpAddr::V4(ip))?,
                onward: None,
                run,
                baseline: place.latency,
                probes: vec![gateway::probe_pattern()],
            };
            match Link::start(config, shared.clone()) {
                Ok(link) => {
                    endpoints.push(Endpoint {
                        region: place.name.clone(),
                        number,
                        addr: link.addr(),
                        primary: place.primary,
                    });
                    links.push(Seat::Link(link));
                }
                Err(error) => {
                    last = Some((ip, shared_port, error));
                    break;
                }
            }
        }
        if links.len() == plan.links().len() {
            return Ok((links, endpoints));
        }
        for link in links {
            link.stop().await;
        }
        if port != 0 {
            break;
        }
    }
    let what = last.map_or("no endpoint".to_owned(), |(ip, port, e)| format!("{ip}:{port}: {e}"));
    Err(Failure::environment(format!("an upstream endpoint cannot listen on {what}"))
        .hint("each endpoint needs its own address in 127.0.0.0/8 and one port that is free on all of them"))
}

/// Index of the link between clients and gateway; those of the upstream side are numbered from 0, and 255 is the mock.
const ENTRANCE: u8 = 254;

/// The link between clients and gateway, when a fault asks for one.
pub(super) fn entrance(
    plan: &Plan,
    ground: &Ground,
    rules: &Arc<RuleSet>,
    gateway: SocketAddr,
) -> Result<Option<Link>, Failure> {
    if plan.faults.iter().all(|fault| fault.side.is_upstream()) {
        return Ok(None);
    }
    let config = LinkConfig {
        index: ENTRANCE,
        side: Side::Client,
        endpoint: 0,
        run: ground.run,
        ..LinkConfig::between(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0), gateway)
    };
    // Tries are counted, and attempts announced, on the other side of the gateway.
    let shared = Shared {
        clock: Arc::clone(&ground.clock),
        sink: Arc::clone(&ground.sink),
        rules: Arc::clone(rules),
        registry: Arc::default(),
        attempts: Arc::default(),
    };
    let failed = |error| Failure::environment(format!("the link before the gateway cannot listen: {error}"));
    Link::start(config, shared).map(Some).map_err(failed)
}
