//! What follows a first request, and what is right for a conditional one.

use gatecrash_load::{Condition, OpPlan, Parts, Tag, Writes};
use gatecrash_model::{ClientRecord, Ending, Op, RequestId, hash};
use tokio::io::AsyncWriteExt as _;

use crate::script::{Bench, Step, scripted};
use crate::support::{GET, answer, read_request, workload};

const PART: u64 = 700_000;

/// An upload of three parts against a server that answers each request with the next of these; the requests it got.
async fn upload(answers: &[Vec<u8>]) -> (Bench, Vec<(String, Vec<u8>)>, Vec<ClientRecord>) {
    let mut workload = workload(OpPlan::MultipartUpload(Parts { count: 3, size: PART }));
    workload.writes = Writes::under("main", 64).unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let bench = Bench::new(listener.local_addr().unwrap(), workload);
    let server = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut requests = Vec::new();
        for answer in answers {
            requests.push(read_request(&mut stream).await.unwrap());
            stream.write_all(answer).await.unwrap();
        }
        requests
    };
    let mut records = Vec::new();
    let now = bench.client.session().setup().clock.now();
    let journey = bench.client.exchange_all(bench.plan(2), now, |_, record| records.push(*record));
    let ((), requests) = tokio::join!(journey, server);
    assert_eq!(bench.sink.kept().clients, records);
    (bench, requests, records)
}

fn xml(body: &str) -> Vec<u8> {
    answer(&format!("200 OK\ncontent-length: {}", body.len()), body.as_bytes())
}

fn tagged(tag: &str) -> Vec<u8> {
    answer(&format!("200 OK\nETag: {tag}\ncontent-length: 0"), b"")
}

const CREATED: &str =
    "<InitiateMultipartUploadResult><UploadId>u/1+</UploadId></InitiateMultipartUploadResult>";

#[tokio::test]
async fn an_upload_in_parts_is_five_requests() {
    let answers = [xml(CREATED), tagged("\"a\""), tagged("\"b\""), tagged("\"c\""), xml("<C>done</C>")];
    let (bench, requests, records) = upload(&answers).await;
    let lines: Vec<&str> = requests.iter().map(|(head, _)| head.lines().next().unwrap()).collect();
    assert_eq!(
        lines,
        [
            "POST /media/up/main/2?uploads= HTTP/1.1",
            "PUT /media/up/main/2?partNumber=1&uploadId=u%2F1%2B HTTP/1.1",
            "PUT /media/up/main/2?partNumber=2&uploadId=u%2F1%2B HTTP/1.1",
            "PUT /media/up/main/2?partNumber=3&uploadId=u%2F1%2B HTTP/1.1",
            "POST /media/up/main/2?uploadId=u%2F1%2B HTTP/1.1",
        ]
    );
    let ids: Vec<u32> = records.iter().map(|record| record.k).collect();
    assert_eq!(ids, [12, 13, 14, 15, 16], "arrival 2 of six numbers each");
    assert!(records.iter().all(ClientRecord::is_success));
    assert!(records.windows(2).all(|two| two[1].intended >= two[0].ended() - 1_000), "one after the other");
    let whole: Vec<u8> = requests[1..4].iter().flat_map(|(_, body)| body.clone()).collect();
    let first = RequestId { workload: 0, k: 12 };
    let content = bench.pool.content("media", "up/main/2", first.pack() + 1);
    assert_eq!(hash::bytes(&whole), content.hash(&bench.pool, 3 * PART), "the parts make the object");
    let document = String::from_utf8(requests[4].1.clone()).unwrap();
    assert!(document.contains("<PartNumber>3</PartNumber><ETag>\"c\"</ETag>"), "{document}");
}

#[tokio::test]
async fn a_failed_part_is_followed_by_an_abort() {
    let busy = answer("503 Slow Down\ncontent-length: 0", b"");
    let gone = answer("204 No Content", b"");
    let (_, requests, records) = upload(&[xml(CREATED), tagged("\"a\""), busy, gone]).await;
    assert!(requests[3].0.starts_with("DELETE /media/up/main/2?uploadId=u%2F1%2B HTTP/1.1\r\n"));
    let seen: Vec<_> = records.iter().map(|record| (record.op, record.k, record.status)).collect();
    assert_eq!(seen[2..], [(Op::UploadPart, 14, 503), (Op::AbortMultipartUpload, 17, 204)]);
}

#[tokio::test]
async fn a_completion_that_holds_an_error_is_none() {
    let error = "<Error><Code>InternalError</Code></Error>";
    let gone = answer("404 Not Found\ncontent-length: 0", b"");
    let answers = [xml(CREATED), tagged("\"a\""), tagged("\"b\""), tagged("\"c\""), xml(error), gone];
    let (_, _, records) = upload(&answers).await;
    assert_eq!((records[4].status, records[4].is_success()), (200, false));
    assert_eq!((records[5].op, records[5].k), (Op::AbortMultipartUpload, 17));
}

#[tokio::test]
async fn a_condition_says_what_is_right() {
    let run = async |condition, wire: Vec<u8>| {
        let op = OpPlan::Conditional { of: Box::new(GET), condition };
        let bench = Bench::new(scripted(vec![vec![Step::Read, Step::Write(wire)]]).await, workload(op));
        let record = bench.run(0).await;
        assert_eq!(record.ending, Ending::Complete);
        (record.is_success(), bench.sink.kept().evidence.len())
    };
    let not_modified = || answer("304 Not Modified\netag: \"x\"", b"");
    let failed = || {
        let body = "<Error><Code>PreconditionFailed</Code></Error>";
        let head = format!("412 Failed\ncontent-type: application/xml\ncontent-length: {}", body.len());
        answer(&head, body.as_bytes())
    };
    let (fresh, other) = (Condition::IfNoneMatch(Tag::Current), Condition::IfMatch(Tag::Other));
    assert_eq!(run(fresh, not_modified()).await, (true, 0));
    assert_eq!(run(other, failed()).await, (true, 0), "asked for: nothing to keep");
    assert_eq!(run(fresh, failed()).await, (false, 1));
    assert_eq!(run(Condition::IfMatch(Tag::Current), not_modified()).await, (false, 1));
}
