//! What is tried again, how often, and what never is.

use serde_json::{Value, json};

use crate::support::{Act, Client, Ending, Running, Upstream, get, pair, post, put, refusing, script};

fn ok() -> Vec<Act> {
    script("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")
}

fn status(status: u16) -> Vec<Act> {
    script(format!("HTTP/1.1 {status} X\r\nContent-Length: 4\r\n\r\nbusy"))
}

fn slow_down() -> Vec<Act> {
    let body = "<Error><Code>SlowDown</Code></Error>";
    script(format!("HTTP/1.1 503 Slow Down\r\nContent-Length: {}\r\n\r\n{body}", body.len()))
}

/// Patience enough for the retry, and not much more where the first try falls silent.
fn limits(failure: &[Act]) -> Value {
    let read = if matches!(failure, [Act::Hang]) { 1_000 } else { 10_000 };
    json!({"timeouts-ms": {"read": read}})
}

#[tokio::test]
async fn idempotent_requests_are_tried_again() {
    let failures = [
        status(500),
        status(502),
        status(503),
        status(504),
        slow_down(),
        vec![Act::Fin],
        vec![Act::Rst],
        vec![Act::Hang],
        script("garbage"),
        vec![Act::Send(b"HTTP/1.1 500 X\r\nContent-Length: 9\r\n\r\nbro".to_vec()), Act::Fin],
    ];
    for failure in failures {
        for method in ["GET", "DELETE", "PUT"] {
            let upstream = Upstream::sequence(vec![failure.clone(), ok()]).await;
            let gateway = Running::before(&upstream, limits(&failure)).await;
            gateway.ask(&put("/b/k", "data").replacen("PUT", method, 1)).await.expect(200, "hello");
            let seen = upstream.seen();
            assert_eq!(seen.len(), 2, "{method} after {failure:?}");
            assert!(seen.iter().all(|seen| seen.body == b"data"), "{method} after {failure:?}");
        }
    }
}

#[tokio::test]
async fn other_answers_are_final() {
    for code in [400, 401, 403, 404, 409, 412, 416, 429, 501] {
        let upstream = Upstream::sequence(vec![status(code), ok()]).await;
        let gateway = Running::before(&upstream, json!({})).await;
        gateway.get("/b/k").await.expect(code, "busy");
        assert_eq!(upstream.count(), 1, "{code}");
    }
}

#[tokio::test]
async fn post_is_never_replayed() {
    for failure in [status(503), vec![Act::Fin], vec![Act::Rst], vec![Act::Hang], script("garbage")] {
        let upstream = Upstream::sequence(vec![failure.clone(), ok()]).await;
        let gateway = Running::before(&upstream, limits(&failure)).await;
        assert_ne!(gateway.ask(&post("/b?delete", "data")).await.status, 200);
        assert_eq!(upstream.count(), 1, "{failure:?}");
    }
}

#[tokio::test]
async fn post_is_not_replayed_when_a_pooled_connection_died() {
    let upstream = Upstream::start(|seen| if seen.ordinal == 0 { ok() } else { vec![Act::Rst] }).await;
    let gateway = Running::before(&upstream, json!({})).await;
    gateway.get("/b/k").await.expect(200, "hello");
    gateway.ask(&post("/b?delete", "data")).await.expect_error(502);
    assert_eq!(upstream.count(), 2);
}

#[tokio::test]
async fn what_was_never_sent_may_go_elsewhere_whatever_the_method() {
    let upstream = Upstream::always(ok()).await;
    let gateway = Running::start(pair(refusing().await, upstream.address), json!({})).await;
    gateway.ask(&post("/b?delete", "data")).await.expect(200, "hello");
    let large = "x".repeat(2 << 20);
    gateway.ask(&put("/b/k", &large)).await.expect(200, "hello");
    let seen = upstream.seen();
    assert_eq!(seen.len(), 2);
    assert!(seen[1].body == large.as_bytes());
}

