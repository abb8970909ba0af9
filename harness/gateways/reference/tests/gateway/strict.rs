//! What the correct gateway makes of upstream failures and invalid responses.

use std::time::Duration;

use serde_json::json;
use tokio::time::Instant;

use crate::support::{
    Act, Client, Ending, PATIENCE, Running, Upstream, eventually, get, refusing, region, script,
};

/// Sends `text`, then does `act`.
fn then(text: &str, act: Act) -> Vec<Act> {
    vec![Act::Send(text.as_bytes().to_vec()), act]
}

/// One try, and little patience where the upstream is going to test it.
async fn one_try(acts: Vec<Act>) -> (Upstream, Running) {
    let read = if acts.iter().any(|act| matches!(act, Act::Hang)) { READ } else { PATIENCE };
    let upstream = Upstream::always(acts).await;
    let limits = json!({"tries": 1, "timeouts-ms": {"read": read.as_millis()}});
    let gateway = Running::before(&upstream, limits).await;
    (upstream, gateway)
}

/// Read limit of the gateways whose upstream falls silent.
const READ: Duration = Duration::from_millis(300);

#[tokio::test]
async fn a_refused_connection_is_502() {
    let gateway = Running::start(region("one", &[refusing().await]), json!({})).await;
    gateway.get("/b/k").await.expect_error(502);
}

#[tokio::test]
async fn silence_is_504_within_the_limits() {
    let (_upstream, gateway) = one_try(vec![Act::Hang]).await;
    let start = Instant::now();
    gateway.get("/b/k").await.expect_error(504);
    assert!(start.elapsed() >= READ, "{:?}", start.elapsed());
}

#[tokio::test]
async fn the_total_limit_bounds_all_tries_together() {
    let upstream = Upstream::always(vec![Act::Hang]).await;
    let limits =
        json!({"tries": 100, "timeouts-ms": {"read": 300, "total": 700}, "retry-budget": {"burst": 100}});
    let gateway = Running::before(&upstream, limits).await;
    let start = Instant::now();
    gateway.get("/b/k").await.expect_error(504);
    assert!(start.elapsed() >= Duration::from_millis(600), "{:?}", start.elapsed());
    assert!(upstream.count() <= 3, "{}", upstream.count());
}

#[tokio::test]
async fn a_connection_that_ends_before_a_response_is_502() {
    for acts in [vec![Act::Fin], vec![Act::Rst], then("HTTP/1.1 200 OK\r\nConte", Act::Fin)] {
        let (_upstream, gateway) = one_try(acts).await;
        gateway.get("/b/k").await.expect_error(502);
    }
}

#[tokio::test]
async fn an_unfinished_head_is_504() {
    let (_upstream, gateway) = one_try(then("HTTP/1.1 200 OK\r\nConte", Act::Hang)).await;
    gateway.get("/b/k").await.expect_error(504);
}

#[tokio::test]
async fn an_invalid_head_is_502_at_once() {
    let long = format!("HTTP/1.1 200 OK\r\nA: {}\r\nContent-Length: 0\r\n\r\n", "b".repeat(17_000));
    let many = format!("HTTP/1.1 200 OK\r\n{}Content-Length: 0\r\n\r\n", "A: b\r\n".repeat(100));
    let heads = [
        "\x16\x03\x01garbage",
        "<html>an old body</html>",
        "SSH-2.0-OpenSSH_9.2\r\n",
        "HTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        "HTTP/9.9 200 OK\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 20 OK\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 2000 OK\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 999 What\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\nContent-Length: 0\n\n",
        "HTTP/1.1 200 OK\r\nno colon here\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nA : b\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nA: b\0\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nA: b\rc\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nA: b\r\n c\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 9\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nContent-Length: +5\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: zork\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\nhello",
        "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
        &long,
        &many,
    ];
    // The connection stays open: no rule may need its end to be noticed, nor a timeout.
    let acts = heads.iter().enumerate().map(|(n, head)| (format!("/b/{n}"), then(head, Act::Hang))).collect();
    let upstream = Upstream::by_path(acts).await;
    let patient = json!({"tries": 1});
    let gateway = Running::before(&upstream, patient).await;
    for (n, head) in heads.iter().enumerate() {
        let reply = gateway.get(&format!("/b/{n}")).await;
        assert_eq!((reply.status, reply.is_gateways()), (502, true), "{head:?}: {reply:?}");
    }
}

#[tokio::test]
async fn a_few_interim_responses_are_skipped() {
    let interim = |count| "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n".repeat(count);
    let last = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
    let (_upstream, gateway) = one_try(script(interim(10) + last)).await;
    gateway.get("/b/k").await.expect(200, "hello");
    let (_upstream, gateway) = one_try(script(interim(11) + last)).await;
    gateway.get("/b/k").await.expect_error(502);
}

