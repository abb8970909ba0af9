//! Look-ups: by the system's resolver, or by asking a name server ourselves, which tells why a name has no address.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use gatecrash_core::diagnose::NameReply;
use gatecrash_core::faults::DnsReply;
use gatecrash_wire::dns::look_up;
use tokio::time::timeout;

/// Longest wait for one answer of a name server.
const PATIENCE: Duration = Duration::from_secs(3);

/// What the name is answered with now: by this name server, or by the system's resolver.
pub(super) async fn resolve(host: &str, resolver: Option<SocketAddr>, patience: Duration) -> NameReply {
    let patience = patience.min(PATIENCE);
    if let Some(server) = resolver {
        return ask(host, server, patience).await;
    }
    let why = match timeout(patience, tokio::net::lookup_host((host, 0))).await {
        Ok(Ok(found)) => {
            let mut all: Vec<_> = found.map(|address| address.ip().to_string()).collect();
            all.sort();
            all.dedup();
            return NameReply::Addresses(all);
        }
        Ok(Err(error)) => error.to_string(),
        Err(_) => "no answer in time".to_owned(),
    };
    // The system says that it failed, never how: its own servers do.
    for server in system_servers() {
        match ask(host, server, patience).await {
            NameReply::Failed(_) => {}
            told => return told,
        }
    }
    NameReply::Failed(why)
}

async fn ask(host: &str, server: SocketAddr, patience: Duration) -> NameReply {
    match look_up(server, host, patience).await {
        Some(DnsReply::Addresses { addresses, .. }) if addresses.is_empty() => NameReply::Empty,
        Some(DnsReply::Addresses { addresses, .. }) => {
            let mut all: Vec<_> = addresses.iter().map(ToString::to_string).collect();
            all.sort();
            NameReply::Addresses(all)
        }
        Some(DnsReply::NoSuchName) => NameReply::NoSuchName,
        Some(DnsReply::ServerFailure) => NameReply::ServerFailure,
        Some(DnsReply::Silence) => NameReply::Silence,
        None => NameReply::Failed(format!("no usable answer from {server}")),
    }
}

fn system_servers() -> Vec<SocketAddr> {
    let text = std::fs::read_to_string("/etc/resolv.conf").unwrap_or_default();
    let servers = text.lines().filter_map(|line| line.trim().strip_prefix("nameserver"));
    servers.filter_map(|ip| ip.trim().parse::<IpAddr>().ok()).map(|ip| SocketAddr::new(ip, 53)).collect()
}
