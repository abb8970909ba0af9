//! Faults that do more than answer an error: lost answers, lost writes, late documents, answers that are not
//! true, reads of before.

use std::sync::Arc;
use std::time::{Duration, Instant};

use gatecrash_mock_s3::{Action, Alteration, Facts, Point, RangeLie, Trickle, WrongRegionKind};
use gatecrash_model::{Op, UpstreamRecord};
use http::header::{HeaderValue, RETRY_AFTER};

use crate::support::{At, Bench, EAST, StepClock, WEST, When, config, get, request};

/// The usual mock with a fault at one point of one operation.
async fn bench(point: Point, op: Op, action: Action) -> Bench {
    let decide = move |at: Point, facts: &Facts<'_>| match at == point && facts.op == op {
        true => action.clone(),
        false => Action::Continue,
    };
    let config = gatecrash_mock_s3::Config { remember: true, ..config() };
    Bench::with(config, Arc::new(StepClock::default()), Arc::new(When(decide))).await
}

fn put(body: &[u8]) -> crate::support::Request<'_> {
    request("PUT", "/media/up/1").body(body)
}

#[tokio::test]
async fn an_error_asks_to_wait() {
    let slow_down = Action::s3_error("SlowDown").unwrap();
    for answer in [slow_down, Action::Status(503), Action::Empty(503)] {
        let headers = vec![(RETRY_AFTER, HeaderValue::from_static("2"))];
        let action = Action::Headers(headers, Box::new(answer));
        let bench = bench(Point::Handle, Op::GetObject, action).await;
        let reply = bench.send(EAST, get("/media/img/000001.bin")).await;
        assert_eq!((reply.status, reply.header("retry-after")), (503, Some("2")));
    }
}

#[tokio::test]
async fn an_injected_error_has_the_elements_of_its_code() {
    let table = [
        ("NoSuchKey", "Key", "up/1"),
        ("NoSuchBucket", "BucketName", "media"),
        ("MethodNotAllowed", "Method", "PUT"),
        ("RequestTimeTooSkewed", "ServerTime", "2013-05-24T00:00:00.000Z"),
        ("RequestTimeTooSkewed", "MaxAllowedSkewMilliseconds", "900000"),
        ("AuthorizationHeaderMalformed", "Region", EAST),
        ("SlowDown", "Resource", "/media/up/1"),
    ];
    for (code, element, text) in table {
        let bench = bench(Point::Handle, Op::PutObject, Action::s3_error(code).unwrap()).await;
        let reply = bench.send(EAST, put(b"x")).await;
        assert_eq!(reply.element(element).as_deref(), Some(text), "{code}");
    }
}

#[tokio::test]
async fn an_answer_is_lost_and_the_write_stays() {
    for reset in [false, true] {
        let bench = bench(Point::Respond, Op::PutObject, Action::Close { reset }).await;
        let mut client = bench.connect(EAST).await;
        client.post(&put(b"hello")).await;
        assert_eq!(client.until_the_end().await, (String::new(), reset));
        let record = bench.records(1).await[0];
        assert_eq!(record.status, 0);
        assert!(record.has(UpstreamRecord::APPLIED | UpstreamRecord::FAULTED), "{reset}");
        assert!(!record.has(UpstreamRecord::ABANDONED), "the caller did not leave");
        assert_eq!(bench.send(EAST, get("/media/up/1")).await.text(), "hello");
    }
}

#[tokio::test]
async fn a_write_is_acknowledged_and_lost() {
    let fault = |at: Point, facts: &Facts<'_>| match at == Point::Handle
        && facts.body_len != 3
        && facts.op.is_write()
    {
        true => Action::Forget,
        false => Action::Continue,
    };
    let bench = Bench::with(config(), Arc::new(StepClock::default()), Arc::new(When(fault))).await;
    let reply = bench.send(EAST, put(b"hello")).await;
    assert_eq!((reply.status, reply.header("etag")), (200, Some("\"5d41402abc4b2a76b9719d911017c592\"")));
    assert_eq!(bench.send(EAST, get("/media/up/1")).await.status, 404);
    assert_eq!(bench.send(EAST, put(b"old")).await.status, 200);
    assert_eq!(bench.send(EAST, put(b"hello")).await.status, 200);
    assert_eq!(bench.send(EAST, request("DELETE", "/media/up/1")).await.status, 204);
    assert_eq!(bench.send(EAST, get("/media/up/1")).await.text(), "old");
    assert_eq!(bench.send(EAST, request("DELETE", "/media/img/000001.bin")).await.status, 204);
    assert_eq!(bench.send(EAST, get("/media/img/000001.bin")).await.status, 200);
    let applied = bench.records(8).await.into_iter().filter(|r| r.has(UpstreamRecord::APPLIED)).count();
    assert_eq!(applied, 1);
}

