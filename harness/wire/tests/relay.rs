//! What a link does when no fault is on: nothing, and it writes down everything.

mod support;

use std::time::Duration;

use gatecrash_core::profile::ProbePattern;
use gatecrash_core::rules::Glob;
use gatecrash_model::{AttemptRecord, EndedBy, Ending, Op, RequestId, RunId, StrId};
use support::*;
use tokio::io::AsyncWriteExt;

const ORDINARY: u16 = AttemptRecord::FORWARDED | AttemptRecord::REQUEST_WHOLE;

#[tokio::test]
async fn a_get_is_relayed_and_written_down() {
    let rig = Rig::start(&[], |_| ok(b"hello")).await;
    let mut client = rig.connect().await;
    client.send(get(7)).await;
    client.expect(ok_via("3-0-0", "hello")).await;
    let attempt = rig.attempts(1).await[0];
    let wanted = AttemptRecord {
        attempt: id(0, 0).pack(),
        request: request_id(7),
        request_bytes: 0,
        response_bytes: 5,
        promised: 5,
        key: StrId(1),
        fault: 0,
        status: 200,
        flags: ORDINARY,
        number: 1,
        op: Op::GetObject,
        ending: Ending::Complete,
        ended_by: EndedBy::Nobody,
        ..attempt
    };
    assert_eq!(attempt, wanted);
    assert!(
        attempt.start > 0 && attempt.request_done <= attempt.first_byte && attempt.first_byte <= attempt.done
    );
    assert_eq!(rig.kept().strings.text(attempt.key), "img/1.bin");
    let seen = &rig.seen()[0];
    assert_eq!(seen.head, get(7));
    let context = seen.context.unwrap();
    assert_eq!((context.attempt, context.request, context.number), (id(0, 0).pack(), request_id(7), 1));
    drop(client);
    let connection = rig.connections(1).await[0];
    let bytes = (get(7).len() as u64, ok_via("3-0-0", "hello").len() as u64);
    assert_eq!((connection.up, connection.down, connection.attempts), (bytes.0, bytes.1, 1));
    assert_eq!((connection.link, connection.conn, connection.ended_by), (3, 0, EndedBy::Gateway));
}

#[tokio::test]
async fn tries_are_counted_per_request_and_connections_are_reused() {
    let rig = Rig::start(&[], |_| ok(b"x")).await;
    let (mut a, mut b) = (rig.connect().await, rig.connect().await);
    a.send(get(1)).await;
    a.expect(ok_via("3-0-0", "x")).await;
    b.send(get(1)).await;
    b.expect(ok_via("3-1-0", "x")).await;
    a.send(get(2)).await;
    a.expect(ok_via("3-0-1", "x")).await;
    let attempts = rig.attempts(3).await;
    let told: Vec<_> = attempts.iter().map(|a| (a.number, a.has(AttemptRecord::REUSED))).collect();
    assert_eq!(told, [(1, false), (2, false), (1, true)]);
}

#[tokio::test]
async fn pipelined_requests_are_answered_in_order() {
    let rig = Rig::start(&[], |head| ok(head.split(' ').nth(1).unwrap().as_bytes())).await;
    let mut client = rig.connect().await;
    let two = [request("GET", "/b/1", 1, ""), request("GET", "/b/2", 2, "")].concat();
    client.send(two).await;
    client.expect([ok_via("3-0-0", "/b/1"), ok_via("3-0-1", "/b/2")].concat()).await;
    assert_eq!(rig.attempts(2).await.iter().map(|a| a.request).collect::<Vec<_>>(), [1, 2]);
}

#[tokio::test]
async fn bodies_go_up_as_they_come() {
    let rig = Rig::start(&[], |_| ok(b"")).await;
    let mut client = rig.connect().await;
    let body: Vec<u8> = (0..300_000u32).map(|i| i as u8).collect();
    client.send(request("PUT", "/b/k%20k", 1, "Content-Length: 300000\r\n")).await;
    for piece in body.chunks(70_001) {
        client.send(piece).await;
    }
    client.expect(ok_via("3-0-0", "")).await;
    let chunks = "5\r\nhello\r\n3;x=y\r\nabc\r\n0\r\n\r\n";
    client.send(request("PUT", "/b/k", 2, "Transfer-Encoding: chunked\r\n") + chunks).await;
    client.expect(ok_via("3-0-1", "")).await;
    let attempts = rig.attempts(2).await;
    assert_eq!(attempts.iter().map(|a| a.request_bytes).collect::<Vec<_>>(), [300_000, 8]);
    assert_eq!(attempts.iter().map(|a| a.flags & ORDINARY).collect::<Vec<_>>(), [ORDINARY; 2]);
    assert_eq!(rig.kept().strings.text(attempts[0].key), "k k");
    assert_eq!(rig.seen()[0].body, body);
    assert_eq!(rig.seen()[1].body, chunks.as_bytes());
}

