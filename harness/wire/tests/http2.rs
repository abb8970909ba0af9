//! HTTP/2 on a link: the exact frames, and what is written down.

mod support;

use gatecrash_core::faults::{
    Close, CloseAfterReply, CloseHeaderIgnored, CorruptBody, EarlyClose, EarlyEnd, FaultSpec,
    ForwardThenStatus, IdleClose, LateBytes, Latency, Malformed, ReplyTwice, Reset, ResetAt, SlowBody,
    SlowHead, SlowReadBody, Stall, Stray, Swallow, Truncate, With, malformed::Kind,
};
use gatecrash_core::plan::FaultPlan;
use gatecrash_core::rules::{Glob, Matcher};
use gatecrash_core::units::{Size, Span};
use gatecrash_model::{AttemptRecord, EndedBy, Ending};
use support::peer::*;
use support::*;
use tokio::io::AsyncWriteExt;

const BODY: &str = "0123456789abcdef";

fn told(attempt: &AttemptRecord) -> (Ending, EndedBy, u16, u16, u32) {
    (attempt.ending, attempt.ended_by, attempt.fault, attempt.status, attempt.response_bytes)
}

/// A rig with one fault on all exchanges, and a peer that has asked for [`BODY`] on stream 1.
async fn asked(spec: FaultSpec) -> (Rig, Peer) {
    let rig = Rig::start(&[fault("f", spec)], |_| ok(BODY.as_bytes())).await;
    let mut peer = Peer::connect(&rig).await;
    peer.send(ask(1, "GET", 1, &[], true)).await;
    (rig, peer)
}

#[tokio::test]
async fn streams_are_exchanges() {
    let rig = Rig::start(&[], |_| ok(BODY.as_bytes())).await;
    let mut peer = Peer::connect(&rig).await;
    peer.send(ask(1, "GET", 7, &[("range", "bytes=0-9")], true)).await;
    peer.expect(ok_frames(1, "3-0-0", BODY)).await;
    peer.send(ask(3, "GET", 8, &[], true)).await;
    peer.expect(ok_frames(3, "3-0-1", BODY)).await;

    let attempts = rig.attempts(2).await;
    assert_eq!(told(&attempts[0]), (Ending::Complete, EndedBy::Nobody, 0, 200, 16));
    assert_eq!((attempts[0].attempt, attempts[0].request), (id(0, 0).pack(), request_id(7)));
    assert!(!attempts[0].has(AttemptRecord::REUSED) && attempts[1].has(AttemptRecord::REUSED));
    assert!(attempts[0].has(AttemptRecord::FORWARDED) && attempts[0].has(AttemptRecord::REQUEST_WHOLE));
    let seen = rig.seen();
    let name = gatecrash_model::RequestId { workload: 0, k: 7 }.header(RUN);
    let head = format!(
        "GET /media/img/1.bin HTTP/1.1\r\nhost: x\r\nx-gatecrash-id: {name}\r\nrange: bytes=0-9\r\n\r\n"
    );
    assert_eq!(seen[0].head, head);
    assert_eq!(seen[1].context.unwrap().attempt, id(0, 1).pack());
    drop(peer);
    let connection = rig.connections(1).await[0];
    assert_eq!((connection.attempts, connection.ended_by), (2, EndedBy::Gateway));
    assert_eq!(*rig.upstream.closed.lock().unwrap(), 1, "one connection to the mock served both");
}

#[tokio::test]
async fn a_head_has_no_body_and_a_chunked_body_ends_the_stream() {
    let rig = Rig::start(&[], |head| match head.starts_with("HEAD") {
        true => reply("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"),
        false => reply("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"),
    })
    .await;
    let mut peer = Peer::connect(&rig).await;
    peer.send(ask(1, "HEAD", 1, &[], true)).await;
    let fields = [(":status", "200"), ("content-length", "9"), ("x-gatecrash-attempt", "3-0-0")];
    peer.expect(frame(HEADERS, END_HEADERS | END_STREAM, 1, block(&fields))).await;
    peer.send(ask(3, "GET", 2, &[], true)).await;
    let head = frame(HEADERS, END_HEADERS, 3, block(&[(":status", "200"), ("x-gatecrash-attempt", "3-0-1")]));
    peer.expect([head, frame(DATA, 0, 3, "abc"), frame(DATA, END_STREAM, 3, "")].concat()).await;
    assert_eq!(told(&rig.attempts(2).await[1]), (Ending::Complete, EndedBy::Nobody, 0, 200, 3));
}

