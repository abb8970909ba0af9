//! Changes work on connections that are open, whatever these are doing, and the call returns.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::lab::*;

#[tokio::test]
async fn an_added_toxic_works_on_open_connections_at_once() {
    let lab = Lab::with(vec![]).await;
    let (mut client, mut server) = lab.pair().await;
    for round in 0..50 {
        ping(&mut client, &mut server).await;
        within(lab.proxy.add(toxic("timeout", &[]))).await;
        // Whatever is sent after the call returned is dropped.
        let before = lab.proxy.counters().downstream;
        server.write_all(b"lost").await.unwrap();
        eventually("the read", || lab.proxy.counters().downstream.received == before.received + 4).await;
        assert_eq!(lab.proxy.counters().downstream.sent, before.sent, "round {round}");
        // Made harmless before it goes, it does not close.
        within(lab.proxy.change(gatecrash_core::toxics::Toxic { toxicity: 0.0, ..toxic("timeout", &[]) }))
            .await;
        within(lab.proxy.remove("timeout")).await;
    }
    ping(&mut client, &mut server).await;
}

#[tokio::test]
async fn connections_opened_before_get_the_reset() {
    let lab = Lab::with(vec![]).await;
    let (mut client, mut server) = lab.pair().await;
    ping(&mut client, &mut server).await;
    within(lab.proxy.add(toxic("reset_peer", &[]))).await;
    server.write_all(b"x").await.unwrap();
    assert_eq!(rest(&mut client).await, (vec![], End::Rst));
    assert_eq!(rest(&mut server).await, (vec![], End::Rst));
}

#[tokio::test]
async fn removal_releases_held_data_at_once() {
    for held in ["latency", "bandwidth", "reset_peer"] {
        let attribute = if held == "bandwidth" { ("rate", 0) } else { ("latency", LONG) };
        let attribute = if held == "reset_peer" { ("timeout", LONG) } else { attribute };
        let lab = Lab::with(vec![toxic(held, &[attribute])]).await;
        let (mut client, mut server) = lab.pair().await;
        server.write_all(&pattern(3000)).await.unwrap();
        eventually("the read", || lab.proxy.counters().downstream.received == 3000).await;
        within(lab.proxy.remove(held)).await;
        assert_eq!(exactly(&mut client, 3000).await, pattern(3000), "{held}");
        ping(&mut client, &mut server).await;
    }
}

#[tokio::test]
async fn a_change_releases_held_data_at_once() {
    let lab = Lab::with(vec![toxic("latency", &[("latency", LONG)])]).await;
    let (mut client, mut server) = lab.pair().await;
    server.write_all(b"held").await.unwrap();
    eventually("the read", || lab.proxy.counters().downstream.received == 4).await;
    within(lab.proxy.change(toxic("latency", &[("latency", 1)]))).await;
    assert_eq!(exactly(&mut client, 4).await, b"held");
    assert_eq!(lab.proxy.toxics(), [toxic("latency", &[("latency", 1)])]);
}

#[tokio::test]
async fn removal_of_a_slow_close_ends_the_wait() {
    let lab = Lab::with(vec![toxic("slow_close", &[("delay", LONG)])]).await;
    let (mut client, server) = lab.pair().await;
    drop(server);
    let mut buffer = [0; 1];
    assert!(tokio::time::timeout(Duration::from_millis(50), client.read(&mut buffer)).await.is_err());
    within(lab.proxy.clear()).await;
    assert_eq!(rest(&mut client).await, (vec![], End::Fin));
}

#[tokio::test]
async fn removal_of_a_timeout_closes_the_connection() {
    let lab = Lab::with(vec![toxic("timeout", &[])]).await;
    let (mut client, mut server) = lab.pair().await;
    client.write_all(b"x").await.unwrap();
    assert_eq!(exactly(&mut server, 1).await, b"x", "the toxic is at work on the connection");
    within(lab.proxy.remove("timeout")).await;
    assert_eq!(rest(&mut client).await, (vec![], End::Fin));
    assert_eq!(rest(&mut server).await, (vec![], End::Fin));
    let (mut client, mut server) = lab.pair().await;
    ping(&mut client, &mut server).await;
}

