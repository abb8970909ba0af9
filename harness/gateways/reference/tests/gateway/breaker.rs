//! The circuit breaker of a region, and what its defects make of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use crate::support::{Running, Upstream, eventually, pair, script};

/// An upstream that answers 500 until it is switched.
async fn failing() -> (Upstream, Arc<AtomicBool>) {
    let well = Arc::new(AtomicBool::new(false));
    let switch = Arc::clone(&well);
    let upstream = Upstream::start(move |_| {
        let status = if switch.load(Ordering::SeqCst) { "200 OK" } else { "500 X" };
        script(format!("HTTP/1.1 {status}\r\nContent-Length: 2\r\n\r\nhi"))
    });
    (upstream.await, well)
}

fn rules(open_ms: u64, defects: &[&str]) -> Value {
    json!({
        "tries": 1,
        "defects": defects,
        "health": {"path": null, "passive-fails": 0},
        "breaker": {"failures": 3, "open-ms": open_ms, "probes": 2},
    })
}

/// Three failures, which open it.
async fn opened(upstream: &Upstream, open_ms: u64, defects: &[&str]) -> Running {
    let gateway = Running::before(upstream, rules(open_ms, defects)).await;
    for _ in 0..3 {
        gateway.get("/b/k").await.expect(500, "hi");
    }
    gateway
}

const LONG: u64 = 600_000;

#[tokio::test]
async fn an_open_one_answers_without_asking() {
    let (upstream, _) = failing().await;
    let gateway = opened(&upstream, LONG, &[]).await;
    for _ in 0..5 {
        gateway.get("/b/k").await.expect_error(503);
    }
    assert_eq!(upstream.count(), 3);
}

#[tokio::test]
async fn with_another_region_requests_go_there() {
    let (first, _) = failing().await;
    let second = Upstream::good("second").await;
    let gateway = Running::start(pair(first.address, second.address), rules(LONG, &[])).await;
    for _ in 0..3 {
        gateway.get("/b/k").await.expect(500, "hi");
    }
    gateway.get("/b/k").await.expect(200, "second");
    assert_eq!(first.count(), 3);
}

#[tokio::test]
async fn a_retry_that_finds_it_open_leaves_the_answer_as_it_was() {
    let (upstream, _) = failing().await;
    let mut changes = rules(LONG, &[]);
    changes["tries"] = json!(2);
    changes["breaker"]["failures"] = json!(1);
    let gateway = Running::before(&upstream, changes).await;
    gateway.get("/b/k").await.expect(500, "hi");
    assert_eq!(upstream.count(), 1);
}

#[tokio::test]
async fn it_closes_when_probes_are_well() {
    let (upstream, well) = failing().await;
    let gateway = opened(&upstream, 50, &[]).await;
    well.store(true, Ordering::SeqCst);
    eventually("it is closed", async || {
        let mut good = 0;
        for _ in 0..5 {
            good += usize::from(gateway.get("/b/k").await.status == 200);
        }
        good == 5
    })
    .await;
}

#[tokio::test]
async fn breaker_never_closes() {
    let (upstream, well) = failing().await;
    let gateway = opened(&upstream, 1, &["breaker-never-closes"]).await;
    well.store(true, Ordering::SeqCst);
    let end = Instant::now() + Duration::from_millis(200);
    while Instant::now() < end {
        gateway.get("/b/k").await.expect_error(503);
    }
    assert_eq!(upstream.count(), 3);
}

#[tokio::test]
async fn open_calls_upstream() {
    let (upstream, _) = failing().await;
    let gateway = opened(&upstream, LONG, &["open-calls-upstream"]).await;
    gateway.get("/b/k").await.expect(500, "hi");
    assert_eq!(upstream.count(), 4);
}

#[tokio::test]
async fn half_open_floods() {
    let (upstream, well) = failing().await;
    let gateway = opened(&upstream, 200, &["half-open-floods"]).await;
    well.store(true, Ordering::SeqCst);
    // Held back while it is open, and all of them answered once it is half open.
    let asked = (0..10).map(|_| gateway.get("/b/k"));
    for reply in futures_of(asked).await {
        assert_eq!(reply, 200);
    }
    assert_eq!(upstream.count(), 13);
}

/// The statuses of requests that are made side by side.
async fn futures_of(requests: impl Iterator<Item = impl Future<Output = crate::support::Reply>>) -> Vec<u16> {
    let mut waiting: Vec<_> = requests.map(Box::pin).collect();
    let mut statuses = Vec::new();
    std::future::poll_fn(|context| {
        waiting.retain_mut(|request| match request.as_mut().poll(context) {
            std::task::Poll::Ready(reply) => {
                statuses.push(reply.status);
                false
            }
            std::task::Poll::Pending => true,
        });
        if waiting.is_empty() { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
    statuses
}
