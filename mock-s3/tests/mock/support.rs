//! A mock on loopback, a clock that stands still, and an HTTP/1.1 client that shows every byte.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine as _;
use gatecrash_mock_s3::{
    Action, BucketConfig, Config, Credentials, Facts, FaultHook, IdentityConfig, MockS3, NoFaults, Point,
};
use gatecrash_model::sink::Kept;
use gatecrash_model::{AttemptRegistry, Clock, MemorySink, Nanos, Pool, Population, SizeLaw, UpstreamRecord};
use hmac::{Hmac, KeyInit, Mac};
use md5::Md5;
use sha2::{Digest, Sha256};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

pub(crate) const EAST: &str = "us-east-1";
pub(crate) const WEST: &str = "us-west-2";
/// Fri, 24 May 2013 00:00:00 GMT
pub(crate) const WALL: i64 = 1_369_353_600;
/// No test waits longer than this for anything.
const PATIENCE: Duration = Duration::from_secs(20);

/// Counts its own calls: time goes on by one microsecond each.
#[derive(Default)]
pub(crate) struct StepClock(std::sync::atomic::AtomicU64);

impl Clock for StepClock {
    fn now(&self) -> Nanos {
        self.0.fetch_add(1_000, std::sync::atomic::Ordering::Relaxed)
    }
    fn wall_seconds(&self) -> i64 {
        WALL
    }
}

/// Does one thing at one point, and remembers what it was told everywhere.
pub(crate) struct At {
    point: Point,
    action: Action,
    seen: Mutex<Vec<String>>,
}

impl At {
    pub(crate) fn new(point: Point, action: Action) -> Arc<Self> {
        Arc::new(Self { point, action, seen: Mutex::default() })
    }

    pub(crate) fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }

    /// Waits until `count` exchanges have come to `point`.
    pub(crate) async fn reached(&self, point: Point, count: usize) {
        let point = format!("{point:?} ");
        let reached = || self.seen().iter().filter(|seen| seen.starts_with(&point)).count();
        eventually("the exchanges come that far", || reached() >= count).await;
    }
}

impl FaultHook for At {
    fn decide(&self, point: Point, facts: &Facts<'_>) -> Action {
        let identity = facts.identity.map_or("-", |(_, name)| name);
        self.seen.lock().unwrap().push(format!(
            "{point:?} {} {} {} {} {} {identity} {}",
            facts.op, facts.method, facts.bucket, facts.key, facts.region_name, facts.body_len
        ));
        if point == self.point { self.action.clone() } else { Action::Continue }
    }
}

/// Does what a function says.
pub(crate) struct When<F>(pub(crate) F);

impl<F: Fn(Point, &Facts<'_>) -> Action + Send + Sync> FaultHook for When<F> {
    fn decide(&self, point: Point, facts: &Facts<'_>) -> Action {
        (self.0)(point, facts)
    }
}

/// Looks again and again until it is so.
pub(crate) async fn eventually(what: &str, is_so: impl Fn() -> bool) {
    let wait = async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(PATIENCE, wait).await.unwrap_or_else(|_| panic!("never: {what}"));
}

/// The real wall clock, for clients that sign with their own.
pub(crate) struct WallClock;

impl Clock for WallClock {
    fn now(&self) -> Nanos {
        0
    }
    fn wall_seconds(&self) -> i64 {
        let now = std::time::SystemTime::now();
        now.duration_since(std::time::UNIX_EPOCH).unwrap().as_secs() as i64
    }
}

pub(crate) struct Bench {
    pub(crate) mock: MockS3,
    pub(crate) sink: Arc<MemorySink>,
    pub(crate) registry: Arc<AttemptRegistry>,
    pub(crate) pool: Arc<Pool>,
}

/// Two regions; `media` is public and the same everywhere, `reports` is private and has a name of its own in
/// the west; `app` may do everything with `reports`, `guest` nothing.
pub(crate) fn config() -> Config {
    let pool = Arc::new(Pool::new(7));
    let mut media = BucketConfig::new("media", &[EAST, WEST]);
    media.public = true;
    media.objects = vec![population("media", 200, "img/{n:06}.bin", SizeLaw::Fixed(300_000))];
    let mut reports = BucketConfig::new("reports", &[EAST]);
    reports.regions.push((WEST.into(), "reports-dr".into()));
    reports.objects = vec![population("reports", 20, "r/{n}.csv", SizeLaw::Fixed(4_096))];
    Config {
        regions: vec![EAST.into(), WEST.into()],
        buckets: vec![media, reports],
        identities: vec![
            IdentityConfig::new("app").allow(&["s3:*"], &["arn:aws:s3:::reports", "arn:aws:s3:::reports/*"]),
            IdentityConfig::new("guest"),
            IdentityConfig::new("admin").allow(&["*"], &["*"]),
        ],
        ..Config::new(pool, EAST)
    }
}

