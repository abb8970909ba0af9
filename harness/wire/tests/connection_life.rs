//! Faults of a connection's life, byte for byte and with their endings, as the gateway sees them.

mod support;

use std::time::Duration;

use gatecrash_core::faults::{
    CloseAfterReply, CloseHeaderIgnored, FaultSpec, HalfClose, IdleClose, KeepaliveMax, LateBytes,
    ReplyTwice, Stray, With,
};
use gatecrash_core::plan::FaultPlan;
use gatecrash_core::rules::Matcher;
use gatecrash_core::units::Span;
use gatecrash_model::{AttemptRecord, Closing, ConnectionRecord, EndedBy, Ending};
use support::*;
use tokio::io::AsyncWriteExt;

const BODY: &str = "0123456789abcdef";
const WITH: [(With, End, Closing); 2] =
    [(With::Fin, End::Fin, Closing::Fin), (With::Rst, End::Rst, Closing::Rst)];

/// A rig with one fault, and a client that has asked for [`BODY`].
async fn asked(spec: FaultSpec) -> (Rig, Client) {
    let rig = Rig::start(&[fault("f", spec)], |_| ok(BODY.as_bytes())).await;
    let mut client = rig.connect().await;
    client.send(get(1)).await;
    (rig, client)
}

/// [`ok_via`] with `Connection: close` at the end of its head.
fn closing_via(attempt: &str) -> String {
    ok_via(attempt, BODY).replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n")
}

fn told(attempt: &AttemptRecord) -> (Ending, EndedBy, u16, u16, u32) {
    (attempt.ending, attempt.ended_by, attempt.fault, attempt.status, attempt.response_bytes)
}

async fn ended(rig: &Rig) -> (EndedBy, Closing) {
    let ConnectionRecord { ended_by, closing, .. } = rig.connections(1).await[0];
    (ended_by, closing)
}

#[tokio::test]
async fn a_close_after_the_reply_comes_at_once_and_unannounced() {
    for (with, end, closing) in WITH {
        let (rig, mut client) = asked(FaultSpec::CloseAfterReply(CloseAfterReply { with })).await;
        assert_eq!(client.rest().await, (ok_via("3-0-0", BODY).into_bytes(), end));
        drop(client);
        assert_eq!(told(&rig.attempts(1).await[0]), (Ending::Complete, EndedBy::Fault, 1, 200, 16));
        assert_eq!(ended(&rig).await, (EndedBy::Fault, closing));
    }
}

#[tokio::test]
async fn an_upload_is_whole_before_the_close_after_its_reply() {
    let spec = FaultSpec::CloseAfterReply(CloseAfterReply { with: With::Rst });
    let rig = Rig::start(&[fault("f", spec)], |_| ok(b"").early()).await;
    let mut client = rig.connect().await;
    client.send(request("PUT", "/b/k", 1, "Content-Length: 5\r\n")).await;
    client.expect(ok_via("3-0-0", "")).await;
    client.send("hello").await;
    assert_eq!(client.rest().await, (Vec::new(), End::Rst));
    let attempt = rig.attempts(1).await[0];
    assert_eq!((attempt.request_bytes, attempt.has(AttemptRecord::REQUEST_WHOLE)), (5, true));
}

#[tokio::test]
async fn an_idle_connection_may_be_reset_too() {
    let spec = IdleClose { after: Span::millis(20), with: With::Rst };
    let (rig, mut client) = asked(FaultSpec::IdleClose(spec)).await;
    assert_eq!(client.rest().await, (ok_via("3-0-0", BODY).into_bytes(), End::Rst));
    assert_eq!(told(&rig.attempts(1).await[0]), (Ending::Complete, EndedBy::Nobody, 0, 200, 16));
    assert_eq!(ended(&rig).await, (EndedBy::Fault, Closing::Rst));
}

#[tokio::test]
async fn a_half_close_reads_on_and_never_answers_again() {
    let (rig, mut client) = asked(FaultSpec::HalfClose(HalfClose {})).await;
    assert_eq!(client.rest().await, (ok_via("3-0-0", BODY).into_bytes(), End::Fin));
    assert_eq!(told(&rig.attempts(1).await[0]), (Ending::Complete, EndedBy::Fault, 1, 200, 16));
    // More than any window: it is read.
    client.send(vec![b'x'; 8 << 20]).await;
    assert!(rig.kept().connections.is_empty());
    client.stream.shutdown().await.unwrap();
    assert_eq!(ended(&rig).await, (EndedBy::Fault, Closing::HalfClose));
    assert_eq!((rig.kept().attempts.len(), rig.seen().len()), (1, 1));
}

