//! Replication between regions: lag, pause, drop, order, and what stays behind.

use std::sync::Arc;
use std::time::Duration;

use gatecrash_mock_s3::{
    BucketConfig, Config, Lag, NoFaults, ReplicationConfig, ReplicationMode, ReplicationState,
};

use crate::support::{Bench, EAST, Reply, StepClock, WEST, config, get, request};

const HOUR: Duration = Duration::from_secs(3600);

/// `docs` is `docs-west` in the west.
async fn bench(lag: Lag, delete_markers: bool, routes: &[(&str, &str)]) -> Bench {
    let routes = routes.iter().map(|(from, to)| ((*from).to_owned(), (*to).to_owned())).collect();
    let mut docs = BucketConfig::new("docs", &[EAST]);
    docs.regions.push((WEST.into(), "docs-west".into()));
    docs.public = true;
    docs.replication = Some(ReplicationConfig { routes, lag, delete_markers });
    let mut config = Config { anonymous: true, ..config() };
    config.buckets.push(docs);
    Bench::with(config, Arc::new(StepClock::default()), Arc::new(NoFaults)).await
}

async fn quick(delete_markers: bool) -> Bench {
    bench(Lag::constant(Duration::from_millis(5)), delete_markers, &[]).await
}

impl Bench {
    async fn east(&self, method: &str, body: &[u8]) -> Reply {
        self.send(EAST, request(method, "/docs/a").header("x-amz-meta-colour", "red").body(body)).await
    }

    async fn west(&self) -> Reply {
        self.send(WEST, get("/docs-west/a")).await
    }

    /// Waits until nothing is on its way.
    async fn settled(&self) {
        let control = self.mock.control();
        let settled = || control.replication_pending("docs").unwrap() == 0;
        crate::support::eventually("replication is done", settled).await;
    }
}

fn status(reply: &Reply) -> Option<&str> {
    reply.header("x-amz-replication-status")
}

#[tokio::test]
async fn a_version_arrives_as_it_is() {
    let bench = quick(false).await;
    let put = bench.east("PUT", b"hello").await;
    let version = put.header("x-amz-version-id").unwrap();
    bench.settled().await;
    let (east, west) = (bench.send(EAST, get("/docs/a")).await, bench.west().await);
    assert_eq!((west.text(), west.header("etag")), ("hello".into(), put.header("etag")));
    assert_eq!(west.header("x-amz-version-id"), Some(version));
    assert_eq!(west.header("x-amz-meta-colour"), Some("red"));
    assert_eq!((status(&east), status(&west)), (Some("COMPLETED"), Some("REPLICA")));
    assert_eq!(bench.mock.store_entries().len(), 1, "an upload is counted where it was made");
    // Replicas do not come back, and what is written there goes the other way.
    bench.send(WEST, request("PUT", "/docs-west/b").body(b"b")).await;
    bench.settled().await;
    assert_eq!(bench.send(EAST, get("/docs/b")).await.text(), "b");
}

#[tokio::test]
async fn until_it_arrives_it_is_not_there() {
    let bench = bench(Lag::constant(HOUR), false, &[]).await;
    bench.east("PUT", b"hello").await;
    assert_eq!(bench.west().await.status, 404);
    assert_eq!(status(&bench.send(EAST, get("/docs/a")).await), Some("PENDING"));
    assert_eq!(bench.mock.control().replication_pending("docs").unwrap(), 1);
}

#[tokio::test]
async fn what_waited_is_replicated_afterwards() {
    let bench = quick(false).await;
    let control = bench.mock.control();
    let paused = ReplicationState { mode: ReplicationMode::Paused, lag: None };
    let pause = control.set_replication("docs", paused).unwrap();
    let lag = ReplicationState { mode: ReplicationMode::Paused, lag: Some(Lag::constant(Duration::ZERO)) };
    let shorter = control.set_replication("docs", lag).unwrap();
    bench.east("PUT", b"hello").await;
    bench.send(EAST, request("PUT", "/docs/b").body(b"b")).await;
    assert_eq!((bench.west().await.status, control.replication_pending("docs").unwrap()), (404, 2));
    assert!(control.undo(pause) && control.undo(shorter));
    bench.settled().await;
    assert_eq!(bench.west().await.text(), "hello");
    assert!(control.set_replication("nothing", ReplicationState::default()).is_err());
}

#[tokio::test]
async fn what_is_dropped_never_arrives() {
    let bench = quick(false).await;
    let dropping = ReplicationState { mode: ReplicationMode::Dropping, lag: None };
    let drop = bench.mock.control().set_replication("docs", dropping).unwrap();
    bench.east("PUT", b"lost").await;
    bench.settled().await;
    assert!(bench.mock.control().undo(drop));
    bench.send(EAST, request("PUT", "/docs/b").body(b"b")).await;
    bench.settled().await;
    assert_eq!(bench.west().await.status, 404);
    assert_eq!(status(&bench.send(EAST, get("/docs/a")).await), Some("FAILED"));
    assert_eq!(bench.send(WEST, get("/docs-west/b")).await.text(), "b");
}

#[tokio::test]
async fn versions_of_a_key_arrive_in_order() {
    let lag = Lag { p50: Duration::from_millis(2), p99: Duration::from_millis(40) };
    let bench = bench(lag, false, &[]).await;
    for n in 0..20 {
        bench.east("PUT", n.to_string().as_bytes()).await;
    }
    bench.settled().await;
    assert_eq!(bench.west().await.text(), "19");
}

#[tokio::test]
async fn delete_markers_only_when_asked_for() {
    for (markers, expected) in [(false, 200), (true, 404)] {
        let bench = quick(markers).await;
        bench.east("PUT", b"hello").await;
        assert_eq!(bench.east("DELETE", b"").await.status, 204);
        bench.settled().await;
        assert_eq!(bench.west().await.status, expected);
        assert_eq!(bench.send(EAST, get("/docs/a")).await.status, 404);
    }
}

#[tokio::test]
async fn it_goes_on_after_a_reset() {
    let bench = quick(false).await;
    bench.east("PUT", b"before").await;
    bench.mock.reset().unwrap();
    assert_eq!(bench.mock.control().replication_pending("docs").unwrap(), 0);
    bench.send(EAST, request("PUT", "/docs/b").body(b"b")).await;
    bench.settled().await;
    assert_eq!(bench.send(WEST, get("/docs-west/b")).await.text(), "b");
    assert_eq!(bench.west().await.status, 404);
}

#[tokio::test]
async fn one_way_only_where_it_says_so() {
    let bench = bench(Lag::constant(Duration::ZERO), false, &[(WEST, EAST)]).await;
    bench.east("PUT", b"east").await;
    bench.send(WEST, request("PUT", "/docs-west/b").body(b"b")).await;
    bench.settled().await;
    assert_eq!(bench.west().await.status, 404);
    let east = bench.send(EAST, get("/docs/a")).await;
    assert_eq!((east.text(), status(&east)), ("east".into(), None));
    assert_eq!(bench.send(EAST, get("/docs/b")).await.text(), "b");
}
