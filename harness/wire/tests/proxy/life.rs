//! A proxy's own life: counters, down and up, moving, stopping.

use gatecrash_wire::proxy::{EndedBy, ProxyError, Traffic};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};

use crate::lab::*;

#[tokio::test]
async fn counters_and_connections_are_live() {
    let lab = Lab::with(vec![upstream_toxic("latency", &[("latency", LONG)])]).await;
    let (mut client, mut server) = lab.pair().await;
    client.write_all(b"12345").await.unwrap();
    server.write_all(b"123").await.unwrap();
    assert_eq!(exactly(&mut client, 3).await, b"123");
    let (held, passed) = (Traffic { received: 5, sent: 0 }, Traffic { received: 3, sent: 3 });
    eventually("the read", || lab.proxy.counters().upstream == held).await;
    let counters = lab.proxy.counters();
    assert_eq!((counters.accepted, counters.open, counters.downstream), (1, 1, passed));
    let views = lab.proxy.connections();
    assert_eq!((views[0].conn, views[0].upstream, views[0].downstream), (0, held, passed));
    assert_eq!(views[0].peer, client.local_addr().unwrap());
    within(lab.proxy.stop()).await;
    let counters = lab.proxy.counters();
    assert_eq!((counters.accepted, counters.open, counters.upstream), (1, 0, held));
}

#[tokio::test]
async fn down_refuses_and_closes_and_up_serves_again() {
    let lab = Lab::with(vec![]).await;
    let (mut client, mut server) = lab.pair().await;
    let now = lab.proxy.settings();
    within(lab.proxy.update(&now.listen, &now.upstream, false)).await.unwrap();
    assert_eq!(rest(&mut client).await, (vec![], End::Fin));
    assert_eq!(rest(&mut server).await, (vec![], End::Fin));
    let refused = TcpStream::connect(&now.listen).await.unwrap_err();
    assert_eq!(refused.kind(), std::io::ErrorKind::ConnectionRefused);
    assert_eq!(lab.journal.closed(0).await.ended_by, EndedBy::Proxy);
    within(lab.proxy.update(&now.listen, &now.upstream, true)).await.unwrap();
    assert_eq!(lab.proxy.settings(), now);
    let (mut client, mut server) = lab.pair().await;
    ping(&mut client, &mut server).await;
}

#[tokio::test]
async fn an_update_without_a_change_disturbs_nothing() {
    let lab = Lab::with(vec![]).await;
    let (mut client, mut server) = lab.pair().await;
    let now = lab.proxy.settings();
    within(lab.proxy.update(&now.listen.replace("127.0.0.1", "localhost"), &now.upstream, true))
        .await
        .unwrap();
    ping(&mut client, &mut server).await;
}

#[tokio::test]
async fn moving_drops_connections_and_keeps_toxics() {
    let lab = Lab::with(vec![toxic("noop", &[])]).await;
    let (mut client, _server) = lab.pair().await;
    let now = lab.proxy.settings();
    within(lab.proxy.update("127.0.0.1:0", &now.upstream, true)).await.unwrap();
    assert_eq!(rest(&mut client).await, (vec![], End::Fin));
    assert_ne!(lab.proxy.settings().listen, now.listen);
    assert_eq!(lab.proxy.toxics().len(), 1);
    let (mut client, mut server) = lab.pair().await;
    ping(&mut client, &mut server).await;
}

#[tokio::test]
async fn a_port_in_use_is_told_and_leaves_the_proxy_disabled() {
    let lab = Lab::with(vec![]).await;
    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let taken = taken.local_addr().map(|addr| (addr, taken)).unwrap();
    let upstream = lab.proxy.settings().upstream;
    match lab.proxy.update(&taken.0.to_string(), &upstream, true).await {
        Err(ProxyError::Bind { addr, source }) => {
            assert_eq!((addr, source.kind()), (taken.0, std::io::ErrorKind::AddrInUse));
        }
        other => panic!("{other:?}"),
    }
    assert!(!lab.proxy.settings().enabled);
    drop(taken.1);
    within(lab.proxy.update(&taken.0.to_string(), &upstream, true)).await.unwrap();
    let (mut client, mut server) = lab.pair().await;
    ping(&mut client, &mut server).await;
}

#[tokio::test]
async fn addresses_that_are_none_are_told() {
    let lab = Lab::with(vec![]).await;
    let upstream = lab.proxy.settings().upstream;
    for text in ["nonsense", "127.0.0.1:99999", ":x"] {
        let told = lab.proxy.update(text, &upstream, true).await;
        assert!(matches!(told, Err(ProxyError::Address { .. })), "{text}: {told:?}");
    }
    let (mut client, mut server) = lab.pair().await;
    ping(&mut client, &mut server).await;
}

#[tokio::test]
async fn a_dropped_proxy_stops() {
    let lab = Lab::with(vec![]).await;
    let (mut client, _server) = lab.pair().await;
    let addr = lab.addr();
    drop(lab.proxy);
    assert_eq!(rest(&mut client).await, (vec![], End::Fin));
    assert!(TcpStream::connect(addr).await.is_err());
}
