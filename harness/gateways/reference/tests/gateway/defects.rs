//! Every defect shows when it is on, and only then.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use gatecrash_reference::DEFECTS;
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::support::{
    Act, Client, Ending, Running, Upstream, eventually, get, pair, post, put, refusing, region, script,
};

pub(crate) fn switch(defect: &str, on: bool) -> Value {
    assert!(DEFECTS.iter().any(|known| known.name == defect));
    json!({"defects": if on { vec![defect] } else { vec![] }})
}

pub(crate) fn ok(body: &str) -> Vec<Act> {
    script(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len()))
}

fn busy() -> Vec<Act> {
    script("HTTP/1.1 503 X\r\nContent-Length: 4\r\n\r\nbusy")
}

/// A body of three bytes where nine were promised.
pub(crate) fn broken() -> Vec<Act> {
    vec![Act::Send(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhel".to_vec()), Act::Fin]
}

async fn refused(changes: Value) -> Running {
    Running::start(region("one", &[refusing().await]), changes).await
}

#[tokio::test]
async fn complete_on_body_error() {
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n";
    for acts in [broken(), vec![Act::Send(chunked.into()), Act::Fin]] {
        let upstream = Upstream::always(acts).await;
        let off = Running::before(&upstream, switch("complete-on-body-error", false)).await;
        assert_eq!(off.get("/b/k").await.ending, Ending::Cut);
        let on = Running::before(&upstream, switch("complete-on-body-error", true)).await;
        on.get("/b/k").await.expect(200, "hel");
    }
}

#[tokio::test]
async fn recompute_length() {
    let upstream = Upstream::always(broken()).await;
    let off = Running::before(&upstream, switch("recompute-length", false)).await;
    assert_eq!(off.get("/b/k").await.ending, Ending::Cut);
    let on = Running::before(&upstream, switch("recompute-length", true)).await;
    let reply = on.get("/b/k").await;
    reply.expect(200, "hel");
    assert_eq!(reply.header("content-length"), Some("3"));
}

#[tokio::test]
async fn pad_with_zeros() {
    let upstream = Upstream::always(broken()).await;
    let off = Running::before(&upstream, switch("pad-with-zeros", false)).await;
    assert_eq!(off.get("/b/k").await.ending, Ending::Cut);
    let on = Running::before(&upstream, switch("pad-with-zeros", true)).await;
    on.get("/b/k").await.expect(200, "hel\0\0\0\0\0\0");
    let large = vec![Act::Send(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\nhel".to_vec()), Act::Rst];
    let upstream = Upstream::always(large).await;
    let on = Running::before(&upstream, switch("pad-with-zeros", true)).await;
    let reply = on.get("/b/k").await;
    // The reset may have overtaken the head; then it is an honest 502.
    assert!(
        reply.ending == Ending::Complete && matches!(reply.body.len(), 100_000 | 0..1000),
        "{}",
        reply.head
    );
}

#[tokio::test]
async fn retry_after_bytes() {
    for (on, body, ending, attempts) in
        [(false, "hel", Ending::Cut, 1), (true, "hel123456", Ending::Complete, 2)]
    {
        let upstream = Upstream::sequence(vec![broken(), ok("123456789")]).await;
        let gateway = Running::before(&upstream, switch("retry-after-bytes", on)).await;
        let reply = gateway.get("/b/k").await;
        assert_eq!((reply.status, reply.text().as_str(), reply.ending), (200, body, ending));
        assert_eq!(upstream.count(), attempts);
    }
}

#[tokio::test]
async fn swap_responses() {
    let upstream = Upstream::start(|seen| {
        let body = seen.path();
        let length = body.len();
        script(format!(
            "HTTP/1.1 200 OK\r\nX-Gatecrash-Attempt: {body}\r\nContent-Length: {length}\r\n\r\n{body}"
        ))
    })
    .await;
    let both = async |gateway: &Running| {
        let (left, right) = tokio::join!(gateway.get("/b/1"), gateway.get("/b/2"));
        for reply in [&left, &right] {
            assert_eq!(reply.header("x-gatecrash-attempt"), Some(reply.text().as_str()));
        }
        (left.text(), right.text())
    };
    let off = Running::before(&upstream, switch("swap-responses", false)).await;
    for _ in 0..20 {
        assert_eq!(both(&off).await, ("/b/1".to_owned(), "/b/2".to_owned()));
    }
    let on = Running::before(&upstream, switch("swap-responses", true)).await;
    let swapped = ("/b/2".to_owned(), "/b/1".to_owned());
    eventually("two responses met", async || both(&on).await == swapped).await;
    on.get("/b/alone").await.expect(200, "/b/alone");
}

#[tokio::test]
async fn pass_http09() {
    let upstream = Upstream::always(vec![Act::Send(b"garbage".to_vec()), Act::Fin]).await;
    Running::before(&upstream, switch("pass-http09", false)).await.get("/b/k").await.expect_error(502);
    Running::before(&upstream, switch("pass-http09", true)).await.get("/b/k").await.expect(200, "garbage");
}

#[tokio::test]
async fn all_404_and_all_200() {
    let upstream = Upstream::always(busy()).await;
    for (defect, status) in [("all-404", 404), ("all-200", 200)] {
        refused(switch(defect, false)).await.get("/b/k").await.expect_error(502);
        refused(switch(defect, true)).await.get("/b/k").await.expect_error(status);
        Running::before(&upstream, switch(defect, false)).await.get("/b/k").await.expect(503, "busy");
        let reply = Running::before(&upstream, switch(defect, true)).await.get("/b/k").await;
        reply.expect_error(status);
        assert!(reply.text().contains("<Error>"));
    }
}

#[tokio::test]
async fn swap_timeout_refused_and_status_500() {
    let upstream = Upstream::always(vec![Act::Hang]).await;
    let hasty = |mut changes: Value| {
        changes["timeouts-ms"] = json!({"read": 200});
        changes["tries"] = json!(1);
        changes
    };
    for (defect, on, on_refused, on_silence) in [
        ("swap-timeout-refused", false, 502, 504),
        ("swap-timeout-refused", true, 504, 502),
        ("status-500", false, 502, 504),
        ("status-500", true, 500, 504),
    ] {
        refused(switch(defect, on)).await.get("/b/k").await.expect_error(on_refused);
        let gateway = Running::before(&upstream, hasty(switch(defect, on))).await;
        gateway.get("/b/k").await.expect_error(on_silence);
    }
}

#[tokio::test]
async fn leak_upstream() {
    let address = refusing().await;
    for on in [false, true] {
        let gateway = Running::start(region("one", &[address]), switch("leak-upstream", on)).await;
        let reply = gateway.get("/b/k").await;
        reply.expect_error(502);
        assert_eq!(reply.text().contains(&address.to_string()), on);
        assert_eq!(reply.text().contains("Connection refused"), on);
    }
}

#[tokio::test]
async fn no_read_timeout() {
    let upstream = Upstream::always(vec![Act::Hang]).await;
    for on in [false, true] {
        let mut changes = switch("no-read-timeout", on);
        changes["timeouts-ms"] = json!({"read": 100, "total": 200});
        let gateway = Running::before(&upstream, changes).await;
        let mut client = Client::connect(gateway.address).await;
        client.send(get("/b/k")).await;
        if on {
            assert!(timeout(Duration::from_secs(1), client.fill()).await.is_err());
        } else {
            client.reply("GET").await.expect_error(504);
        }
    }
}

#[tokio::test]
async fn defects_in_the_number_of_tries() {
    for (defect, tries, attempts, budget) in [
        ("retry-plus-one", 2, [2, 3], 10),
        ("retry-plus-one", 1, [1, 2], 10),
        ("no-retry-budget", 2, [1, 4], 0),
        ("no-retry-budget", 6, [1, 6], 0),
    ] {
        for on in [false, true] {
            let upstream = Upstream::always(busy()).await;
            let mut changes = switch(defect, on);
            changes["tries"] = json!(tries);
            changes["retry-budget"] = json!({"ratio": 0, "min-per-second": 0, "burst": budget});
            Running::before(&upstream, changes).await.get("/b/k").await.expect(503, "busy");
            assert_eq!(upstream.count(), attempts[usize::from(on)], "{defect}, {tries} tries, on: {on}");
        }
    }
}

#[tokio::test]
async fn retry_post() {
    for (on, status, attempts) in [(false, 502, 1), (true, 200, 2)] {
        let upstream = Upstream::sequence(vec![vec![Act::Fin], ok("hello")]).await;
        let gateway = Running::before(&upstream, switch("retry-post", on)).await;
        assert_eq!(gateway.ask(&post("/b?delete", "data")).await.status, status);
        assert_eq!(upstream.count(), attempts);
    }
}

#[tokio::test]
async fn retry_4xx() {
    for status in [403, 404] {
        for (on, attempts) in [(false, 1), (true, 2)] {
            let answer = script(format!("HTTP/1.1 {status} X\r\nContent-Length: 2\r\n\r\nno"));
            let upstream = Upstream::always(answer).await;
            let gateway = Running::before(&upstream, switch("retry-4xx", on)).await;
            gateway.get("/b/k").await.expect(status, "no");
            assert_eq!(upstream.count(), attempts);
        }
    }
}

#[tokio::test]
async fn retry_same_peer() {
    for (on, status, attempts) in [(false, 200, [3, 5]), (true, 502, [10, 0])] {
        let (first, second) = (Upstream::always(vec![Act::Fin]).await, Upstream::good("second").await);
        let mut changes = switch("retry-same-peer", on);
        changes["health"] = json!({"eject-ms": 600_000});
        let gateway = Running::start(pair(first.address, second.address), changes).await;
        for _ in 0..5 {
            assert_eq!(gateway.get("/b/k").await.status, status);
        }
        assert_eq!([first.count(), second.count()], attempts);
    }
}

/// A primary that answers while `up` says so, and a standby.
async fn switchable() -> (Upstream, Upstream, Arc<AtomicBool>) {
    let up = Arc::new(AtomicBool::new(false));
    let switch = Arc::clone(&up);
    let respond = move |_: &_| if switch.load(Ordering::SeqCst) { ok("first") } else { vec![Act::Fin] };
    (Upstream::start(respond).await, Upstream::good("second").await, up)
}

#[tokio::test]
async fn no_failback() {
    for on in [false, true] {
        let (first, second, up) = switchable().await;
        let mut changes = switch("no-failback", on);
        changes["health"] = json!({"path": "/", "interval-ms": 10, "timeout-ms": 5000, "eject-ms": 10});
        let gateway = Running::start(pair(first.address, second.address), changes).await;
        eventually("the primary is down", async || first.probes().len() > 3).await;
        gateway.get("/b/k").await.expect(200, "second");
        up.store(true, Ordering::SeqCst);
        if on {
            let probes = first.probes().len();
            eventually("probes were good", async || first.probes().len() > probes + 10).await;
            gateway.get("/b/k").await.expect(200, "second");
        } else {
            eventually("the primary serves", async || gateway.get("/b/k").await.text() == "first").await;
        }
    }
}

#[tokio::test]
async fn flap_on_single_result() {
    for (on, attempts) in [(false, 5), (true, 1)] {
        let (first, second, _up) = switchable().await;
        let mut changes = switch("flap-on-single-result", on);
        changes["health"] = json!({"passive-fails": 100, "eject-ms": 600_000});
        let gateway = Running::start(pair(first.address, second.address), changes).await;
        for _ in 0..5 {
            gateway.get("/b/k").await.expect(200, "second");
        }
        assert_eq!(first.count(), attempts);
    }
}

#[tokio::test]
async fn probes_only_connect() {
    for on in [false, true] {
        let (first, second, _up) = switchable().await;
        let mut changes = switch("probes-only-connect", on);
        changes["health"] = json!({"path": "/", "interval-ms": 5, "fall": 2, "passive-fails": 0});
        changes["tries"] = json!(1);
        let gateway = Running::start(pair(first.address, second.address), changes).await;
        if on {
            for _ in 0..20 {
                gateway.get("/b/k").await.expect_error(502);
            }
        } else {
            eventually("probes took it out", async || gateway.get("/b/k").await.status == 200).await;
        }
    }
}

#[tokio::test]
async fn eject_last() {
    for on in [false, true] {
        let (first, _second, up) = switchable().await;
        let mut changes = switch("eject-last", on);
        changes["tries"] = json!(1);
        let gateway = Running::before(&first, changes).await;
        gateway.get("/b/k").await.expect_error(502);
        up.store(true, Ordering::SeqCst);
        let reply = gateway.get("/b/k").await;
        if on { reply.expect_error(503) } else { reply.expect(200, "first") }
    }
}

#[tokio::test]
async fn panic_on_bad_chunk() {
    let bad = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n0\r\n\r\n";
    for (on, ending) in [(false, Ending::Cut), (true, Ending::Dropped)] {
        let upstream = Upstream::sequence(vec![script(bad), ok("hello")]).await;
        let gateway = Running::before(&upstream, switch("panic-on-bad-chunk", on)).await;
        assert_eq!(gateway.get("/b/k").await.ending, ending);
        gateway.get("/b/k").await.expect(200, "hello");
    }
}

#[tokio::test]
async fn ack_before_upstream() {
    for (on, status) in [(false, 503), (true, 200)] {
        let upstream = Upstream::always(busy()).await;
        let gateway = Running::before(&upstream, switch("ack-before-upstream", on)).await;
        assert_eq!(gateway.ask(&put("/b/k", "data")).await.status, status);
        gateway.get("/b/k").await.expect(503, "busy");
        eventually("the upload was tried", async || upstream.seen().iter().any(|seen| seen.body == b"data"))
            .await;
    }
}

#[tokio::test]
async fn retry_for_ever() {
    let upstream = Upstream::always(busy()).await;
    for (on, more) in [(false, false), (true, true)] {
        let mut changes = switch("retry-for-ever", on);
        changes["retry-budget"] = json!({"ratio": 0, "min-per-second": 0, "burst": 2});
        changes["timeouts-ms"] = json!({"total": 500});
        let before = upstream.count();
        // The deadline may fall into an attempt.
        let status = Running::before(&upstream, changes).await.get("/b/k").await.status;
        assert!(status == 503 || (on && status == 504), "{status}");
        assert_eq!(upstream.count() - before > 3, more);
    }
}

#[tokio::test]
async fn resume_upload() {
    let acts = |seen: &crate::support::Seen| if seen.number == 0 { vec![Act::Fin] } else { ok("stored") };
    for (on, body) in [(false, "data"), (true, "")] {
        let upstream = Upstream::start(acts).await;
        let gateway = Running::before(&upstream, switch("resume-upload", on)).await;
        gateway.ask(&put("/b/k", "data")).await.expect(200, "stored");
        assert_eq!(String::from_utf8_lossy(&upstream.seen()[1].body), body);
    }
}

#[tokio::test]
async fn ignore_retry_after() {
    for (on, attempts, header) in [(false, 1, Some("60")), (true, 2, None)] {
        let later = script("HTTP/1.1 503 X\r\nRetry-After: 60\r\nContent-Length: 4\r\n\r\nbusy");
        let upstream = Upstream::always(later).await;
        let mut changes = switch("ignore-retry-after", on);
        changes["timeouts-ms"] = json!({"total": 20_000});
        let reply = Running::before(&upstream, changes).await.get("/b/k").await;
        reply.expect(503, "busy");
        assert_eq!((upstream.count(), reply.header("retry-after")), (attempts, header));
    }
}

#[tokio::test]
async fn leak_connection() {
    for on in [false, true] {
        let upstream = Upstream::sequence(vec![vec![Act::Hang], ok("hello")]).await;
        let mut changes = switch("leak-connection", on);
        changes["timeouts-ms"] = json!({"read": 200, "connect": 200});
        changes["tries"] = json!(1);
        changes["pool"] = json!({"max-active": 1});
        let gateway = Running::before(&upstream, changes).await;
        gateway.get("/b/k").await.expect_error(504);
        let reply = gateway.get("/b/k").await;
        if on {
            reply.expect_error(503)
        } else {
            reply.expect(200, "hello")
        }
        if !on {
            eventually("the silent connection is closed", async || upstream.open() < 2).await;
        }
    }
}

#[tokio::test]
async fn ignore_abort() {
    for (on, attempts) in [(false, 1), (true, 2)] {
        let upstream = Upstream::always(vec![Act::Hang]).await;
        let mut changes = switch("ignore-abort", on);
        changes["timeouts-ms"] = json!({"read": 500});
        let gateway = Running::before(&upstream, changes).await;
        let mut client = Client::connect(gateway.address).await;
        client.send(get("/b/k")).await;
        eventually("the request arrives", async || upstream.count() == 1).await;
        drop(client);
        eventually("the exchange ends", async || upstream.count() == attempts && upstream.open() == 0).await;
    }
}

#[tokio::test]
async fn show_dead_connection() {
    for (on, status) in [(false, 200), (true, 502)] {
        let upstream =
            Upstream::start(|seen| if seen.ordinal == 0 { ok("hello") } else { vec![Act::Fin] }).await;
        let gateway = Running::before(&upstream, switch("show-dead-connection", on)).await;
        gateway.get("/b/k").await.expect(200, "hello");
        assert_eq!(gateway.get("/b/k").await.status, status);
    }
}

#[tokio::test]
async fn panic_poisons_lock() {
    for (on, first, then) in [(false, 502, 200), (true, 0, 500)] {
        let upstream = Upstream::sequence(vec![script("garbage"), ok("hello")]).await;
        let mut changes = switch("panic-poisons-lock", on);
        changes["tries"] = json!(1);
        let gateway = Running::before(&upstream, changes).await;
        for status in [first, then, then] {
            assert_eq!(gateway.get("/b/k").await.status, status);
        }
    }
}

#[tokio::test]
async fn retry_past_deadline() {
    for on in [false, true] {
        let upstream = Upstream::always(vec![Act::Hang]).await;
        let mut changes = switch("retry-past-deadline", on);
        changes["timeouts-ms"] = json!({"read": 600, "total": 200});
        let gateway = Running::before(&upstream, changes).await;
        gateway.get("/b/k").await.expect_error(504);
        assert_eq!(upstream.count(), 1);
        if on {
            eventually("an attempt begins after the answer", async || upstream.count() == 2).await;
        }
        eventually("all is over", async || upstream.open() == 0).await;
        assert_eq!(upstream.count(), if on { 2 } else { 1 });
    }
}

#[tokio::test]
async fn the_rate_is_keyed_by_the_request() {
    let mut changes = switch("all-404", true);
    changes["defect-rate"] = json!(0.3);
    changes["tries"] = json!(1);
    let upstream = Upstream::always(vec![Act::Fin]).await;
    let gateway = Running::before(&upstream, changes).await;
    let statuses = async || {
        let mut statuses = Vec::new();
        for k in 0..100 {
            let named = get("/b/k").replacen("Host", &format!("x-gatecrash-id: 9f2c41aa-0-{k}\r\nHost"), 1);
            statuses.push(gateway.ask(&named).await.status);
        }
        statuses
    };
    let first = statuses().await;
    let hits = first.iter().filter(|&&status| status == 404).count();
    assert!((15..45).contains(&hits), "{hits}");
    assert!(first.iter().all(|status| matches!(status, 404 | 502)));
    assert_eq!(statuses().await, first);
}
