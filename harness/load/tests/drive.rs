//! The drivers: every arrival once and on schedule, caps, stops, several threads.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use gatecrash_load::{
    Arrivals, LiveCounters, Load, LoadSummary, Schedule, Segment, Stage, Stop, Think, Users, Workload,
    run_load,
};
use gatecrash_model::{ClientRecord, Ending, Event, MemorySink, Pool};
use support::{GET, PATIENCE, answer, read_request, setup, workload};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpListener;
use tokio::sync::watch;

const MILLI: u64 = 1_000_000;

/// Answers every GET with its object once the gate is open. Runs on a thread of its own until it is dropped.
struct Server {
    addr: SocketAddr,
    gate: watch::Sender<bool>,
    asked: Arc<AtomicUsize>,
    _runtime: tokio::runtime::Runtime,
}

impl Server {
    fn start(open: bool) -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let addr = listener.local_addr().unwrap();
        let (gate, asked) = (watch::Sender::new(open), Arc::new(AtomicUsize::new(0)));
        let (gate_of, asked_of) = (gate.clone(), Arc::clone(&asked));
        runtime.spawn(async move {
            let pool = Arc::new(Pool::new(7));
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let (pool, mut gate, asked) = (Arc::clone(&pool), gate_of.subscribe(), Arc::clone(&asked_of));
                tokio::spawn(async move {
                    while let Some((head, _)) = read_request(&mut stream).await {
                        asked.fetch_add(1, Ordering::SeqCst);
                        let key = head.strip_prefix("GET /media/").unwrap().split(' ').next().unwrap();
                        let body = pool.content("media", key, 0).chunk(&pool, 0, 1000).to_vec();
                        let _ = gate.wait_for(|open| *open).await;
                        let wire = answer("200 OK\ncontent-length: 1000", &body);
                        if stream.write_all(&wire).await.is_err() {
                            return;
                        }
                    }
                });
            }
        });
        Self { addr, gate, asked, _runtime: runtime }
    }

    fn wait_for_requests(&self, count: usize) {
        let begun = std::time::Instant::now();
        while self.asked.load(Ordering::SeqCst) < count {
            assert!(begun.elapsed() < PATIENCE, "only {} requests came", self.asked.load(Ordering::SeqCst));
            std::thread::yield_now();
        }
    }
}

fn arrivals(millis: u64, rate: f64, arrivals: Arrivals) -> Schedule {
    Schedule::new(&[Segment { from: 20 * MILLI, until: (20 + millis) * MILLI, rate, to: None, arrivals }], 3)
}

struct Ran {
    summary: LoadSummary,
    records: Vec<ClientRecord>,
    events: Vec<Event>,
}

fn run(addr: SocketAddr, workloads: Vec<Workload>, threads: usize, stop: &Stop) -> Ran {
    let sink = Arc::new(MemorySink::default());
    let summary = run_load(Load {
        setup: setup(addr, &sink),
        workloads: workloads.into_iter().map(Arc::new).collect(),
        threads,
        stop: stop.clone(),
        live: Arc::new(LiveCounters::default()),
    })
    .unwrap();
    let kept = sink.kept();
    Ran { summary, records: kept.clients, events: kept.events }
}

#[test]
fn every_arrival_is_sent_once_at_its_intended_time() {
    let server = Server::start(true);
    for threads in [1, 2] {
        let (even, poisson) =
            (arrivals(300, 2_000.0, Arrivals::Even), arrivals(300, 1_000.0, Arrivals::Poisson));
        let mut one = workload(GET);
        one.schedule = even.clone();
        let mut two = workload(GET);
        (two.index, two.schedule) = (1, poisson.clone());
        let ran = run(server.addr, vec![one, two], threads, &Stop::default());
        let total = even.len() + poisson.len();
        assert_eq!(even.len(), 600);
        assert_eq!((ran.summary.arrivals, ran.summary.sent, ran.summary.ok), (total, total, total));
        let ids: HashSet<_> = ran.records.iter().map(ClientRecord::id).collect();
        assert_eq!((ids.len() as u64, ran.records.len() as u64), (total, total));
        for record in &ran.records {
            let schedule = if record.workload == 0 { &even } else { &poisson };
            assert_eq!(Some(record.intended), schedule.time(u64::from(record.k)));
            assert!(record.is_success(), "{record:?}");
        }
        assert_eq!(ran.summary.lag.total(), total);
        assert!(matches!(ran.events.last(), Some(Event::LoadEnd { at }) if *at == ran.summary.ended));
    }
}

#[test]
fn a_stalled_server_does_not_stretch_the_schedule() {
    let server = Server::start(false);
    let mut held = workload(GET);
    held.schedule = arrivals(100, 1_000.0, Arrivals::Even);
    let schedule = held.schedule.clone();
    let load = std::thread::spawn({
        let addr = server.addr;
        move || run(addr, vec![held], 1, &Stop::default())
    });
    server.wait_for_requests(100); // Nothing has been answered: the loop is open.
    server.gate.send(true).unwrap();
    let ran = load.join().unwrap();
    assert_eq!((ran.summary.sent, ran.summary.ok, ran.summary.dropped), (100, 100, 0));
    let last_due = schedule.time(99).unwrap();
    for record in &ran.records {
        assert_eq!(Some(record.intended), schedule.time(u64::from(record.k)));
        // All were held until the last had been sent, and response time counts from the intended start.
        assert!(record.response_micros() >= (last_due - record.intended) / 1_000, "{record:?}");
    }
}

