//! FIN stays FIN, RST stays RST, and no byte before them is lost.

use gatecrash_core::faults::With;
use gatecrash_wire::proxy::{EndedBy, ProxyEvent};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpSocket, TcpStream};

use crate::lab::*;

#[tokio::test]
async fn a_half_close_is_kept() {
    for toxics in [vec![], vec![toxic("latency", &[("latency", 5)]), upstream_toxic("noop", &[])]] {
        let lab = Lab::with(toxics).await;
        let (mut client, mut server) = lab.pair().await;
        client.write_all(b"request").await.unwrap();
        client.shutdown().await.unwrap();
        assert_eq!(rest(&mut server).await, (b"request".to_vec(), End::Fin));
        server.write_all(b"response").await.unwrap();
        drop(server);
        assert_eq!(rest(&mut client).await, (b"response".to_vec(), End::Fin));
        let record = lab.journal.closed(0).await;
        assert_eq!((record.ended_by, record.with), (EndedBy::Client, With::Fin));
        assert_eq!((record.upstream.sent, record.downstream.sent), (7, 8));
    }
}

#[tokio::test]
async fn a_reset_of_the_upstream_reaches_the_client() {
    for toxics in [vec![], vec![toxic("latency", &[("latency", 5)])]] {
        let lab = Lab::with(toxics).await;
        let (mut client, mut server) = lab.pair().await;
        ping(&mut client, &mut server).await;
        server.write_all(b"partial").await.unwrap();
        eventually("the bytes", || lab.proxy.counters().downstream.received == 8).await;
        reset(server);
        assert_eq!(rest(&mut client).await, (b"partial".to_vec(), End::Rst));
        let record = lab.journal.closed(0).await;
        assert_eq!((record.ended_by, record.with), (EndedBy::Upstream, With::Rst));
    }
}

#[tokio::test]
async fn a_reset_of_the_client_reaches_the_upstream() {
    let lab = Lab::with(vec![]).await;
    let (mut client, mut server) = lab.pair().await;
    ping(&mut client, &mut server).await;
    reset(client);
    assert_eq!(rest(&mut server).await, (vec![], End::Rst));
    let record = lab.journal.closed(0).await;
    assert_eq!((record.ended_by, record.with), (EndedBy::Client, With::Rst));
}

#[tokio::test]
async fn a_reset_met_by_a_write_is_passed_on() {
    let lab = Lab::with(vec![]).await;
    let (mut client, mut server) = lab.pair().await;
    // The server floods a client that does not read, then the client resets.
    flood(&mut server).await;
    client.write_all(b"x").await.unwrap();
    assert_eq!(exactly(&mut server, 1).await, b"x");
    reset(client);
    let end = loop {
        if let Err(error) = within(server.write(&[0; 65_536])).await {
            break error.kind();
        }
    };
    assert_eq!(end, std::io::ErrorKind::ConnectionReset);
    assert_eq!(lab.journal.closed(0).await.with, With::Rst);
}

#[tokio::test]
async fn no_byte_is_lost_at_close() {
    let slicer = toxic("slicer", &[("average_size", 4000), ("size_variation", 1000)]);
    let latency = toxic("latency", &[("latency", 30)]);
    let bandwidth = toxic("bandwidth", &[("rate", 20_000)]);
    for toxics in [vec![], vec![slicer], vec![latency], vec![bandwidth]] {
        let lab = Lab::with(toxics).await;
        let (mut client, mut server) = lab.pair().await;
        let sending = tokio::spawn(async move {
            server.write_all(&pattern(5_000_000)).await.unwrap();
            // Closed with everything under way.
            drop(server);
        });
        let (got, end) = rest(&mut client).await;
        assert!(got == pattern(5_000_000), "{} bytes", got.len());
        assert_eq!(end, End::Fin);
        within(sending).await.unwrap();
    }
}

#[tokio::test]
async fn a_dead_upstream_ends_the_connection_by_fin() {
    let gone = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let (proxy, journal) = start(&gone.to_string(), 1, vec![]).await;
    let mut client = TcpStream::connect(&proxy.settings().listen).await.unwrap();
    client.write_all(b"hello?").await.unwrap();
    assert_eq!(rest(&mut client).await, (vec![], End::Fin));
    drop(client);
    assert_eq!(journal.closed(0).await.ended_by, EndedBy::DialFailed);
    assert!(matches!(journal.all()[1], ProxyEvent::DialFailed { conn: 0, .. }));
}

#[tokio::test]
async fn an_upstream_that_does_not_answer_blocks_no_accept() {
    // Nothing listens in it, and its queue of one is full: SYNs get no answer.
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let silent = socket.listen(0).unwrap();
    let addr = silent.local_addr().unwrap();
    let filler = within(TcpStream::connect(addr)).await.unwrap();
    let (proxy, journal) = start(&addr.to_string(), 1, vec![]).await;
    let mut clients = Vec::new();
    for _ in 0..3 {
        clients.push(within(TcpStream::connect(&proxy.settings().listen)).await.unwrap());
    }
    eventually("three accepts", || proxy.counters().open == 3).await;
    // Changes need not wait for the dials.
    within(proxy.add(toxic("latency", &[("latency", 1)]))).await;
    drop(filler);
    within(proxy.stop()).await;
    for client in &mut clients {
        assert_eq!(rest(client).await, (vec![], End::Fin));
    }
    assert_eq!(journal.closed(2).await.ended_by, EndedBy::Proxy);
}