#[tokio::test]
async fn an_answer_comes_before_the_body_is_read() {
    let early = Action::Unread(Box::new(Action::s3_error("SlowDown").unwrap()));
    let bench = bench(Point::Auth, Op::PutObject, early).await;
    let mut client = bench.connect(EAST).await;
    // A body that never comes: whoever waits for it waits for ever.
    let promised = request("PUT", "/media/up/1").header("content-length", "1000000");
    client.post(&promised).await;
    let reply = client.reply("PUT").await;
    assert_eq!(reply.verdict(), (503, "SlowDown".into()));
    assert_eq!(reply.header("connection"), Some("close"));
    assert!(client.is_closed().await);
    let record = bench.records(1).await[0];
    assert!(!record.has(UpstreamRecord::BODY_WHOLE) && record.has(UpstreamRecord::FAULTED));
    assert_eq!(record.body_bytes, 0);
}

/// The head and the body of a chunked answer, on a connection that is closed then.
async fn chunked(bench: &Bench, request: crate::support::Request<'_>) -> (String, String) {
    let mut client = bench.connect(EAST).await;
    client.post(&request.header("connection", "close")).await;
    let (text, _) = client.until_the_end().await;
    let (head, mut rest) = text.split_once("\r\n\r\n").unwrap();
    let mut body = String::new();
    while let Some((size, after)) = rest.split_once("\r\n") {
        let size = usize::from_str_radix(size, 16).unwrap();
        body.push_str(&after[..size]);
        rest = after[size..].strip_prefix("\r\n").unwrap_or_default();
    }
    (head.to_ascii_lowercase(), body)
}

#[tokio::test]
async fn white_space_keeps_the_connection_and_then_comes_an_error_or_the_result() {
    let trickle = |error: Option<&str>| {
        let (every, lasts) = (Duration::from_millis(5), Duration::from_millis(60));
        Action::Trickle(Trickle { every, lasts, error: error.map(str::to_owned) })
    };
    for (error, root) in [(Some("InternalError"), "<Error>"), (None, "<ListBucketResult")] {
        let bench = bench(Point::Handle, Op::ListObjectsV2, trickle(error)).await;
        let began = Instant::now();
        let (head, body) = chunked(&bench, get("/media?list-type=2&max-keys=1")).await;
        assert!(began.elapsed() >= Duration::from_millis(60));
        assert!(head.starts_with("http/1.1 200") && head.contains("transfer-encoding: chunked"), "{head}");
        let rest = body.strip_prefix("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n").unwrap();
        let document = rest.trim_start_matches(' ');
        assert!((2..=12).contains(&(rest.len() - document.len())), "{rest}");
        assert!(document.starts_with(root), "{document}");
        let record = bench.records(1).await[0];
        assert_eq!(record.status, 200);
        assert!(record.has(UpstreamRecord::FAULTED) && !record.has(UpstreamRecord::ABANDONED));
        assert_eq!(bench.sink.kept().strings.text(record.code), error.unwrap_or_default());
    }
}

#[tokio::test]
async fn an_error_in_200_has_done_nothing() {
    let error = Some("InternalError".to_owned());
    let trickle = Trickle { every: Duration::from_millis(1), lasts: Duration::ZERO, error };
    let bench = bench(Point::Handle, Op::PutObject, Action::Trickle(trickle)).await;
    let (head, body) = chunked(&bench, put(b"hello")).await;
    assert!(head.starts_with("http/1.1 200") && body.contains("<Code>InternalError</Code>"), "{head}{body}");
    assert!(bench.mock.store_entries().is_empty());
}

