//! Journeys walked by goose, over real sockets: its counts are ours, its stops are ours, its thresholds come back.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use gatecrash_load::journey::{Journey, Step};
use gatecrash_load::workload::{ByteRange, RangeLaw};
use gatecrash_load::{Change, Journeys, LiveCounters, Load, LoadSummary, Stop, Workload, run_load};
use gatecrash_model::{BodyCheck, ClientRecord, Event, JourneyCount, JourneyThreshold, MemorySink, Op};
use support::{GET, answer, read_request, setup, workload};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpListener;

/// Goose walks for one of these tests at a time.
static TURN: Mutex<()> = Mutex::new(());

/// Keeps what is put, and answers every third HEAD with 503.
struct Store {
    addr: SocketAddr,
    _runtime: tokio::runtime::Runtime,
}

type Objects = Arc<Mutex<BTreeMap<String, Vec<u8>>>>;

impl Store {
    fn start() -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let addr = listener.local_addr().unwrap();
        runtime.spawn(async move {
            let (objects, heads) = (Objects::default(), Arc::new(Mutex::new(0u32)));
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let (objects, heads) = (Arc::clone(&objects), Arc::clone(&heads));
                tokio::spawn(async move {
                    while let Some((head, body)) = read_request(&mut stream).await {
                        let wire = respond(&head, body, &objects, &heads);
                        if stream.write_all(&wire).await.is_err() {
                            return;
                        }
                    }
                });
            }
        });
        Self { addr, _runtime: runtime }
    }
}

fn respond(head: &str, body: Vec<u8>, objects: &Objects, heads: &Mutex<u32>) -> Vec<u8> {
    let mut words = head.split(' ');
    let (method, path) = (words.next().unwrap(), words.next().unwrap().to_owned());
    let mut objects = objects.lock().unwrap();
    match method {
        "PUT" => {
            objects.insert(path, body);
            answer("200 OK\ncontent-length: 0", b"")
        }
        "DELETE" => {
            objects.remove(&path);
            answer("204 No Content", b"")
        }
        "HEAD" => {
            let mut heads = heads.lock().unwrap();
            *heads += 1;
            let status = if heads.is_multiple_of(3) { "503 Slow Down" } else { "200 OK" };
            answer(&format!("{status}\ncontent-length: 10"), b"")
        }
        _ if path.contains("?list-type=2") => answer("200 OK\ncontent-length: 6", b"<List>"),
        _ => {
            let whole = objects.get(&path).unwrap();
            let range = head.lines().find_map(|line| line.strip_prefix("range: bytes="));
            match range.and_then(|range| range.split_once('-')) {
                Some((first, last)) => {
                    let (first, last): (usize, usize) = (first.parse().unwrap(), last.parse().unwrap());
                    let head = format!(
                        "206 Partial Content\ncontent-range: bytes {first}-{last}/{}\ncontent-length: {}",
                        whole.len(),
                        last - first + 1
                    );
                    answer(&head, &whole[first..=last])
                }
                None => answer(&format!("200 OK\ncontent-length: {}", whole.len()), whole),
            }
        }
    }
}

fn journeys() -> Journeys {
    let range = Step::Range(RangeLaw::Fixed(ByteRange { first: 100, last: 199 }));
    let journey = |name: &str, weight, steps: &[Step]| Journey {
        name: name.to_owned(),
        weight,
        think: (Duration::from_millis(2), Duration::from_millis(2)),
        steps: steps.to_vec(),
    };
    let own = [Step::Put, Step::Head, Step::Get, range, Step::List, Step::Delete];
    Journeys {
        each: vec![journey("own", 2, &own), journey("list", 1, &[Step::List])],
        changes: vec![
            Change { users: 6, over: Duration::ZERO },
            Change { users: 6, over: Duration::from_secs(60) },
        ],
        until: Duration::from_millis(1500),
        thresholds: vec!["error-rate<90%".to_owned(), "p50<1us for GET GetObject".to_owned()],
        reports: None,
    }
}

