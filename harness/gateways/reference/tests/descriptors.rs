//! A crowd of clients and a low limit on open files. The limit is the whole process's, hence a test binary of
//! its own.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::Duration;

use gatecrash_reference::{Config, Gateway};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(20);

/// Answers each connection's requests with an empty 200, for ever.
async fn upstream(listener: TcpListener) {
    let mut connections = JoinSet::new();
    loop {
        let (mut stream, _) = listener.accept().await.unwrap();
        connections.spawn(async move {
            while matches!(stream.read(&mut [0; 4096]).await, Ok(1..)) {
                stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await.unwrap();
            }
        });
    }
}

async fn status(client: &mut TcpStream) -> String {
    client.write_all(b"GET /b/k HTTP/1.1\r\nHost: h\r\n\r\n").await.unwrap();
    let mut head = [0; 12];
    client.read_exact(&mut head).await.unwrap();
    // The rest of the answer is in the way of the next one.
    let mut rest = vec![0; 4096];
    let _ = client.read(&mut rest).await.unwrap();
    String::from_utf8(head[9..].to_vec()).unwrap()
}

#[tokio::test]
async fn a_crowd_leaves_descriptors_for_the_upstream() {
    let before = getrlimit(Resource::Nofile);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let config = json!({"upstreams": [{"region": "one", "endpoints": [listener.local_addr().unwrap()]}]});
    let serving = tokio::spawn(upstream(listener));
    // The gateway sees a limit of 64: 16 seats, 8 places in the lobby.
    setrlimit(Resource::Nofile, Rlimit { current: Some(64), maximum: before.maximum }).unwrap();
    let gateway = Gateway::bind(Config::from_json(&config.to_string()).unwrap()).await.unwrap();
    setrlimit(Resource::Nofile, before).unwrap();
    let address = gateway.local_addr();
    let gateway = tokio::spawn(gateway.serve(std::future::pending()));

    let crowd = async {
        let mut clients = Vec::new();
        for k in 0..100 {
            let mut client = TcpStream::connect(address).await.unwrap();
            let expected = if k < 16 { "200" } else { "503" };
            assert_eq!(status(&mut client).await, expected, "client {k}");
            clients.push(client);
        }
        for client in &mut clients[..16] {
            assert_eq!(status(client).await, "200");
        }
    };
    timeout(PATIENCE, crowd).await.unwrap();
    gateway.abort();
    serving.abort();
}