#[tokio::test]
async fn uploads_are_granted_as_they_are_used() {
    let rig = Rig::start(&[], |_| ok(b"")).await;
    let mut peer = Peer::connect(&rig).await;
    peer.send(ask(1, "PUT", 1, &[("content-length", "10")], false)).await;
    peer.send(frame(DATA, 0, 1, "01234")).await;
    peer.expect(window_update(1, 5)).await;
    peer.send(frame(DATA, END_STREAM, 1, "56789")).await;
    let empty = |attempt| [(":status", "200"), ("content-length", "0"), ("x-gatecrash-attempt", attempt)];
    peer.expect(frame(HEADERS, END_HEADERS | END_STREAM, 1, block(&empty("3-0-0")))).await;

    // Without a length, and with padding, which is granted at once.
    peer.send(ask(3, "PUT", 2, &[], false)).await;
    peer.send(frame(DATA, 0x8, 3, "\x02abc\0\0")).await;
    peer.expect([window_update(3, 3), window_update(3, 3)].concat()).await;
    peer.send(frame(HEADERS, END_HEADERS | END_STREAM, 3, block(&[("x-trailer", "1")]))).await;
    peer.expect(frame(HEADERS, END_HEADERS | END_STREAM, 3, block(&empty("3-0-1")))).await;
    let seen = rig.seen();
    assert_eq!((&seen[0].body[..], &seen[1].body[..]), (&b"0123456789"[..], &b"3\r\nabc\r\n0\r\n\r\n"[..]));
    let attempts = rig.attempts(2).await;
    assert_eq!((attempts[0].request_bytes, attempts[1].request_bytes), (10, 3));
}

#[tokio::test]
async fn a_body_that_is_not_as_long_as_it_said_is_reset() {
    let rig = Rig::start(&[], |_| ok(b"")).await;
    let mut peer = Peer::connect(&rig).await;
    peer.send(ask(1, "PUT", 1, &[("content-length", "3")], false)).await;
    peer.send(frame(DATA, END_STREAM, 1, "0123")).await;
    peer.expect(rst_stream(1, 1)).await;
    peer.send(ask(3, "PUT", 2, &[("content-length", "3")], false)).await;
    peer.send(frame(DATA, END_STREAM, 3, "01")).await;
    peer.expect(rst_stream(3, 1)).await;
    assert!(rig.attempts(2).await.iter().all(|a| a.ended_by == EndedBy::Gateway));
}

#[tokio::test]
async fn the_gateways_windows_are_kept() {
    let rig = Rig::start(&[], |_| ok(BODY.as_bytes())).await;
    let mut peer = Peer::with(&rig, &setting(4, 10)).await;
    peer.send(ask(1, "GET", 1, &[], true)).await;
    peer.expect([ok_head(1, "3-0-0", 16), frame(DATA, 0, 1, &BODY[..10])].concat()).await;
    peer.expect_silence().await;
    // 3 less by the setting, 4 more by the update: one byte.
    peer.send([setting(4, 7), window_update(1, 4)].concat()).await;
    peer.expect([frame(SETTINGS, ACK, 0, []), frame(DATA, 0, 1, "a")].concat()).await;
    peer.send(window_update(1, 99)).await;
    peer.expect(frame(DATA, END_STREAM, 1, "bcdef")).await;
    assert_eq!(told(&rig.attempts(1).await[0]), (Ending::Complete, EndedBy::Nobody, 0, 200, 16));
}

#[tokio::test]
async fn an_early_answer_ends_the_upload() {
    let rig = Rig::start(&[], |_| {
        reply("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n").early().then(Then::Fin)
    })
    .await;
    let mut peer = Peer::connect(&rig).await;
    peer.send(ask(1, "PUT", 1, &[("content-length", "10")], false)).await;
    let fields = [(":status", "403"), ("content-length", "0"), ("x-gatecrash-attempt", "3-0-0")];
    peer.expect(frame(HEADERS, END_HEADERS | END_STREAM, 1, block(&fields))).await;
    peer.expect(rst_stream(1, 0)).await;
    let attempt = rig.attempts(1).await[0];
    assert_eq!(told(&attempt), (Ending::Complete, EndedBy::Nobody, 0, 403, 0));
    assert!(!attempt.has(AttemptRecord::REQUEST_WHOLE));
}

#[tokio::test]
async fn a_gateway_that_gives_a_stream_up_is_written_down() {
    let swallow = fault("f", FaultSpec::Swallow(Swallow {}));
    let rig = Rig::start(&[swallow], |_| ok(b"")).await;
    let mut peer = Peer::connect(&rig).await;
    peer.send([ask(1, "GET", 1, &[], true), ask(3, "GET", 2, &[], true)].concat()).await;
    peer.expect_silence().await;
    peer.send(rst_stream(1, 8)).await;
    assert_eq!(told(&rig.attempts(1).await[0]), (Ending::Hang, EndedBy::Gateway, 1, 0, 0));
    peer.0.reset();
    assert_eq!(told(&rig.attempts(2).await[1]), (Ending::Hang, EndedBy::Gateway, 1, 0, 0));
    assert!(rig.seen().is_empty());
}

