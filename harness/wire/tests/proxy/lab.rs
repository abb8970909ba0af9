//! A proxy between a raw client and a raw upstream.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use gatecrash_core::toxics::{Direction, Toxic, ToxicSpec};
use gatecrash_model::{Clock, Nanos};
use gatecrash_wire::proxy::{ClosedConnection, Doors, Proxy, ProxyEvent, ProxyEvents, ProxySettings};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What anything may take.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);
/// A minute: what a test would have to wait for if a toxic did not let go.
pub(crate) const LONG: i64 = 60_000;

struct Ticker(Instant);

impl Clock for Ticker {
    fn now(&self) -> Nanos {
        self.0.elapsed().as_nanos() as u64
    }
    fn wall_seconds(&self) -> i64 {
        0
    }
}

#[derive(Default)]
pub(crate) struct Journal(Mutex<Vec<ProxyEvent>>);

impl ProxyEvents for Journal {
    fn event(&self, event: ProxyEvent) {
        self.0.lock().unwrap().push(event);
    }
}

impl Journal {
    pub(crate) fn all(&self) -> Vec<ProxyEvent> {
        self.0.lock().unwrap().clone()
    }

    /// The record of a connection, once it is over.
    pub(crate) async fn closed(&self, conn: u32) -> ClosedConnection {
        let record = || {
            self.all().into_iter().find_map(|event| match event {
                ProxyEvent::Closed(record) if record.conn == conn => Some(record),
                _ => None,
            })
        };
        eventually("the end of a connection", || record().is_some()).await;
        record().unwrap()
    }
}

pub(crate) struct Lab {
    pub(crate) proxy: Proxy,
    pub(crate) journal: Arc<Journal>,
    upstream: TcpListener,
}

impl Lab {
    pub(crate) async fn with(toxics: Vec<Toxic>) -> Self {
        Self::seeded(1, toxics).await
    }

    pub(crate) async fn seeded(seed: u64, toxics: Vec<Toxic>) -> Self {
        let upstream = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (proxy, journal) = start(&upstream.local_addr().unwrap().to_string(), seed, toxics).await;
        Self { proxy, journal, upstream }
    }

    pub(crate) fn addr(&self) -> SocketAddr {
        self.proxy.settings().listen.parse().unwrap()
    }

    /// A client and the upstream's end of its connection.
    pub(crate) async fn pair(&self) -> (TcpStream, TcpStream) {
        let client = within(TcpStream::connect(self.addr())).await.unwrap();
        let (server, _) = within(self.upstream.accept()).await.unwrap();
        (client, server)
    }
}

/// A proxy on a free port.
pub(crate) async fn start(upstream: &str, seed: u64, toxics: Vec<Toxic>) -> (Proxy, Arc<Journal>) {
    let journal = Arc::new(Journal::default());
    let doors = Doors { clock: Arc::new(Ticker(Instant::now())), seed, events: journal.clone() };
    let (name, listen, upstream) = ("lab".to_owned(), "127.0.0.1:0".to_owned(), upstream.to_owned());
    let settings = ProxySettings { name, listen, upstream, enabled: true };
    (Proxy::start(settings, toxics, doors).await.unwrap(), journal)
}

pub(crate) fn spec(kind: &str, attributes: &[(&str, i64)]) -> ToxicSpec {
    let mut spec = ToxicSpec::of_type(kind).unwrap();
    for (name, value) in attributes {
        assert!(spec.set(name, *value));
    }
    spec
}

/// A toxic named after its type, on what the upstream sends.
pub(crate) fn toxic(kind: &str, attributes: &[(&str, i64)]) -> Toxic {
    let spec = spec(kind, attributes);
    Toxic { name: kind.to_owned(), direction: Direction::Downstream, toxicity: 1.0, spec }
}

/// The same, on what the client sends.
pub(crate) fn upstream_toxic(kind: &str, attributes: &[(&str, i64)]) -> Toxic {
    Toxic { direction: Direction::Upstream, ..toxic(kind, attributes) }
}

/// How a stream ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum End {
    Fin,
    Rst,
}

/// Everything up to the end, and how it came.
pub(crate) async fn rest(stream: &mut TcpStream) -> (Vec<u8>, End) {
    let (mut all, mut buffer) = (Vec::new(), vec![0; 65_536]);
    loop {
        match within(stream.read(&mut buffer)).await {
            Ok(0) => return (all, End::Fin),
            Ok(n) => all.extend_from_slice(&buffer[..n]),
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => return (all, End::Rst),
            Err(error) => panic!("{error}"),
        }
    }
}

pub(crate) async fn exactly(stream: &mut TcpStream, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    within(stream.read_exact(&mut bytes)).await.unwrap();
    bytes
}

/// One byte there and one back.
pub(crate) async fn ping(client: &mut TcpStream, server: &mut TcpStream) {
    client.write_all(b"?").await.unwrap();
    assert_eq!(exactly(server, 1).await, b"?");
    server.write_all(b"!").await.unwrap();
    assert_eq!(exactly(client, 1).await, b"!");
}

pub(crate) fn reset(stream: TcpStream) {
    stream.set_zero_linger().unwrap();
}

pub(crate) fn pattern(length: usize) -> Vec<u8> {
    (0..length).map(|at| (at * 31 + at / 251) as u8).collect()
}

/// Writes until the way is full: the receiver does not read.
pub(crate) async fn flood(stream: &mut TcpStream) -> usize {
    let (block, mut sent) = (vec![7; 65_536], 0);
    while let Ok(written) = tokio::time::timeout(Duration::from_millis(300), stream.write(&block)).await {
        sent += written.unwrap();
    }
    sent
}

/// Bounded by the patience.
pub(crate) async fn within<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, what).await.expect("it does not hang")
}

pub(crate) async fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !condition() {
        assert!(Instant::now() < deadline, "waited in vain for {what}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}