#[tokio::test]
async fn a_dead_pooled_connection_is_no_concern_of_the_client() {
    // No budget, and one failure would eject: a stale connection counts as neither.
    let upstream = Upstream::start(|seen| if seen.ordinal == 0 { ok() } else { vec![Act::Fin] }).await;
    let strict = json!({"retry-budget": {"ratio": 0, "min-per-second": 0, "burst": 0}});
    let gateway = Running::before(&upstream, strict).await;
    for _ in 0..5 {
        gateway.get("/b/k").await.expect(200, "hello");
    }
    assert_eq!(upstream.count(), 9);
}

#[tokio::test]
async fn a_body_too_long_to_keep_is_streamed_once() {
    let large = "0123456789abcdef".repeat(200_000);
    let upstream = Upstream::sequence(vec![ok(), status(503), ok()]).await;
    let gateway = Running::before(&upstream, json!({})).await;
    gateway.ask(&put("/b/k", &large)).await.expect(200, "hello");
    assert!(upstream.seen()[0].body == large.as_bytes());
    gateway.ask(&put("/b/k", &large)).await.expect(503, "busy");
    assert_eq!(upstream.count(), 2);
}

#[tokio::test]
async fn a_chunked_upload_is_framed_anew() {
    let upload = |body: &str| {
        format!(
            "PUT /b/k HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{body}\r\n0\r\n\r\n",
            body.len()
        )
    };
    let upstream = Upstream::always(ok()).await;
    let gateway = Running::before(&upstream, json!({"buffer-limit": 1000})).await;
    gateway.ask(&upload("small")).await.expect(200, "hello");
    gateway.ask(&upload(&"large".repeat(1000))).await.expect(200, "hello");
    let seen = upstream.seen();
    assert_eq!(seen[0].header("content-length"), Some("5"));
    assert_eq!(seen[0].body, b"small");
    assert_eq!(seen[1].header("transfer-encoding"), Some("chunked"));
    let coded = String::from_utf8(seen[1].body.clone()).unwrap();
    let lines = coded.split("\r\n").collect::<Vec<_>>();
    let data: String = lines.iter().skip(1).step_by(2).copied().collect();
    assert_eq!(data, "large".repeat(1000));
}

#[tokio::test]
async fn the_client_is_asked_to_continue() {
    let upstream = Upstream::always(ok()).await;
    let gateway = Running::before(&upstream, json!({})).await;
    let mut client = Client::connect(gateway.address).await;
    client.send("PUT /b/k HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n").await;
    assert!(client.head().await.unwrap().starts_with("HTTP/1.1 100 "));
    client.send("data").await;
    client.reply("PUT").await.expect(200, "hello");
    assert_eq!(upstream.seen()[0].header("expect"), None);
}

