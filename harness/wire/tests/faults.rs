//! Every fault that a link carries out, as the gateway sees it and as it is written down.

mod support;

use std::time::{Duration, Instant};

use gatecrash_core::faults::{
    Bandwidth, Close, CloseOnReuse, Endless, EndlessHead, FaultSpec, IdleClose, Latency, Malformed, Reset,
    ResetAt, SlowBody, SlowHead, Stall, Swallow, Truncate, With, malformed::Kind,
};
use gatecrash_core::plan::{FaultPlan, Per};
use gatecrash_core::rules::{ConnectionMatch, Glob, Matcher};
use gatecrash_core::units::{Share, Size, Span};
use gatecrash_model::{AttemptRecord, EndedBy, Ending, RequestId};
use support::*;
use tokio::io::AsyncWriteExt;

const BODY: &str = "0123456789abcdef";

/// A rig with one fault on all exchanges, and a client that has asked for [`BODY`].
async fn asked(spec: FaultSpec) -> (Rig, Client) {
    let rig = Rig::start(&[fault("f", spec)], |_| ok(BODY.as_bytes())).await;
    let mut client = rig.connect().await;
    client.send(get(1)).await;
    (rig, client)
}

fn head() -> String {
    ok_via("3-0-0", BODY).replace(BODY, "")
}

fn told(attempt: &AttemptRecord) -> (Ending, EndedBy, u16, u16, u32) {
    (attempt.ending, attempt.ended_by, attempt.fault, attempt.status, attempt.response_bytes)
}

#[tokio::test]
async fn latency_holds_the_request() {
    let latency = Latency { add: Span::millis(80), jitter: None };
    let (rig, mut client) = asked(FaultSpec::Latency(latency)).await;
    client.expect(ok_via("3-0-0", BODY)).await;
    let attempt = rig.attempts(1).await[0];
    assert!((80_000..5_000_000).contains(&attempt.first_byte), "{}", attempt.first_byte);
    assert_eq!(told(&attempt), (Ending::Complete, EndedBy::Nobody, 1, 200, 16));
    let firing = rig.kept().firings[0];
    assert_eq!((firing.attempt, firing.request, firing.number), (id(0, 0).pack(), request_id(1), 1));
    assert_eq!((firing.link, firing.conn, firing.fault), (3, 0, 0));
}

#[tokio::test]
async fn a_gateway_that_leaves_during_a_delay_is_written_down() {
    let latency = Latency { add: Span::seconds(60), jitter: None };
    let (rig, client) = asked(FaultSpec::Latency(latency)).await;
    eventually("the delay", || rig.kept().firings.len() == 1).await;
    client.reset();
    let attempt = rig.attempts(1).await[0];
    assert_eq!(told(&attempt), (Ending::Hang, EndedBy::Gateway, 1, 0, 0));
    assert!(!attempt.has(AttemptRecord::FORWARDED) && attempt.has(AttemptRecord::REQUEST_WHOLE));
    assert!(rig.seen().is_empty());
}

#[tokio::test]
async fn a_half_close_during_a_delay_changes_nothing() {
    let latency = Latency { add: Span::millis(60), jitter: None };
    let (rig, mut client) = asked(FaultSpec::Latency(latency)).await;
    client.stream.shutdown().await.unwrap();
    assert_eq!(client.rest().await, (ok_via("3-0-0", BODY).into_bytes(), End::Fin));
    assert_eq!(told(&rig.attempts(1).await[0]), (Ending::Complete, EndedBy::Nobody, 1, 200, 16));
}

#[tokio::test]
async fn an_unframed_body_is_cut_by_a_reset() {
    let spec = Truncate { at: Size(5), with: With::Rst, unframed: true };
    let (rig, mut client) = asked(FaultSpec::Truncate(spec)).await;
    let head = "HTTP/1.1 200 OK\r\nx-gatecrash-attempt: 3-0-0\r\nConnection: close\r\n\r\n";
    assert_eq!(client.rest().await, (format!("{head}01234").into_bytes(), End::Rst));
    let attempt = rig.attempts(1).await[0];
    assert_eq!(told(&attempt), (Ending::CutRst, EndedBy::Fault, 1, 200, 5));
    assert_eq!(attempt.promised, u32::MAX);
}