#[tokio::test]
async fn a_broken_body_is_never_complete() {
    let length = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhello";
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n";
    let close = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhello";
    let cases = [
        then(length, Act::Fin),
        then(length, Act::Rst),
        then(length, Act::Hang),
        then(chunked, Act::Fin),
        then(chunked, Act::Rst),
        then(chunked, Act::Hang),
        then(&format!("{chunked}zz\r\nworse\r\n0\r\n\r\n"), Act::Hang),
        then(&format!("{chunked}5\r\nworseX"), Act::Hang),
        then(&format!("{chunked}0\r\n"), Act::Fin),
        then(close, Act::Rst),
        then(close, Act::Hang),
    ];
    for acts in cases {
        let name = format!("{acts:?}");
        let (upstream, gateway) = one_try(acts).await;
        let reply = gateway.get("/b/k").await;
        assert_ne!(reply.ending, Ending::Complete, "{name}");
        // A reset may overtake the bytes before it; anything else may not.
        if !name.contains("Rst") {
            assert_eq!((reply.status, reply.ending), (200, Ending::Cut), "{name}");
            assert!(reply.body.starts_with(b"hello"), "{name}");
        }
        assert_eq!(upstream.count(), 1, "{name}");
    }
}

#[tokio::test]
async fn a_body_ended_by_fin_is_complete_without_a_declared_length() {
    let (_upstream, gateway) = one_try(then("HTTP/1.1 200 OK\r\n\r\nhello", Act::Fin)).await;
    gateway.get("/b/k").await.expect(200, "hello");
    let (_upstream, gateway) = one_try(then("HTTP/1.0 200 OK\r\n\r\nhello", Act::Fin)).await;
    gateway.get("/b/k").await.expect(200, "hello");
}

#[tokio::test]
async fn a_trickling_body_is_bounded_by_the_total_limit() {
    let upstream =
        Upstream::always(then("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", Act::Drip)).await;
    let gateway = Running::before(&upstream, json!({"timeouts-ms": {"total": 600}})).await;
    let start = Instant::now();
    let reply = gateway.get("/b/k").await;
    assert_eq!((reply.status, reply.ending), (200, Ending::Cut));
    assert!(start.elapsed() >= Duration::from_millis(600), "{:?}", start.elapsed());
}

#[tokio::test]
async fn some_responses_have_no_body() {
    let upstream = Upstream::start(|seen| match seen.path() {
        "/b/204" => script("HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n"),
        "/b/304" => script("HTTP/1.1 304 Not Modified\r\nETag: \"a\"\r\n\r\n"),
        _ if seen.head.starts_with("HEAD") => script("HTTP/1.1 200 OK\r\nContent-Length: 12345\r\n\r\n"),
        _ => script("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"),
    })
    .await;
    let gateway = Running::before(&upstream, json!({})).await;
    let mut client = Client::connect(gateway.address).await;
    let head = client.ask(&get("/b/k").replace("GET", "HEAD")).await;
    assert_eq!((head.status, head.header("content-length")), (200, Some("12345")));
    let empty = client.ask(&get("/b/204")).await;
    assert_eq!((empty.status, empty.header("content-length")), (204, None), "RFC 9110 8.6");
    let unchanged = client.ask(&get("/b/304")).await;
    assert_eq!((unchanged.status, unchanged.header("etag")), (304, Some("\"a\"")));
    client.ask(&get("/b/k")).await.expect(200, "hello");
    assert!(upstream.seen().iter().all(|seen| seen.connection == 0), "clean connections are reused");
}

#[tokio::test]
async fn surplus_bytes_cost_the_connection() {
    let poison = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison";
    let answers = [
        format!("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello{poison}"),
        format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n{poison}"),
    ];
    for answer in answers {
        let (upstream, gateway) = one_try(script(answer)).await;
        for _ in 0..5 {
            gateway.get("/b/k").await.expect(200, "hello");
        }
        assert!(upstream.seen().iter().all(|seen| seen.ordinal == 0));
    }
    let (upstream, gateway) = one_try(script(poison)).await;
    let head = gateway.ask(&get("/b/k").replace("GET", "HEAD")).await;
    assert_eq!(head.status, 200);
    gateway.get("/b/k").await.expect(200, "poison");
    assert_eq!(upstream.seen()[1].connection, 1);
}

