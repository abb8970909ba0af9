//! The wire client against raw scripted servers: endings, flags, reuse, uploads, evidence.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod expectations;
mod http2;
mod journeys;
mod peer;
mod script;
#[path = "../support/mod.rs"]
mod support;
mod versions;

use std::sync::Arc;
use std::time::Duration;

use gatecrash_load::OpPlan;
use gatecrash_model::{AttemptId, BodyCheck, ClientRecord, Ending, RequestId, hash};
use script::{Bench, Step, scripted, settle};
use support::{GET, answer, workload};
use tokio::sync::Notify;

/// What one exchange records when the server does this to a fresh connection.
async fn ending(script: Vec<Step>) -> (Ending, u16, u32) {
    ending_within(support::PATIENCE, script).await
}

async fn ending_within(timeout: Duration, script: Vec<Step>) -> (Ending, u16, u32) {
    let mut workload = workload(GET);
    workload.timeout = timeout;
    let bench = Bench::new(scripted(vec![script]).await, workload);
    let record = bench.run(0).await;
    (record.ending, record.status, record.body_bytes)
}

#[tokio::test]
async fn every_way_to_end_is_named() {
    let part = || Step::Write(answer("200 OK\ncontent-length: 1000", b"four"));
    assert_eq!(ending(vec![Step::Read, part(), Step::Fin]).await.0, Ending::CutFin);
    let silent = vec![Step::Read, Step::Hold];
    assert_eq!(ending_within(Duration::from_millis(50), silent).await, (Ending::Hang, 0, 0));
    let halfway = vec![Step::Read, part(), Step::Hold];
    // Long enough for the four bytes to come on a busy machine.
    assert_eq!(ending_within(Duration::from_secs(2), halfway).await, (Ending::Hang, 200, 4));
    assert_eq!(ending(vec![Step::Read, Step::Fin]).await, (Ending::DroppedFirst, 0, 0));
    assert_eq!(ending(vec![Step::Read, Step::Rst]).await, (Ending::DroppedFirst, 0, 0));
    let raw = || Step::Write(b"<html>oops</html>".to_vec());
    assert_eq!(ending(vec![Step::Read, raw(), Step::Hold]).await.0, Ending::Raw);
    let bad = || Step::Write(b"HTTP/1.1 20x OK\r\n\r\n".to_vec());
    assert_eq!(ending(vec![Step::Read, bad(), Step::Hold]).await.0, Ending::Unparsable);
}

#[tokio::test]
async fn a_reset_is_told_from_a_close() {
    let seen = Arc::new(Notify::new());
    let part = answer("200 OK\ncontent-length: 1000", b"four");
    let script = vec![
        Step::Read,
        Step::Write(part),
        Step::Tell(Arc::clone(&seen)),
        Step::Wait(Arc::clone(&seen)),
        Step::Rst,
    ];
    let bench = Bench::new(scripted(vec![script]).await, workload(GET));
    let reset = async {
        seen.notified().await;
        settle().await;
        seen.notify_one();
    };
    let (record, ()) = tokio::join!(bench.run(0), reset);
    assert_eq!((record.ending, record.status, record.body_bytes), (Ending::CutRst, 200, 4));
}

#[tokio::test]
async fn nobody_listening_is_refused_and_a_bad_address_fails() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let record = Bench::new(free, workload(GET)).run(0).await;
    assert_eq!((record.ending, record.first_byte, record.status), (Ending::Refused, u32::MAX, 0));
    let record = Bench::new("127.0.0.1:0".parse().unwrap(), workload(GET)).run(0).await;
    assert!(matches!(record.ending, Ending::Refused | Ending::ConnectFailed), "{record:?}");
}

#[tokio::test]
async fn a_connection_is_reused_and_its_end_noticed() {
    let (told, closed) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let bench = Bench::new("127.0.0.1:1".parse().unwrap(), workload(GET));
    let (first, second) = (bench.answer(0), bench.answer(1));
    let addr = scripted(vec![
        vec![
            Step::Read,
            Step::Write(first.clone()),
            Step::Read,
            Step::Write(second),
            Step::Wait(Arc::clone(&told)),
            Step::Fin,
            Step::Tell(Arc::clone(&closed)),
        ],
        vec![Step::Read, Step::Write(bench.answer(2)), Step::Read, Step::Fin],
    ])
    .await;
    let bench = Bench::new(addr, workload(GET));
    let (a, b) = (bench.run(0).await, bench.run(1).await);
    assert_eq!((a.shape.body(), a.flags, a.conn), (BodyCheck::Exact, 0, 0));
    assert_eq!((b.shape.body(), b.flags, b.conn, b.connect), (BodyCheck::Exact, ClientRecord::REUSED, 0, 0));
    told.notify_one();
    closed.notified().await;
    settle().await;
    let c = bench.run(2).await;
    assert_eq!((c.ending, c.flags, c.conn), (Ending::Complete, 0, 1), "an idle close costs no request");
    let d = bench.run(3).await;
    assert_eq!((d.ending, d.flags), (Ending::DroppedReused, ClientRecord::REUSED));
    assert_eq!(bench.client.session().stats().connections, 2);
}