fn run(addr: SocketAddr, journeys: Journeys, stop: Stop) -> (LoadSummary, Vec<ClientRecord>, Vec<Event>) {
    let sink = Arc::new(MemorySink::default());
    let workload = Workload { journeys: Some(journeys), ..workload(GET) };
    let summary = run_load(Load {
        setup: setup(addr, &sink),
        workloads: vec![Arc::new(workload)],
        threads: 1,
        stop,
        live: Arc::new(LiveCounters::default()),
    })
    .unwrap();
    let kept = sink.kept();
    (summary, kept.clients, kept.events)
}

fn by_op(records: &[ClientRecord]) -> Vec<JourneyCount> {
    let mut counts: BTreeMap<Op, JourneyCount> = BTreeMap::new();
    for record in records {
        let of = JourneyCount { op: record.op, ok: 0, failed: 0 };
        let count = counts.entry(record.op).or_insert(of);
        *(if record.is_success() { &mut count.ok } else { &mut count.failed }) += 1;
    }
    counts.into_values().collect()
}

#[test]
fn goose_counts_what_we_record() {
    let _turn = TURN.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let store = Store::start();
    let (summary, records, events) = run(store.addr, journeys(), Stop::default());
    let seen = events.iter().find_map(|event| match event {
        Event::Journeys { workload: 0, counts, thresholds } => Some((counts.clone(), thresholds.clone())),
        _ => None,
    });
    let (counts, thresholds) = seen.unwrap();
    assert_eq!(counts, by_op(&records));
    let ops = [Op::GetObject, Op::HeadObject, Op::PutObject, Op::DeleteObject, Op::ListObjectsV2];
    let count = |op: Op| *counts.iter().find(|count| count.op == op).unwrap();
    assert!(ops.into_iter().all(|op| count(op).ok > 0), "{counts:?}");
    assert!(counts.iter().all(|c| (c.failed > 0) == (c.op == Op::HeadObject)), "{counts:?}");
    assert_eq!((summary.sent, summary.arrivals), (records.len() as u64, records.len() as u64));
    assert!(matches!(events.last(), Some(Event::LoadEnd { .. })));

    // Its thread is watched as those of schedules are, of which this load has nothing to do.
    let used = events.iter().find_map(|event| match event {
        Event::Generator { busiest, .. } => *busiest,
        _ => None,
    });
    assert!(used.unwrap() > 0.0);

    // Every byte that was read was what the same journey had put.
    let reads: Vec<_> = records.iter().filter(|record| record.op == Op::GetObject).collect();
    assert!(reads.iter().all(|read| read.shape.body() == BodyCheck::Exact), "{reads:?}");
    assert!(reads.iter().any(|read| read.status == 206) && reads.iter().any(|read| read.status == 200));
    let mut numbers: Vec<_> = records.iter().map(|record| record.k).collect();
    numbers.sort_unstable();
    assert!(numbers.windows(2).all(|pair| pair[0] != pair[1]), "two requests with one number");

    let passed: Vec<_> =
        thresholds.iter().map(|JourneyThreshold { rule, passed, .. }| (rule, *passed)).collect();
    let [wide, narrow] = journeys().thresholds.try_into().unwrap();
    assert_eq!(passed, [(&wide, true), (&narrow, false)]);
}

#[test]
fn a_stop_ends_users_between_their_steps() {
    let _turn = TURN.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let store = Store::start();
    let stop = Stop::default();
    stop.drain();
    let for_ever = Journeys { until: Duration::from_secs(3600), ..journeys() };
    let (summary, records, events) = run(store.addr, for_ever, stop);
    assert_eq!((summary.sent, summary.abandoned), (records.len() as u64, 0));
    assert!(events.iter().any(|event| matches!(event, Event::Journeys { .. })));
}

#[test]
fn rules_that_goose_does_not_know_are_told() {
    let check = |rule: &str| gatecrash_load::goose::check_thresholds(&[rule.to_owned()]);
    assert_eq!(check("p95<500ms for GET GetObject"), Ok(()));
    let said = check("p95=500ms").unwrap_err();
    assert!(said.contains("the operator must be <, <=, > or >="), "{said}");
}
