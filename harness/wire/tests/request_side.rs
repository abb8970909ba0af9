//! Faults of the request's side and of bytes on their way, as the gateway sees them.

mod support;

use std::time::Duration;

use gatecrash_core::faults::{
    CorruptBody, EarlyClose, EarlyEnd, FaultSpec, ForwardThenDrop, ForwardThenStatus, NeverContinue,
    NeverReadBody, Slice, SlowReadBody, With,
};
use gatecrash_core::units::{Share, Size, Span};
use gatecrash_model::{AttemptRecord, Closing, EndedBy, Ending};
use support::*;
use tokio::io::AsyncWriteExt;

const BODY: &str = "0123456789abcdef";

/// A rig with one fault, and a client.
async fn rig(spec: FaultSpec) -> (Rig, Client) {
    let rig = Rig::start(&[fault("f", spec)], |_| ok(BODY.as_bytes())).await;
    let client = rig.connect().await;
    (rig, client)
}

fn put(length: usize) -> String {
    request("PUT", "/b/k", 1, &format!("Content-Length: {length}\r\n"))
}

fn told(attempt: &AttemptRecord) -> (Ending, EndedBy, u16, u16, u32) {
    (attempt.ending, attempt.ended_by, attempt.fault, attempt.status, attempt.response_bytes)
}

#[tokio::test]
async fn a_request_is_forwarded_and_its_answer_dropped() {
    for (with, end, closing) in [(With::Fin, End::Fin, Closing::Fin), (With::Rst, End::Rst, Closing::Rst)] {
        let (rig, mut client) = rig(FaultSpec::ForwardThenDrop(ForwardThenDrop { with })).await;
        client.send(put(5) + "hello").await;
        assert_eq!(client.rest().await, (Vec::new(), end));
        drop(client);
        let attempt = rig.attempts(1).await[0];
        assert_eq!(told(&attempt), (Ending::DroppedFirst, EndedBy::Fault, 1, 0, 0));
        assert!(attempt.has(AttemptRecord::FORWARDED) && attempt.has(AttemptRecord::REQUEST_WHOLE));
        assert_eq!(rig.seen()[0].body, b"hello");
        let connection = rig.connections(1).await[0];
        assert_eq!((connection.ended_by, connection.closing), (EndedBy::Fault, closing));
    }
}

#[tokio::test]
async fn a_request_is_forwarded_and_its_answer_replaced() {
    let spec = FaultSpec::ForwardThenStatus(ForwardThenStatus { status: 500 });
    let (rig, mut client) = rig(spec).await;
    let answer = |ordinal: u16| {
        format!(
            "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\nx-gatecrash-attempt: 3-0-{ordinal}\r\n\r\n"
        )
    };
    client.send(put(5) + "hello").await;
    client.expect(answer(0)).await;
    client.send(request("HEAD", "/b/k", 2, "")).await;
    client.expect(answer(1)).await;
    // The upstream's body, which its answer to HEAD should not have had, is not taken for the next answer.
    assert_eq!(told(&rig.attempts(1).await[0]), (Ending::Complete, EndedBy::Nobody, 1, 500, 0));
    assert_eq!(rig.seen()[0].body, b"hello");
}

#[tokio::test]
async fn an_early_answer_leaves_the_body_unread() {
    let head = "HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 0\r\n\
                x-gatecrash-attempt: 3-0-0\r\n\r\n";
    for (then, end, closing) in [
        (EarlyEnd::Fin, End::Fin, Closing::Fin),
        (EarlyEnd::Rst, End::Rst, Closing::Rst),
        (EarlyEnd::HalfClose, End::Fin, Closing::HalfClose),
    ] {
        let (rig, mut client) = rig(FaultSpec::EarlyClose(EarlyClose { status: 503, then })).await;
        client.send(put(100_000)).await;
        assert_eq!(client.rest().await, (head.as_bytes().to_vec(), end), "{then:?}");
        let attempt = rig.attempts(1).await[0];
        assert_eq!(told(&attempt), (Ending::Complete, EndedBy::Fault, 1, 503, 0));
        assert_eq!((attempt.request_bytes, attempt.has(AttemptRecord::FORWARDED)), (0, false));
        if then == EarlyEnd::HalfClose {
            client.send(vec![7; 8 << 20]).await;
            assert!(rig.kept().connections.is_empty());
        }
        drop(client);
        let connection = rig.connections(1).await[0];
        assert_eq!((connection.ended_by, connection.closing), (EndedBy::Fault, closing), "{then:?}");
        assert!(rig.seen().is_empty());
    }
}

