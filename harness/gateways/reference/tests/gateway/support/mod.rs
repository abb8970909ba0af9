//! A gateway under test, the upstreams behind it and the client in front of it.

mod client;
mod upstream;

use std::net::SocketAddr;
use std::time::Duration;

use gatecrash_reference::{Config, Gateway};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

pub(crate) use self::client::{Client, Ending, Reply};
pub(crate) use self::upstream::{Act, Seen, Upstream, script};

/// Longest wait for anything that has to happen.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A gateway that serves until it is dropped.
pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    task: JoinHandle<()>,
}

impl Running {
    /// Starts a gateway: test defaults (patient, no probes, hardly a pause), `upstreams`, then `changes`.
    pub(crate) async fn start(upstreams: Value, changes: Value) -> Self {
        let mut config = json!({
            "timeouts-ms": {"connect": 10_000, "read": 10_000, "total": 60_000},
            "backoff-ms": {"base": 1, "cap": 1},
            "health": {"path": null},
        });
        merge(&mut config, json!({"upstreams": upstreams}));
        merge(&mut config, changes);
        let config = Config::from_json(&config.to_string()).unwrap();
        let gateway = Gateway::bind(config).await.unwrap();
        let address = gateway.local_addr();
        Self { address, task: tokio::spawn(gateway.serve(std::future::pending())) }
    }

    /// A gateway in front of one endpoint.
    pub(crate) async fn before(upstream: &Upstream, changes: Value) -> Self {
        Self::start(region("one", &[upstream.address]), changes).await
    }

    /// Sends one request on a connection of its own.
    pub(crate) async fn ask(&self, request: &str) -> Reply {
        Client::connect(self.address).await.ask(request).await
    }

    /// A plain GET.
    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.ask(&get(path)).await
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.task.abort();
    }
}

pub(crate) fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: s3.test\r\n\r\n")
}

pub(crate) fn put(path: &str, body: &str) -> String {
    format!("PUT {path} HTTP/1.1\r\nHost: s3.test\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

pub(crate) fn post(path: &str, body: &str) -> String {
    put(path, body).replacen("PUT", "POST", 1)
}

/// A list of one primary region.
pub(crate) fn region(name: &str, endpoints: &[SocketAddr]) -> Value {
    json!([{"region": name, "endpoints": endpoints}])
}

/// A primary and a standby region of one endpoint each.
pub(crate) fn pair(primary: SocketAddr, standby: SocketAddr) -> Value {
    json!([
        {"region": "first", "endpoints": [primary]},
        {"region": "second", "role": "standby", "endpoints": [standby]},
    ])
}

/// An address that refuses connections: bound once, so nobody else was given it, and closed again.
pub(crate) async fn refusing() -> SocketAddr {
    // An own loopback address keeps the port from being handed to another test's listener or client.
    let listener = TcpListener::bind("127.7.7.7:0").await.unwrap();
    listener.local_addr().unwrap()
}

/// Waits until `holds`, looking again every few milliseconds.
pub(crate) async fn eventually(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !holds().await {
        assert!(Instant::now() < end, "waited in vain until {what}");
        sleep(Duration::from_millis(5)).await;
    }
}

fn merge(into: &mut Value, changes: Value) {
    match (into, changes) {
        (Value::Object(into), Value::Object(changes)) => {
            for (key, value) in changes {
                merge(into.entry(key).or_insert(Value::Null), value);
            }
        }
        (into, changes) => *into = changes,
    }
}
