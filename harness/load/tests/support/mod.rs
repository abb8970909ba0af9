//! What the tests of the wire client and of the driver share.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use gatecrash_load::{
    ClientOptions, EvidenceBudget, KeyLaw, OpPlan, Schedule, Setup, Target, Workload, Writes,
};
use gatecrash_model::population::{Population, SizeLaw};
use gatecrash_model::{Clock, MemorySink, Nanos, Pool, RunId, Sink};
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;

pub(crate) const GET: OpPlan = OpPlan::GetObject { range: None };
/// Long enough for any machine; only a failing test waits for it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) struct TestClock(Instant);

impl TestClock {
    pub(crate) fn start() -> Arc<Self> {
        Arc::new(Self(Instant::now()))
    }
}

impl Clock for TestClock {
    fn now(&self) -> Nanos {
        self.0.elapsed().as_nanos() as Nanos
    }
    fn wall_seconds(&self) -> i64 {
        1_369_353_600
    }
}

/// One operation on 100 objects of 1000 bytes, without a schedule.
pub(crate) fn workload(op: OpPlan) -> Workload {
    Workload {
        index: 0,
        name: "main".into(),
        seed: 7,
        schedule: Schedule::new(&[], 0),
        users: None,
        ops: vec![(op, 1.0)],
        population: Population {
            bucket: "media".into(),
            count: 100,
            pattern: "img/{n:03}".parse().unwrap(),
            sizes: SizeLaw::Fixed(1000),
            seed: 7,
            change_every: None,
        },
        keys: KeyLaw::Sequential,
        missing: 0.0,
        writes: Writes::under("main", 1000).unwrap(),
        signing: None,
        timeout: PATIENCE,
        max_in_flight: 1000,
        headers: Vec::new(),
        replay: None,
        journeys: None,
        client: ClientOptions::default(),
    }
}

pub(crate) fn setup(addr: SocketAddr, sink: &Arc<MemorySink>) -> Setup {
    Setup {
        target: Target { addr, host_header: addr.to_string(), tls: None },
        run: RunId(0x9f2c_41aa),
        clock: TestClock::start(),
        sink: Arc::clone(sink) as Arc<dyn Sink>,
        pool: Arc::new(Pool::new(7)),
        needles: Arc::from(["10.1.2.3:9000".to_owned()]),
        evidence: EvidenceBudget::default(),
    }
}

/// A response with a head written with plain line feeds.
pub(crate) fn answer(head: &str, body: &[u8]) -> Vec<u8> {
    let mut wire = format!("HTTP/1.1 {}\r\n\r\n", head.replace('\n', "\r\n")).into_bytes();
    wire.extend_from_slice(body);
    wire
}

/// Head and body of a request; `None` at the end of the connection.
pub(crate) async fn read_request(stream: &mut TcpStream) -> Option<(String, Vec<u8>)> {
    let (head, mut body) = read_head(stream).await?;
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    let length: usize = length.map_or(0, |text| text.parse().unwrap());
    let mut buffer = vec![0; 65_536];
    while body.len() < length {
        let n = stream.read(&mut buffer).await.ok().filter(|n| *n > 0)?;
        body.extend_from_slice(&buffer[..n]);
    }
    Some((head, body))
}

pub(crate) async fn read_head(stream: &mut TcpStream) -> Option<(String, Vec<u8>)> {
    let mut head = Vec::new();
    let mut buffer = [0; 1024];
    loop {
        if let Some(at) = head.windows(4).position(|w| w == b"\r\n\r\n") {
            let body = head.split_off(at + 4);
            return Some((String::from_utf8(head).unwrap(), body));
        }
        let n = stream.read(&mut buffer).await.ok().filter(|n| *n > 0)?;
        head.extend_from_slice(&buffer[..n]);
    }
}