pub(crate) fn population(bucket: &str, count: u32, pattern: &str, sizes: SizeLaw) -> Population {
    let pattern = pattern.parse().unwrap();
    Population { bucket: bucket.into(), count, pattern, sizes, seed: 7, change_every: None }
}

impl Bench {
    pub(crate) async fn start() -> Self {
        Self::with(config(), Arc::new(StepClock::default()), Arc::new(NoFaults)).await
    }

    pub(crate) async fn with(config: Config, clock: Arc<dyn Clock>, hook: Arc<dyn FaultHook>) -> Self {
        let sink = Arc::new(MemorySink::default());
        let registry = Arc::new(AttemptRegistry::default());
        let pool = Arc::clone(&config.pool);
        let mock = MockS3::start(config, clock, sink.clone(), Arc::clone(&registry), hook).await.unwrap();
        Self { mock, sink, registry, pool }
    }

    /// The usual mock with a fault.
    pub(crate) async fn faulty(hook: &Arc<At>) -> Self {
        Self::with(config(), Arc::new(StepClock::default()), hook.clone()).await
    }

    pub(crate) fn addr(&self, region: &str) -> SocketAddr {
        self.mock.addr(region).unwrap()
    }

    pub(crate) fn credentials(&self, identity: &str) -> Credentials {
        self.mock.credentials(identity).unwrap()
    }

    pub(crate) async fn connect(&self, region: &str) -> Client {
        Client::connect(self.addr(region)).await
    }

    /// One request on a connection of its own.
    pub(crate) async fn send(&self, region: &str, request: Request<'_>) -> Reply {
        self.connect(region).await.send(request).await
    }

    /// One signed request on a connection of its own.
    pub(crate) async fn signed(&self, identity: &str, region: &str, request: Request<'_>) -> Reply {
        let signed = request.sign(&self.credentials(identity), region, WALL);
        self.send(region, signed).await
    }

    /// Waits until the journal has `count` records.
    pub(crate) async fn records(&self, count: usize) -> Vec<UpstreamRecord> {
        eventually("the journal is that long", || self.sink.kept().upstreams.len() >= count).await;
        let records = self.sink.kept().upstreams;
        assert_eq!(records.len(), count);
        records
    }

    /// Ends the mock: the journal is then complete.
    pub(crate) async fn finish(self) -> Kept {
        tokio::time::timeout(PATIENCE, self.mock.shutdown()).await.expect("shutdown ends");
        self.sink.kept()
    }
}

/// A request as it goes to the wire.
#[derive(Clone, Debug)]
pub(crate) struct Request<'a> {
    pub(crate) method: &'a str,
    pub(crate) target: &'a str,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

pub(crate) fn get(target: &str) -> Request<'_> {
    request("GET", target)
}

pub(crate) fn request<'a>(method: &'a str, target: &'a str) -> Request<'a> {
    Request { method, target, headers: vec![("host".into(), "s3.test".into())], body: Vec::new() }
}

