//! Synthetic objects that change while the mock runs.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use gatecrash_mock_s3::{Action, Config, Facts, NoFaults, Point};
use gatecrash_model::{Clock, Lineage, Nanos};

use crate::support::{Bench, EAST, Reply, WALL, WEST, When, config, get, request};

const EVERY: Nanos = 10_000_000_000;
const KEY: &str = "img/000001.bin";
const PATH: &str = "/media/img/000001.bin";

/// Stands where it is put.
#[derive(Default)]
struct SetClock(AtomicU64);

impl SetClock {
    fn set(&self, at: Nanos) {
        self.0.store(at, Ordering::SeqCst);
    }
}

impl Clock for SetClock {
    fn now(&self) -> Nanos {
        self.0.load(Ordering::SeqCst)
    }
    fn wall_seconds(&self) -> i64 {
        WALL + (self.now() / 1_000_000_000) as i64
    }
}

fn changing() -> (Config, Lineage) {
    let mut config = config();
    config.buckets[0].objects[0].change_every = Some(EVERY);
    let lineage = config.buckets[0].objects[0].lineage(KEY).unwrap();
    (config, lineage)
}

fn etag(reply: &Reply) -> String {
    reply.header("etag").unwrap().trim_matches('"').to_owned()
}

#[tokio::test]
async fn bytes_etag_and_date_change_together_and_everywhere() {
    let ((config, lineage), clock) = (changing(), Arc::new(SetClock::default()));
    let bench = Bench::with(config, clock.clone(), Arc::new(NoFaults)).await;
    let mut dates = Vec::new();
    for version in [0, 1, 2, 7] {
        // Its first and its last instant.
        for at in [lineage.begins(version), lineage.replaced(version) - 1] {
            clock.set(at);
            for region in [EAST, WEST] {
                let reply = bench.send(region, get(PATH)).await;
                let content = lineage.content(&bench.pool, version);
                assert_eq!((reply.status, reply.body.len()), (200, 300_000));
                assert_eq!(content.mismatch(&bench.pool, 0, &reply.body), None, "version {version} at {at}");
                assert_eq!(etag(&reply), lineage.etag(version));
                let head = bench.send(region, request("HEAD", PATH)).await;
                assert_eq!(etag(&head), lineage.etag(version));
                dates.push(reply.header("last-modified").unwrap().to_owned());
            }
            let listing = bench.send(EAST, get("/media?list-type=2&prefix=img/000001")).await;
            assert!(listing.text().contains(&lineage.etag(version)), "{}", listing.text());
        }
    }
    dates.dedup();
    assert_eq!(dates.len(), 4, "a version keeps its date: {dates:?}");
}

#[tokio::test]
async fn conditions_and_ranges_are_about_the_current_version() {
    let ((config, lineage), clock) = (changing(), Arc::new(SetClock::default()));
    let bench = Bench::with(config, clock.clone(), Arc::new(NoFaults)).await;
    clock.set(lineage.begins(3));
    let tag = |version| format!("\"{}\"", lineage.etag(version));
    let ask = async |name: &str, version| {
        let request = get(PATH).header("range", "bytes=1000-1999").header(name, &tag(version));
        bench.send(EAST, request).await
    };
    assert_eq!(ask("if-none-match", 3).await.status, 304);
    assert_eq!(ask("if-none-match", 2).await.status, 206);
    assert_eq!((ask("if-match", 3).await.status, ask("if-match", 2).await.status), (206, 412));
    let (resumed, anew) = (ask("if-range", 3).await, ask("if-range", 2).await);
    assert_eq!((resumed.status, anew.status), (206, 200), "another version is not resumed");
    let content = lineage.content(&bench.pool, 3);
    assert_eq!(content.mismatch(&bench.pool, 1000, &resumed.body), None);
    assert_eq!(content.mismatch(&bench.pool, 0, &anew.body), None);
}

#[tokio::test]
async fn a_stale_read_sees_the_version_before() {
    let stale = |at: Point, facts: &Facts<'_>| match at == Point::Handle && facts.region_name == WEST {
        true => Action::Stale(Duration::from_nanos(EVERY)),
        false => Action::Continue,
    };
    let ((config, lineage), clock) = (changing(), Arc::new(SetClock::default()));
    let bench = Bench::with(config, clock.clone(), Arc::new(When(stale))).await;
    clock.set(lineage.begins(3) + 1);
    let (east, west) = (bench.send(EAST, get(PATH)).await, bench.send(WEST, get(PATH)).await);
    assert_eq!((etag(&east), etag(&west)), (lineage.etag(3), lineage.etag(2)));
    assert_eq!(lineage.content(&bench.pool, 2).mismatch(&bench.pool, 0, &west.body), None);
}

#[tokio::test]
async fn what_is_written_stays() {
    let ((config, lineage), clock) = (changing(), Arc::new(SetClock::default()));
    let bench = Bench::with(config, clock.clone(), Arc::new(NoFaults)).await;
    bench.send(EAST, request("PUT", PATH).body(b"mine")).await;
    clock.set(lineage.begins(4));
    assert_eq!(bench.send(EAST, get(PATH)).await.body, b"mine");
}
