//! Every kind of the fault `http2`: the frames as a raw peer reads them, the ending, and the record.

mod support;

use gatecrash_core::faults::{FaultSpec, HTTP2_KINDS, Http2, Http2Kind};
use gatecrash_core::plan::FaultPlan;
use gatecrash_core::rules::{Glob, Matcher};
use gatecrash_model::{AttemptRecord, EndedBy, Ending};
use support::peer::*;
use support::*;

const BODY: &str = "0123456789abcdef";
const KEEP: &str = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc";

/// A rig with the kind on keys `bad*`, whose other requests stay open after three bytes, and a peer.
async fn ready(kind: Http2Kind) -> (Rig, Peer) {
    let matcher = Matcher { key: Some(Glob("bad*".into())), ..Matcher::default() };
    let faulty = FaultPlan { matcher, ..fault("f", FaultSpec::Http2(Http2 { kind })) };
    let rig = Rig::start(&[faulty], |head| match head.contains("/bad") {
        true => ok(BODY.as_bytes()),
        false => reply(KEEP).then(Then::Hang),
    })
    .await;
    let peer = Peer::connect(&rig).await;
    (rig, peer)
}

/// A request that the kind hits.
fn bad(stream: u32, method: &str, end: bool) -> Vec<u8> {
    let fields = [(":method", method), (":scheme", "http"), (":path", "/media/bad")];
    frame(HEADERS, END_HEADERS | if end { END_STREAM } else { 0 }, stream, block(&fields))
}

/// The kind on stream 1, alone.
async fn alone(kind: Http2Kind) -> (Rig, Peer) {
    let (rig, mut peer) = ready(kind).await;
    peer.send(bad(1, "GET", true)).await;
    (rig, peer)
}

/// A neighbour on stream 1 that has got three bytes, then the kind on stream 3.
async fn beside(kind: Http2Kind) -> (Rig, Peer) {
    let (rig, mut peer) = ready(kind).await;
    peer.send(ask(1, "GET", 1, &[], true)).await;
    peer.expect([ok_head(1, "3-0-0", 9), frame(DATA, 0, 1, "abc")].concat()).await;
    peer.send(bad(3, "GET", true)).await;
    (rig, peer)
}

/// Ending, by whom, fault, status, body bytes, whether illegal.
fn told(attempt: &AttemptRecord) -> (Ending, EndedBy, u16, u16, u32, bool) {
    (
        attempt.ending,
        attempt.ended_by,
        attempt.fault,
        attempt.status,
        attempt.response_bytes,
        attempt.has(AttemptRecord::ILLEGAL),
    )
}

fn ok_fields() -> [(&'static str, &'static str); 3] {
    [(":status", "200"), ("content-length", "16"), ("x-gatecrash-attempt", "3-0-0")]
}

fn head(fields: &[(&str, &str)]) -> Vec<u8> {
    frame(HEADERS, END_HEADERS, 1, block(fields))
}

#[tokio::test]
async fn goaway_no_error_finishes_what_was_before() {
    let (rig, mut peer) = alone(Http2Kind::GoawayNoError).await;
    peer.expect_end(goaway(0, 0), End::Fin).await;
    assert_eq!(told(&rig.attempts(1).await[0]), (Ending::DroppedFirst, EndedBy::Fault, 1, 0, 0, false));
    assert!(rig.seen().is_empty());

    // A neighbour before it goes on, and only its end is the end of the connection.
    let matcher = Matcher { key: Some(Glob("bad*".into())), ..Matcher::default() };
    let spec = FaultSpec::Http2(Http2 { kind: Http2Kind::GoawayNoError });
    let rig = Rig::start(&[FaultPlan { matcher, ..fault("f", spec) }], |_| ok(b"")).await;
    let mut peer = Peer::connect(&rig).await;
    peer.send([ask(1, "PUT", 1, &[], false), bad(3, "GET", true)].concat()).await;
    peer.expect(goaway(1, 0)).await;
    // Too late: never looked at.
    peer.send(ask(5, "GET", 3, &[], true)).await;
    peer.send(frame(DATA, END_STREAM, 1, "")).await;
    let fields = [(":status", "200"), ("content-length", "0"), ("x-gatecrash-attempt", "3-0-0")];
    peer.expect_end(frame(HEADERS, END_HEADERS | END_STREAM, 1, block(&fields)), End::Fin).await;
    let attempts = rig.attempts(2).await;
    assert_eq!(told(&attempts[0]), (Ending::Complete, EndedBy::Nobody, 0, 200, 0, false));
    assert_eq!(told(&attempts[1]), (Ending::DroppedReused, EndedBy::Fault, 1, 0, 0, false));
    assert_eq!(rig.connections(1).await[0].attempts, 2);
}