#[tokio::test]
async fn an_endless_head_goes_on_until_the_gateway_leaves() {
    for of in [Endless::Interim, Endless::Headers] {
        let (rig, mut client) = asked(FaultSpec::EndlessHead(EndlessHead { of })).await;
        client.expect([of.beginning(), &of.part().repeat(2 * Endless::PARTS)].concat()).await;
        client.reset();
        let attempt = rig.attempts(1).await[0];
        assert_eq!(told(&attempt), (Ending::CutRst, EndedBy::Gateway, 1, 0, 0));
        assert!(attempt.has(AttemptRecord::ILLEGAL));
    }
}

#[tokio::test]
async fn bandwidth_limits_the_body() {
    let (rig, body) = (Bandwidth { rate: Size(100_000) }, vec![7; 20_000]);
    let sent = body.clone();
    let rig = Rig::start(&[fault("f", FaultSpec::Bandwidth(rig))], move |_| ok(&sent)).await;
    let mut client = rig.connect().await;
    client.send(get(1)).await;
    client.expect("HTTP/1.1 200 OK\r\nContent-Length: 20000\r\nx-gatecrash-attempt: 3-0-0\r\n\r\n").await;
    client.expect(&body).await;
    let attempt = rig.attempts(1).await[0];
    // 10 steps of 2000 bytes, 20 ms apart.
    assert!((180_000..5_000_000).contains(&attempt.done), "{}", attempt.done);
    assert_eq!(told(&attempt), (Ending::Complete, EndedBy::Nobody, 1, 200, 20_000));
}

#[tokio::test]
async fn slow_head_and_slow_body_trickle() {
    let head = SlowHead { bytes: Size(10), every: Span::millis(10) };
    let body = SlowBody { bytes: Size(4), every: Span::millis(20) };
    let faults = [fault("h", FaultSpec::SlowHead(head)), fault("b", FaultSpec::SlowBody(body))];
    let rig = Rig::start(&faults, |_| ok(BODY.as_bytes())).await;
    let mut client = rig.connect().await;
    client.send(get(1)).await;
    client.expect(ok_via("3-0-0", BODY)).await;
    let attempt = rig.attempts(1).await[0];
    // 6 waits for the head of 67 bytes, 3 for the body.
    assert!(attempt.done - attempt.first_byte >= 115_000, "{}", attempt.done - attempt.first_byte);
    assert_eq!(told(&attempt), (Ending::Complete, EndedBy::Nobody, 1, 200, 16));
    assert_eq!(rig.kept().firings.len(), 2);
}

#[tokio::test]
async fn a_stall_keeps_silent_after_its_bytes() {
    let (rig, mut client) = asked(FaultSpec::Stall(Stall { after: Size(5) })).await;
    client.expect(head() + "01234").await;
    client.expect_silence(Duration::from_millis(50)).await;
    assert!(rig.kept().attempts.is_empty());
    drop(client);
    let attempt = rig.attempts(1).await[0];
    assert_eq!(told(&attempt), (Ending::Hang, EndedBy::Gateway, 1, 200, 5));
    assert_eq!(attempt.promised, 16);
}

#[tokio::test]
async fn a_stall_beyond_the_body_holds_nothing_back() {
    let (rig, mut client) = asked(FaultSpec::Stall(Stall { after: Size(16) })).await;
    client.expect(ok_via("3-0-0", BODY)).await;
    client.send(get(2)).await;
    client.expect(ok_via("3-0-1", BODY)).await;
    assert_eq!(told(&rig.attempts(2).await[0]), (Ending::Complete, EndedBy::Nobody, 1, 200, 16));
}

#[tokio::test]
async fn swallow_reads_and_never_answers() {
    let rig = Rig::start(&[fault("f", FaultSpec::Swallow(Swallow {}))], |_| ok(b"")).await;
    let mut client = rig.connect().await;
    client.send(request("PUT", "/b/k", 1, "Content-Length: 200000\r\n")).await;
    client.send(vec![1; 200_000]).await;
    client.expect_silence(Duration::from_millis(50)).await;
    drop(client);
    let attempt = rig.attempts(1).await[0];
    assert_eq!(told(&attempt), (Ending::Hang, EndedBy::Gateway, 1, 0, 0));
    assert_eq!(attempt.request_bytes, 200_000);
    assert_eq!(attempt.flags, AttemptRecord::REQUEST_WHOLE);
    assert!(rig.seen().is_empty());
}

