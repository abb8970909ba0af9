//! The response cache: what is stored, who waits for whom, and what is served when the upstream fails.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::support::{Act, Client, PATIENCE, Reply, Running, Upstream, eventually, get, put, script};

/// A patient cache, with changes.
fn cache(changes: Value) -> Value {
    let mut rules = json!({"lock-timeout-ms": 60_000});
    for (key, value) in changes.as_object().unwrap() {
        rules[key] = value.clone();
    }
    json!({"tries": 1, "cache": rules})
}

fn with_defect(mut changes: Value, defect: &str, on: bool) -> Value {
    changes["defects"] = if on { json!([defect]) } else { json!([]) };
    changes
}

fn answer(status: u16, headers: &str, body: &str) -> Vec<Act> {
    script(format!("HTTP/1.1 {status} X\r\nContent-Length: {}\r\n{headers}\r\n{body}", body.len()))
}

fn ok(body: &str) -> Vec<Act> {
    answer(200, "", body)
}

fn busy() -> Vec<Act> {
    answer(503, "", "busy")
}

fn broken() -> Vec<Act> {
    vec![Act::Send(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhel".to_vec()), Act::Fin]
}

/// `acts`, once the gate lets them through.
fn gated(gate: &Arc<Semaphore>, acts: Vec<Act>) -> Vec<Act> {
    [vec![Act::Wait(Arc::clone(gate))], acts].concat()
}

/// Asks `count` times at once.
fn ask_at_once(gateway: &Running, count: usize) -> JoinSet<Reply> {
    let address = gateway.address;
    (0..count).map(|_| async move { Client::connect(address).await.ask(&get("/b/k")).await }).collect()
}

#[tokio::test]
async fn a_least_lifetime_goes_before_what_the_answer_says() {
    for (least, second) in [(0, "two"), (60_000, "one")] {
        let first = answer(200, "Cache-Control: max-age=0\r\n", "one");
        let upstream = Upstream::sequence(vec![first, ok("two")]).await;
        let gateway = Running::before(&upstream, cache(json!({"min-ttl-ms": least}))).await;
        gateway.get("/b/k").await.expect(200, "one");
        gateway.get("/b/k").await.expect(200, second);
    }
    let private = answer(200, "Cache-Control: private\r\n", "one");
    let upstream = Upstream::sequence(vec![private, ok("two")]).await;
    let gateway = Running::before(&upstream, cache(json!({"min-ttl-ms": 60_000}))).await;
    gateway.get("/b/k").await.expect(200, "one");
    gateway.get("/b/k").await.expect(200, "two");
}

#[tokio::test]
async fn a_fresh_copy_is_served_without_asking() {
    let upstream = Upstream::sequence(vec![answer(200, "ETag: \"a\"\r\n", "one"), ok("two")]).await;
    let gateway = Running::before(&upstream, cache(json!({}))).await;
    for _ in 0..3 {
        gateway.get("/b/k").await.expect(200, "one");
    }
    let reply = gateway.get("/b/k").await;
    assert_eq!(reply.header("age"), Some("0"));
    assert_eq!(reply.header("cache-status"), Some("gatecrash-reference; hit"));
    assert_eq!(upstream.count(), 1);
    gateway.get("/b/k?versionId=2").await.expect(200, "two");
}

#[tokio::test]
async fn without_a_cache_every_request_asks() {
    let upstream = Upstream::good("one").await;
    let gateway = Running::before(&upstream, json!({})).await;
    for _ in 0..3 {
        gateway.get("/b/k").await.expect(200, "one");
    }
    assert_eq!(upstream.count(), 3);
}

#[tokio::test]
async fn what_is_not_for_all_is_not_shared() {
    let signed = "GET /b/k HTTP/1.1\r\nHost: s3.test\r\nAuthorization: x\r\n\r\n";
    let ranged = "GET /b/k HTTP/1.1\r\nHost: s3.test\r\nRange: bytes=0-1\r\n\r\n";
    let insisting = "GET /b/k HTTP/1.1\r\nHost: s3.test\r\nCache-Control: no-cache\r\n\r\n";
    for request in [signed, ranged, insisting, &get("/b/k?X-Amz-Signature=1")] {
        let upstream = Upstream::good("one").await;
        let gateway = Running::before(&upstream, cache(json!({}))).await;
        gateway.ask(request).await.expect(200, "one");
        gateway.ask(request).await.expect(200, "one");
        assert_eq!(upstream.count(), 2, "{request}");
    }
    for headers in ["Cache-Control: private\r\n", "Cache-Control: max-age=0\r\n", "Vary: Origin\r\n"] {
        let upstream = Upstream::always(answer(200, headers, "one")).await;
        let gateway = Running::before(&upstream, cache(json!({}))).await;
        gateway.get("/b/k").await.expect(200, "one");
        gateway.get("/b/k").await.expect(200, "one");
        assert_eq!(upstream.count(), 2, "{headers}");
    }
}

#[tokio::test]
async fn a_stale_copy_is_renewed_by_a_304() {
    let first = answer(200, "ETag: \"a\"\r\nCache-Control: max-age=0\r\n", "one");
    let current = script("HTTP/1.1 304 X\r\nETag: \"a\"\r\nCache-Control: max-age=60\r\nX-New: 1\r\n\r\n");
    let upstream = Upstream::sequence(vec![first, current, ok("never")]).await;
    let gateway = Running::before(&upstream, cache(json!({}))).await;
    gateway.get("/b/k").await.expect(200, "one");
    let renewed = gateway.get("/b/k").await;
    renewed.expect(200, "one");
    assert_eq!(renewed.header("x-new"), Some("1"));
    gateway.get("/b/k").await.expect(200, "one");
    assert_eq!(upstream.seen()[1].header("if-none-match"), Some("\"a\""));
    assert_eq!(upstream.count(), 2);
}

#[tokio::test]
async fn a_write_ends_a_copy() {
    let upstream = Upstream::sequence(vec![ok("old"), ok(""), ok("new")]).await;
    let gateway = Running::before(&upstream, cache(json!({}))).await;
    gateway.get("/b/k").await.expect(200, "old");
    gateway.ask(&put("/b/k", "new")).await.expect(200, "");
    gateway.get("/b/k").await.expect(200, "new");
}

#[tokio::test]
async fn many_requests_for_a_key_are_one_fetch() {
    let gate = Arc::new(Semaphore::new(0));
    let upstream = Upstream::always(gated(&gate, ok("one"))).await;
    let gateway = Running::before(&upstream, cache(json!({}))).await;
    let replies = ask_at_once(&gateway, 20);
    eventually("the fetch began", async || upstream.count() == 1).await;
    gate.add_permits(100);
    let replies = timeout(PATIENCE, replies.join_all()).await.unwrap();
    replies.iter().for_each(|reply| reply.expect(200, "one"));
    assert_eq!(upstream.count(), 1);
}

#[tokio::test]
async fn nobody_waits_longer_than_the_lock_lasts() {
    let upstream = Upstream::sequence(vec![vec![Act::Hang], ok("two")]).await;
    let gateway = Running::before(&upstream, cache(json!({"lock-timeout-ms": 50}))).await;
    let mut first = Client::connect(gateway.address).await;
    first.send(get("/b/k")).await;
    eventually("the fetch began", async || upstream.count() == 1).await;
    gateway.get("/b/k").await.expect(200, "two");
}

#[tokio::test]
async fn the_next_takes_over_when_a_fetch_fails_or_its_client_leaves() {
    for leaves in [false, true] {
        let gate = Arc::new(Semaphore::new(0));
        let first = if leaves { vec![Act::Hang] } else { gated(&gate, vec![Act::Fin]) };
        let upstream = Upstream::sequence(vec![first, ok("two")]).await;
        let gateway = Running::before(&upstream, cache(json!({}))).await;
        let mut first = Client::connect(gateway.address).await;
        first.send(get("/b/k")).await;
        eventually("the fetch began", async || upstream.count() == 1).await;
        let others = ask_at_once(&gateway, 5);
        if leaves {
            drop(first);
        } else {
            gate.add_permits(1);
            first.reply("GET").await.expect_error(502);
        }
        let replies = timeout(PATIENCE, others.join_all()).await.unwrap();
        replies.iter().for_each(|reply| reply.expect(200, "two"));
        assert_eq!(upstream.count(), 2);
    }
}

#[tokio::test]
async fn what_cannot_be_shared_is_waited_for_once() {
    let gate = Arc::new(Semaphore::new(0));
    let upstream = Upstream::always(gated(&gate, answer(404, "", "none"))).await;
    let gateway = Running::before(&upstream, cache(json!({}))).await;
    let replies = ask_at_once(&gateway, 5);
    eventually("the fetch began", async || upstream.count() == 1).await;
    gate.add_permits(1);
    eventually("the others fetch for themselves", async || upstream.count() == 5).await;
    gate.add_permits(100);
    let replies = timeout(PATIENCE, replies.join_all()).await.unwrap();
    replies.iter().for_each(|reply| reply.expect(404, "none"));
}

#[tokio::test]
async fn failures_are_not_stored() {
    for failure in [busy(), answer(403, "", "no"), answer(404, "", "no"), broken(), vec![Act::Fin]] {
        let upstream = Upstream::sequence(vec![failure, ok("one")]).await;
        let gateway = Running::before(&upstream, cache(json!({}))).await;
        assert_ne!(gateway.get("/b/k").await.status, 200);
        gateway.get("/b/k").await.expect(200, "one");
    }
}

#[tokio::test]
async fn errors_are_stored_for_the_declared_time() {
    for (failure, status) in [(busy(), 503), (answer(404, "", "no"), 404), (vec![Act::Fin], 502)] {
        let upstream = Upstream::sequence(vec![failure, ok("one")]).await;
        let gateway = Running::before(&upstream, cache(json!({"negative-ttl-ms": 60_000}))).await;
        assert_eq!(gateway.get("/b/k").await.status, status);
        assert_eq!(gateway.get("/b/k").await.status, status);
        assert_eq!(upstream.count(), 1);
    }
    let upstream = Upstream::sequence(vec![busy(), ok("one")]).await;
    let gateway = Running::before(&upstream, cache(json!({"negative-ttl-ms": 30}))).await;
    assert_eq!(gateway.get("/b/k").await.status, 503);
    eventually("the error was forgotten", async || gateway.get("/b/k").await.status == 200).await;
}

#[tokio::test]
async fn a_stale_copy_stands_in_for_an_error() {
    let first = answer(200, "Cache-Control: max-age=0\r\n", "one");
    for failure in [busy(), vec![Act::Fin], broken(), vec![Act::Hang]] {
        let upstream = Upstream::sequence(vec![first.clone(), failure]).await;
        let mut changes = cache(json!({"stale-if-error-ms": 60_000, "stale-retry-ms": 60_000}));
        changes["timeouts-ms"] = json!({"read": 100});
        let gateway = Running::before(&upstream, changes).await;
        gateway.get("/b/k").await.expect(200, "one");
        let stale = gateway.get("/b/k").await;
        stale.expect(200, "one");
        assert_eq!(stale.header("cache-status"), Some("gatecrash-reference; hit; fwd=stale"));
        gateway.get("/b/k").await.expect(200, "one");
        assert_eq!(upstream.count(), 2, "asked again before its time");
    }
}

#[tokio::test]
async fn a_stale_copy_is_served_while_another_request_renews_it() {
    let gate = Arc::new(Semaphore::new(0));
    let first = answer(200, "Cache-Control: max-age=0\r\n", "one");
    let upstream = Upstream::sequence(vec![first, gated(&gate, ok("two"))]).await;
    let gateway = Running::before(&upstream, cache(json!({"stale-while-revalidate-ms": 60_000}))).await;
    gateway.get("/b/k").await.expect(200, "one");
    let mut renewing = Client::connect(gateway.address).await;
    renewing.send(get("/b/k")).await;
    eventually("it is being renewed", async || upstream.count() == 2).await;
    gateway.get("/b/k").await.expect(200, "one");
    gate.add_permits(1);
    renewing.reply("GET").await.expect(200, "two");
}

#[tokio::test]
async fn a_long_body_is_passed_and_not_stored() {
    let body = "x".repeat(100_000);
    let chunked =
        format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n186a0\r\n{body}\r\n0\r\n\r\n");
    for acts in [ok(&body), script(chunked)] {
        let upstream = Upstream::always(acts).await;
        let gateway = Running::before(&upstream, cache(json!({"max-object": 50_000}))).await;
        gateway.get("/b/k").await.expect(200, &body);
        gateway.get("/b/k").await.expect(200, &body);
        assert_eq!(upstream.count(), 2);
    }
}

// === defects ===

#[tokio::test]
async fn cache_errors() {
    for (failure, status) in [(busy(), 503), (answer(403, "", "no"), 403)] {
        for (on, second) in [(false, 200), (true, status)] {
            let upstream = Upstream::sequence(vec![failure.clone(), ok("one")]).await;
            let gateway = Running::before(&upstream, with_defect(cache(json!({})), "cache-errors", on)).await;
            assert_eq!(gateway.get("/b/k").await.status, status);
            assert_eq!(gateway.get("/b/k").await.status, second, "{on}");
        }
    }
}

#[tokio::test]
async fn cache_truncated() {
    for (on, second) in [(false, "whole"), (true, "hel")] {
        let upstream = Upstream::sequence(vec![broken(), ok("whole")]).await;
        let gateway = Running::before(&upstream, with_defect(cache(json!({})), "cache-truncated", on)).await;
        gateway.get("/b/k").await.expect_error(502);
        gateway.get("/b/k").await.expect(200, second);
    }
}

#[tokio::test]
async fn stale_on_status_only() {
    let first = answer(200, "Cache-Control: max-age=0\r\n", "one");
    for (on, failure, status) in
        [(false, vec![Act::Fin], 200), (true, vec![Act::Fin], 502), (true, busy(), 200)]
    {
        let upstream = Upstream::sequence(vec![first.clone(), failure]).await;
        let changes = cache(json!({"stale-if-error-ms": 60_000}));
        let gateway = Running::before(&upstream, with_defect(changes, "stale-on-status-only", on)).await;
        gateway.get("/b/k").await.expect(200, "one");
        assert_eq!(gateway.get("/b/k").await.status, status, "{on}");
    }
}

#[tokio::test]
async fn lose_lock() {
    for on in [false, true] {
        let gate = Arc::new(Semaphore::new(0));
        let upstream = Upstream::sequence(vec![gated(&gate, vec![Act::Fin]), ok("two")]).await;
        let gateway = Running::before(&upstream, with_defect(cache(json!({})), "lose-lock", on)).await;
        let mut first = Client::connect(gateway.address).await;
        first.send(get("/b/k")).await;
        eventually("the fetch began", async || upstream.count() == 1).await;
        let mut second = Client::connect(gateway.address).await;
        second.send(get("/b/k")).await;
        // Both requests are with the gateway before the fetch fails.
        gateway.get("/b/other").await.expect(200, "two");
        gate.add_permits(1);
        first.reply("GET").await.expect_error(502);
        let waits = timeout(Duration::from_millis(300), second.reply("GET")).await.is_err();
        assert_eq!(waits, on);
    }
}

#[tokio::test]
async fn release_all() {
    for (on, fetches) in [(false, 2), (true, 6)] {
        let (first, rest) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
        let upstream = {
            let (first, rest) = (Arc::clone(&first), Arc::clone(&rest));
            Upstream::start(move |seen| match (seen.path(), seen.number) {
                ("/b/other", _) => ok("other"),
                (_, 0) => gated(&first, vec![Act::Fin]),
                _ => gated(&rest, ok("two")),
            })
            .await
        };
        let gateway = Running::before(&upstream, with_defect(cache(json!({})), "release-all", on)).await;
        let mut leader = Client::connect(gateway.address).await;
        leader.send(get("/b/k")).await;
        eventually("the fetch began", async || upstream.count() == 1).await;
        let mut others = Vec::new();
        for _ in 0..5 {
            let mut client = Client::connect(gateway.address).await;
            client.send(get("/b/k")).await;
            others.push(client);
        }
        gateway.get("/b/other").await.expect(200, "other");
        first.add_permits(1);
        leader.reply("GET").await.expect_error(502);
        eventually("the next fetches began", async || upstream.count() > fetches).await;
        rest.add_permits(100);
        for mut client in others {
            client.reply("GET").await.expect(200, "two");
        }
        assert_eq!(upstream.count(), fetches + 1, "one of them for another key");
    }
}