#[tokio::test]
async fn goaway_error_loses_every_stream() {
    let (rig, mut peer) = beside(Http2Kind::GoawayError).await;
    peer.expect_end(goaway(3, 2), End::Fin).await;
    let attempts = rig.attempts(2).await;
    assert_eq!(told(&attempts[0]), (Ending::CutFin, EndedBy::Fault, 1, 200, 3, false));
    assert_eq!(told(&attempts[1]), (Ending::DroppedReused, EndedBy::Fault, 1, 0, 0, false));
    assert_eq!(rig.kept().firings.len(), 1);
}

#[tokio::test]
async fn rst_refused_reaches_nobody() {
    let (rig, mut peer) = alone(Http2Kind::RstRefused).await;
    peer.expect(rst_stream(1, 7)).await;
    peer.expect_silence().await;
    assert_eq!(told(&rig.attempts(1).await[0]), (Ending::DroppedFirst, EndedBy::Fault, 1, 0, 0, false));
    assert!(rig.seen().is_empty());
}

#[tokio::test]
async fn rst_internal_comes_after_half_the_body() {
    let (rig, mut peer) = alone(Http2Kind::RstInternal).await;
    peer.expect([head(&ok_fields()), frame(DATA, 0, 1, &BODY[..8]), rst_stream(1, 2)].concat()).await;
    peer.expect_silence().await;
    assert_eq!(told(&rig.attempts(1).await[0]), (Ending::CutRst, EndedBy::Fault, 1, 200, 8, false));
}

#[tokio::test]
async fn window_zero_starves_one_upload() {
    let (rig, mut peer) = ready(Http2Kind::WindowZero).await;
    // A neighbour's upload, before.
    peer.send(ask(1, "PUT", 1, &[("content-length", "9")], false)).await;
    peer.send(frame(DATA, 0, 1, "a")).await;
    peer.expect(window_update(1, 1)).await;
    peer.send(bad(3, "PUT", false)).await;
    peer.expect([setting(4, 0), window_update(1, 65_535)].concat()).await;
    // What was on its way already is not granted again; the neighbour's is.
    peer.send([frame(DATA, 0, 3, "xyz"), frame(DATA, 0, 1, "b")].concat()).await;
    peer.expect(window_update(1, 1)).await;
    // And one after.
    peer.send(ask(5, "PUT", 2, &[("content-length", "9")], false)).await;
    peer.expect(window_update(5, 65_535)).await;
    peer.expect_silence().await;
    peer.send(rst_stream(3, 8)).await;
    peer.expect(setting(4, 65_535)).await;
    let attempt = rig.attempts(1).await[0];
    assert_eq!(told(&attempt), (Ending::Hang, EndedBy::Gateway, 1, 0, 0, false));
    assert_eq!(attempt.request_bytes, 3);
}

#[tokio::test]
async fn floods_are_followed_by_the_true_answer() {
    for (kind, one) in [
        (Http2Kind::SettingsFlood, frame(SETTINGS, 0, 0, [])),
        (Http2Kind::PingFlood, frame(PING, 0, 0, b"gatecras")),
    ] {
        let (rig, mut peer) = alone(kind).await;
        peer.expect(one.repeat(10_000)).await;
        peer.expect(ok_frames(1, "3-0-0", BODY)).await;
        assert_eq!(told(&rig.attempts(1).await[0]), (Ending::Complete, EndedBy::Nobody, 1, 200, 16, false));

        // A gateway that has had enough: its neighbours are the fault's doing too.
        let (rig, mut peer) = beside(kind).await;
        peer.expect(one).await;
        peer.0.reset();
        let attempts = rig.attempts(2).await;
        let collateral = (Ending::CutRst, EndedBy::Fault, 1, 200, 3, false);
        assert_eq!(told(&attempts[0]), collateral);
        assert_eq!(attempts[1].ended_by, EndedBy::Fault);
    }
}