/// An upload of one part, and the request that completes it.
async fn one_part(bench: &Bench) -> (String, String) {
    let begun = bench.signed("admin", EAST, request("POST", "/media/up/1?uploads=")).await;
    let id = begun.element("UploadId").unwrap();
    let part = format!("/media/up/1?partNumber=1&uploadId={id}");
    let part = bench.signed("admin", EAST, request("PUT", &part).body(b"hello")).await;
    let etag = part.header("etag").unwrap();
    let list = format!(
        "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{etag}</ETag></Part>\
         </CompleteMultipartUpload>"
    );
    (format!("/media/up/1?uploadId={id}"), list)
}

#[tokio::test]
async fn an_upload_completed_with_an_error_in_200_can_be_completed_again() {
    let once = std::sync::atomic::AtomicBool::new(false);
    let error = Some("InternalError".to_owned());
    let trickle = Trickle { every: Duration::from_millis(1), lasts: Duration::from_millis(5), error };
    let fault = move |at: Point, facts: &Facts<'_>| {
        let ours = at == Point::Handle && facts.op == Op::CompleteMultipartUpload;
        match ours && !once.swap(true, std::sync::atomic::Ordering::SeqCst) {
            true => Action::Trickle(trickle.clone()),
            false => Action::Continue,
        }
    };
    let bench = Bench::with(config(), Arc::new(StepClock::default()), Arc::new(When(fault))).await;
    let (target, list) = one_part(&bench).await;
    let complete = || {
        let request = request("POST", &target).body(list.as_bytes());
        request.sign(&bench.credentials("admin"), EAST, crate::support::WALL)
    };
    let (head, body) = chunked(&bench, complete()).await;
    assert!(head.starts_with("http/1.1 200") && body.contains("<Error><Code>InternalError</Code>"), "{body}");
    assert_eq!(bench.send(EAST, get("/media/up/1")).await.status, 404);
    assert_eq!(bench.send(EAST, complete()).await.status, 200);
    assert_eq!(bench.send(EAST, get("/media/up/1")).await.text(), "hello");
}

#[tokio::test]
async fn a_copy_keeps_its_connection_alive() {
    let (every, lasts) = (Duration::from_millis(1), Duration::from_millis(250));
    let trickle = Action::Trickle(Trickle { every, lasts, error: None });
    let bench = bench(Point::Handle, Op::CopyObject, trickle).await;
    let copy = request("PUT", "/media/copy").header("x-amz-copy-source", "/media/img/000001.bin");
    let copy = copy.sign(&bench.credentials("admin"), EAST, crate::support::WALL);
    let (head, body) = chunked(&bench, copy).await;
    assert!(head.starts_with("http/1.1 200") && body.contains(" <CopyObjectResult"), "{head}{body}");
    assert_eq!(bench.send(EAST, get("/media/copy")).await.body.len(), 300_000);
}

#[tokio::test]
async fn answers_that_are_not_true() {
    let range = || get("/media/img/000001.bin").header("range", "bytes=10-19");
    let told = |alteration, op| async move {
        let bench = bench(Point::Respond, op, Action::Alter(alteration)).await;
        let request = match op {
            Op::HeadObject => request("HEAD", "/media/img/000001.bin"),
            Op::ListObjectsV2 => get("/media?list-type=2&max-keys=1"),
            _ => range(),
        };
        let reply = bench.send(EAST, request).await;
        assert!(bench.records(1).await[0].has(UpstreamRecord::FAULTED));
        reply
    };
    let plain = Bench::start().await.send(EAST, range()).await;
    let reply = told(Alteration::ETag, Op::GetObject).await;
    assert_eq!((reply.status, &reply.body), (206, &plain.body));
    assert_ne!(reply.header("etag"), plain.header("etag"));
    assert_eq!(reply.header("etag").map(str::len), plain.header("etag").map(str::len));
    let lie = |lie| told(Alteration::Range(lie), Op::GetObject);
    assert_eq!(lie(RangeLie::Shifted).await.header("content-range"), Some("bytes 11-20/300000"));
    assert_eq!(lie(RangeLie::Total).await.header("content-range"), Some("bytes 10-19/300001"));
    assert_eq!(lie(RangeLie::Missing).await.header("content-range"), None);
    let other = told(Alteration::Object, Op::GetObject).await;
    assert_eq!((other.status, other.body.len()), (206, 10));
    assert_ne!(other.body, plain.body);
    assert_eq!(other.header("etag"), plain.header("etag"));
    let length = told(Alteration::Length(7), Op::HeadObject).await;
    assert_eq!(length.header("content-length"), Some("300007"));
    let sizes = told(Alteration::Length(7), Op::ListObjectsV2).await;
    assert_eq!(sizes.element("Size").as_deref(), Some("300007"));
}