#[test]
fn arrivals_over_the_cap_are_recorded_as_not_sent() {
    let server = Server::start(false);
    let mut capped = workload(GET);
    capped.schedule = arrivals(100, 500.0, Arrivals::Even);
    capped.max_in_flight = 5;
    let load = std::thread::spawn({
        let addr = server.addr;
        move || {
            let sink = Arc::new(MemorySink::default());
            let live = Arc::new(LiveCounters::default());
            let load = Load {
                setup: setup(addr, &sink),
                workloads: vec![Arc::new(capped)],
                threads: 1,
                stop: Stop::default(),
                live: Arc::clone(&live),
            };
            (std::thread::spawn(move || run_load(load).unwrap()), live, sink)
        }
    });
    let (running, live, sink) = load.join().unwrap();
    let begun = std::time::Instant::now();
    while live.snapshot().dropped < 45 {
        assert!(begun.elapsed() < PATIENCE);
        std::thread::yield_now();
    }
    assert_eq!(live.snapshot().in_flight, 5);
    server.gate.send(true).unwrap();
    let summary = running.join().unwrap();
    assert_eq!((summary.arrivals, summary.sent, summary.ok, summary.dropped), (50, 5, 5, 45));
    let dropped: Vec<_> = sink.kept().clients.into_iter().filter(ClientRecord::was_dropped).collect();
    assert_eq!(dropped.len(), 45);
    assert!(dropped.iter().all(|r| r.ending == Ending::Dropped && r.status == 0 && r.first_byte == u32::MAX));
}

#[test]
fn a_drain_lets_requests_end_and_an_abort_does_not() {
    for abort in [false, true] {
        let server = Server::start(false);
        let mut long = workload(GET);
        long.schedule = arrivals(3_600_000, 200.0, Arrivals::Even);
        let total = long.schedule.len();
        let stop = Stop::default();
        let load = std::thread::spawn({
            let (addr, stop) = (server.addr, stop.clone());
            move || run(addr, vec![long], 1, &stop)
        });
        server.wait_for_requests(10);
        if abort {
            stop.abort();
        } else {
            stop.drain();
            server.gate.send(true).unwrap();
        }
        assert!(stop.is_asked());
        let ran = load.join().unwrap();
        let LoadSummary { arrivals, sent, abandoned, cancelled, .. } = ran.summary;
        assert_eq!(arrivals + cancelled, total);
        assert!(arrivals >= 10);
        assert_eq!((sent, ran.records.len() as u64), (arrivals - abandoned, sent));
        assert_eq!(abandoned > 0, abort);
    }
}

/// Each user waits for its answer: as many requests under way as users, each request once, and those of a user
/// one after the other.
#[test]
fn users_wait_for_their_answers() {
    let server = Server::start(true);
    for threads in [1, 2] {
        let mut closed = workload(GET);
        let stage = |from: u64, until: u64, users| Stage {
            from: from * MILLI,
            until: until * MILLI,
            users,
            to: None,
        };
        let users =
            Users { stages: vec![stage(20, 120, 2), stage(120, 220, 5)], think: Think::Constant(MILLI) };
        closed.users = Some(users.clone());
        let ran = run(server.addr, vec![closed], threads, &Stop::default());
        assert_eq!((ran.summary.arrivals, ran.summary.failed, ran.summary.dropped), (ran.summary.ok, 0, 0));
        assert_eq!(ran.records.len() as u64, ran.summary.ok);
        for user in 0..5 {
            let mut own: Vec<_> = ran.records.iter().filter(|r| r.k % 5 == user).collect();
            own.sort_by_key(|r| r.k);
            assert!(!own.is_empty(), "user {user} never asked");
            for (n, record) in own.iter().enumerate() {
                assert_eq!(Some(record.k), users.arrival(user, n as u64));
                let (from, until) = users.presence(user)[0];
                assert!((from..until + 3 * MILLI).contains(&record.intended), "{record:?}");
            }
            assert!(own.windows(2).all(|w| w[1].intended >= w[0].ended()), "user {user} did not wait");
        }
    }
}

/// Nothing is answered: each user has asked once, whatever the time, and stops as told.
#[test]
fn a_closed_loop_is_throttled_by_its_target_and_can_be_stopped() {
    for abort in [false, true] {
        let server = Server::start(false);
        let mut closed = workload(GET);
        let stage = Stage { from: 0, until: 3_600_000 * MILLI, users: 4, to: None };
        closed.users = Some(Users { stages: vec![stage], think: Think::Exponential(MILLI) });
        let stop = Stop::default();
        let load = std::thread::spawn({
            let (addr, stop) = (server.addr, stop.clone());
            move || run(addr, vec![closed], 1, &stop)
        });
        server.wait_for_requests(4);
        if abort {
            stop.abort();
        } else {
            stop.drain();
            server.gate.send(true).unwrap();
        }
        let LoadSummary { arrivals, sent, abandoned, cancelled, .. } = load.join().unwrap().summary;
        let answered = if abort { 0 } else { 4 };
        assert_eq!((arrivals, sent, abandoned, cancelled), (4, answered, 4 - answered, 0));
    }
}