#[tokio::test]
async fn responses_come_down_by_their_own_framing() {
    let table = [
        ("GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n", "5;x\r\nhello\r\n0\r\nT: 1\r\n\r\n", 5),
        ("HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n", "", 0),
        ("GET", "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n", "", 0),
        ("DELETE", "HTTP/1.1 204 No Content\r\n", "", 0),
    ];
    let rig = Rig::start(&[], move |head| {
        let at: usize = head.split(['/', ' ']).nth(3).unwrap().parse().unwrap();
        reply([table[at].1, "\r\n", table[at].2].concat())
    })
    .await;
    let mut client = rig.connect().await;
    for (at, (method, head, body, bytes)) in table.into_iter().enumerate() {
        client.send(request(method, &format!("/b/{at}"), at as u32, "")).await;
        client.expect(format!("{head}x-gatecrash-attempt: 3-0-{at}\r\n\r\n{body}")).await;
        let attempt = rig.attempts(at + 1).await[at];
        assert_eq!((attempt.response_bytes, attempt.promised), (bytes, u32::MAX));
        assert_eq!((attempt.ending, attempt.ended_by), (Ending::Complete, EndedBy::Nobody));
    }
}

#[tokio::test]
async fn large_bodies_arrive_whole() {
    let body: Vec<u8> = (0..3_000_000u32).map(|i| (i >> 3) as u8).collect();
    let sent = body.clone();
    let rig = Rig::start(&[], move |_| ok(&sent)).await;
    let mut client = rig.connect().await;
    client.send(get(1)).await;
    client.expect("HTTP/1.1 200 OK\r\nContent-Length: 3000000\r\nx-gatecrash-attempt: 3-0-0\r\n\r\n").await;
    client.expect(&body).await;
    assert_eq!(rig.attempts(1).await[0].response_bytes, 3_000_000);
}

#[tokio::test]
async fn a_close_delimited_body_ends_with_the_connection() {
    let rig = Rig::start(&[], |_| reply("HTTP/1.1 200 OK\r\n\r\nhello").then(Then::Fin)).await;
    let mut client = rig.connect().await;
    client.send(get(1)).await;
    let (bytes, end) = client.rest().await;
    assert_eq!(bytes, b"HTTP/1.1 200 OK\r\nx-gatecrash-attempt: 3-0-0\r\n\r\nhello");
    assert_eq!(end, End::Fin);
    let attempt = rig.attempts(1).await[0];
    assert_eq!(
        (attempt.ending, attempt.ended_by, attempt.response_bytes),
        (Ending::Complete, EndedBy::Nobody, 5)
    );
}

#[tokio::test]
async fn connection_close_is_obeyed() {
    let rig = Rig::start(&[], |_| ok(b"x")).await;
    let mut client = rig.connect().await;
    client.send(request("GET", "/b/k", 1, "Connection: close\r\n")).await;
    assert_eq!(client.rest().await, (ok_via("3-0-0", "x").into_bytes(), End::Fin));
    drop(client);
    assert_eq!(rig.connections(1).await[0].ended_by, EndedBy::Nobody);
}

#[tokio::test]
async fn expect_continue_works_end_to_end() {
    let rig = Rig::start(&[], |_| ok(b"")).await;
    let mut client = rig.connect().await;
    client.send(request("PUT", "/b/k", 1, "Content-Length: 3\r\nExpect: 100-continue\r\n")).await;
    client.expect("HTTP/1.1 100 Continue\r\n\r\n").await;
    client.send("abc").await;
    client.expect(ok_via("3-0-0", "")).await;
    let attempt = rig.attempts(1).await[0];
    assert_eq!((attempt.request_bytes, attempt.status), (3, 200));
    assert_eq!(rig.seen()[0].body, b"abc");
}

#[tokio::test]
async fn an_early_answer_is_passed_on_before_the_body_is_there() {
    let denied = "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n";
    let rig = Rig::start(&[], move |_| reply(format!("{denied}\r\n")).early().then(Then::Fin)).await;
    let mut client = rig.connect().await;
    client.send(request("PUT", "/b/k", 1, "Content-Length: 1000\r\n") + "abc").await;
    client.expect(format!("{denied}x-gatecrash-attempt: 3-0-0\r\n\r\n")).await;
    assert_eq!(client.rest().await, (Vec::new(), End::Fin));
    let attempt = rig.attempts(1).await[0];
    assert_eq!((attempt.status, attempt.request_done, attempt.ending), (403, u32::MAX, Ending::Complete));
    assert!(!attempt.has(AttemptRecord::REQUEST_WHOLE));
}