#[tokio::test]
async fn an_upstream_that_fails_resets_the_stream_alone() {
    let rig =
        Rig::start(&[], |_| reply("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc").then(Then::Rst)).await;
    let mut peer = Peer::connect(&rig).await;
    peer.send(ask(1, "GET", 1, &[], true)).await;
    peer.expect([ok_head(1, "3-0-0", 9), frame(DATA, 0, 1, "abc"), rst_stream(1, 2)].concat()).await;
    peer.expect_silence().await;
    assert_eq!(told(&rig.attempts(1).await[0]), (Ending::CutRst, EndedBy::Upstream, 0, 200, 3));
}

// === the faults of HTTP/1.1 ===

#[tokio::test]
async fn resets_and_closes_end_the_connection() {
    let reset = |at| FaultSpec::Reset(Reset { at });
    let (rig, mut peer) = asked(reset(ResetAt::Request)).await;
    peer.expect_end("", End::Rst).await;
    assert_eq!(told(&rig.attempts(1).await[0]), (Ending::DroppedFirst, EndedBy::Fault, 1, 0, 0));

    let (rig, mut peer) = asked(reset(ResetAt::Headers)).await;
    peer.expect_end(&ok_head(1, "3-0-0", 16)[..20], End::Rst).await;
    assert_eq!(told(&rig.attempts(1).await[0]), (Ending::CutRst, EndedBy::Fault, 1, 0, 0));

    let (rig, mut peer) = asked(reset(ResetAt::Bytes(Size(5)))).await;
    peer.expect_end([ok_head(1, "3-0-0", 16), frame(DATA, 0, 1, "01234")].concat(), End::Rst).await;
    assert_eq!(told(&rig.attempts(1).await[0]), (Ending::CutRst, EndedBy::Fault, 1, 200, 5));

    let (rig, mut peer) =
        asked(FaultSpec::Truncate(Truncate { at: Size(5), with: With::Fin, unframed: false })).await;
    peer.expect_end([ok_head(1, "3-0-0", 16), frame(DATA, 0, 1, "01234")].concat(), End::Fin).await;
    assert_eq!(told(&rig.attempts(1).await[0]), (Ending::CutFin, EndedBy::Fault, 1, 200, 5));
}

#[tokio::test]
async fn an_end_takes_the_neighbours_with_it() {
    let puts = Matcher { key: Some(Glob("img/2*".into())), ..Matcher::default() };
    let reset = FaultSpec::Reset(Reset { at: ResetAt::Request });
    let rig = Rig::start(&[FaultPlan { matcher: puts, ..fault("f", reset) }], |_| {
        reply("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc").then(Then::Hang)
    })
    .await;
    let mut peer = Peer::connect(&rig).await;
    peer.send(ask(1, "GET", 1, &[], true)).await;
    let answer = [ok_head(1, "3-0-0", 9), frame(DATA, 0, 1, "abc")].concat();
    peer.expect(answer).await;
    let fields = [(":method", "GET"), (":scheme", "http"), (":path", "/media/img/2.bin")];
    peer.send(frame(HEADERS, END_HEADERS | END_STREAM, 3, block(&fields))).await;
    peer.expect_end("", End::Rst).await;
    let attempts = rig.attempts(2).await;
    assert_eq!(told(&attempts[0]), (Ending::CutRst, EndedBy::Fault, 1, 200, 3));
    assert_eq!(told(&attempts[1]), (Ending::DroppedReused, EndedBy::Fault, 1, 0, 0));
    assert_eq!(rig.kept().firings.len(), 1, "the neighbour had no firing of its own");
}