impl Request<'_> {
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn body(mut self, body: &[u8]) -> Self {
        self.body = body.to_vec();
        self.header("content-length", &body.len().to_string())
    }

    /// A body with its Content-MD5.
    pub(crate) fn digested(self, body: &[u8]) -> Self {
        let digest = base64::engine::general_purpose::STANDARD.encode(Md5::digest(body));
        self.body(body).header("content-md5", &digest)
    }

    /// Signs by an implementation of its own, for targets without characters to encode and queries in order.
    pub(crate) fn sign(self, pair: &Credentials, region: &str, wall: i64) -> Self {
        let hash = hex(&Sha256::digest(&self.body));
        self.sign_with(pair, region, wall, &hash)
    }

    pub(crate) fn sign_with(self, pair: &Credentials, region: &str, wall: i64, payload: &str) -> Self {
        self.sign_for("s3", pair, region, wall, payload)
    }

    /// For a service of the query protocol.
    pub(crate) fn sign_for(
        self,
        service: &str,
        pair: &Credentials,
        region: &str,
        wall: i64,
        payload: &str,
    ) -> Self {
        let date = time::OffsetDateTime::from_unix_timestamp(wall).unwrap();
        let date = format!(
            "{:04}{:02}{:02}T{:02}{:02}{:02}Z",
            date.year(),
            u8::from(date.month()),
            date.day(),
            date.hour(),
            date.minute(),
            date.second()
        );
        let signed = self.header("x-amz-content-sha256", payload).header("x-amz-date", &date);
        let covered = |name: &str| name == "host" || name.starts_with("x-amz-");
        let mut headers: Vec<_> = signed.headers.iter().filter(|(name, _)| covered(name)).cloned().collect();
        headers.sort();
        let names: Vec<&str> = headers.iter().map(|(name, _)| name.as_str()).collect();
        let names = names.join(";");
        let lines: String = headers.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
        let (path, query) = signed.target.split_once('?').unwrap_or((signed.target, ""));
        let canonical = format!("{}\n{path}\n{query}\n{lines}\n{names}\n{payload}", signed.method);
        let scope = format!("{}/{region}/{service}/aws4_request", &date[..8]);
        let digest = hex(&Sha256::digest(canonical.as_bytes()));
        let to_sign = format!("AWS4-HMAC-SHA256\n{date}\n{scope}\n{digest}");
        let mut key = format!("AWS4{}", pair.secret_key).into_bytes();
        for part in [&date[..8], region, service, "aws4_request", &to_sign] {
            let mac = Hmac::<Sha256>::new_from_slice(&key).unwrap().chain_update(part);
            key = mac.finalize().into_bytes().to_vec();
        }
        let value = format!(
            "AWS4-HMAC-SHA256 Credential={}/{scope}, SignedHeaders={names}, Signature={}",
            pair.access_key,
            hex(&key)
        );
        signed.header("authorization", &value)
    }

    fn head(&self) -> String {
        let headers: String =
            self.headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        format!("{} {} HTTP/1.1\r\n{headers}\r\n", self.method, self.target)
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// One connection.
pub(crate) struct Client {
    stream: TcpStream,
    buffer: Vec<u8>,
}

/// A response as it came.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Client {
    pub(crate) async fn connect(addr: SocketAddr) -> Self {
        Self { stream: TcpStream::connect(addr).await.unwrap(), buffer: Vec::new() }
    }

    pub(crate) fn local(&self) -> SocketAddr {
        self.stream.local_addr().unwrap()
    }

    pub(crate) async fn write(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.unwrap();
    }

    pub(crate) async fn send(&mut self, request: Request<'_>) -> Reply {
        let mut bytes = request.head().into_bytes();
        bytes.extend_from_slice(&request.body);
        self.write(&bytes).await;
        self.reply(request.method).await
    }

    /// Sends the head and the body, and does not wait.
    pub(crate) async fn post(&mut self, request: &Request<'_>) {
        let mut bytes = request.head().into_bytes();
        bytes.extend_from_slice(&request.body);
        self.write(&bytes).await;
    }

    pub(crate) async fn reply(&mut self, method: &str) -> Reply {
        tokio::time::timeout(PATIENCE, self.read_reply(method)).await.expect("an answer")
    }

    /// The next bytes as they come, as text; empty at the end.
    pub(crate) async fn chunk(&mut self) -> String {
        let read = tokio::time::timeout(PATIENCE, self.stream.read_buf(&mut self.buffer)).await;
        read.expect("more bytes, or the end").unwrap_or(0);
        String::from_utf8_lossy(&std::mem::take(&mut self.buffer)).into_owned()
    }

    /// Whether the other side closed without another byte.
    pub(crate) async fn is_closed(&mut self) -> bool {
        let read = tokio::time::timeout(PATIENCE, self.stream.read_buf(&mut self.buffer)).await;
        matches!(read.expect("an end"), Ok(0) | Err(_))
    }

    /// Everything until the other side ends the connection, and whether it ended it by a reset.
    pub(crate) async fn until_the_end(&mut self) -> (String, bool) {
        let reading = async {
            loop {
                match self.stream.read_buf(&mut self.buffer).await {
                    Ok(0) => return false,
                    Ok(_) => {}
                    Err(_) => return true,
                }
            }
        };
        let reset = tokio::time::timeout(PATIENCE, reading).await.expect("an end");
        (String::from_utf8_lossy(&self.buffer).into_owned(), reset)
    }

    async fn read_reply(&mut self, method: &str) -> Reply {
        let end = loop {
            if let Some(at) = self.buffer.windows(4).position(|w| w == b"\r\n\r\n") {
                break at + 4;
            }
            assert_ne!(self.stream.read_buf(&mut self.buffer).await.unwrap(), 0, "closed before a head");
        };
        let head = String::from_utf8(self.buffer.drain(..end).collect()).unwrap();
        let mut lines = head.trim_end().split("\r\n");
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let headers = lines
            .map(|line| line.split_once(':').unwrap())
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect();
        let mut reply = Reply { status, headers, body: Vec::new() };
        let length = reply.header("content-length").map_or(0, |length| length.parse().unwrap());
        if method != "HEAD" {
            while self.buffer.len() < length {
                assert_ne!(self.stream.read_buf(&mut self.buffer).await.unwrap(), 0, "closed inside a body");
            }
            reply.body = self.buffer.drain(..length).collect();
        }
        reply
    }
}

impl Reply {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The text of the first element of this name.
    pub(crate) fn element(&self, name: &str) -> Option<String> {
        let text = self.text();
        let (_, rest) = text.split_once(&format!("<{name}>"))?;
        Some(rest.split_once(&format!("</{name}>"))?.0.to_owned())
    }

    /// Status and S3 code.
    pub(crate) fn verdict(&self) -> (u16, String) {
        (self.status, self.element("Code").unwrap_or_default())
    }
}