#[tokio::test]
async fn an_ignored_close_header_goes_on_as_if_nothing_were_said() {
    let spec = || FaultSpec::CloseHeaderIgnored(CloseHeaderIgnored {});
    let (rig, mut client) = asked(spec()).await;
    client.expect(closing_via("3-0-0")).await;
    client.expect_silence(Duration::from_millis(30)).await;
    client.send(request("GET", "/b/k", 2, "Connection: close\r\n")).await;
    client.expect(closing_via("3-0-1")).await;
    client.send(get(3)).await;
    client.expect(closing_via("3-0-2")).await;
    drop(client);
    assert_eq!(ended(&rig).await, (EndedBy::Gateway, Closing::Fin));
    let attempts = rig.attempts(3).await;
    assert_eq!(told(&attempts[2]), (Ending::Complete, EndedBy::Nobody, 1, 200, 16));

    // What the upstream said of the connection is replaced.
    let answer = "HTTP/1.1 204 No Content\r\nConnection: keep-alive\r\nKeep-Alive: timeout=5\r\nA: b\r\n\r\n";
    let rig = Rig::start(&[fault("f", spec())], move |_| reply(answer)).await;
    let mut client = rig.connect().await;
    client.send(get(1)).await;
    let head = "HTTP/1.1 204 No Content\r\nA: b\r\nx-gatecrash-attempt: 3-0-0\r\nConnection: close\r\n\r\n";
    client.expect(head).await;
    client.expect_silence(Duration::from_millis(30)).await;
}

#[tokio::test]
async fn an_ignored_close_header_cannot_keep_a_body_without_a_length_open() {
    let spec = FaultSpec::CloseHeaderIgnored(CloseHeaderIgnored {});
    let rig =
        Rig::start(&[fault("f", spec)], |_| reply("HTTP/1.1 200 OK\r\n\r\nall of it").then(Then::Fin)).await;
    let mut client = rig.connect().await;
    client.send(get(1)).await;
    let wanted = "HTTP/1.1 200 OK\r\nx-gatecrash-attempt: 3-0-0\r\nConnection: close\r\n\r\nall of it";
    assert_eq!(client.rest().await, (wanted.as_bytes().to_vec(), End::Fin));
    assert_eq!(rig.attempts(1).await[0].ending, Ending::Complete);
}

#[tokio::test]
async fn keepalive_max_counts_the_answers_of_a_connection() {
    for (announce, last) in [(true, closing_via("3-0-2")), (false, ok_via("3-0-2", BODY))] {
        let spec = FaultSpec::KeepaliveMax(KeepaliveMax { requests: 3, announce });
        let (rig, mut client) = asked(spec).await;
        client.expect(ok_via("3-0-0", BODY)).await;
        client.send(get(2)).await;
        client.expect(ok_via("3-0-1", BODY)).await;
        client.send(get(3)).await;
        assert_eq!(client.rest().await, (last.into_bytes(), End::Fin), "{announce}");
        drop(client);
        let attempts = rig.attempts(3).await;
        assert_eq!(told(&attempts[1]), (Ending::Complete, EndedBy::Nobody, 0, 200, 16));
        assert_eq!(told(&attempts[2]), (Ending::Complete, EndedBy::Fault, 1, 200, 16));
        assert_eq!(rig.kept().firings.len(), 1);
        assert_eq!(ended(&rig).await, (EndedBy::Fault, Closing::Fin));
    }
}