#[tokio::test]
async fn a_half_closed_gateway_is_still_answered() {
    let rig = Rig::start(&[], |_| ok(b"hello")).await;
    let mut client = rig.connect().await;
    client.send(get(1)).await;
    client.stream.shutdown().await.unwrap();
    assert_eq!(client.rest().await, (ok_via("3-0-0", "hello").into_bytes(), End::Fin));
    assert_eq!(rig.attempts(1).await[0].ending, Ending::Complete);
}

#[tokio::test]
async fn requests_pipelined_before_a_half_close_are_all_answered() {
    let rig = Rig::start(&[], |_| ok(b"hello")).await;
    let mut client = rig.connect().await;
    client.send([get(1), get(2), get(3)].concat()).await;
    client.stream.shutdown().await.unwrap();
    let all = [ok_via("3-0-0", "hello"), ok_via("3-0-1", "hello"), ok_via("3-0-2", "hello")].concat();
    assert_eq!(client.rest().await, (all.into_bytes(), End::Fin));
    assert_eq!(rig.attempts(3).await.len(), 3);
}

#[tokio::test]
async fn a_gateway_that_aborts_its_upload_is_written_down() {
    let rig = Rig::start(&[], |_| ok(b"")).await;
    let mut client = rig.connect().await;
    client.send(request("PUT", "/b/k", 1, "Content-Length: 1000\r\n") + "abc").await;
    drop(client);
    let attempt = rig.attempts(1).await[0];
    assert_eq!((attempt.ending, attempt.ended_by), (Ending::Hang, EndedBy::Gateway));
    assert_eq!((attempt.request_bytes, attempt.request_done), (3, u32::MAX));
    eventually("the upstream's end", || *rig.upstream.closed.lock().unwrap() == 1).await;
}

#[tokio::test]
async fn a_gateway_that_gives_up_waiting_is_written_down() {
    for reset in [false, true] {
        let rig = Rig::start(&[], |_| reply("").then(Then::Hang)).await;
        let mut client = rig.connect().await;
        client.send(get(1)).await;
        eventually("the request", || rig.seen().len() == 1).await;
        if reset {
            client.reset()
        } else {
            drop(client)
        }
        let attempt = rig.attempts(1).await[0];
        assert_eq!((attempt.ending, attempt.ended_by, attempt.status), (Ending::Hang, EndedBy::Gateway, 0));
        assert_eq!((attempt.first_byte, attempt.fault), (u32::MAX, 0));
        eventually("the upstream's end", || *rig.upstream.closed.lock().unwrap() == 1).await;
    }
}

#[tokio::test]
async fn a_gateway_that_leaves_in_the_middle_of_a_body_is_written_down() {
    let rig = Rig::start(&[], |_| ok(&vec![7; 30_000_000])).await;
    let mut client = rig.connect().await;
    client.send(get(1)).await;
    client.expect("HTTP/1.1 200 OK").await;
    client.reset();
    let attempt = rig.attempts(1).await[0];
    assert_eq!((attempt.ending, attempt.ended_by), (Ending::CutRst, EndedBy::Gateway));
    assert_eq!(attempt.promised, 30_000_000);
    assert!(attempt.response_bytes < 30_000_000);
}

#[tokio::test]
async fn an_upstream_that_breaks_off_is_passed_on_as_it_was() {
    let cut = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello";
    for (then, end, ending) in [(Then::Fin, End::Fin, Ending::CutFin), (Then::Rst, End::Rst, Ending::CutRst)]
    {
        let rig = Rig::start(&[], move |_| reply(cut).then(then)).await;
        let mut client = rig.connect().await;
        client.send(get(1)).await;
        client
            .expect("HTTP/1.1 200 OK\r\nContent-Length: 10\r\nx-gatecrash-attempt: 3-0-0\r\n\r\nhello")
            .await;
        assert_eq!(client.rest().await, (Vec::new(), end));
        let attempt = rig.attempts(1).await[0];
        assert_eq!((attempt.ending, attempt.ended_by), (ending, EndedBy::Upstream));
        assert_eq!((attempt.response_bytes, attempt.promised), (5, 10));
    }
}

