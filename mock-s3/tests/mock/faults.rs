//! The fault hook: every point, every action, what is applied, and callers who hang up.

use std::sync::Arc;
use std::time::Duration;

use gatecrash_mock_s3::{Action, Point};
use gatecrash_model::UpstreamRecord;

use crate::support::{At, Bench, EAST, eventually, get, request};

async fn bench(point: Point, action: Action) -> (Bench, Arc<At>) {
    let hook = At::new(point, action);
    (Bench::faulty(&hook).await, hook)
}

#[tokio::test]
async fn the_hook_is_told_everything_at_each_point() {
    let (bench, hook) = bench(Point::Auth, Action::Continue).await;
    bench.signed("app", "us-west-2", request("PUT", "/reports-dr/up/1").body(b"hello")).await;
    bench.send(EAST, get("/nobucket/k")).await;
    assert_eq!(
        hook.seen(),
        [
            "Auth PutObject PUT reports up/1 us-west-2 - 5",
            "Handle PutObject PUT reports up/1 us-west-2 app 5",
            "Respond PutObject PUT reports up/1 us-west-2 app 5",
            "Auth GetObject GET nobucket k us-east-1 - 0",
        ]
    );
}

#[tokio::test]
async fn an_error_before_the_effect_changes_nothing_and_after_it_leaves_it() {
    for (point, applied) in [(Point::Auth, false), (Point::Handle, false), (Point::Respond, true)] {
        let (bench, _) = bench(point, Action::s3_error("SlowDown").unwrap()).await;
        let mut client = bench.connect(EAST).await;
        let reply = client.send(request("PUT", "/media/up/1").body(b"hello")).await;
        assert_eq!(reply.verdict(), (503, "SlowDown".into()), "{point:?}");
        assert_eq!(reply.element("Message").as_deref(), Some("Please reduce your request rate."));
        assert_eq!(reply.header("connection"), None);
        assert_eq!(bench.mock.store_entries().len(), usize::from(applied), "{point:?}");
        let record = bench.records(1).await[0];
        assert!(record.has(UpstreamRecord::FAULTED) && record.has(UpstreamRecord::BODY_WHOLE), "{point:?}");
        assert_eq!(record.has(UpstreamRecord::APPLIED), applied, "{point:?}");
        assert_eq!(record.body_bytes, 5);
    }
}

#[tokio::test]
async fn answers_that_s3_does_not_write() {
    let (html, _) = bench(Point::Handle, Action::Status(502)).await;
    let reply = html.send(EAST, get("/media/img/000001.bin")).await;
    assert_eq!((reply.status, reply.header("content-type")), (502, Some("text/html")));
    assert_eq!(reply.text(), "<html><body><h1>502 Bad Gateway</h1></body></html>\n");
    let (empty, _) = bench(Point::Handle, Action::Empty(503)).await;
    let reply = empty.send(EAST, get("/media/img/000001.bin")).await;
    assert_eq!((reply.status, reply.header("content-length")), (503, Some("0")));
    let own = Action::Error { status: 599, code: "Strange".into(), message: "words".into() };
    let (strange, _) = bench(Point::Auth, own).await;
    let reply = strange.send(EAST, get("/media/img/000001.bin")).await;
    assert_eq!(reply.verdict(), (599, "Strange".into()));
    assert_eq!(Action::s3_error("NoSuchCode"), None);
}

#[tokio::test]
async fn a_delay_waits_and_goes_on() {
    for point in [Point::Auth, Point::Handle, Point::Respond] {
        let (bench, _) = bench(point, Action::Delay(Duration::from_millis(120))).await;
        let began = std::time::Instant::now();
        let reply = bench.send(EAST, get("/media/img/000001.bin")).await;
        assert_eq!((reply.status, reply.body.len()), (200, 300_000));
        assert!(began.elapsed() >= Duration::from_millis(120), "{point:?}");
        assert!(!bench.records(1).await[0].has(UpstreamRecord::FAULTED), "a late answer is S3's own");
    }
}

#[tokio::test]
async fn a_late_error_waits_and_then_answers() {
    for point in [Point::Auth, Point::Handle, Point::Respond] {
        let error = Box::new(Action::s3_error("InternalError").unwrap());
        let more = Box::new(Action::After(Duration::from_millis(30), error));
        let (bench, _) = bench(point, Action::After(Duration::from_millis(30), more)).await;
        let began = std::time::Instant::now();
        let reply = bench.send(EAST, request("PUT", "/media/up/1").body(b"hello")).await;
        assert_eq!(reply.verdict(), (500, "InternalError".into()), "{point:?}");
        assert!(began.elapsed() >= Duration::from_millis(60), "{point:?}");
        assert_eq!(bench.mock.store_entries().len(), usize::from(point == Point::Respond), "{point:?}");
    }
}

#[tokio::test]
async fn a_caller_who_hangs_up_is_an_abandoned_exchange() {
    let (bench, _) = bench(Point::Respond, Action::Delay(Duration::from_secs(3600))).await;
    let mut client = bench.connect(EAST).await;
    client.post(&request("PUT", "/media/up/1").body(b"hello")).await;
    eventually("it is stored", || !bench.mock.store_entries().is_empty()).await;
    drop(client);
    let record = bench.records(1).await[0];
    assert_eq!((record.status, record.sent_bytes), (0, 0));
    assert!(record.has(UpstreamRecord::APPLIED | UpstreamRecord::ABANDONED));
    assert!(!record.has(UpstreamRecord::FAULTED));
}

#[tokio::test]
async fn a_body_cut_by_its_sender_is_not_whole() {
    let (bench, hook) = bench(Point::Auth, Action::Continue).await;
    let mut client = bench.connect(EAST).await;
    let mut put = request("PUT", "/media/up/1").header("content-length", "100");
    put.body = vec![1; 40];
    client.post(&put).await;
    hook.reached(Point::Auth, 1).await;
    drop(client);
    let record = bench.records(1).await[0];
    assert!(record.has(UpstreamRecord::ABANDONED));
    assert!(!record.has(UpstreamRecord::BODY_WHOLE));
    assert!(bench.mock.store_entries().is_empty());
}

#[tokio::test]
async fn shutdown_ends_even_what_waits_for_an_hour() {
    let (bench, hook) = bench(Point::Handle, Action::Delay(Duration::from_secs(3600))).await;
    let mut client = bench.connect(EAST).await;
    client.post(&get("/media/img/000001.bin")).await;
    hook.reached(Point::Handle, 1).await;
    let kept = bench.finish().await;
    assert_eq!(kept.upstreams.len(), 1);
    assert!(kept.upstreams[0].has(UpstreamRecord::ABANDONED));
}

#[tokio::test]
async fn a_reader_who_hangs_up_leaves_a_body_half_sent() {
    let mut config = crate::support::config();
    let sizes = gatecrash_model::SizeLaw::Fixed(1 << 30);
    config.buckets[0].objects.push(crate::support::population("media", 1, "big/{n}", sizes));
    let hook = At::new(Point::Auth, Action::Continue);
    let bench = Bench::with(config, Arc::new(crate::support::StepClock::default()), hook.clone()).await;
    let mut client = bench.connect(EAST).await;
    client.post(&get("/media/big/0")).await;
    hook.reached(Point::Respond, 1).await;
    drop(client);
    let record = bench.records(1).await[0];
    assert_eq!(record.status, 200);
    assert!(record.has(UpstreamRecord::ABANDONED));
    assert!(record.sent_bytes < 1 << 30);
}