#[tokio::test]
async fn an_early_answer_may_keep_the_connection() {
    let head = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nx-gatecrash-attempt: 3-0-0\r\n\r\n";
    let keep = || FaultSpec::EarlyClose(EarlyClose { status: 503, then: EarlyEnd::Keep });
    let (rig, mut client) = rig(keep()).await;
    client.send(put(10)).await;
    client.expect(head).await;
    client.send("0123456789".to_owned() + &get(2)).await;
    client.expect(ok_via("3-0-1", BODY)).await;
    let attempts = rig.attempts(2).await;
    assert!(attempts[0].is_answered_early() && attempts[0].has(AttemptRecord::REQUEST_WHOLE));
    assert_eq!((attempts[0].request_bytes, attempts[0].status, attempts[1].status), (10, 503, 200));
    assert_eq!(rig.seen().len(), 1);
}

#[tokio::test]
async fn who_leaves_out_a_body_is_out_of_step() {
    let keep = FaultSpec::EarlyClose(EarlyClose { status: 503, then: EarlyEnd::Keep });
    let (rig, mut client) = rig(keep).await;
    // The first ten bytes of the second request are taken for the body.
    client.send(put(10) + &get(2)).await;
    let (bytes, end) = client.rest().await;
    assert!(bytes.ends_with(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"));
    assert_eq!(end, End::Fin);
    let stray = rig.attempts(2).await[1];
    assert!(stray.has(AttemptRecord::NO_REQUEST) && stray.has(AttemptRecord::NO_HEAD));
    assert_eq!((stray.request(), stray.id().map(|id| id.ordinal), stray.status), (None, Some(1), 400));
}

#[tokio::test]
async fn only_uploads_are_answered_early_or_left_unread() {
    for spec in [
        FaultSpec::EarlyClose(EarlyClose { status: 503, then: EarlyEnd::Fin }),
        FaultSpec::NeverReadBody(NeverReadBody { lasting: Span::seconds(60) }),
        FaultSpec::NeverContinue(NeverContinue {}),
    ] {
        let (rig, mut client) = rig(spec).await;
        client.send(get(1)).await;
        client.expect(ok_via("3-0-0", BODY)).await;
        assert_eq!(rig.attempts(1).await[0].fault, 0);
    }
}

#[tokio::test]
async fn an_unread_body_fills_the_window_and_no_more() {
    let (rig, mut client) =
        rig(FaultSpec::NeverReadBody(NeverReadBody { lasting: Span::seconds(600) })).await;
    client.send(put(64 << 20)).await;
    let piece = vec![1; 1 << 20];
    let mut sent = 0;
    while let Ok(wrote) = tokio::time::timeout(Duration::from_millis(200), client.stream.write(&piece)).await
    {
        sent += wrote.unwrap();
    }
    assert!(sent < 64 << 20, "the kernel's buffers took {sent} bytes");
    client.reset();
    let attempt = rig.attempts(1).await[0];
    assert_eq!(told(&attempt), (Ending::Hang, EndedBy::Gateway, 1, 0, 0));
    assert!(!attempt.has(AttemptRecord::FORWARDED) && !attempt.has(AttemptRecord::REQUEST_WHOLE));
    assert!(rig.seen().is_empty());
}

#[tokio::test]
async fn a_gateway_that_leaves_in_good_order_is_noticed_although_nobody_reads() {
    let (rig, mut client) =
        rig(FaultSpec::NeverReadBody(NeverReadBody { lasting: Span::seconds(600) })).await;
    client.send(put(1000)).await;
    client.send(vec![1; 500]).await;
    client.expect_silence(Duration::from_millis(30)).await;
    client.stream.shutdown().await.unwrap();
    let attempt = rig.attempts(1).await[0];
    assert_eq!(told(&attempt), (Ending::Hang, EndedBy::Gateway, 1, 0, 0));
}

#[tokio::test]
async fn an_unread_body_is_read_in_the_end_and_never_answered() {
    let (rig, mut client) = rig(FaultSpec::NeverReadBody(NeverReadBody { lasting: Span::millis(50) })).await;
    client.send(put(8 << 20)).await;
    client.send(vec![1; 8 << 20]).await;
    client.expect_silence(Duration::from_millis(30)).await;
    drop(client);
    let attempt = rig.attempts(1).await[0];
    assert_eq!(told(&attempt), (Ending::Hang, EndedBy::Gateway, 1, 0, 0));
    assert_eq!((attempt.request_bytes, attempt.has(AttemptRecord::REQUEST_WHOLE)), (8 << 20, true));
}

#[tokio::test]
async fn a_body_is_read_slowly_and_arrives_whole() {
    let spec = SlowReadBody { bytes: Size(16 * 1024), every: Span::millis(10) };
    let (rig, mut client) = rig(FaultSpec::SlowReadBody(spec)).await;
    let body: Vec<u8> = (0..512 * 1024).map(|i| (i / 1000) as u8).collect();
    client.send(put(body.len())).await;
    client.send(&body).await;
    client.expect(ok_via("3-0-0", BODY)).await;
    let attempt = rig.attempts(1).await[0];
    assert_eq!(told(&attempt), (Ending::Complete, EndedBy::Nobody, 1, 200, 16));
    // 32 steps, 10 ms apart; a late wake-up may be made up for.
    assert!((250_000..8_000_000).contains(&attempt.request_done), "{}", attempt.request_done);
    assert!(rig.seen()[0].body == body);
    // The next exchange is as fast as ever.
    client.send(get(2)).await;
    client.expect(ok_via("3-0-1", BODY)).await;
}

#[tokio::test]
async fn a_hundred_is_never_sent_and_the_rest_is() {
    let (rig, mut client) = rig(FaultSpec::NeverContinue(NeverContinue {})).await;
    client.send(request("PUT", "/b/k", 1, "Content-Length: 5\r\nExpect: 100-continue\r\n")).await;
    client.expect_silence(Duration::from_millis(50)).await;
    client.send("hello").await;
    client.expect(ok_via("3-0-0", BODY)).await;
    assert_eq!(told(&rig.attempts(1).await[0]), (Ending::Complete, EndedBy::Nobody, 1, 200, 16));
    assert_eq!(rig.seen()[0].body, b"hello");
}

#[tokio::test]
async fn slices_change_no_byte() {
    let chunks = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n4\r\nefgh\r\n0\r\n\r\n";
    for every in [Span::millis(2), Span(0)] {
        let spec = FaultSpec::Slice(Slice { size: Size(7), every });
        let rig = Rig::start(&[fault("f", spec)], move |_| reply(chunks)).await;
        let mut client = rig.connect().await;
        client.send(get(1)).await;
        let mut all = Vec::new();
        let mut reads = 0;
        let wanted = chunks.replace("chunked\r\n", "chunked\r\nx-gatecrash-attempt: 3-0-0\r\n");
        while all.len() < wanted.len() {
            client.read_some(&mut all).await;
            reads += 1;
        }
        assert_eq!(String::from_utf8(all).unwrap(), wanted);
        assert!(every.0 == 0 || reads > 1, "{reads}");
        let attempt = rig.attempts(1).await[0];
        assert_eq!(told(&attempt), (Ending::Complete, EndedBy::Nobody, 1, 200, 8));
    }
}

#[tokio::test]
async fn a_corrupt_body_has_its_length_and_one_wrong_bit() {
    let (rig, mut client) = rig(FaultSpec::CorruptBody(CorruptBody { at: Some(Size(3)), share: None })).await;
    client.send(get(1)).await;
    let wanted = ok_via("3-0-0", BODY).into_bytes();
    let mut got = Vec::new();
    while got.len() < wanted.len() {
        client.read_some(&mut got).await;
    }
    let wrong: Vec<_> = (0..got.len()).filter(|i| got[*i] != wanted[*i]).collect();
    assert_eq!(wrong, [wanted.len() - 13]);
    assert_eq!((got[wrong[0]] ^ wanted[wrong[0]]).count_ones(), 1);
    assert_eq!(told(&rig.attempts(1).await[0]), (Ending::Complete, EndedBy::Nobody, 1, 200, 16));
    client.send(request("HEAD", "/b/k", 2, "")).await;
    client.expect("HTTP/1.1 200 OK\r\nContent-Length: 16\r\nx-gatecrash-attempt: 3-0-1\r\n\r\n").await;
}

#[tokio::test]
async fn a_share_of_a_chunked_body_is_wrong_and_replays() {
    let data = vec![b'a'; 10_000];
    let answer = [
        &b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1388\r\n"[..],
        &data[..5000],
        b"\r\n1388\r\n",
        &data[..5000],
        b"\r\n0\r\n\r\n",
    ]
    .concat();
    let mut runs = Vec::new();
    for _ in 0..2 {
        let spec = FaultSpec::CorruptBody(CorruptBody { at: None, share: Some(Share(0.01)) });
        let sent = answer.clone();
        let rig = Rig::start(&[fault("f", spec)], move |_| reply(&sent)).await;
        let mut client = rig.connect().await;
        client.send(get(1)).await;
        let (mut got, whole) = (Vec::new(), answer.len() + "x-gatecrash-attempt: 3-0-0\r\n".len());
        while got.len() < whole {
            client.read_some(&mut got).await;
        }
        let tail = &got[whole - 10_021..];
        assert_eq!(
            (&tail[..6], &tail[5006..5014], &tail[10_014..]),
            (&b"1388\r\n"[..], &b"\r\n1388\r\n"[..], &b"\r\n0\r\n\r\n"[..])
        );
        let wrong = tail[6..5006].iter().chain(&tail[5014..10_014]).filter(|b| **b != b'a').count();
        assert!((50..200).contains(&wrong), "{wrong}");
        runs.push(got);
    }
    assert!(runs[0] == runs[1]);
}
