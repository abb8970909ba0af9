//! How many connections a workload's client opens, and what waiting for one looks like in its records.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::collections::HashSet;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use gatecrash_load::{
    Arrivals, ClientOptions, LiveCounters, Load, LoadSummary, Schedule, Segment, Stop, run_load,
};
use gatecrash_model::{ClientRecord, Ending, MemorySink, Pool};
use support::{GET, PATIENCE, answer, read_request, setup, workload};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpListener;
use tokio::sync::watch;

const REQUESTS: u64 = 20;

/// Answers GETs once the gate is open, and keeps the heads.
struct Server {
    addr: SocketAddr,
    gate: watch::Sender<bool>,
    heads: Arc<Mutex<Vec<String>>>,
    _runtime: tokio::runtime::Runtime,
}

impl Server {
    fn start() -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let addr = listener.local_addr().unwrap();
        let (gate, heads) = (watch::Sender::new(false), Arc::new(Mutex::new(Vec::new())));
        let (gate_of, heads_of) = (gate.clone(), Arc::clone(&heads));
        runtime.spawn(async move {
            let pool = Arc::new(Pool::new(7));
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let (pool, mut gate, heads) = (Arc::clone(&pool), gate_of.subscribe(), Arc::clone(&heads_of));
                tokio::spawn(async move {
                    while let Some((head, _)) = read_request(&mut stream).await {
                        let key = head.strip_prefix("GET /media/").unwrap().split(' ').next().unwrap();
                        let body = pool.content("media", key, 0).chunk(&pool, 0, 1000).to_vec();
                        heads.lock().unwrap().push(head);
                        let _ = gate.wait_for(|open| *open).await;
                        if stream.write_all(&answer("200 OK\ncontent-length: 1000", &body)).await.is_err() {
                            return;
                        }
                    }
                });
            }
        });
        Self { addr, gate, heads, _runtime: runtime }
    }

    /// Twenty requests within 100 ms; `meanwhile` sees the live counters.
    fn load(
        &self,
        client: ClientOptions,
        timeout: Duration,
        meanwhile: impl FnOnce(&LiveCounters),
    ) -> (LoadSummary, Vec<ClientRecord>) {
        let mut one = workload(GET);
        let (from, until) = (20_000_000, 120_000_000);
        one.schedule =
            Schedule::new(&[Segment { from, until, rate: 200.0, to: None, arrivals: Arrivals::Even }], 3);
        (one.client, one.timeout) = (client, timeout);
        let (sink, live) = (Arc::new(MemorySink::default()), Arc::new(LiveCounters::default()));
        let load = Load {
            setup: setup(self.addr, &sink),
            workloads: vec![Arc::new(one)],
            threads: 1,
            stop: Stop::default(),
            live: Arc::clone(&live),
        };
        let running = std::thread::spawn(move || run_load(load).unwrap());
        meanwhile(&live);
        (running.join().unwrap(), sink.kept().clients)
    }
}

fn until(what: impl Fn() -> bool) {
    let begun = Instant::now();
    while !what() {
        assert!(begun.elapsed() < PATIENCE);
        std::thread::yield_now();
    }
}

fn limited(most: usize) -> ClientOptions {
    ClientOptions { connections: NonZeroUsize::new(most), ..ClientOptions::default() }
}

fn connections(records: &[ClientRecord]) -> usize {
    records.iter().map(|r| r.conn).collect::<HashSet<_>>().len()
}

#[test]
fn no_more_connections_than_allowed_and_the_wait_is_not_the_generators_lag() {
    let server = Server::start();
    let (summary, records) = server.load(limited(3), PATIENCE, |live| {
        until(|| live.snapshot().in_flight == REQUESTS as usize);
        assert!(server.heads.lock().unwrap().len() <= 3);
        server.gate.send_replace(true);
    });
    assert_eq!((summary.sent, summary.ok, summary.client.connections), (REQUESTS, REQUESTS, 3));
    assert_eq!(connections(&records), 3);
    let waited: Vec<_> = records.iter().filter(|r| r.has(ClientRecord::REUSED)).collect();
    assert_eq!(waited.len() as u64, REQUESTS - 3);
    for record in waited {
        assert!(record.connect > 0 && record.lag >= record.connect, "{record:?}");
        assert_eq!(record.own_lag(), record.lag - record.connect);
    }
}

#[test]
fn who_waits_in_vain_has_had_no_connection() {
    let server = Server::start();
    let timeout = Duration::from_millis(300);
    let (summary, records) = server.load(limited(2), timeout, |_| {});
    let of = |ending| records.iter().filter(|r| r.ending == ending).count() as u64;
    assert_eq!((summary.failed, summary.ok), (REQUESTS, 0));
    // The first two hold the connections; those after them get them when these are given up, or never: timers decide.
    assert_eq!(of(Ending::Hang) + of(Ending::ConnectFailed), REQUESTS);
    assert!(of(Ending::Hang) >= 2);
    for vain in records.iter().filter(|r| r.ending == Ending::ConnectFailed) {
        assert!(vain.done >= 300_000 && vain.first_byte == u32::MAX, "{vain:?}");
        assert_eq!(vain.own_lag(), vain.lag);
    }
}

#[test]
fn without_keep_alive_every_request_has_a_connection_of_its_own() {
    let server = Server::start();
    server.gate.send_replace(true);
    let client = ClientOptions { keep_alive: false, ..ClientOptions::default() };
    let (summary, records) = server.load(client, PATIENCE, |_| {});
    assert_eq!((summary.ok, connections(&records) as u64), (REQUESTS, REQUESTS));
    let heads = server.heads.lock().unwrap();
    assert!(heads.iter().all(|head| head.contains("\r\nconnection: close\r\n")), "{heads:?}");
}
