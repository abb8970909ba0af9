//! The defects of framing, of connections and of limits show when they are on, and only then.

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use crate::defects::{broken, ok, switch};
use crate::support::{Act, Client, Ending, PATIENCE, Running, Upstream, eventually, get, region, script};

#[tokio::test]
async fn end_on_reset() {
    let half = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhel".to_vec();
    let upstream = Upstream::always(vec![Act::Send(half), Act::Rst]).await;
    // The reset may overtake what was sent before it; then both answer 502.
    let on = Running::before(&upstream, switch("end-on-reset", true)).await;
    eventually("half a body looked whole", async || {
        let reply = on.get("/b/k").await;
        (reply.status, reply.text().as_str(), reply.ending) == (200, "hel", Ending::Complete)
    })
    .await;
    let off = Running::before(&upstream, switch("end-on-reset", false)).await;
    for _ in 0..20 {
        let reply = off.get("/b/k").await;
        assert!(reply.status != 200 || reply.ending == Ending::Cut, "{reply:?}");
    }
}

#[tokio::test]
async fn resume_astray() {
    for (on, body, ending, attempts) in
        [(false, "hel", Ending::Cut, 1), (true, "hel234567", Ending::Complete, 2)]
    {
        let upstream = Upstream::sequence(vec![broken(), ok("123456789")]).await;
        let gateway = Running::before(&upstream, switch("resume-astray", on)).await;
        let reply = gateway.get("/b/k").await;
        assert_eq!((reply.status, reply.text().as_str(), reply.ending), (200, body, ending));
        assert_eq!(upstream.count(), attempts);
    }
}

#[tokio::test]
async fn keep_surplus() {
    let answer = |body: &str| format!("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n{body}");
    for (on, second) in [(false, "new"), (true, "old")] {
        let upstream = Upstream::sequence(vec![script(answer("one") + &answer("old")), ok("new")]).await;
        let gateway = Running::before(&upstream, switch("keep-surplus", on)).await;
        gateway.get("/b/1").await.expect(200, "one");
        gateway.get("/b/2").await.expect(200, second);
    }
}

#[tokio::test]
async fn body_where_none() {
    let upstream = Upstream::always(script("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nstray")).await;
    let head = get("/b/k").replacen("GET", "HEAD", 1);
    let on = Running::before(&upstream, switch("body-where-none", true)).await;
    let mut client = Client::connect(on.address).await;
    client.send(&head).await;
    // Read as an answer that has a body.
    client.reply("GET").await.expect(200, "stray");

    let off = Running::before(&upstream, switch("body-where-none", false)).await;
    let mut client = Client::connect(off.address).await;
    assert_eq!(client.ask(&head).await.status, 200);
    client.ask(&get("/b/k")).await.expect(200, "stray");
}

#[tokio::test]
async fn pool_after_timeout() {
    for (on, status, seen) in [(false, 200, 2), (true, 504, 1)] {
        let upstream = Upstream::sequence(vec![vec![Act::Hang], ok("data")]).await;
        let mut changes = switch("pool-after-timeout", on);
        changes["timeouts-ms"] = json!({"read": 200});
        changes["tries"] = json!(1);
        let gateway = Running::before(&upstream, changes).await;
        assert_eq!(gateway.get("/b/1").await.status, 504);
        // The connection that hangs is used again, or it is not.
        assert_eq!(gateway.get("/b/2").await.status, status);
        assert_eq!(upstream.count(), seen);
    }
}

#[tokio::test]
async fn pool_after_early_answer() {
    for on in [false, true] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut changes = switch("pool-after-early-answer", on);
        changes["buffer-limit"] = json!(10);
        let upstreams = region("one", &[listener.local_addr().unwrap()]);
        let gateway = Running::start(upstreams, changes).await;
        let mut client = Client::connect(gateway.address).await;
        client
            .send("PUT /b/k HTTP/1.1\r\nHost: s3.test\r\nContent-Length: 100000\r\n\r\nthe beginning")
            .await;
        let (mut first, _) = timeout(PATIENCE, listener.accept()).await.unwrap().unwrap();
        read_until(&mut first, "the beginning").await;
        first.write_all(b"HTTP/1.1 503 X\r\nContent-Length: 0\r\n\r\n").await.unwrap();
        assert_eq!(client.reply("PUT").await.status, 503);

        let mut second = Client::connect(gateway.address).await;
        second.send(get("/b/second")).await;
        let reused = tokio::select! {
            heard = read_until(&mut first, "GET /b/second") => heard,
            _ = async { read_until(&mut listener.accept().await.unwrap().0, "GET /b/second").await } => false,
        };
        assert_eq!(reused, on);
    }
}

/// Reads until `text` has come; false, and only after a while, when the connection ends before.
async fn read_until(stream: &mut TcpStream, text: &str) -> bool {
    let mut heard = Vec::new();
    while !heard.windows(text.len()).any(|window| window == text.as_bytes()) {
        let read = timeout(PATIENCE, stream.read_buf(&mut heard)).await.expect("bytes or an end in time");
        if !matches!(read, Ok(1..)) {
            std::future::pending::<()>().await;
        }
    }
    true
}

#[tokio::test]
async fn relay_two_lengths() {
    let two = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 5\r\n\r\nhello";
    let upstream = Upstream::always(script(two)).await;
    Running::before(&upstream, switch("relay-two-lengths", false)).await.get("/b/k").await.expect_error(502);
    let reply = Running::before(&upstream, switch("relay-two-lengths", true)).await.get("/b/k").await;
    reply.expect(200, "hel");
    assert_eq!(reply.head.matches("content-length").count(), 2, "{}", reply.head);
}

#[tokio::test]
async fn length_over_coding() {
    let both =
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n";
    let upstream = Upstream::always(script(both)).await;
    Running::before(&upstream, switch("length-over-coding", false)).await.get("/b/k").await.expect_error(502);
    let on = Running::before(&upstream, switch("length-over-coding", true)).await;
    on.get("/b/k").await.expect(200, "5\r\nhe");
}

#[tokio::test]
async fn unbounded_head() {
    let hints = "HTTP/1.1 103 Early Hints\r\n\r\n".repeat(100);
    let lines = "A: b\r\n".repeat(200);
    for head in [format!("{hints}HTTP/1.1 200 OK\r\n"), format!("HTTP/1.1 200 OK\r\n{lines}")] {
        let upstream = Upstream::always(script(format!("{head}Content-Length: 5\r\n\r\nhello"))).await;
        Running::before(&upstream, switch("unbounded-head", false)).await.get("/b/k").await.expect_error(502);
        Running::before(&upstream, switch("unbounded-head", true))
            .await
            .get("/b/k")
            .await
            .expect(200, "hello");
    }
}