#[tokio::test]
async fn a_range_that_is_not_looked_at() {
    let ignored = Action::Alter(Alteration::Range(RangeLie::Ignored));
    let bench = bench(Point::Handle, Op::GetObject, ignored).await;
    let reply = bench.send(EAST, get("/media/img/000001.bin").header("range", "bytes=10-19")).await;
    assert_eq!((reply.status, reply.body.len()), (200, 300_000));
    assert_eq!(reply.header("content-range"), None);
    assert!(bench.records(1).await[0].has(UpstreamRecord::FAULTED));
}

#[tokio::test]
async fn reads_and_listings_of_before() {
    // Before the run: what was there at the start.
    let stale = |at: Point, facts: &Facts<'_>| match at == Point::Handle && !facts.op.is_write() {
        true => Action::Stale(Duration::from_secs(3600)),
        false => Action::Continue,
    };
    let remembering = gatecrash_mock_s3::Config { remember: true, ..config() };
    let bench = Bench::with(remembering, Arc::new(StepClock::default()), Arc::new(When(stale))).await;
    bench.send(EAST, put(b"new")).await;
    bench.send(EAST, request("DELETE", "/media/img/000001.bin")).await;
    assert_eq!(bench.send(EAST, get("/media/up/1")).await.status, 404);
    assert_eq!(bench.send(EAST, get("/media/img/000001.bin")).await.status, 200);
    let listing = bench.send(EAST, get("/media?list-type=2")).await;
    assert!(listing.text().contains("<Key>img/000001.bin</Key>") && !listing.text().contains("up/1"));
    assert_eq!(bench.mock.store_entries().len(), 1, "the store itself goes on");
}

#[tokio::test]
async fn a_redirect_for_single_requests() {
    for (kind, status, location) in
        [(WrongRegionKind::Temporary, 307, true), (WrongRegionKind::Redirect, 301, false)]
    {
        let action = Action::Redirect { kind, to: WEST.to_owned() };
        let bench = bench(Point::Handle, Op::GetObject, action).await;
        let reply = bench.send(EAST, get("/media/img/000001.bin")).await;
        assert_eq!((reply.status, reply.header("x-amz-bucket-region")), (status, Some(WEST)));
        assert_eq!(reply.element("Endpoint").as_deref(), Some("s3.us-west-2.amazonaws.com"));
        assert_eq!(reply.header("location").is_some(), location);
    }
}

#[tokio::test]
async fn dials_send_requests_to_the_region_that_serves() {
    let hook = At::new(Point::Auth, Action::Continue);
    let bench = Bench::faulty(&hook).await;
    let control = bench.mock.control();
    assert!(control.set_dials(&[(EAST, 0.0)]).is_err() && control.set_dials(&[("mars", 1.0)]).is_err());
    let dials = control.set_dials(&[(EAST, 0.0), (WEST, 1.0)]).unwrap();
    // Signed for the endpoint that is asked, under the name the bucket has there.
    assert_eq!(bench.signed("app", EAST, request("PUT", "/reports/up/1").body(b"hello")).await.status, 200);
    assert!(control.undo(dials));
    assert_eq!(bench.signed("app", EAST, get("/reports/up/1")).await.status, 404);
    assert_eq!(bench.signed("app", WEST, get("/reports-dr/up/1")).await.text(), "hello");
    assert_eq!(bench.records(3).await.iter().map(|r| r.region).collect::<Vec<_>>(), [1, 0, 1]);
}
