//! The link that looks at nothing.

mod support;

use gatecrash_wire::PlainLink;
use support::eventually;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

#[tokio::test]
async fn bytes_go_both_ways_and_a_half_close_is_kept() {
    let upstream = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let link =
        PlainLink::start("127.0.0.1:0".parse().unwrap(), upstream.local_addr().unwrap()).await.unwrap();
    let echo = tokio::spawn(async move {
        let (mut stream, _) = upstream.accept().await.unwrap();
        let mut all = Vec::new();
        stream.read_to_end(&mut all).await.unwrap();
        stream.write_all(&all).await.unwrap();
    });
    let mut client = TcpStream::connect(link.addr()).await.unwrap();
    let sent: Vec<u8> = (0..5_000_000u32).map(|i| (i >> 5) as u8).collect();
    client.write_all(&sent).await.unwrap();
    client.shutdown().await.unwrap();
    let mut got = Vec::new();
    client.read_to_end(&mut got).await.unwrap();
    assert!(got == sent);
    echo.await.unwrap();
    assert_eq!((link.bytes(), link.connections()), ((5_000_000, 5_000_000), 1));
    drop(client);
    link.stop().await;
}

#[tokio::test]
async fn a_dead_upstream_closes_the_connection() {
    let gone = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let link = PlainLink::start("127.0.0.1:0".parse().unwrap(), gone).await.unwrap();
    let mut client = TcpStream::connect(link.addr()).await.unwrap();
    assert_eq!(client.read(&mut [0; 8]).await.unwrap_or(0), 0);
    eventually("the accept", || link.connections() == 1).await;
    link.stop().await;
}
