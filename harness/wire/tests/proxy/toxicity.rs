//! Who is drawn: by the seed, once per connection.

use gatecrash_core::toxics::Toxic;
use tokio::io::AsyncWriteExt;

use crate::lab::*;

/// Which of 24 connections an RST at half toxicity hits.
async fn hit(seed: u64) -> Vec<bool> {
    let lab = Lab::seeded(seed, vec![Toxic { toxicity: 0.5, ..toxic("reset_peer", &[]) }]).await;
    let mut hit = Vec::new();
    for _ in 0..24 {
        let (mut client, mut server) = lab.pair().await;
        server.write_all(b"x").await.unwrap();
        drop(server);
        hit.push(rest(&mut client).await.1 == End::Rst);
    }
    hit
}

#[tokio::test]
async fn a_seed_hits_the_same_connections_again() {
    let first = hit(42).await;
    assert!(first.contains(&true) && first.contains(&false));
    assert_eq!(hit(42).await, first);
    assert_ne!(hit(43).await, first);
}

/// Shopify/toxiproxy#603: there, connections that are spared still end by RST and lose data.
#[tokio::test]
async fn a_toxicity_of_zero_disturbs_nothing() {
    let spare = |toxic: Toxic| Toxic { toxicity: 0.0, ..toxic };
    let lab = Lab::with(vec![
        spare(toxic("reset_peer", &[])),
        spare(toxic("timeout", &[("timeout", 1)])),
        spare(upstream_toxic("limit_data", &[])),
    ])
    .await;
    let (mut client, mut server) = lab.pair().await;
    let sending = tokio::spawn(async move {
        server.write_all(&pattern(5_000_000)).await.unwrap();
        server
    });
    client.write_all(b"up").await.unwrap();
    let got = exactly(&mut client, 5_000_000).await;
    assert!(got == pattern(5_000_000));
    let mut server = within(sending).await.unwrap();
    assert_eq!(exactly(&mut server, 2).await, b"up");
    within(lab.proxy.clear()).await;
    drop(server);
    assert_eq!(rest(&mut client).await, (vec![], End::Fin));
    drop(client);
    assert!(lab.journal.closed(0).await.fired.is_empty());
}

#[tokio::test]
async fn raising_the_toxicity_adds_connections() {
    let lab = Lab::with(vec![Toxic { toxicity: 0.0, ..toxic("timeout", &[]) }]).await;
    let (mut client, mut server) = lab.pair().await;
    ping(&mut client, &mut server).await;
    within(lab.proxy.change(toxic("timeout", &[("timeout", 20)]))).await;
    assert_eq!(rest(&mut client).await, (vec![], End::Fin));
}
