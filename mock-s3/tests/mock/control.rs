//! Changing the mock while it runs, and changing it back.

use std::time::Duration;

use gatecrash_mock_s3::{Action, Capacity, ControlError, Point, WrongRegion, WrongRegionKind};
use gatecrash_model::UpstreamRecord;
use serde_json::json;

use crate::support::{At, Bench, EAST, WALL, WEST, get, request};

const OBJECT: &str = "/reports/r/1.csv";

#[tokio::test]
async fn changes_are_taken_back_in_any_order() {
    let bench = Bench::start().await;
    let control = bench.mock.control();
    let status = async || bench.signed("app", EAST, get(OBJECT)).await.status;
    let lockout = json!({
        "Sid": "lockout", "Effect": "Deny", "Action": "s3:*", "Resource": "arn:aws:s3:::reports/*",
        "Principal": { "AWS": "arn:aws:iam::000000000001:user/app" },
    });
    let removed = control.remove_action("app", "s3:Get*").unwrap();
    assert_eq!(status().await, 403);
    let locked = control.add_bucket_policy_statement("reports", &lockout).unwrap();
    assert!(control.undo(removed));
    assert_eq!(status().await, 403);
    let why = control.evaluate(Some("app"), "s3:GetObject", "reports", "r/1.csv").unwrap();
    assert_eq!(why.statement.as_deref(), Some("lockout"));
    assert!(control.undo(locked));
    assert!(!control.undo(locked), "only once");
    assert_eq!(status().await, 200);

    control.set_identity_policies("app", &[]).unwrap();
    assert_eq!(status().await, 403);
    let public = json!({ "Statement": {
        "Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "*",
    }});
    control.replace_bucket_policy("reports", &public).unwrap();
    assert_eq!(status().await, 200);
    control.restore();
    assert_eq!(bench.send(EAST, get(OBJECT)).await.status, 403);
    assert_eq!(status().await, 200);
}

#[tokio::test]
async fn a_public_bucket_is_closed_by_replacing_its_policy() {
    let bench = Bench::start().await;
    let control = bench.mock.control();
    let target = "/media/img/000001.bin";
    let nothing = json!({ "Statement": [] });
    let closed = control.replace_bucket_policy("media", &nothing).unwrap();
    assert_eq!(bench.send(EAST, get(target)).await.status, 403);
    control.undo(closed);
    assert_eq!(bench.send(EAST, get(target)).await.status, 200);
}

#[tokio::test]
async fn what_is_unknown_or_malformed_changes_nothing() {
    let bench = Bench::start().await;
    let control = bench.mock.control();
    let unknown = |what, name: &str| Err(ControlError::Unknown { what, name: name.into() });
    assert_eq!(control.deny("nobody", &["s3:*"], &["*"]), unknown("identity", "nobody"));
    assert_eq!(control.set_capacity("mars", None), unknown("region", "mars"));
    let statement = json!({ "Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*",
        "Condition": { "Boole": { "aws:SecureTransport": "false" } } });
    assert_eq!(control.add_bucket_policy_statement("nobucket", &statement), unknown("bucket", "nobucket"));
    let error = control.add_bucket_policy_statement("reports", &statement).unwrap_err();
    assert_eq!(error.to_string(), "line 4, column 5: \"Boole\" is no condition operator");
    assert_eq!(bench.signed("app", EAST, get(OBJECT)).await.status, 200);
}

#[tokio::test]
async fn a_rotated_key_ends_the_old_one_until_it_is_taken_back() {
    let bench = Bench::start().await;
    let control = bench.mock.control();
    let old = bench.credentials("app");
    let (change, new) = control.rotate_key("app").unwrap();
    assert_ne!(old, new);
    let by = async |pair| bench.send(EAST, get(OBJECT).sign(pair, EAST, WALL)).await.verdict();
    assert_eq!(by(&old).await, (403, "InvalidAccessKeyId".into()));
    assert_eq!(by(&new).await, (200, String::new()));
    assert_eq!(bench.credentials("app"), new);
    control.undo(change);
    assert_eq!(by(&old).await, (200, String::new()));
    assert_eq!(by(&new).await, (403, "InvalidAccessKeyId".into()));
}

#[tokio::test]
async fn a_skewed_clock_refuses_signatures_and_shows_its_time() {
    let bench = Bench::start().await;
    let control = bench.mock.control();
    let change = control.set_clock_skew(20 * 60);
    let reply = bench.signed("app", EAST, get(OBJECT)).await;
    assert_eq!(reply.verdict(), (403, "RequestTimeTooSkewed".into()));
    assert_eq!(reply.header("date"), Some("Fri, 24 May 2013 00:20:00 GMT"));
    control.undo(change);
    assert_eq!(bench.signed("app", EAST, get(OBJECT)).await.status, 200);
}

