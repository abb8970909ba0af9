//! A link between a raw client and a raw upstream, with the records it writes.

#![expect(dead_code, reason = "each test file uses its part")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails here")]

pub(crate) mod peer;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use gatecrash_core::faults::FaultSpec;
use gatecrash_core::plan::{FaultPlan, Per, Side};
use gatecrash_core::rules::{Matcher, RuleSet, Trigger};
use gatecrash_core::units::{Share, Span};
use gatecrash_model::sink::Kept;
use gatecrash_model::{
    AttemptContext, AttemptId, AttemptRecord, AttemptRegistry, Clock, MemorySink, Nanos, RequestId, RunId,
};
use gatecrash_wire::{AttemptCounter, Link, LinkConfig, Shared};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

pub(crate) const RUN: RunId = RunId(0x9f2c_41aa);
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

struct Ticker(Instant);

impl Clock for Ticker {
    fn now(&self) -> Nanos {
        self.0.elapsed().as_nanos() as u64
    }
    fn wall_seconds(&self) -> i64 {
        0
    }
}

// === the upstream ===

/// A request as the upstream read it.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
    pub(crate) context: Option<AttemptContext>,
}

/// What the upstream does about a request.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) bytes: Vec<u8>,
    pub(crate) then: Then,
    /// Answer without reading the body.
    pub(crate) early: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Then {
    Keep,
    Fin,
    Rst,
    Hang,
}

pub(crate) fn reply(bytes: impl AsRef<[u8]>) -> Reply {
    Reply { bytes: bytes.as_ref().to_vec(), then: Then::Keep, early: false }
}

impl Reply {
    pub(crate) fn then(self, then: Then) -> Self {
        Self { then, ..self }
    }
    pub(crate) fn early(self) -> Self {
        Self { early: true, ..self }
    }
}

/// 200 with these body bytes and a Content-Length.
pub(crate) fn ok(body: &[u8]) -> Reply {
    reply([format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len()).as_bytes(), body].concat())
}

/// The bytes of [`ok`] with the attempt line in place.
pub(crate) fn ok_via(attempt: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nx-gatecrash-attempt: {attempt}\r\n\r\n{body}",
        body.len()
    )
}

type Answer = dyn Fn(&str) -> Reply + Send + Sync;

/// A raw HTTP/1.1 responder.
pub(crate) struct Upstream {
    pub(crate) addr: SocketAddr,
    pub(crate) seen: Arc<Mutex<Vec<Seen>>>,
    pub(crate) closed: Arc<Mutex<usize>>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Upstream {
    async fn start(registry: Arc<AttemptRegistry>, answer: Arc<Answer>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let (seen, closed) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Mutex::new(0)));
        let (log, ends) = (Arc::clone(&seen), Arc::clone(&closed));
        let task = tokio::spawn(async move {
            let mut all = tokio::task::JoinSet::new();
            loop {
                let (stream, peer) = listener.accept().await.unwrap();
                let (registry, answer) = (Arc::clone(&registry), Arc::clone(&answer));
                let (log, ends) = (Arc::clone(&log), Arc::clone(&ends));
                all.spawn(async move {
                    serve(stream, peer, &registry, &*answer, &log).await;
                    *ends.lock().unwrap() += 1;
                });
            }
        });
        Self { addr, seen, closed, task }
    }
}

async fn serve(
    mut stream: TcpStream,
    peer: SocketAddr,
    registry: &AttemptRegistry,
    answer: &Answer,
    log: &Mutex<Vec<Seen>>,
) {
    let mut input = Vec::new();
    loop {
        let end = loop {
            if let Some(at) = input.windows(4).position(|w| w == b"\r\n\r\n") {
                break at + 4;
            }
            if !matches!(stream.read_buf(&mut input).await, Ok(1..)) {
                return;
            }
        };
        let head = String::from_utf8(input.drain(..end).collect()).unwrap();
        let context = registry.find(peer).map(|cell| gatecrash_model::context::read_cell(&cell));
        let reply = answer(&head);
        let mut body = Vec::new();
        if !reply.early {
            if head.contains("100-continue") {
                stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await.unwrap();
            }
            let lower = head.to_ascii_lowercase();
            let length = lower.split("content-length: ").nth(1).and_then(|r| r.split("\r\n").next());
            let length: usize = length.map_or(0, |l| l.parse().unwrap());
            let chunked = lower.contains("transfer-encoding: chunked");
            while if chunked { !input.ends_with(b"0\r\n\r\n") } else { input.len() < length } {
                if !matches!(stream.read_buf(&mut input).await, Ok(1..)) {
                    log.lock().unwrap().push(Seen { head, body: input, context });
                    return;
                }
            }
            let length = if chunked { input.len() } else { length };
            body = input.drain(..length).collect();
        }
        log.lock().unwrap().push(Seen { head, body, context });
        if stream.write_all(&reply.bytes).await.is_err() {
            return;
        }
        match reply.then {
            Then::Keep => {}
            Then::Fin => return,
            Then::Rst => {
                // What was written before is in the link's receive queue, which an RST does not empty.
                return stream.set_zero_linger().unwrap();
            }
            Then::Hang => {
                while matches!(stream.read_buf(&mut input).await, Ok(1..)) {}
                return;
            }
        }
    }
}

// === the rig ===

/// A link under test.
pub(crate) struct Rig {
    pub(crate) link: Link,
    pub(crate) upstream: Upstream,
    pub(crate) sink: Arc<MemorySink>,
    pub(crate) rules: Arc<RuleSet>,
    pub(crate) registry: Arc<AttemptRegistry>,
}