#[tokio::test]
async fn an_upstream_without_an_answer_is_a_drop() {
    let rig =
        Rig::start(&[], |head| if head.contains("/1 ") { ok(b"") } else { reply("").then(Then::Fin) }).await;
    let mut client = rig.connect().await;
    client.send(request("GET", "/b/1", 1, "")).await;
    client.expect(ok_via("3-0-0", "")).await;
    client.send(request("GET", "/b/2", 2, "")).await;
    assert_eq!(client.rest().await, (Vec::new(), End::Fin));
    let attempt = rig.attempts(2).await[1];
    assert_eq!((attempt.ending, attempt.ended_by), (Ending::DroppedReused, EndedBy::Upstream));
}

#[tokio::test]
async fn probes_and_strangers_have_no_request() {
    let probe = ProbePattern {
        target: Some("/".into()),
        user_agent: Some(Glob("health*".into())),
        ..ProbePattern::default()
    };
    let rig = Rig::with(&[], |_| ok(b""), |config| config.probes = vec![probe]).await;
    let mut client = rig.connect().await;
    let other = RequestId { workload: 0, k: 1 }.header(RunId(1));
    for (at, head) in [
        request("GET", "/", 1, "User-Agent: health/1\r\n"),
        request("GET", "/", 1, "User-Agent: other\r\n"),
        format!("GET /b/k HTTP/1.1\r\nx-gatecrash-id: {other}\r\n\r\n"),
    ]
    .into_iter()
    .enumerate()
    {
        client.send(head).await;
        client.expect(ok_via(&format!("3-0-{at}"), "")).await;
    }
    let told: Vec<_> = rig.attempts(3).await.iter().map(|a| (a.op, a.request, a.number)).collect();
    let none = RequestId::NONE;
    assert_eq!(told, [(Op::Probe, none, 0), (Op::ListBuckets, request_id(1), 1), (Op::GetObject, none, 0)]);
    assert!(rig.kept().attempts[0].has(AttemptRecord::PROBE));
}

#[tokio::test]
async fn what_is_no_request_is_turned_away() {
    let rig = Rig::start(&[], |_| ok(b"")).await;
    let mut client = rig.connect().await;
    client.send("\x16\x03\x01 no http\r\n\r\n").await;
    let (bytes, end) = client.rest().await;
    assert!(bytes.starts_with(b"HTTP/1.1 400 "), "{}", bytes.escape_ascii());
    assert_eq!(end, End::Fin);
    drop(client);
    let mut client = rig.connect().await;
    client.send(request("GET", &format!("/b/{}", "k".repeat(70_000)), 1, "")).await;
    assert!(client.rest().await.0.starts_with(b"HTTP/1.1 400 "));
    drop(client);
    assert!(rig.connections(2).await.iter().all(|c| c.attempts == 1));
    assert_eq!(rig.kept().evidence.len(), 2);
    let turned_away = rig.attempts(2).await;
    assert!(turned_away.iter().all(|a| a.has(AttemptRecord::NO_REQUEST)), "{turned_away:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_hundred_connections_at_once() {
    let rig =
        std::sync::Arc::new(Rig::start(&[], |head| ok(head.split(' ').nth(1).unwrap().as_bytes())).await);
    let mut clients = tokio::task::JoinSet::new();
    for n in 0..200u32 {
        let rig = std::sync::Arc::clone(&rig);
        clients.spawn(async move {
            let mut client = rig.connect().await;
            for round in 0..10 {
                let target = format!("/b/{n}-{round}");
                client.send(request("GET", &target, n * 10 + round, "")).await;
                let mut answer = Vec::new();
                while !answer.ends_with(format!("\r\n\r\n{target}").as_bytes()) {
                    client.read_some(&mut answer).await;
                }
            }
        });
    }
    while let Some(done) = clients.join_next().await {
        done.unwrap();
    }
    let mut attempts = rig.attempts(2000).await;
    attempts.sort_by_key(|a| a.request);
    assert!(attempts.iter().enumerate().all(|(k, a)| a.request == k as u64 && a.number == 1));
    assert!(attempts.iter().all(|a| a.ending == Ending::Complete));
    let connections = rig.connections(200).await;
    assert!(connections.iter().all(|c| c.attempts == 10));
}

#[tokio::test]
async fn the_baseline_is_always_there() {
    use gatecrash_core::plan::LatencyPlan;
    use gatecrash_core::units::Span;
    let plan = LatencyPlan { p50: Span::millis(60), p99: Span::millis(60) };
    let rig = Rig::with(&[], |_| ok(b""), |config| config.baseline = Some(plan)).await;
    let mut client = rig.connect().await;
    client.send(get(1)).await;
    client.expect(ok_via("3-0-0", "")).await;
    let attempt = rig.attempts(1).await[0];
    assert!(attempt.first_byte >= 60_000, "{}", attempt.first_byte);
    assert!(Duration::from_micros(attempt.first_byte.into()) < PATIENCE);
}