#[tokio::test]
async fn a_reset_on_accept_has_no_head() {
    let rig = Rig::start(&[fault("f", reset(ResetAt::Accept))], |_| ok(b"")).await;
    let mut client = rig.connect().await;
    assert_eq!(client.rest().await, (Vec::new(), End::Rst));
    let attempt = rig.attempts(1).await[0];
    assert_eq!(told(&attempt), (Ending::DroppedFirst, EndedBy::Fault, 1, 0, 0));
    assert_eq!((attempt.flags, attempt.request), (AttemptRecord::NO_HEAD, RequestId::NONE));
    assert_eq!(rig.connections(1).await[0].ended_by, EndedBy::Fault);
    assert_eq!(rig.kept().firings[0].attempt, id(0, 0).pack());
}

#[tokio::test]
async fn a_reset_at_the_request_reaches_no_upstream() {
    let (rig, mut client) = asked(reset(ResetAt::Request)).await;
    assert_eq!(client.rest().await, (Vec::new(), End::Rst));
    let attempt = rig.attempts(1).await[0];
    assert_eq!(told(&attempt), (Ending::DroppedFirst, EndedBy::Fault, 1, 0, 0));
    assert!(attempt.has(AttemptRecord::REQUEST_WHOLE) && !attempt.has(AttemptRecord::FORWARDED));
    assert!(rig.seen().is_empty());
}

#[tokio::test]
async fn a_reset_in_the_head_cuts_it() {
    let (rig, mut client) = asked(reset(ResetAt::Headers)).await;
    assert_eq!(client.rest().await, (b"HTTP/1.1 200 OK\r\nCon".to_vec(), End::Rst));
    assert_eq!(told(&rig.attempts(1).await[0]), (Ending::CutRst, EndedBy::Fault, 1, 200, 0));
}

#[tokio::test]
async fn a_reset_after_bytes_loses_none_of_them() {
    for bytes in [0, 5, 2_000_000] {
        let rig =
            Rig::start(&[fault("f", reset(ResetAt::Bytes(Size(bytes))))], |_| ok(&vec![7; 3_000_000])).await;
        let mut client = rig.connect().await;
        client.send(get(1)).await;
        let (got, end) = client.rest().await;
        let head = "HTTP/1.1 200 OK\r\nContent-Length: 3000000\r\nx-gatecrash-attempt: 3-0-0\r\n\r\n";
        assert_eq!((got.len() as u64, end), (head.len() as u64 + bytes, End::Rst));
        let attempt = rig.attempts(1).await[0];
        assert_eq!(told(&attempt), (Ending::CutRst, EndedBy::Fault, 1, 200, bytes as u32));
    }
}

#[tokio::test]
async fn a_close_ends_by_fin_at_each_point_of_a_reset() {
    let cut = |bytes: usize| ok_via("3-0-0", BODY).as_bytes()[..bytes].to_vec();
    let whole_head = head().len();
    for (at, wanted, ending, status, bytes) in [
        (ResetAt::Accept, Vec::new(), Ending::DroppedFirst, 0, 0),
        (ResetAt::Request, Vec::new(), Ending::DroppedFirst, 0, 0),
        (ResetAt::Headers, cut(20), Ending::CutFin, 200, 0),
        (ResetAt::Bytes(Size(5)), cut(whole_head + 5), Ending::CutFin, 200, 5),
    ] {
        let (rig, mut client) = asked(FaultSpec::Close(Close { at })).await;
        assert_eq!(client.rest().await, (wanted, End::Fin), "{at:?}");
        let attempt = rig.attempts(1).await[0];
        assert_eq!(told(&attempt), (ending, EndedBy::Fault, 1, status, bytes), "{at:?}");
        assert_eq!(attempt.has(AttemptRecord::NO_HEAD), at == ResetAt::Accept, "{at:?}");
        assert_eq!(rig.seen().is_empty(), status == 0, "{at:?}");
    }
}