/// Shopify/toxiproxy#159, #558: removal waits for a receiver that does not read.
#[tokio::test]
async fn no_change_hangs_on_a_stuck_connection() {
    let lab = Lab::with(vec![]).await;
    let (mut client, mut server) = lab.pair().await;
    let (mut idle, mut idle_server) = lab.pair().await;
    let stuck = flood(&mut server).await;
    let start = Instant::now();
    for kind in ["latency", "bandwidth", "slow_close", "slicer", "limit_data", "reset_peer", "noop"] {
        let attribute = match kind {
            "bandwidth" => vec![("rate", 10)],
            "slicer" => vec![("average_size", 10), ("delay", 1000)],
            "limit_data" => vec![("bytes", 1 << 40)],
            "reset_peer" => vec![("timeout", LONG)],
            "latency" => vec![("latency", LONG)],
            "slow_close" => vec![("delay", LONG)],
            _ => vec![],
        };
        within(lab.proxy.add(toxic(kind, &attribute))).await;
        within(lab.proxy.change(toxic(kind, &attribute))).await;
        within(lab.proxy.remove(kind)).await;
    }
    assert!(start.elapsed() < PATIENCE);
    assert_eq!(exactly(&mut client, stuck).await, vec![7; stuck], "and not a byte is lost");
    ping(&mut idle, &mut idle_server).await;
}

#[tokio::test]
async fn a_timeout_ends_a_stuck_connection_too() {
    let lab = Lab::with(vec![]).await;
    let (mut client, mut server) = lab.pair().await;
    flood(&mut server).await;
    within(lab.proxy.add(toxic("timeout", &[("timeout", 10)]))).await;
    assert_eq!(lab.journal.closed(0).await.fired, ["timeout"]);
    assert_eq!(rest(&mut client).await.1, End::Fin);
}

#[tokio::test]
async fn the_count_of_limit_data_survives_a_change() {
    let lab = Lab::with(vec![toxic("limit_data", &[("bytes", 100)])]).await;
    let (mut client, mut server) = lab.pair().await;
    server.write_all(&pattern(60)).await.unwrap();
    assert_eq!(exactly(&mut client, 60).await, pattern(60));
    within(lab.proxy.change(toxic("limit_data", &[("bytes", 80)]))).await;
    server.write_all(&pattern(60)).await.unwrap();
    assert_eq!(rest(&mut client).await, (pattern(20), End::Fin));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bytes_survive_a_storm_of_changes() {
    let lab = Lab::with(vec![]).await;
    let mut streams = Vec::new();
    // Readers that keep up, and readers that keep the way full.
    for block in [1 << 16, 1 << 16, 1 << 11, 1 << 11] {
        let (client, server) = lab.pair().await;
        streams.push(tokio::spawn(transfer(client, server, block)));
    }
    let mut rounds = 0;
    while streams.iter().any(|stream| !stream.is_finished()) {
        within(lab.proxy.add(toxic("latency", &[("latency", 3), ("jitter", 3)]))).await;
        within(lab.proxy.add(toxic("slicer", &[("average_size", 3000), ("size_variation", 700)]))).await;
        within(lab.proxy.change(toxic("latency", &[("latency", 1)]))).await;
        within(lab.proxy.remove("latency")).await;
        within(lab.proxy.add(toxic("bandwidth", &[("rate", 100_000)]))).await;
        within(lab.proxy.clear()).await;
        rounds += 1;
        assert!(rounds < 100_000);
        tokio::task::yield_now().await;
    }
    for stream in streams {
        stream.await.unwrap();
    }
}

/// 6 MB as fast as they go, read in blocks of this size.
async fn transfer(mut client: TcpStream, mut server: TcpStream, block: usize) {
    let sent = pattern(6_000_000);
    let writing = async {
        server.write_all(&sent).await.unwrap();
        server.shutdown().await.unwrap();
    };
    let reading = async {
        let (mut all, mut buffer) = (Vec::new(), vec![0; block]);
        loop {
            match within(client.read(&mut buffer)).await.unwrap() {
                0 => return all,
                n => all.extend_from_slice(&buffer[..n]),
            }
        }
    };
    let (got, ()) = tokio::join!(reading, writing);
    assert!(got == sent, "{} bytes", got.len());
}