pub(crate) fn fault(name: &str, spec: FaultSpec) -> FaultPlan {
    FaultPlan {
        name: name.into(),
        spec,
        matcher: Matcher::default(),
        region: None,
        endpoint: None,
        probability: Share(1.0),
        per: Per::Attempt,
        limit: None,
        trigger: Trigger::default(),
        side: Side::Upstream,
        from: Span(0),
        until: Span(0),
        line: 1,
    }
}

impl Rig {
    /// All faults on, link 3 in region 1.
    pub(crate) async fn start(
        faults: &[FaultPlan],
        answer: impl Fn(&str) -> Reply + Send + Sync + 'static,
    ) -> Self {
        Self::with(faults, answer, |_| {}).await
    }

    pub(crate) async fn with(
        faults: &[FaultPlan],
        answer: impl Fn(&str) -> Reply + Send + Sync + 'static,
        change: impl FnOnce(&mut LinkConfig),
    ) -> Self {
        let registry = Arc::new(AttemptRegistry::default());
        let upstream = Upstream::start(Arc::clone(&registry), Arc::new(answer)).await;
        let sink = Arc::new(MemorySink::default());
        let rules = Arc::new(RuleSet::of(7, faults));
        (0..faults.len() as u16).for_each(|i| rules.switch(i, true));
        let mut config = LinkConfig {
            index: 3,
            side: Side::Upstream,
            region: 1,
            endpoint: 1,
            listen: "127.0.0.1:0".parse().unwrap(),
            upstream: upstream.addr,
            tls: None,
            onward: None,
            run: RUN,
            baseline: None,
            probes: Vec::new(),
        };
        change(&mut config);
        let shared = Shared {
            clock: Arc::new(Ticker(Instant::now())),
            sink: Arc::clone(&sink) as _,
            rules: Arc::clone(&rules),
            registry: Arc::clone(&registry),
            attempts: Arc::new(AttemptCounter::default()),
        };
        let link = Link::start(config, shared).unwrap();
        Self { link, upstream, sink, rules, registry }
    }

    pub(crate) async fn connect(&self) -> Client {
        let stream = TcpStream::connect(self.link.addr()).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Client { stream, input: Vec::new() }
    }

    pub(crate) fn kept(&self) -> Kept {
        self.sink.kept()
    }

    /// The attempts, once there are this many.
    pub(crate) async fn attempts(&self, count: usize) -> Vec<AttemptRecord> {
        eventually("attempt records", || self.kept().attempts.len() >= count).await;
        self.kept().attempts
    }

    pub(crate) async fn connections(&self, count: usize) -> Vec<gatecrash_model::ConnectionRecord> {
        eventually("connection records", || self.kept().connections.len() >= count).await;
        self.kept().connections
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.upstream.seen.lock().unwrap().clone()
    }
}

pub(crate) async fn eventually(what: &str, condition: impl Fn() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !condition() {
        assert!(Instant::now() < deadline, "waited in vain for {what}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

// === the client ===

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum End {
    Fin,
    Rst,
}

/// A raw client in the gateway's place.
pub(crate) struct Client {
    pub(crate) stream: TcpStream,
    input: Vec<u8>,
}

impl Client {
    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).await.unwrap();
    }

    /// Exactly these bytes come next.
    pub(crate) async fn expect(&mut self, wanted: impl AsRef<[u8]>) {
        let wanted = wanted.as_ref();
        let read = async {
            while self.input.len() < wanted.len() {
                if self.stream.read_buf(&mut self.input).await.unwrap() == 0 {
                    break;
                }
            }
        };
        _ = tokio::time::timeout(PATIENCE, read).await;
        let got: Vec<u8> = self.input.drain(..wanted.len().min(self.input.len())).collect();
        assert_eq!(got.escape_ascii().to_string(), wanted.escape_ascii().to_string());
    }

    /// Whatever comes next.
    pub(crate) async fn read_some(&mut self, all: &mut Vec<u8>) {
        all.append(&mut self.input);
        let read = tokio::time::timeout(PATIENCE, self.stream.read_buf(all)).await;
        assert!(read.expect("an answer").unwrap() > 0);
    }

    /// All that comes until the end, and which end.
    pub(crate) async fn rest(&mut self) -> (Vec<u8>, End) {
        let read = async {
            loop {
                match self.stream.read_buf(&mut self.input).await {
                    Ok(0) => return End::Fin,
                    Ok(_) => {}
                    Err(_) => return End::Rst,
                }
            }
        };
        let end = tokio::time::timeout(PATIENCE, read).await.expect("the connection ends");
        (std::mem::take(&mut self.input), end)
    }

    /// Nothing comes for a while, and the connection stays open.
    pub(crate) async fn expect_silence(&mut self, lasting: Duration) {
        assert_eq!(self.input, b"");
        let read = tokio::time::timeout(lasting, self.stream.read_buf(&mut self.input)).await;
        assert!(read.is_err(), "{read:?}");
    }

    pub(crate) fn reset(self) {
        self.stream.set_zero_linger().unwrap();
    }
}

/// A GET of this run: workload 0, arrival `k`.
pub(crate) fn get(k: u32) -> String {
    request("GET", "/media/img/1.bin", k, "")
}

pub(crate) fn request(method: &str, target: &str, k: u32, headers: &str) -> String {
    let id = RequestId { workload: 0, k }.header(RUN);
    format!("{method} {target} HTTP/1.1\r\nHost: x\r\nx-gatecrash-id: {id}\r\n{headers}\r\n")
}

pub(crate) fn id(conn: u32, ordinal: u16) -> AttemptId {
    AttemptId { link: 3, conn, ordinal }
}

pub(crate) fn request_id(k: u32) -> u64 {
    RequestId { workload: 0, k }.pack()
}