#[tokio::test]
async fn an_early_answer_is_passed_on() {
    let length = 50_000_000;
    let upstream = Upstream::start(|_| status(403)).await;
    let early = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = early.local_addr().unwrap();
    let answering = tokio::spawn(async move {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let (mut stream, _) = early.accept().await.unwrap();
        stream.read_exact(&mut [0; 10]).await.unwrap();
        stream.write_all(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno").await.unwrap();
        // Held open and never read: the answer must not wait for the upload.
        std::future::pending::<()>().await;
    });
    let gateway = Running::start(pair(address, upstream.address), json!({})).await;
    let mut client = Client::connect(gateway.address).await;
    client.send(format!("PUT /b/k HTTP/1.1\r\nHost: h\r\nContent-Length: {length}\r\n\r\nsome")).await;
    client.reply("PUT").await.expect(403, "no");
    assert_eq!(upstream.count(), 0);
    answering.abort();
}

#[tokio::test]
async fn an_early_answer_survives_a_client_that_sends_on() {
    let upstream = Upstream::start(|_| status(200)).await;
    let early = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = early.local_addr().unwrap();
    let answering = tokio::spawn(async move {
        use tokio::io::AsyncWriteExt;
        loop {
            let (mut stream, _) = early.accept().await.unwrap();
            stream.write_all(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno").await.unwrap();
        }
    });
    let gateway = Running::start(pair(address, upstream.address), json!({})).await;
    let mut client = Client::connect(gateway.address).await;
    let large = "x".repeat(20_000_000);
    client.ask(&put("/b/k", &large)).await.expect(403, "no");
    client.ask(&put("/b/k", &large)).await.expect(403, "no");
    answering.abort();
}

#[tokio::test]
async fn tries_are_bounded_and_the_last_answer_counts() {
    for tries in 1..=4 {
        let upstream = Upstream::always(slow_down()).await;
        let gateway = Running::before(&upstream, json!({"tries": tries})).await;
        gateway.get("/b/k").await.expect(503, "<Error><Code>SlowDown</Code></Error>");
        assert_eq!(upstream.count(), tries);
    }
}

#[tokio::test]
async fn retries_stop_when_the_budget_is_spent() {
    let upstream = Upstream::always(slow_down()).await;
    let budget = json!({"retry-budget": {"ratio": 0, "min-per-second": 0, "burst": 3}, "tries": 3});
    let gateway = Running::before(&upstream, budget).await;
    for _ in 0..10 {
        gateway.get("/b/k").await.expect(503, "<Error><Code>SlowDown</Code></Error>");
    }
    assert_eq!(upstream.count(), 13);
}

#[tokio::test]
async fn nothing_is_tried_again_once_bytes_went_out() {
    let broken = vec![Act::Send(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhel".to_vec()), Act::Fin];
    let upstream = Upstream::sequence(vec![broken, ok()]).await;
    let gateway = Running::before(&upstream, json!({})).await;
    assert_eq!(gateway.get("/b/k").await.ending, Ending::Cut);
    assert_eq!(upstream.count(), 1);
}

#[tokio::test]
async fn many_clients_at_once_are_served() {
    let upstream = Upstream::good("hello").await;
    let gateway = Running::before(&upstream, json!({})).await;
    let address = gateway.address;
    let mut running = tokio::task::JoinSet::new();
    for _ in 0..100 {
        running.spawn(async move {
            let mut client = Client::connect(address).await;
            for _ in 0..20 {
                client.ask(&get("/b/k")).await.expect(200, "hello");
            }
        });
    }
    assert_eq!(running.join_all().await.len(), 100);
    assert_eq!(upstream.count(), 2000);
}

/// A 503 that asks for a pause.
fn later(wait: &str) -> Vec<Act> {
    script(format!("HTTP/1.1 503 X\r\nRetry-After: {wait}\r\nContent-Length: 4\r\n\r\nbusy"))
}

#[tokio::test]
async fn a_short_wait_is_obeyed() {
    let upstream = Upstream::sequence(vec![later("1"), ok()]).await;
    let gateway = Running::before(&upstream, json!({})).await;
    let asked = std::time::Instant::now();
    gateway.get("/b/k").await.expect(200, "hello");
    assert!(asked.elapsed() >= std::time::Duration::from_secs(1));
    assert_eq!(upstream.count(), 2);
}

#[tokio::test]
async fn a_wait_that_does_not_fit_is_passed_on_at_once() {
    for wait in ["5", "Fri, 31 Dec 2049 23:59:59 GMT", "soon"] {
        let upstream = Upstream::sequence(vec![later(wait), ok()]).await;
        let gateway = Running::before(&upstream, json!({"timeouts-ms": {"total": 5_000}})).await;
        let reply = gateway.get("/b/k").await;
        reply.expect(503, "busy");
        assert_eq!((upstream.count(), reply.header("retry-after")), (1, Some(wait)));
    }
}

#[tokio::test]
async fn another_region_need_not_wait() {
    let (first, second) = (Upstream::always(later("60")).await, Upstream::always(ok()).await);
    let gateway = Running::start(pair(first.address, second.address), json!({})).await;
    gateway.get("/b/k").await.expect(200, "hello");
    assert_eq!([first.count(), second.count()], [1, 1]);
}
