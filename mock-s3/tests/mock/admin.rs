//! The admin port.

use std::net::SocketAddr;

use gatecrash_mock_s3::AdminError;
use serde_json::{Value, json};

use crate::support::{Bench, Client, EAST, Reply, eventually, get, request};

/// A mock and its admin port.
pub(crate) struct Admin {
    pub(crate) bench: Bench,
    pub(crate) port: SocketAddr,
}

impl Admin {
    pub(crate) async fn start() -> Self {
        Self::of(Bench::start().await).await
    }

    pub(crate) async fn of(bench: Bench) -> Self {
        let port = bench.mock.serve_admin("127.0.0.1:0".parse().unwrap()).await.unwrap();
        Self { bench, port }
    }

    pub(crate) async fn call(&self, method: &str, target: &str, body: Option<Value>) -> (u16, Value) {
        let reply = self.raw(method, target, body).await;
        (reply.status, serde_json::from_slice(&reply.body).unwrap_or_default())
    }

    pub(crate) async fn raw(&self, method: &str, target: &str, body: Option<Value>) -> Reply {
        let asked = request(method, target);
        let asked = match body {
            Some(body) => asked.body(body.to_string().as_bytes()),
            None => asked,
        };
        Client::connect(self.port).await.send(asked).await
    }

    /// The lines of the journal.
    pub(crate) async fn journal(&self, query: &str) -> Vec<Value> {
        let reply = self.raw("GET", &format!("/journal{query}"), None).await;
        assert_eq!(reply.header("content-type"), Some("application/x-ndjson"));
        reply.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

#[tokio::test]
async fn it_answers_on_loopback_alone() {
    let bench = Bench::start().await;
    let open: SocketAddr = "0.0.0.0:0".parse().unwrap();
    assert!(matches!(bench.mock.serve_admin(open).await, Err(AdminError::NotLoopback(_))));
    let admin = Admin::of(bench).await;
    let (status, health) = admin.call("GET", "/health", None).await;
    assert_eq!((status, &health["status"], &health["regions"][0]), (200, &"ok".into(), &EAST.into()));
    assert_eq!(admin.call("GET", "/nothing", None).await.0, 404);
    let page = request("POST", "/reset").header("origin", "http://example.org");
    assert_eq!(Client::connect(admin.port).await.send(page).await.status, 403);
    let reply = admin.raw("PATCH", "/faults", None).await;
    assert_eq!((reply.status, reply.header("allow")), (405, Some("GET, POST, DELETE")));
    let (status, document) = admin.call("GET", "/openapi.json", None).await;
    assert_eq!((status, &document["openapi"]), (200, &"3.1.0".into()));
    admin.bench.finish().await;
}

#[tokio::test]
async fn faults_come_and_go() {
    let admin = Admin::start().await;
    let target = "/media/img/000001.bin";
    let rule =
        json!({ "ops": ["GetObject"], "bucket": "media", "code": "SlowDown", "count": 2, "retry_after": 3 });
    let (status, made) = admin.call("POST", "/faults", Some(rule)).await;
    assert_eq!((status, &made["id"]), (201, &"rule-1".into()));
    for expected in [503, 503, 200] {
        let reply = admin.bench.send(EAST, get(target)).await;
        assert_eq!(reply.status, expected);
        assert_eq!(reply.header("retry-after"), (expected == 503).then_some("3"));
    }
    let (_, list) = admin.call("GET", "/faults", None).await;
    assert_eq!((&list["faults"][0]["matched"], &list["faults"][0]["acted"]), (&3.into(), &2.into()));
    assert_eq!(admin.call("DELETE", "/faults/rule-1", None).await.0, 200);
    assert_eq!(admin.call("DELETE", "/faults/rule-1", None).await.0, 404);
    for wrong in [json!({ "code": "Nonsense" }), json!({ "cod": "SlowDown" }), json!({}), json!([])] {
        assert_eq!(admin.call("POST", "/faults", Some(wrong)).await.0, 400);
    }
    let named = json!({ "id": "mine", "status": 502, "prefix": "img/" });
    assert_eq!(admin.call("POST", "/faults", Some(named.clone())).await.0, 201);
    assert_eq!(admin.call("POST", "/faults", Some(named)).await.0, 409);
    assert_eq!(admin.bench.send(EAST, get(target)).await.status, 502);
    assert_eq!(admin.call("DELETE", "/faults", None).await.0, 200);
    assert_eq!(admin.bench.send(EAST, get(target)).await.status, 200);
    let faults: Vec<Value> = admin.journal("").await.iter().map(|line| line["fault"].clone()).collect();
    assert_eq!(faults, [json!("rule-1"), json!("rule-1"), Value::Null, json!("mine"), Value::Null]);
    admin.bench.finish().await;
}

#[tokio::test]
async fn settings_are_set_as_a_whole_or_not_at_all() {
    let admin = Admin::start().await;
    let object = "/reports/r/1.csv";
    let old = admin.bench.credentials("app");
    assert_eq!(admin.bench.signed("app", EAST, get(object)).await.status, 200);
    let deny = json!({ "deny": [{ "identity": "app", "actions": ["s3:GetObject"], "resources": ["*"] }] });
    assert_eq!(admin.call("PUT", "/settings", Some(deny.clone())).await.0, 200);
    assert_eq!(admin.bench.signed("app", EAST, get(object)).await.status, 403);

    let mut mistaken = deny.clone();
    mistaken["clock_skew_seconds"] = 5.into();
    mistaken["rotate_key"] = json!(["nobody"]);
    let (status, why) = admin.call("PUT", "/settings", Some(mistaken)).await;
    assert_eq!((status, &why["error"]), (400, &"there is no identity \"nobody\"".into()));
    let (_, shown) = admin.call("GET", "/settings", None).await;
    assert_eq!(shown["settings"]["deny"], deny["deny"]);
    assert_eq!(
        (&shown["settings"]["clock_skew_seconds"], &shown["time"]),
        (&0.into(), &"2013-05-24T00:00:00.000Z".into())
    );

    let rotate = json!({ "rotate_key": ["app"] });
    let (_, rotated) = admin.call("PUT", "/settings", Some(rotate)).await;
    let new = admin.bench.credentials("app");
    assert_eq!(rotated["credentials"]["app"]["secret_key"], new.secret_key);
    assert_ne!(new, old);
    assert!(!rotated["identities"].to_string().contains(&new.access_key));
    assert_eq!(admin.bench.signed("app", EAST, get(object)).await.status, 200);

    let dials =
        json!({ "dials": { "us-west-2": 1 }, "replication": { "media": { "mode": "paused", "lag_ms": 5 } } });
    let (status, shown) = admin.call("PUT", "/settings", Some(dials)).await;
    assert_eq!((status, &shown["settings"]["replication"]["media"]["mode"]), (200, &json!("paused")));
    assert_eq!(admin.call("PUT", "/settings", Some(json!({ "dials": { "us-west-2": 0 } }))).await.0, 400);
    assert_eq!(admin.call("PUT", "/settings", Some(json!({}))).await.0, 200);
    assert_eq!(admin.bench.credentials("app"), old);
    admin.bench.finish().await;
}

#[tokio::test]
async fn a_reset_goes_back_to_the_beginning() {
    let admin = Admin::start().await;
    let ids = async || {
        let reply = admin.bench.send(EAST, request("PUT", "/media/new").body(b"one")).await;
        (reply.status, reply.header("x-amz-request-id").unwrap().to_owned())
    };
    let first = ids().await;
    admin.bench.send(EAST, request("DELETE", "/media/img/000001.bin")).await;
    admin.bench.signed("admin", EAST, request("PUT", "/fresh")).await;
    admin.call("POST", "/faults", Some(json!({ "code": "InternalError" }))).await;
    admin.call("PUT", "/settings", Some(json!({ "clock_skew_seconds": 60 }))).await;
    assert_eq!(admin.bench.send(EAST, get("/media/new")).await.status, 500);

    assert_eq!(admin.call("POST", "/reset", None).await.0, 200);
    assert_eq!(admin.journal("").await, [Value::Null; 0]);
    assert_eq!(ids().await, first, "request ids begin again");
    assert_eq!(admin.bench.send(EAST, get("/media/img/000001.bin")).await.status, 200);
    assert_eq!(admin.bench.signed("admin", EAST, get("/fresh?list-type=2")).await.status, 404);
    let (_, shown) = admin.call("GET", "/settings", None).await;
    assert_eq!(shown["settings"]["clock_skew_seconds"], 0);
    assert_eq!(admin.journal("").await.len(), 3);
    assert_eq!(admin.bench.mock.store_entries().len(), 1);
    admin.bench.finish().await;
}

#[tokio::test]
async fn the_journal_can_be_followed() {
    let admin = Admin::start().await;
    admin.bench.send(EAST, get("/media/img/000001.bin")).await;
    admin.bench.send(EAST, get("/media/none").header("amz-sdk-invocation-id", "call-1")).await;
    let lines = admin.journal("?since=1").await;
    assert_eq!(lines.len(), 1);
    assert_eq!(
        (&lines[0]["n"], &lines[0]["status"], &lines[0]["code"]),
        (&2.into(), &404.into(), &"NoSuchKey".into())
    );
    assert_eq!(lines[0]["sdk_invocation_id"], "call-1");
    assert_eq!(admin.raw("GET", "/journal?since=x", None).await.status, 400);

    let mut follower = Client::connect(admin.port).await;
    follower.post(&get("/journal?follow=1&since=1")).await;
    let head = follower.chunk().await;
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    let mut seen = head;
    while !seen.contains("\"n\":2") {
        seen.push_str(&follower.chunk().await);
    }
    admin.bench.signed("app", EAST, get("/reports/r/1.csv")).await;
    while !seen.contains("\"n\":3") || !seen.ends_with("\n\r\n") {
        seen.push_str(&follower.chunk().await);
    }
    assert!(seen.contains("\"name\":\"app\"") && seen.contains("\"decision\":\"allowed\""), "{seen}");
    assert!(!seen.contains(&admin.bench.credentials("app").access_key), "{seen}");
    // Followers do not hold up the end.
    admin.bench.finish().await;
    assert!(follower.is_closed().await || !follower.chunk().await.is_empty());
}

#[tokio::test]
async fn a_refusal_is_explained() {
    let admin = Admin::start().await;
    let guest = ["/reports/r/1.csv", "/media/none"];
    for target in guest {
        admin.bench.signed("guest", EAST, get(target)).await;
    }
    let control = admin.bench.mock.control();
    control.deny("guest", &["s3:ListBucket"], &["*"]).unwrap();
    admin.bench.signed("guest", EAST, get("/media/none")).await;
    let told: Vec<[Value; 5]> = admin
        .journal("")
        .await
        .iter()
        .map(|line| {
            let first = line["matched_statements"][0].clone();
            [&line["status"], &line["decision"], &line["action"], &line["layer"], &first["statement"]]
                .map(Clone::clone)
        })
        .collect();
    let implicit = [403.into(), "implicitDeny".into(), "s3:GetObject".into(), "identity".into(), Value::Null];
    let public = [404.into(), "allowed".into(), "s3:GetObject".into(), "resource".into(), "public".into()];
    let hidden =
        [403.into(), "explicitDeny".into(), "s3:ListBucket".into(), "identity".into(), "injected".into()];
    assert_eq!(told, [implicit, public, hidden]);
    admin.bench.finish().await;
}

#[tokio::test]
async fn a_follower_that_does_not_read_is_dropped() {
    let admin = Admin::start().await;
    let mut follower = Client::connect(admin.port).await;
    follower.post(&get("/journal?follow=1")).await;
    let journal = admin.bench.mock.journal();
    let mut client = admin.bench.connect(EAST).await;
    // More than the socket's buffers, the chunks under way and the backlog hold together.
    let agent = "x".repeat(8_000);
    for _ in 0..12_000 {
        let head = request("HEAD", "/media/img/000001.bin").header("user-agent", &agent);
        assert_eq!(client.send(head).await.status, 200);
    }
    assert_eq!(journal.written(), 12_000);
    let mut last = String::new();
    loop {
        let chunk = follower.chunk().await;
        last = last.chars().rev().take(200).collect::<String>().chars().rev().collect();
        last.push_str(&chunk);
        if chunk.is_empty() || last.contains("0\r\n\r\n") {
            break;
        }
    }
    let lost = last.rsplit_once("{\"lost\":").unwrap().1.split('}').next().unwrap();
    assert!((1..12_000).contains(&lost.parse::<u64>().unwrap()), "{lost}");
    admin.bench.finish().await;
}

#[tokio::test]
async fn metrics_are_told_in_both_forms() {
    let admin = Admin::start().await;
    for target in ["/media/img/000001.bin", "/media/img/000002.bin", "/media/none"] {
        admin.bench.send(EAST, get(target)).await;
    }
    let reply = admin.raw("GET", "/metrics", None).await;
    assert!(reply.header("content-type").unwrap().starts_with("text/plain; version=0.0.4"));
    let text = reply.text();
    let line =
        "aws_s3_get_requests_total{region=\"us-east-1\",bucket_name=\"media\",filter_id=\"EntireBucket\"} 3";
    assert!(text.lines().any(|found| found == line), "{text}");

    let query = |metric: &str, stat: &str| {
        json!({
            "MetricDataQueries": [{ "Id": "m", "MetricStat": {
                "Metric": { "Namespace": "AWS/S3", "MetricName": metric, "Dimensions": [
                    { "Name": "BucketName", "Value": "media" }, { "Name": "FilterId", "Value": "EntireBucket" },
                ]},
                "Period": 60, "Stat": stat,
            }}],
            "StartTime": "2013-05-24T00:00:00Z", "EndTime": "2013-05-24T00:05:00Z",
        })
    };
    for (metric, stat, value) in [
        ("GetRequests", "Sum", 3.0),
        ("4xxErrors", "Sum", 1.0),
        ("BytesDownloaded", "Maximum", 300_000.0),
        ("TotalRequestLatency", "SampleCount", 3.0),
    ] {
        let (status, answer) =
            admin.call("POST", "/cloudwatch/GetMetricData", Some(query(metric, stat))).await;
        assert_eq!((status, &answer["MetricDataResults"][0]["Values"]), (200, &json!([value])), "{metric}");
    }
    let aws = request("POST", "/cloudwatch/")
        .header("x-amz-target", "GraniteServiceVersion20100801.GetMetricData")
        .body(query("GetRequests", "Sum").to_string().as_bytes());
    let reply = Client::connect(admin.port).await.send(aws).await;
    assert!(reply.status == 200 && reply.text().contains("\"Values\":[3.0]"), "{}", reply.text());
    let (status, answer) = admin.call("POST", "/cloudwatch/GetMetricData", Some(json!({}))).await;
    assert_eq!((status, &answer["__type"]), (400, &"ValidationError".into()));
    admin.bench.finish().await;
}

#[tokio::test]
async fn oversized_and_half_sent_requests_are_bounded() {
    let admin = Admin::start().await;
    let large = vec![b'x'; (1 << 20) + 1];
    let reply = Client::connect(admin.port).await.send(request("POST", "/faults").body(&large)).await;
    assert_eq!(reply.status, 413);
    let mut half = Client::connect(admin.port).await;
    half.write(b"POST /faults HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\n{").await;
    drop(half);
    eventually("the port still serves", || true).await;
    assert_eq!(admin.call("GET", "/health", None).await.0, 200);
    admin.bench.finish().await;
}

#[tokio::test]
async fn a_write_can_happen_and_its_answer_be_lost() {
    let admin = Admin::start().await;
    let rule = json!({ "ops": ["PutObject"], "point": "respond", "close": "reset", "count": 1 });
    assert_eq!(admin.call("POST", "/faults", Some(rule)).await.0, 201);
    let mut client = admin.bench.connect(EAST).await;
    client.post(&request("PUT", "/media/lost").body(b"kept")).await;
    assert!(client.is_closed().await);
    assert_eq!(admin.bench.send(EAST, get("/media/lost")).await.body, b"kept");
    let hint = json!({ "code": "SlowDown", "amz_retry_after_ms": 250, "retry_after": 1 });
    assert_eq!(admin.call("POST", "/faults", Some(hint)).await.0, 201);
    let reply = admin.bench.send(EAST, get("/media/lost")).await;
    assert_eq!((reply.header("x-amz-retry-after"), reply.header("retry-after")), (Some("250"), Some("1")));
    let lines = admin.journal("").await;
    assert_eq!((&lines[0]["applied"], &lines[0]["fault"]), (&true.into(), &"rule-1".into()));
    admin.bench.finish().await;
}