#[tokio::test]
async fn truncate_ends_by_fin_or_rst() {
    for (with, end, ending) in [(With::Fin, End::Fin, Ending::CutFin), (With::Rst, End::Rst, Ending::CutRst)]
    {
        let (rig, mut client) =
            asked(FaultSpec::Truncate(Truncate { at: Size(5), with, unframed: false })).await;
        assert_eq!(client.rest().await, ((head() + "01234").into_bytes(), end));
        let attempt = rig.attempts(1).await[0];
        assert_eq!(told(&attempt), (ending, EndedBy::Fault, 1, 200, 5));
        assert_eq!(attempt.promised, 16);
    }
}

#[tokio::test]
async fn truncate_counts_payload_of_chunks_and_spares_what_is_shorter() {
    let chunks = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n4\r\nefgh\r\n0\r\n\r\n";
    for (at, wanted, ending) in
        [(6, "4\r\nabcd\r\n4\r\nef", Ending::CutFin), (9, &chunks[47..], Ending::Complete)]
    {
        let spec = FaultSpec::Truncate(Truncate { at: Size(at), with: With::Fin, unframed: false });
        let rig = Rig::start(&[fault("f", spec)], move |_| reply(chunks)).await;
        let mut client = rig.connect().await;
        client.send(get(1)).await;
        let (got, end) = client.rest().await;
        let got = String::from_utf8(got).unwrap();
        assert_eq!((got.split_once("\r\n\r\n").unwrap().1, end), (wanted, End::Fin));
        assert_eq!(told(&rig.attempts(1).await[0]), (ending, EndedBy::Fault, 1, 200, at.min(8) as u32));
    }
}

#[tokio::test]
async fn a_fin_is_no_rst_even_with_the_request_unread() {
    let spec = FaultSpec::CloseOnReuse(CloseOnReuse { with: With::Fin });
    let rig = Rig::start(&[fault("f", spec)], |_| ok(b"x")).await;
    let mut client = rig.connect().await;
    client.send(get(1)).await;
    client.expect(ok_via("3-0-0", "x")).await;
    client.send(request("PUT", "/b/k", 2, "Content-Length: 400000\r\n")).await;
    client.send(vec![1; 400_000]).await;
    assert_eq!(client.rest().await, (Vec::new(), End::Fin));
    let attempt = rig.attempts(2).await[1];
    assert_eq!(told(&attempt), (Ending::DroppedReused, EndedBy::Fault, 1, 0, 0));
    assert_eq!(rig.seen().len(), 1);
}

#[tokio::test]
async fn close_on_reuse_spares_the_first_and_resets_the_second() {
    let (rig, mut client) = asked(FaultSpec::CloseOnReuse(CloseOnReuse { with: With::Rst })).await;
    client.expect(ok_via("3-0-0", BODY)).await;
    client.send(get(2)).await;
    assert_eq!(client.rest().await, (Vec::new(), End::Rst));
    let attempts = rig.attempts(2).await;
    assert_eq!(told(&attempts[0]), (Ending::Complete, EndedBy::Nobody, 0, 200, 16));
    assert_eq!(told(&attempts[1]), (Ending::DroppedReused, EndedBy::Fault, 1, 0, 0));
}

#[tokio::test]
async fn idle_close_waits_for_its_time() {
    let spec = FaultSpec::IdleClose(IdleClose { after: Span::millis(100), with: With::Fin });
    let (rig, mut client) = asked(spec).await;
    client.expect(ok_via("3-0-0", BODY)).await;
    let kept = Instant::now();
    client.send(get(2)).await;
    client.expect(ok_via("3-0-1", BODY)).await;
    assert_eq!(client.rest().await, (Vec::new(), End::Fin));
    assert!(kept.elapsed() >= Duration::from_millis(100));
    drop(client);
    assert_eq!(rig.connections(1).await[0].ended_by, EndedBy::Fault);
    let attempts = rig.attempts(2).await;
    assert_eq!(told(&attempts[1]), (Ending::Complete, EndedBy::Nobody, 0, 200, 16));
    assert_eq!(rig.kept().firings.len(), 2);
}

