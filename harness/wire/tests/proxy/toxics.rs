//! What each toxic does to bytes and ends.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::lab::*;

const MS: Duration = Duration::from_millis(1);

#[tokio::test]
async fn noop_passes_everything() {
    let lab = Lab::with(vec![toxic("noop", &[]), upstream_toxic("noop", &[])]).await;
    let (mut client, mut server) = lab.pair().await;
    ping(&mut client, &mut server).await;
    server.write_all(b"bye").await.unwrap();
    drop(server);
    assert_eq!(rest(&mut client).await, (b"bye".to_vec(), End::Fin));
}

#[tokio::test]
async fn latency_delays_one_way() {
    let lab = Lab::with(vec![toxic("latency", &[("latency", 60)])]).await;
    let (mut client, mut server) = lab.pair().await;
    let start = Instant::now();
    ping(&mut client, &mut server).await;
    assert!(start.elapsed() >= 60 * MS, "{:?}", start.elapsed());
}

#[tokio::test]
async fn latency_keeps_order_and_throughput() {
    let lab = Lab::with(vec![toxic("latency", &[("latency", 100), ("jitter", 50)])]).await;
    let (mut client, mut server) = lab.pair().await;
    let sent = pattern(8_000_000);
    let start = Instant::now();
    let (got, _) = tokio::join!(rest(&mut client), async {
        server.write_all(&sent).await.unwrap();
        server.shutdown().await.unwrap();
    });
    assert!(got == (sent, End::Fin));
    // Serial sleeps would take 12 s at 64 KiB each.
    assert!(start.elapsed() < 8000 * MS, "{:?}", start.elapsed());
}

#[tokio::test]
async fn bandwidth_limits_the_rate() {
    let lab = Lab::with(vec![toxic("bandwidth", &[("rate", 1000)])]).await;
    let (mut client, mut server) = lab.pair().await;
    let start = Instant::now();
    let (got, ()) = tokio::join!(exactly(&mut client, 300_000), async {
        server.write_all(&pattern(300_000)).await.unwrap();
    });
    assert!(got == pattern(300_000));
    assert!(start.elapsed() >= 299 * MS, "{:?}", start.elapsed());
}

#[tokio::test]
async fn a_low_rate_is_kept() {
    let lab = Lab::with(vec![toxic("bandwidth", &[("rate", 1)])]).await;
    let (mut client, mut server) = lab.pair().await;
    let start = Instant::now();
    server.write_all(&pattern(250)).await.unwrap();
    assert_eq!(exactly(&mut client, 250).await, pattern(250));
    assert!(start.elapsed() >= 249 * MS, "{:?}", start.elapsed());
}

#[tokio::test]
async fn a_rate_of_zero_stalls() {
    let lab = Lab::with(vec![toxic("bandwidth", &[])]).await;
    let (mut client, mut server) = lab.pair().await;
    server.write_all(b"held").await.unwrap();
    let mut buffer = [0; 8];
    let silence = tokio::time::timeout(100 * MS, client.read(&mut buffer)).await;
    assert!(silence.is_err());
    within(lab.proxy.remove("bandwidth")).await;
    assert_eq!(exactly(&mut client, 4).await, b"held");
}

#[tokio::test]
async fn slow_close_holds_the_end_and_no_data() {
    let lab = Lab::with(vec![toxic("slow_close", &[("delay", 80)])]).await;
    let (mut client, mut server) = lab.pair().await;
    ping(&mut client, &mut server).await;
    let start = Instant::now();
    server.write_all(b"last").await.unwrap();
    drop(server);
    assert_eq!(exactly(&mut client, 4).await, b"last");
    assert_eq!(rest(&mut client).await, (vec![], End::Fin));
    assert!(start.elapsed() >= 80 * MS, "{:?}", start.elapsed());
}

#[tokio::test]
async fn timeout_drops_and_closes_both_sides_by_fin() {
    let lab = Lab::with(vec![toxic("timeout", &[("timeout", 50)])]).await;
    let (mut client, mut server) = lab.pair().await;
    let start = Instant::now();
    server.write_all(b"lost").await.unwrap();
    assert_eq!(rest(&mut client).await, (vec![], End::Fin));
    assert!(start.elapsed() >= 49 * MS, "{:?}", start.elapsed());
    assert_eq!(rest(&mut server).await, (vec![], End::Fin));
    let record = lab.journal.closed(0).await;
    assert_eq!(record.fired, ["timeout"]);
}