#[tokio::test]
async fn stalls_and_paces_concern_one_stream() {
    let (rig, mut peer) = asked(FaultSpec::Stall(Stall { after: Size(4) })).await;
    peer.expect([ok_head(1, "3-0-0", 16), frame(DATA, 0, 1, "0123")].concat()).await;
    peer.expect_silence().await;
    peer.send(rst_stream(1, 8)).await;
    assert_eq!(told(&rig.attempts(1).await[0]), (Ending::CutRst, EndedBy::Gateway, 1, 200, 4));

    let pace = SlowBody { bytes: Size(8), every: Span::millis(5) };
    let (_rig, mut peer) = asked(FaultSpec::SlowBody(pace)).await;
    peer.expect(ok_head(1, "3-0-0", 16)).await;
    peer.expect([frame(DATA, 0, 1, "01234567"), frame(DATA, END_STREAM, 1, "89abcdef")].concat()).await;

    let pace = SlowHead { bytes: Size(1), every: Span::millis(2) };
    let (rig, mut peer) = asked(FaultSpec::SlowHead(pace)).await;
    peer.expect(ok_frames(1, "3-0-0", BODY)).await;
    assert!(rig.attempts(1).await[0].first_byte > 100_000, "as long as the trickle would take");

    let latency = Latency { add: Span::millis(50), jitter: None };
    let (rig, mut peer) = asked(FaultSpec::Latency(latency)).await;
    peer.expect(ok_frames(1, "3-0-0", BODY)).await;
    assert!(rig.attempts(1).await[0].first_byte >= 50_000);
}

#[tokio::test]
async fn answers_are_replaced_spoilt_or_the_last() {
    let (rig, mut peer) = asked(FaultSpec::ForwardThenStatus(ForwardThenStatus { status: 500 })).await;
    let bare = |status, stream| {
        let fields = [(":status", status), ("content-length", "0"), ("x-gatecrash-attempt", "3-0-0")];
        frame(HEADERS, END_HEADERS | END_STREAM, stream, block(&fields))
    };
    peer.expect(bare("500", 1)).await;
    assert_eq!(told(&rig.attempts(1).await[0]), (Ending::Complete, EndedBy::Nobody, 1, 500, 0));
    assert_eq!(rig.seen().len(), 1);

    let corrupt = CorruptBody { at: Some(Size(3)), share: None };
    let (rig, mut peer) = asked(FaultSpec::CorruptBody(corrupt)).await;
    peer.expect(ok_head(1, "3-0-0", 16)).await;
    rig.attempts(1).await;
    peer.0.stream.shutdown().await.unwrap();
    let (got, _) = peer.0.rest().await;
    let wrong: Vec<_> = (0..16).filter(|i| got[9 + i] != BODY.as_bytes()[*i]).collect();
    assert_eq!((wrong, got.len()), (vec![3], 25));

    let (rig, mut peer) = asked(FaultSpec::CloseAfterReply(CloseAfterReply { with: With::Fin })).await;
    peer.expect_end(ok_frames(1, "3-0-0", BODY), End::Fin).await;
    assert_eq!(told(&rig.attempts(1).await[0]), (Ending::Complete, EndedBy::Fault, 1, 200, 16));

    // What "Connection: close" is to HTTP/1.1, GOAWAY is to HTTP/2.
    let (_rig, mut peer) = asked(FaultSpec::CloseHeaderIgnored(CloseHeaderIgnored {})).await;
    peer.expect([goaway(1, 0), ok_frames(1, "3-0-0", BODY)].concat()).await;
    peer.expect_silence().await;
}

#[tokio::test]
async fn uploads_are_answered_early_or_read_slowly() {
    let early = EarlyClose { status: 503, then: EarlyEnd::Rst };
    let rig = Rig::start(&[fault("f", FaultSpec::EarlyClose(early))], |_| ok(b"")).await;
    let mut peer = Peer::connect(&rig).await;
    peer.send(ask(1, "PUT", 1, &[("content-length", "10")], false)).await;
    let fields = [(":status", "503"), ("content-length", "0"), ("x-gatecrash-attempt", "3-0-0")];
    peer.expect_end(frame(HEADERS, END_HEADERS | END_STREAM, 1, block(&fields)), End::Rst).await;
    assert_eq!(told(&rig.attempts(1).await[0]), (Ending::Complete, EndedBy::Fault, 1, 503, 0));
    assert!(rig.seen().is_empty());

    let slow = SlowReadBody { bytes: Size(4), every: Span::millis(5) };
    let rig = Rig::start(&[fault("f", FaultSpec::SlowReadBody(slow))], |_| ok(b"")).await;
    let mut peer = Peer::connect(&rig).await;
    peer.send(ask(1, "PUT", 1, &[("content-length", "10")], false)).await;
    peer.send(frame(DATA, 0, 1, "0123456789")).await;
    peer.expect([window_update(1, 4), window_update(1, 4), window_update(1, 2)].concat()).await;
}

#[tokio::test]
async fn what_only_http1_can_do_never_fires() {
    for spec in [
        FaultSpec::ReplyTwice(ReplyTwice {}),
        FaultSpec::LateBytes(LateBytes { after: Span::millis(1), what: Stray::Bytes }),
    ] {
        let (rig, mut peer) = asked(spec).await;
        peer.expect(ok_frames(1, "3-0-0", BODY)).await;
        peer.expect_silence().await;
        assert!(rig.kept().firings.is_empty());
    }
}