#[tokio::test]
async fn late_bytes_come_when_idle_and_spoil_what_follows() {
    let spec = LateBytes { after: Span::millis(40), what: Stray::Bytes };
    let (rig, mut client) = asked(FaultSpec::LateBytes(spec)).await;
    client.expect(ok_via("3-0-0", BODY)).await;
    client.send(get(2)).await;
    client.expect(ok_via("3-0-1", BODY)).await;
    client.expect("surplus surplus\n").await;
    client.expect_silence(Duration::from_millis(80)).await;
    client.send(get(3)).await;
    client.expect(ok_via("3-0-2", BODY)).await;
    let attempts = rig.attempts(3).await;
    let illegal = |at: usize| (attempts[at].fault, attempts[at].has(AttemptRecord::ILLEGAL));
    assert_eq!([illegal(0), illegal(1), illegal(2)], [(0, false), (0, false), (1, true)]);
    drop(client);
    assert_eq!(ended(&rig).await, (EndedBy::Gateway, Closing::Fin));
}

#[tokio::test]
async fn a_408_on_an_idle_connection_ends_it() {
    let spec = LateBytes { after: Span::millis(20), what: Stray::RequestTimeout };
    let (rig, mut client) = asked(FaultSpec::LateBytes(spec)).await;
    client.expect(ok_via("3-0-0", BODY)).await;
    let wanted = b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
    assert_eq!(client.rest().await, (wanted.to_vec(), End::Fin));
    drop(client);
    assert_eq!(ended(&rig).await, (EndedBy::Fault, Closing::Fin));
    assert_eq!(rig.attempts(1).await.len(), 1);
}

#[tokio::test]
async fn a_reply_comes_twice_and_spoils_what_follows() {
    let plan = FaultPlan { limit: Some(1), ..fault("f", FaultSpec::ReplyTwice(ReplyTwice {})) };
    let rig = Rig::start(&[plan], |_| ok(BODY.as_bytes())).await;
    let mut client = rig.connect().await;
    client.send(get(1)).await;
    client.expect(ok_via("3-0-0", BODY) + &ok_via("3-0-0", BODY)).await;
    for k in 1..3 {
        client.send(get(k)).await;
        client.expect(ok_via(&format!("3-0-{k}"), BODY)).await;
    }
    let attempts = rig.attempts(3).await;
    assert_eq!(told(&attempts[0]), (Ending::Complete, EndedBy::Nobody, 1, 200, 16));
    let spoilt: Vec<_> = attempts.iter().map(|a| (a.fault, a.has(AttemptRecord::ILLEGAL))).collect();
    assert_eq!(spoilt, [(1, true), (1, true), (0, false)]);
}

#[tokio::test]
async fn chunks_come_twice_as_they_were_and_long_answers_only_in_part() {
    let chunks = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n0\r\n\r\n";
    let rig = Rig::start(&[fault("f", FaultSpec::ReplyTwice(ReplyTwice {}))], move |_| reply(chunks)).await;
    let mut client = rig.connect().await;
    client.send(get(1)).await;
    let once = chunks.replace("chunked\r\n", "chunked\r\nx-gatecrash-attempt: 3-0-0\r\n");
    client.expect(once.repeat(2)).await;

    const LONG: usize = 3 << 20;
    let body: Vec<u8> = (0..LONG).map(|i| (i / 1000) as u8).collect();
    let answer = body.clone();
    let rig = Rig::start(&[fault("f", FaultSpec::ReplyTwice(ReplyTwice {}))], move |_| ok(&answer)).await;
    let mut client = rig.connect().await;
    client.send(get(1)).await;
    let (got, end) = client.rest().await;
    let first =
        [ok_via("3-0-0", "").replace("Length: 0", &format!("Length: {LONG}")).as_bytes(), &body].concat();
    assert!(end == End::Fin && got[..first.len()] == first && got[first.len()..] == first[..1 << 20]);
    assert_eq!(told(&rig.attempts(1).await[0]), (Ending::Complete, EndedBy::Fault, 1, 200, LONG as u32));
}

#[tokio::test]
async fn only_what_matches_is_touched() {
    let matcher = Matcher { method: Some("DELETE".into()), ..Matcher::default() };
    let plan = FaultPlan { matcher, ..fault("f", FaultSpec::HalfClose(HalfClose {})) };
    let rig = Rig::start(&[plan], |_| ok(BODY.as_bytes())).await;
    let mut client = rig.connect().await;
    for k in 0..2 {
        client.send(get(k)).await;
        client.expect(ok_via(&format!("3-0-{k}"), BODY)).await;
    }
    client.send(request("DELETE", "/b/k", 3, "")).await;
    assert_eq!(client.rest().await, (ok_via("3-0-2", BODY).into_bytes(), End::Fin));
}