#[tokio::test]
async fn a_timeout_of_zero_is_a_black_hole() {
    let lab = Lab::with(vec![toxic("timeout", &[])]).await;
    let (mut client, mut server) = lab.pair().await;
    server.write_all(b"lost").await.unwrap();
    eventually("the byte count", || lab.proxy.counters().downstream.received == 4).await;
    let mut buffer = [0; 8];
    assert!(tokio::time::timeout(100 * MS, client.read(&mut buffer)).await.is_err());
    // The other direction is not concerned, and the server's end passes.
    client.write_all(b"up").await.unwrap();
    assert_eq!(exactly(&mut server, 2).await, b"up");
    drop(server);
    assert_eq!(rest(&mut client).await, (vec![], End::Fin));
}

#[tokio::test]
async fn reset_peer_resets_both_sides_after_the_first_chunk() {
    let lab = Lab::with(vec![toxic("reset_peer", &[("timeout", 30)])]).await;
    let (mut client, mut server) = lab.pair().await;
    client.write_all(b"request").await.unwrap();
    assert_eq!(exactly(&mut server, 7).await, b"request");
    let start = Instant::now();
    server.write_all(b"response").await.unwrap();
    assert_eq!(rest(&mut client).await, (vec![], End::Rst));
    assert!(start.elapsed() >= 30 * MS, "{:?}", start.elapsed());
    assert_eq!(rest(&mut server).await, (vec![], End::Rst));
}

#[tokio::test]
async fn reset_peer_waits_for_an_end_as_well() {
    let lab = Lab::with(vec![upstream_toxic("reset_peer", &[])]).await;
    let (mut client, mut server) = lab.pair().await;
    client.shutdown().await.unwrap();
    assert_eq!(rest(&mut client).await, (vec![], End::Rst));
    assert_eq!(rest(&mut server).await, (vec![], End::Rst));
}

#[tokio::test]
async fn what_passed_before_a_reset_has_left() {
    let lab = Lab::with(vec![]).await;
    let (mut client, mut server) = lab.pair().await;
    server.write_all(&pattern(100_000)).await.unwrap();
    eventually("the bytes", || lab.proxy.counters().downstream.sent == 100_000).await;
    within(lab.proxy.add(toxic("reset_peer", &[]))).await;
    server.write_all(b"!").await.unwrap();
    let record = lab.journal.closed(0).await;
    assert_eq!(record.downstream.received, 100_001);
    assert!(rest(&mut client).await == (pattern(100_000), End::Rst));
}

#[tokio::test]
async fn slicer_makes_small_writes_and_loses_nothing() {
    let slicer = toxic("slicer", &[("average_size", 64), ("size_variation", 32), ("delay", 2000)]);
    let lab = Lab::with(vec![slicer]).await;
    let (mut client, mut server) = lab.pair().await;
    let start = Instant::now();
    server.write_all(&pattern(1000)).await.unwrap();
    drop(server);
    assert_eq!(rest(&mut client).await, (pattern(1000), End::Fin));
    // At least 11 pieces of at most 96 bytes, 2 ms after each.
    assert!(start.elapsed() >= 20 * MS, "{:?}", start.elapsed());
}

#[tokio::test]
async fn limit_data_passes_exactly_so_many_bytes() {
    for limit in [0, 1, 100_000] {
        let lab = Lab::with(vec![toxic("limit_data", &[("bytes", limit)])]).await;
        let (mut client, mut server) = lab.pair().await;
        // The proxy closes while this is being written.
        let sending = tokio::spawn(async move {
            _ = server.write_all(&pattern(1_000_000)).await;
        });
        let (got, end) = rest(&mut client).await;
        assert!(got == pattern(limit as usize), "{limit}: {}", got.len());
        assert_eq!(end, End::Fin);
        drop(client);
        within(sending).await.unwrap();
        assert_eq!(lab.journal.closed(0).await.fired, ["limit_data"]);
    }
}

#[tokio::test]
async fn toxics_work_in_their_order() {
    let lab = Lab::with(vec![
        toxic("latency", &[("latency", 40)]),
        toxic("slicer", &[("average_size", 10), ("size_variation", 2), ("delay", 100)]),
        toxic("limit_data", &[("bytes", 55)]),
    ])
    .await;
    let (mut client, mut server) = lab.pair().await;
    let start = Instant::now();
    server.write_all(&pattern(100)).await.unwrap();
    assert_eq!(rest(&mut client).await, (pattern(55), End::Fin));
    assert!(start.elapsed() >= 40 * MS);
}