#[tokio::test]
async fn a_late_answer_goes_to_nobody() {
    let (upstream, gateway) = one_try(vec![Act::Hang]).await;
    gateway.get("/b/1").await.expect_error(504);
    gateway.get("/b/2").await.expect_error(504);
    assert_eq!(upstream.seen()[1].connection, 1);
    eventually("timed-out connections are closed", async || upstream.open() == 0).await;
}

#[tokio::test]
async fn large_bodies_arrive_byte_for_byte() {
    let data: Vec<u8> = (0..8_000_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let mut by_length = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", data.len()).into_bytes();
    by_length.extend_from_slice(&data);
    let mut chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
    for piece in data.chunks(70_001) {
        chunked.extend_from_slice(format!("{:x}\r\n", piece.len()).as_bytes());
        chunked.extend_from_slice(piece);
        chunked.extend_from_slice(b"\r\n");
    }
    chunked.extend_from_slice(b"0\r\n\r\n");
    for answer in [by_length, chunked] {
        let upstream = Upstream::always(script(answer)).await;
        let gateway = Running::before(&upstream, json!({})).await;
        let reply = gateway.get("/b/k").await;
        assert_eq!((reply.status, reply.ending), (200, Ending::Complete));
        assert!(reply.body == data);
    }
}

#[tokio::test]
async fn upstream_answers_pass_unchanged() {
    for status in [301, 307, 400, 403, 404, 412, 416, 429, 500, 501, 503] {
        let body = "<Error><Code>AccessDenied</Code></Error>";
        let (upstream, gateway) = one_try(script(format!(
            "HTTP/1.1 {status} X\r\nx-amz-request-id: R1\r\nRetry-After: 7\r\n\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        )))
        .await;
        let reply = gateway.get("/b/k").await;
        reply.expect(status, body);
        assert_eq!(reply.header("x-amz-request-id"), Some("R1"));
        assert_eq!(reply.header("retry-after"), Some("7"));
        assert!(!reply.is_gateways());
        assert_eq!(upstream.count(), 1);
    }
}

#[tokio::test]
async fn a_5xx_without_a_declared_length_passes_too() {
    let large = "x".repeat(200_000);
    let (_upstream, gateway) =
        one_try(then(&format!("HTTP/1.1 500 X\r\nConnection: close\r\n\r\n{large}"), Act::Fin)).await;
    gateway.get("/b/k").await.expect(500, &large);
}

#[tokio::test]
async fn a_client_that_leaves_frees_the_upstream() {
    for acts in [vec![Act::Hang], then("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhello", Act::Hang)] {
        let upstream = Upstream::always(acts).await;
        let patient = json!({});
        let gateway = Running::before(&upstream, patient).await;
        let mut client = Client::connect(gateway.address).await;
        client.send(get("/b/k")).await;
        eventually("the request arrives", async || upstream.count() == 1).await;
        drop(client);
        eventually("the upstream connection is closed", async || upstream.open() == 0).await;
    }
}

#[tokio::test]
async fn errors_of_the_gateway_say_nothing_about_the_upstream() {
    let address = refusing().await;
    let gateway = Running::start(region("secret-region", &[address]), json!({})).await;
    let reply = gateway.get("/b/k").await;
    reply.expect_error(502);
    assert!(reply.text().contains("<Code>BadGateway</Code>"));
    let all = reply.head.clone() + &reply.text();
    for secret in [address.ip().to_string(), address.port().to_string(), "secret-region".to_owned()] {
        assert!(!all.contains(&secret), "{secret} in {all}");
    }
}

#[tokio::test]
async fn requests_without_room_are_turned_away() {
    let upstream = Upstream::good("hello").await;
    let gateway = Running::before(&upstream, json!({"max-connections": 1})).await;
    let mut first = Client::connect(gateway.address).await;
    first.ask(&get("/b/k")).await.expect(200, "hello");
    gateway.get("/b/k").await.expect_error(503);
    drop(first);
    eventually("there is room again", async || gateway.get("/b/k").await.status == 200).await;
}

#[tokio::test]
async fn a_client_that_takes_nothing_frees_the_upstream() {
    let body = vec![b'x'; 1 << 16];
    let mut acts = script(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len() * 1000));
    acts.extend(std::iter::repeat_n(Act::Send(body), 1000));
    let upstream = Upstream::always(acts).await;
    let gateway = Running::before(&upstream, json!({"timeouts-ms": {"total": 500}})).await;
    let mut client = Client::connect(gateway.address).await;
    client.send(get("/b/k")).await;
    eventually("the request arrives", async || upstream.count() == 1).await;
    eventually("the upstream connection is closed", async || upstream.open() == 0).await;
    assert_eq!(client.reply("GET").await.ending, Ending::Cut);
}
