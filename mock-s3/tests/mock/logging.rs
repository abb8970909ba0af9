//! Access logs as a bucket's owner asks for them.

use crate::admin::Admin;
use crate::reconcile::fields;
use crate::support::{EAST, Reply, get, request};

async fn owner(admin: &Admin, method: &str, target: &str, body: &str) -> Reply {
    admin.bench.signed("admin", EAST, request(method, target).body(body.as_bytes())).await
}

#[tokio::test]
async fn logs_are_delivered_where_put_bucket_logging_says() {
    let admin = Admin::start().await;
    assert_eq!(owner(&admin, "PUT", "/logs", "").await.status, 200);
    let enabled = "<BucketLoggingStatus xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><LoggingEnabled>\
        <TargetBucket>logs</TargetBucket><TargetPrefix>media/</TargetPrefix></LoggingEnabled></BucketLoggingStatus>";
    let put = owner(&admin, "PUT", "/media?logging=", enabled).await;
    assert_eq!(put.status, 200, "{}", put.text());
    let whole = admin.bench.send(EAST, get("/media/img/000001.bin").header("referer", "http://x/")).await;
    admin.bench.signed("app", EAST, get("/media/none")).await;
    admin.bench.send(EAST, get("/reports/r/1.csv")).await;
    let (status, _) = admin.call("POST", "/access-log/deliver", None).await;
    assert_eq!(status, 200);

    let list = owner(&admin, "GET", "/logs?list-type=2", "").await;
    assert_eq!(list.element("KeyCount").as_deref(), Some("1"), "{}", list.text());
    let key = list.element("Key").unwrap();
    assert!(key.starts_with("media/2013-05-24-00-00-00-"), "{key}");
    let log = owner(&admin, "GET", &format!("/logs/{key}"), "").await;
    let lines: Vec<Vec<String>> = log.text().lines().map(fields).collect();
    let short: Vec<[&str; 6]> =
        lines.iter().map(|l| [&*l[1], &*l[4], &*l[6], &*l[7], &*l[9], &*l[15]]).collect();
    let app = "arn:aws:iam::000000000001:user/app";
    assert_eq!(
        short,
        [
            ["media", "-", "REST.GET.OBJECT", "img/000001.bin", "200", "http://x/"],
            ["media", app, "REST.GET.OBJECT", "none", "404", "-"],
        ]
    );
    assert_eq!(lines[0][5], whole.header("x-amz-request-id").unwrap());
    assert_eq!(lines[0][18], whole.header("x-amz-id-2").unwrap());
    assert_eq!([&lines[1][19], &lines[1][21]], ["SigV4", "AuthHeader"]);

    // Turned off, nothing more is delivered.
    let disabled = "<BucketLoggingStatus xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"/>";
    assert_eq!(owner(&admin, "PUT", "/media?logging=", disabled).await.status, 200);
    let delivered = async || {
        admin.call("POST", "/access-log/deliver", None).await;
        owner(&admin, "GET", "/logs?list-type=2", "").await.element("KeyCount").unwrap()
    };
    let so_far = delivered().await;
    assert_eq!(so_far, "2", "the request that turned it off was still logged");
    admin.bench.send(EAST, get("/media/img/000001.bin")).await;
    assert_eq!(delivered().await, so_far);
    admin.bench.finish().await;
}