#[tokio::test]
async fn surplus_is_seen_at_once_and_later() {
    let late = Arc::new(Notify::new());
    let bench = Bench::new("127.0.0.1:1".parse().unwrap(), workload(GET));
    let mut too_much = bench.answer(0);
    too_much.extend_from_slice(b"extra");
    let addr = scripted(vec![
        vec![Step::Read, Step::Write(too_much)],
        vec![
            Step::Read,
            Step::Write(bench.answer(1)),
            Step::Wait(Arc::clone(&late)),
            Step::Write(b"late".to_vec()),
        ],
        vec![Step::Read, Step::Write(bench.answer(2))],
    ])
    .await;
    let bench = Bench::new(addr, workload(GET));
    let a = bench.run(0).await;
    assert_eq!((a.flags, a.shape.body()), (ClientRecord::SURPLUS, BodyCheck::Exact));
    let b = bench.run(1).await;
    assert_eq!((b.flags, b.conn), (0, 1), "the dirty connection was closed");
    late.notify_one();
    settle().await;
    let c = bench.run(2).await;
    assert_eq!((c.flags, c.conn, c.ending), (ClientRecord::SURPLUS, 2, Ending::Complete));
    let evidence = bench.sink.kept().evidence;
    let late = evidence.iter().find(|e| e.note.contains("idle")).expect("evidence of late bytes");
    assert_eq!(RequestId::unpack(late.request), Some(b.id()), "it belongs to the exchange before");
    assert!(late.note.contains("late"), "{}", late.note);
    assert_eq!(bench.client.session().stats().late_bytes, 1);
}

#[tokio::test]
async fn what_a_response_says_is_recorded() {
    let body =
        b"<?xml version=\"1.0\"?><Error><Code>SlowDown</Code><Message>via 10.1.2.3:9000</Message></Error>";
    let head = format!(
        "503 Slow Down\ncontent-type: application/xml\ncontent-length: {}\nretry-after: 1\nx-amz-request-id: 5E6F\n\
         x-gatecrash-attempt: 2-7-1",
        body.len()
    );
    let bench =
        Bench::new(scripted(vec![vec![Step::Read, Step::Write(answer(&head, body))]]).await, workload(GET));
    let record = bench.run(0).await;
    let flags = ClientRecord::S3_ERROR | ClientRecord::RETRY_AFTER | ClientRecord::LEAK;
    assert_eq!((record.status, record.ending, record.flags), (503, Ending::Complete, flags));
    assert_eq!(record.fed_by(), Some(AttemptId { link: 2, conn: 7, ordinal: 1 }));
    assert_eq!(record.request_id, hash::bytes(b"5E6F") as u32);
    let kept = bench.sink.kept();
    assert_eq!((kept.strings.text(record.code), kept.strings.text(record.key)), ("SlowDown", "img/000"));
    let [evidence] = kept.evidence.as_slice() else { panic!("{:?}", kept.evidence) };
    assert!(evidence.head.starts_with("HTTP/1.1 503 Slow Down"), "{evidence:?}");
    assert!(evidence.body.contains("SlowDown") && evidence.note.contains("10.1.2.3:9000"), "{evidence:?}");
}

#[tokio::test]
async fn a_body_of_another_object_names_its_owner() {
    let bench = Bench::new("127.0.0.1:1".parse().unwrap(), workload(GET));
    let addr = scripted(vec![vec![Step::Read, Step::Write(bench.answer(5))]]).await;
    let bench = Bench::new(addr, workload(GET));
    let record = bench.run(0).await;
    assert_eq!((record.ending, record.shape.body()), (Ending::Complete, BodyCheck::Other));
    let evidence = bench.sink.kept().evidence.remove(0);
    assert_eq!(evidence.mismatch, Some(0));
    assert_eq!(evidence.note, "wrong from byte 0: bytes of media/img/005 from its offset 0");
}

