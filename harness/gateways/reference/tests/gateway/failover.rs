//! Which endpoint is asked: order, ejection, failover and failback.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::json;

use crate::support::{Act, Running, Upstream, eventually, pair, refusing, region, script};

/// An upstream that can be switched between answering and closing connections.
async fn switched(name: &'static str) -> (Upstream, Arc<AtomicBool>) {
    let up = Arc::new(AtomicBool::new(true));
    let switch = Arc::clone(&up);
    let upstream = Upstream::start(move |_| {
        let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{name}", name.len());
        if switch.load(Ordering::SeqCst) { script(answer) } else { vec![Act::Rst] }
    })
    .await;
    (upstream, up)
}

async fn busy(body: &str) -> Upstream {
    let length = body.len();
    Upstream::always(script(format!("HTTP/1.1 503 X\r\nContent-Length: {length}\r\n\r\n{body}"))).await
}

#[tokio::test]
async fn a_healthy_primary_serves_everything() {
    let (first, second) = (Upstream::good("first").await, Upstream::good("second").await);
    let gateway = Running::start(pair(first.address, second.address), json!({})).await;
    for _ in 0..5 {
        gateway.get("/b/k").await.expect(200, "first");
    }
    assert_eq!(second.count(), 0);
}

#[tokio::test]
async fn a_failed_try_goes_to_the_standby_and_failures_eject() {
    let (first, second) = (busy("no").await, Upstream::good("second").await);
    let ejecting = json!({"health": {"passive-fails": 3, "eject-ms": 600_000}});
    let gateway = Running::start(pair(first.address, second.address), ejecting).await;
    for _ in 0..10 {
        gateway.get("/b/k").await.expect(200, "second");
    }
    assert_eq!((first.count(), second.count()), (3, 10));
}

#[tokio::test]
async fn slow_down_does_not_eject() {
    let (first, second) =
        (busy("<Error><Code>SlowDown</Code></Error>").await, Upstream::good("second").await);
    let ejecting = json!({"health": {"passive-fails": 1, "eject-ms": 600_000}});
    let gateway = Running::start(pair(first.address, second.address), ejecting).await;
    for _ in 0..5 {
        gateway.get("/b/k").await.expect(200, "second");
    }
    assert_eq!(first.count(), 5);
}

#[tokio::test]
async fn broken_bodies_eject_too() {
    let broken = vec![Act::Send(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhel".to_vec()), Act::Fin];
    let (first, second) = (Upstream::always(broken).await, Upstream::good("second").await);
    let ejecting = json!({"health": {"passive-fails": 2, "eject-ms": 600_000}});
    let gateway = Running::start(pair(first.address, second.address), ejecting).await;
    for _ in 0..2 {
        assert_eq!(gateway.get("/b/k").await.text(), "hel");
    }
    gateway.get("/b/k").await.expect(200, "second");
}

#[tokio::test]
async fn an_ejection_ends_by_itself() {
    let (first, up) = switched("first").await;
    let second = Upstream::good("second").await;
    let ejecting = json!({"health": {"passive-fails": 1, "eject-ms": 200}});
    let gateway = Running::start(pair(first.address, second.address), ejecting).await;
    up.store(false, Ordering::SeqCst);
    gateway.get("/b/k").await.expect(200, "second");
    up.store(true, Ordering::SeqCst);
    eventually("the primary serves again", async || gateway.get("/b/k").await.text() == "first").await;
}

#[tokio::test]
async fn probes_fail_over_and_back_without_a_single_request() {
    let (first, up) = switched("first").await;
    let second = Upstream::good("second").await;
    let probing = json!({
        "health": {"path": "/health?x=1", "interval-ms": 20, "timeout-ms": 5000, "passive-fails": 0},
        "tries": 1,
    });
    let gateway = Running::start(pair(first.address, second.address), probing).await;
    gateway.get("/b/k").await.expect(200, "first");
    up.store(false, Ordering::SeqCst);
    let probes = first.probes().len();
    eventually("probes have failed", async || first.probes().len() > probes + 5).await;
    gateway.get("/b/k").await.expect(200, "second");
    assert_eq!(first.count(), 1);
    up.store(true, Ordering::SeqCst);
    eventually("the primary serves again", async || gateway.get("/b/k").await.text() == "first").await;
    let probe = &first.probes()[0];
    assert_eq!(probe.path(), "/health?x=1");
    assert_eq!(probe.header("host"), Some(first.address.to_string().as_str()));
    assert_eq!(probe.ordinal, 0);
}

#[tokio::test]
async fn a_probe_asks_for_a_well_formed_answer_and_nothing_more() {
    let denied = "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n";
    let (first, second) = (Upstream::always(script(denied)).await, Upstream::good("second").await);
    let probing = json!({"health": {"path": "/", "interval-ms": 10, "timeout-ms": 5000}, "tries": 1});
    let gateway = Running::start(pair(first.address, second.address), probing).await;
    eventually("probes were made", async || first.probes().len() > 5).await;
    gateway.get("/b/k").await.expect(403, "");
}

#[tokio::test]
async fn the_only_endpoint_is_never_given_up() {
    let (first, up) = switched("first").await;
    let harsh = json!({
        "health": {
            "path": "/", "interval-ms": 10, "timeout-ms": 5000,
            "fall": 1, "passive-fails": 1, "eject-ms": 600_000,
        },
        "tries": 1,
    });
    let gateway = Running::before(&first, harsh).await;
    up.store(false, Ordering::SeqCst);
    for _ in 0..5 {
        gateway.get("/b/k").await.expect_error(502);
    }
    let probes = first.probes().len();
    eventually("probes have failed", async || first.probes().len() > probes + 3).await;
    up.store(true, Ordering::SeqCst);
    gateway.get("/b/k").await.expect(200, "first");
}

#[tokio::test]
async fn the_last_endpoint_is_never_given_up() {
    let (second, up) = switched("second").await;
    let harsh = json!({"health": {"passive-fails": 1, "eject-ms": 600_000}});
    let gateway = Running::start(pair(refusing().await, second.address), harsh).await;
    gateway.get("/b/k").await.expect(200, "second");
    up.store(false, Ordering::SeqCst);
    for _ in 0..5 {
        gateway.get("/b/k").await.expect_error(502);
    }
    up.store(true, Ordering::SeqCst);
    gateway.get("/b/k").await.expect(200, "second");
}

#[tokio::test]
async fn endpoints_of_a_region_take_turns() {
    let ups = [Upstream::good("a").await, Upstream::good("b").await, Upstream::good("c").await];
    let addresses = ups.each_ref().map(|upstream| upstream.address);
    let gateway = Running::start(region("one", &addresses), json!({})).await;
    for _ in 0..30 {
        assert_eq!(gateway.get("/b/k").await.status, 200);
    }
    assert_eq!(ups.each_ref().map(Upstream::count), [10, 10, 10]);
}

#[tokio::test]
async fn within_a_region_a_retry_goes_to_the_peer() {
    let (first, second) = (busy("no").await, Upstream::good("second").await);
    let gateway = Running::start(region("one", &[first.address, second.address]), json!({})).await;
    for _ in 0..10 {
        gateway.get("/b/k").await.expect(200, "second");
    }
}