#[tokio::test]
async fn the_first_terminal_wins_and_the_record_names_the_first_that_fired() {
    let faults = [
        fault("slow", FaultSpec::Latency(Latency { add: Span::millis(5), jitter: None })),
        fault("cut", FaultSpec::Truncate(Truncate { at: Size(3), with: With::Fin, unframed: false })),
        fault("rewrite", FaultSpec::Malformed(Malformed::of(Kind::SshBanner))),
    ];
    let rig = Rig::start(&faults, |_| ok(BODY.as_bytes())).await;
    let mut client = rig.connect().await;
    client.send(get(1)).await;
    assert_eq!(client.rest().await.0, (head() + "012").into_bytes());
    assert_eq!(rig.attempts(1).await[0].fault, 1);
    assert_eq!(rig.kept().firings.iter().map(|f| f.fault).collect::<Vec<_>>(), [0, 1]);
}

#[tokio::test]
async fn a_match_picks_its_exchanges() {
    let matcher = Matcher {
        key: Some(Glob("img/*".into())),
        header: [("x-kind".to_owned(), Glob("b*d".into()))].into(),
        connection: Some(ConnectionMatch { reused: Some(true), ..ConnectionMatch::default() }),
        ..Matcher::default()
    };
    let plan = FaultPlan { matcher, ..fault("f", reset(ResetAt::Request)) };
    let rig = Rig::start(&[plan], |_| ok(b"")).await;
    let mut client = rig.connect().await;
    for (at, (target, header)) in
        [("/b/img/1", "X-Kind: bad\r\n"), ("/b/img/1", ""), ("/b/doc/1", "X-Kind: bad\r\n")]
            .into_iter()
            .enumerate()
    {
        client.send(request("GET", target, at as u32, header)).await;
        client.expect(ok_via(&format!("3-0-{at}"), "")).await;
    }
    client.send(request("GET", "/b/img%2F1", 9, "X-Kind: bad\r\n")).await;
    assert_eq!(client.rest().await.1, End::Rst);
}

#[tokio::test]
async fn a_probability_is_drawn_by_identity_and_replays() {
    let mut runs = Vec::new();
    for _ in 0..2 {
        let plan = FaultPlan {
            probability: Share(0.3),
            per: Per::Attempt,
            ..fault("third", FaultSpec::Truncate(Truncate { at: Size(3), with: With::Fin, unframed: false }))
        };
        let rig = Rig::start(&[plan], |_| ok(BODY.as_bytes())).await;
        let mut client = rig.connect().await;
        for k in 0..100 {
            client.send(get(k)).await;
            let attempt = rig.attempts(k as usize + 1).await[k as usize];
            if attempt.ending != Ending::Complete {
                client = rig.connect().await;
            }
        }
        let attempts = rig.attempts(100).await;
        let cut: Vec<_> = attempts.iter().filter(|a| a.fault == 1).map(|a| a.request).collect();
        let hash = gatecrash_model::hash::bytes(b"third");
        let planned = (0..100).filter(|k| {
            let key = gatecrash_model::draw::DrawKey::Attempt { request: request_id(*k), attempt: 1 };
            gatecrash_model::draw::fires(gatecrash_model::draw::draw(7, hash, key), 0.3)
        });
        assert_eq!(cut, planned.map(request_id).collect::<Vec<_>>());
        let fired: Vec<_> = rig.kept().firings.iter().map(|f| f.request).collect();
        assert_eq!(cut, fired);
        runs.push(cut);
    }
    assert!(!runs[0].is_empty());
    assert_eq!(runs[0], runs[1]);
}

#[tokio::test]
async fn a_fault_that_is_off_is_off() {
    let (rig, mut client) = asked(reset(ResetAt::Request)).await;
    assert_eq!(client.rest().await.1, End::Rst);
    rig.rules.switch(0, false);
    let mut client = rig.connect().await;
    client.send(get(1)).await;
    client.expect(ok_via("3-1-0", BODY)).await;
    let attempts = rig.attempts(2).await;
    assert_eq!((attempts[1].number, attempts[1].fault), (2, 0));
}

fn reset(at: ResetAt) -> FaultSpec {
    FaultSpec::Reset(Reset { at })
}