#[tokio::test]
async fn idle_connections_are_closed() {
    let idle = IdleClose { after: Span::millis(20), with: With::Fin };
    let (rig, mut peer) = asked(FaultSpec::IdleClose(idle)).await;
    peer.expect_end(ok_frames(1, "3-0-0", BODY), End::Fin).await;
    assert_eq!(told(&rig.attempts(1).await[0]), (Ending::Complete, EndedBy::Nobody, 0, 200, 16));
    assert_eq!(rig.connections(1).await[0].ended_by, EndedBy::Fault);
}

#[tokio::test]
async fn a_listener_that_refuses_resets_every_stream() {
    let rig = Rig::start(&[fault("f", FaultSpec::Swallow(Swallow {}))], |_| ok(b"")).await;
    let mut peer = Peer::connect(&rig).await;
    peer.send([ask(1, "GET", 1, &[], true), ask(3, "GET", 2, &[], true)].concat()).await;
    eventually("both", || rig.kept().firings.len() == 2).await;
    rig.rules.switch(0, false);
    assert!(rig.link.set_listener_for(gatecrash_wire::ListenerState::Refuse, 0).await);
    peer.expect_end("", End::Rst).await;
    assert!(rig.attempts(2).await.iter().all(|a| a.ended_by == EndedBy::Fault && a.fault == 1));
}

#[tokio::test]
async fn malformed_kinds_never_fire_here() {
    let (rig, mut peer) = asked(FaultSpec::Malformed(Malformed::of(Kind::GarbageBytes))).await;
    peer.expect(ok_frames(1, "3-0-0", BODY)).await;
    assert!(rig.attempts(1).await[0].fault == 0 && rig.kept().firings.is_empty());
}

#[tokio::test]
async fn a_close_on_accept_comes_before_the_preface() {
    let close = FaultSpec::Close(Close { at: gatecrash_core::faults::ResetAt::Accept });
    let rig = Rig::start(&[fault("f", close)], |_| ok(b"")).await;
    let mut client = rig.connect().await;
    client.send(PREFACE).await;
    assert_eq!(client.rest().await.0, b"");
}

// === what the gateway must not do ===

#[tokio::test]
async fn offences_end_the_connection_by_their_code() {
    let settings = frame(SETTINGS, 0, 0, []);
    let get = ask(1, "GET", 1, &[], true);
    let table: Vec<(u32, u32, Vec<u8>)> = vec![
        // code, last stream, frames after the settings
        (1, 0, frame(DATA, 0, 1, "x")),
        (1, 0, ask(2, "GET", 1, &[], true)),
        (1, 0, frame(9, 0, 1, "x")),
        (1, 0, frame(5, 0, 1, "xxxx")),
        (1, 0, frame(SETTINGS, 0, 1, [])),
        (6, 0, frame(SETTINGS, 0, 0, "x")),
        (3, 0, setting(4, u32::MAX)),
        (1, 0, setting(5, 1)),
        (6, 0, frame(PING, 0, 0, "short")),
        (3, 0, window_update(0, u32::MAX >> 1)),
        (1, 0, window_update(0, 0)),
        (9, 0, frame(HEADERS, END_HEADERS, 1, b"\xff\xff\xff\xff\x0f")),
        (6, 0, frame(DATA, 0, 1, vec![0; 16_385])),
        (1, 0, [frame(HEADERS, 0, 1, "x"), frame(PING, 0, 0, [0; 8])].concat()),
        (5, 1, [get.clone(), frame(DATA, 0, 1, "x")].concat()),
    ];
    let swallow = fault("f", FaultSpec::Swallow(Swallow {}));
    let rig = Rig::start(&[swallow], |_| ok(b"")).await;
    for (code, last, frames) in table {
        let mut peer = Peer::with(&rig, &settings).await;
        peer.send(&frames).await;
        peer.expect_end(goaway(last, code), End::Fin).await;
    }
    let mut client = rig.connect().await;
    client.send([PREFACE, &get].concat()).await;
    let greeting = [GREETING, &goaway(0, 1)].concat();
    assert_eq!(client.rest().await, (greeting, End::Fin));
    // A malformed request costs its stream alone.
    let mut peer = Peer::connect(&rig).await;
    peer.send(ask(1, "GET", 1, &[("Upper", "1")], true)).await;
    peer.expect(rst_stream(1, 1)).await;
    peer.expect_silence().await;
}