#[tokio::test]
async fn a_bucket_can_answer_as_if_it_lived_elsewhere() {
    let bench = Bench::start().await;
    let control = bench.mock.control();
    let moved = |kind| WrongRegion {
        bucket: Some("reports".into()),
        region: Some(EAST.into()),
        op: None,
        kind,
        points_to: "eu-west-1".into(),
    };
    let change = control.set_wrong_region(moved(WrongRegionKind::Redirect)).unwrap();
    let reply = bench.signed("app", EAST, get(OBJECT)).await;
    assert_eq!(reply.verdict(), (301, "PermanentRedirect".into()));
    assert_eq!(reply.header("x-amz-bucket-region"), Some("eu-west-1"));
    assert_eq!(bench.signed("app", WEST, get("/reports-dr/r/1.csv")).await.status, 200);
    assert_eq!(bench.send(EAST, get("/media/img/000001.bin")).await.status, 200);
    control.undo(change);
    control.set_wrong_region(moved(WrongRegionKind::Malformed)).unwrap();
    let reply = bench.signed("app", EAST, get(OBJECT)).await;
    assert_eq!(reply.verdict(), (400, "AuthorizationHeaderMalformed".into()));
    assert_eq!(reply.element("Region").as_deref(), Some("eu-west-1"));
    control.restore();
    control.set_wrong_region(moved(WrongRegionKind::Temporary)).unwrap();
    let reply = bench.signed("app", EAST, get(OBJECT)).await;
    assert_eq!(reply.verdict(), (307, "TemporaryRedirect".into()));
    assert_eq!(reply.header("location"), Some("http://s3.eu-west-1.amazonaws.com/reports/r/1.csv"));
    let flags: Vec<u16> = bench.records(5).await.iter().map(|r| r.flags & UpstreamRecord::FAULTED).collect();
    assert_eq!(flags, [4, 0, 0, 4, 4]);
}

#[tokio::test]
async fn capacity_is_servers_then_a_queue_then_slow_down() {
    let hook = At::new(Point::Auth, Action::Continue);
    let bench = Bench::faulty(&hook).await;
    let control = bench.mock.control();
    let never = Capacity { servers: 1, service_time: Duration::from_secs(3600), queue: 1 };
    let change = control.set_capacity(EAST, Some(never)).unwrap();
    let target = "/media/img/000001.bin";
    let (mut served, mut queued) = (bench.connect(EAST).await, bench.connect(EAST).await);
    served.post(&get(target)).await;
    queued.post(&get(target)).await;
    hook.reached(Point::Handle, 2).await;
    assert_eq!(bench.send(EAST, get(target)).await.verdict(), (503, "SlowDown".into()));
    assert_eq!(bench.send(EAST, request("HEAD", target)).await.status, 503);
    assert_eq!(bench.send(EAST, get("/reports/r/1.csv")).await.status, 403, "refused before it");
    assert_eq!(bench.send(WEST, get(target)).await.status, 200);
    control.undo(change);
    assert_eq!(bench.send(EAST, get(target)).await.status, 200);
    let faulted = bench.records(5).await.iter().filter(|r| r.has(UpstreamRecord::FAULTED)).count();
    assert_eq!(faulted, 2);
}

#[tokio::test]
async fn the_queue_is_first_come_first_served() {
    let hook = At::new(Point::Auth, Action::Continue);
    let bench = Bench::faulty(&hook).await;
    let service_time = Duration::from_millis(40);
    let capacity = Capacity { servers: 1, service_time, queue: 2 };
    bench.mock.control().set_capacity(EAST, Some(capacity)).unwrap();
    let began = std::time::Instant::now();
    let mut clients = Vec::new();
    for n in 1..=3 {
        let mut client = bench.connect(EAST).await;
        client.post(&get(&format!("/media/img/00000{n}.bin"))).await;
        hook.reached(Point::Handle, n).await;
        clients.push(client);
    }
    for client in &mut clients {
        assert_eq!(client.reply("GET").await.status, 200);
    }
    assert!(began.elapsed() >= 3 * service_time);
    let order: Vec<String> = hook.seen().into_iter().filter(|seen| seen.starts_with("Respond")).collect();
    assert!(order.is_sorted() && order.len() == 3, "{order:?}");
}

#[tokio::test]
async fn work_goes_on_when_the_caller_hangs_up() {
    let hook = At::new(Point::Auth, Action::Continue);
    let bench = Bench::faulty(&hook).await;
    let capacity = Capacity { servers: 1, service_time: Duration::from_millis(200), queue: 0 };
    bench.mock.control().set_capacity(EAST, Some(capacity)).unwrap();
    let mut client = bench.connect(EAST).await;
    client.post(&request("PUT", "/media/up/1").body(b"hello")).await;
    hook.reached(Point::Handle, 1).await;
    drop(client);
    let put = bench.records(1).await[0];
    assert_eq!(put.status, 200);
    assert!(put.has(UpstreamRecord::APPLIED) && put.has(UpstreamRecord::ABANDONED));
    assert_eq!(bench.mock.store_entries().len(), 1);
}

#[tokio::test]
async fn a_configuration_with_a_mistake_does_not_start() {
    type Change = fn(&mut gatecrash_mock_s3::Config);
    let table: [(Change, &str); 7] = [
        (|c| c.regions.clear(), "a mock has 1 to 255 regions, not 0"),
        (|c| c.regions.push(EAST.into()), "the region \"us-east-1\" is declared twice"),
        (|c| c.buckets[0].name = "reports".into(), "the bucket \"reports\" is declared twice"),
        (|c| c.buckets[0].regions[0].1 = "reports".into(), "the bucket name \"reports\" is declared twice"),
        (|c| c.regions.truncate(1), "bucket \"media\" is in region \"us-west-2\", which is not declared"),
        (
            |c| c.buckets[0].objects[0].bucket = "other".into(),
            "bucket \"media\" holds synthetic objects of bucket \"other\"",
        ),
        (
            |c| c.identities[0].policies.push(json!({ "Statement": { "Effect": "Allow", "Condition": {} } })),
            "the policy of \"app\": line 2, column 16: a statement has no Action",
        ),
    ];
    for (change, message) in table {
        let mut config = crate::support::config();
        change(&mut config);
        let started = gatecrash_mock_s3::MockS3::start(
            config,
            std::sync::Arc::new(crate::support::StepClock::default()),
            std::sync::Arc::new(gatecrash_model::NullSink),
            std::sync::Arc::default(),
            std::sync::Arc::new(gatecrash_mock_s3::NoFaults),
        );
        assert_eq!(started.await.unwrap_err().to_string(), message);
    }
}