#[tokio::test]
async fn heads_may_lack_or_repeat_their_status() {
    let (rig, mut peer) = alone(Http2Kind::HeadersNoStatus).await;
    peer.expect([head(&ok_fields()[1..]), frame(DATA, END_STREAM, 1, BODY)].concat()).await;
    assert_eq!(told(&rig.attempts(1).await[0]), (Ending::Complete, EndedBy::Nobody, 1, 0, 16, true));

    let (rig, mut peer) = alone(Http2Kind::StatusDuplicate).await;
    let [status, rest @ ..] = ok_fields();
    let twice = head(&[&[status, (":status", "204")][..], &rest].concat());
    peer.expect([twice, frame(DATA, END_STREAM, 1, BODY)].concat()).await;
    assert_eq!(told(&rig.attempts(1).await[0]), (Ending::Complete, EndedBy::Nobody, 1, 200, 16, true));
}

#[tokio::test]
async fn hpack_bad_leaves_the_end_to_the_gateway() {
    let (rig, mut peer) = beside(Http2Kind::HpackBad).await;
    peer.expect(frame(HEADERS, END_HEADERS | END_STREAM, 3, b"\xff\xff\xff\xff\x0f")).await;
    peer.expect_silence().await;
    peer.send(goaway(0, 9)).await;
    drop(peer);
    let attempts = rig.attempts(2).await;
    assert_eq!(told(&attempts[0]), (Ending::CutFin, EndedBy::Fault, 1, 200, 3, false));
    assert_eq!(told(&attempts[1]), (Ending::CutFin, EndedBy::Fault, 1, 0, 0, true));
    assert_eq!(rig.connections(1).await[0].ended_by, EndedBy::Gateway);
}

#[tokio::test]
async fn data_over_its_content_length() {
    let (rig, mut peer) = alone(Http2Kind::DataOverCl).await;
    let surplus = frame(DATA, END_STREAM, 1, "surplus surplus\n");
    peer.expect([head(&ok_fields()), frame(DATA, 0, 1, BODY), surplus].concat()).await;
    assert_eq!(told(&rig.attempts(1).await[0]), (Ending::Complete, EndedBy::Nobody, 1, 200, 16, true));
}

#[tokio::test]
async fn a_frame_too_large() {
    let (rig, mut peer) = alone(Http2Kind::FrameTooLarge).await;
    peer.expect([head(&ok_fields()), frame(DATA, 0, 1, vec![0; 16_385])].concat()).await;
    peer.0.reset();
    assert_eq!(told(&rig.attempts(1).await[0]), (Ending::CutRst, EndedBy::Fault, 1, 200, 16_385, true));

    let (_rig, mut peer) = ready(Http2Kind::FrameTooLarge).await;
    peer.send([setting(5, 20_000), bad(1, "GET", true)].concat()).await;
    peer.expect(frame(SETTINGS, ACK, 0, [])).await;
    peer.expect([head(&ok_fields()), frame(DATA, 0, 1, vec![0; 20_001])].concat()).await;
}

#[tokio::test]
async fn a_head_that_never_ends_is_bounded() {
    let (rig, mut peer) = alone(Http2Kind::ContinuationFlood).await;
    peer.expect(frame(HEADERS, 0, 1, block(&ok_fields()))).await;
    let value = "x".repeat(1012);
    // A length of 1012 is 127 and, seven bits at a time, 885.
    let literal = [b"\0\x07x-flood\x7f\xf5\x06", value.as_bytes()].concat();
    assert_eq!(literal.len(), 1024);
    peer.expect(frame(CONTINUATION, 0, 1, literal).repeat(4096)).await;
    peer.expect_silence().await;
    peer.send(rst_stream(1, 11)).await;
    let attempt = rig.attempts(1).await[0];
    assert_eq!(told(&attempt), (Ending::CutRst, EndedBy::Gateway, 1, 0, 0, true));
}

#[tokio::test]
async fn no_kind_fires_on_http1() {
    for info in HTTP2_KINDS {
        let spec = FaultSpec::Http2(Http2 { kind: info.kind });
        let rig = Rig::start(&[fault("f", spec)], |_| ok(BODY.as_bytes())).await;
        let mut client = rig.connect().await;
        client.send(get(1)).await;
        client.expect(ok_via("3-0-0", BODY)).await;
        assert!(rig.kept().firings.is_empty(), "{}", info.name);
    }
}