#[tokio::test]
async fn a_body_after_a_head_request_is_undue() {
    let wire = answer("200 OK\ncontent-length: 4", b"body");
    let bench =
        Bench::new(scripted(vec![vec![Step::Read, Step::Write(wire)]]).await, workload(OpPlan::HeadObject));
    let record = bench.run(0).await;
    assert_eq!((record.ending, record.flags), (Ending::Complete, ClientRecord::UNDUE_BODY));
}

#[tokio::test]
async fn an_upload_arrives_whole() {
    let mut workload = workload(OpPlan::PutObject);
    workload.writes = gatecrash_load::Writes::under("main", 3_000_000).unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let bench = Bench::new(listener.local_addr().unwrap(), workload);
    let server = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        let request = support::read_request(&mut stream).await.unwrap();
        tokio::io::AsyncWriteExt::write_all(&mut stream, b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
            .await
            .unwrap();
        request
    };
    let (record, (head, body)) = tokio::join!(bench.run(0), server);
    assert!(head.starts_with("PUT /media/up/main/0 HTTP/1.1\r\n"), "{head}");
    let id = RequestId { workload: 0, k: 0 };
    assert!(head.contains("x-gatecrash-id: 9f2c41aa-0-0\r\n"), "{head}");
    let content = bench.pool.content("media", "up/main/0", id.pack() + 1);
    assert_eq!((body.len(), hash::bytes(&body)), (3_000_000, content.hash(&bench.pool, 3_000_000)));
    assert_eq!((record.ending, record.status), (Ending::Complete, 200));
}

#[tokio::test]
async fn an_answer_before_the_end_of_an_upload_is_heard() {
    let mut workload = workload(OpPlan::PutObject);
    workload.writes = gatecrash_load::Writes::under("main", 64 << 20).unwrap();
    let body = b"<Error><Code>AccessDenied</Code></Error>";
    let wire = answer(&format!("403 Forbidden\ncontent-length: {}", body.len()), body);
    let addr = scripted(vec![
        vec![Step::ReadHead, Step::Write(wire), Step::Hold],
        vec![Step::ReadHead, Step::Write(answer("200 OK\ncontent-length: 0", b"")), Step::Hold],
    ])
    .await;
    let bench = Bench::new(addr, workload);
    let record = bench.run(0).await;
    assert_eq!((record.ending, record.status), (Ending::Complete, 403));
    assert_eq!(bench.sink.kept().strings.text(record.code), "AccessDenied");
    assert_eq!(bench.run(1).await.conn, 1, "a half-sent upload ends its connection");
}

#[tokio::test]
async fn the_right_answer_for_a_missing_key_leaves_no_evidence() {
    let mut workload = workload(GET);
    workload.missing = 1.0;
    let body = b"<Error><Code>NoSuchKey</Code></Error>";
    let xml = "content-type: application/xml";
    let wire = |status| answer(&format!("{status}\n{xml}\ncontent-length: {}", body.len()), body);
    let script =
        vec![Step::Read, Step::Write(wire("404 Not Found")), Step::Read, Step::Write(wire("403 Forbidden"))];
    let bench = Bench::new(scripted(vec![script]).await, workload);
    let (right, wrong) = (bench.run(0).await, bench.run(1).await);
    assert!(bench.plan(0).is_answered_by(&right) && !bench.plan(1).is_answered_by(&wrong));
    let evidence = bench.sink.kept().evidence;
    assert_eq!(evidence.iter().map(|e| e.request).collect::<Vec<_>>(), [wrong.id().pack()]);
}

#[tokio::test]
async fn evidence_is_bounded() {
    let wire = || answer("502 Bad Gateway\ncontent-length: 4", b"oops");
    let script = (0..100).flat_map(|_| [Step::Read, Step::Write(wire())]).collect();
    let bench = Bench::new(scripted(vec![script]).await, workload(GET));
    let mut seconds = std::collections::HashSet::new();
    for k in 0..100 {
        seconds.insert(bench.run(k).await.ended() / 1_000_000_000);
    }
    let kept = bench.sink.kept();
    assert_eq!(kept.clients.len(), 100);
    assert!((8..=8 * seconds.len()).contains(&kept.evidence.len()), "{}", kept.evidence.len());
}

#[test]
fn an_exchange_can_be_spawned() {
    fn send<T: Send>(_: T) {}
    let bench = Bench::new("127.0.0.1:1".parse().unwrap(), workload(GET));
    send(bench.client.exchange(&bench.plan(0), 0));
}
