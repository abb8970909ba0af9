//! Active probes, and the sweeping of idle connections that goes with them.

use std::time::Duration;

use bytes::Bytes;
use tokio::net::TcpStream;
use tokio::time;

use super::Peer;
use crate::upstream::{Limits, ask};

/// How probes introduce themselves, so that they are told apart from requests.
const USER_AGENT: &str = "gatecrash-reference-health";

/// Watches one endpoint for as long as it is polled.
pub(crate) async fn watch(peer: Peer) {
    let rules = peer.fleet.health.clone();
    let mut beat = time::interval(Duration::from_millis(rules.interval_ms));
    beat.set_missed_tick_behavior(time::MissedTickBehavior::Delay);
    loop {
        beat.tick().await;
        peer.endpoint().pool.prune();
        if let Some(path) = &rules.path {
            let good = probe(&peer, path, Duration::from_millis(rules.timeout_ms)).await;
            peer.probed(good);
        }
    }
}

/// Whether the endpoint gives any well-formed answer below 500 in time.
async fn probe(peer: &Peer, path: &str, patience: Duration) -> bool {
    let address = peer.endpoint().address;
    if peer.fleet.active.probes_only_connect() {
        return time::timeout(patience, TcpStream::connect(address)).await.is_ok_and(|stream| stream.is_ok());
    }
    let head = format!(
        "GET {path} HTTP/1.1\r\nhost: {address}\r\nuser-agent: {USER_AGENT}\r\nconnection: close\r\n\r\n"
    );
    let limits =
        Limits { connect: patience, read: Some(patience), deadline: Some(time::Instant::now() + patience) };
    ask(peer.endpoint(), Bytes::from(head), limits).await.is_ok_and(|status| !status.is_server_error())
}
