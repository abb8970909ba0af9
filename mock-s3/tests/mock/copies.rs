//! CopyObject: what is copied, what is not, and what S3 does not copy.

use gatecrash_mock_s3::IdentityConfig;

use crate::support::{Bench, EAST, Reply, Request, StepClock, WEST, config, get, request};

const OBJECT: &str = "/reports/o";

async fn bench() -> Bench {
    let mut config = config();
    // May write, and read nothing but what is public.
    let writer = IdentityConfig::new("writer").allow(&["s3:PutObject"], &["arn:aws:s3:::reports/*"]);
    config.identities.push(writer);
    let (clock, hook) =
        (std::sync::Arc::new(StepClock::default()), std::sync::Arc::new(gatecrash_mock_s3::NoFaults));
    let bench = Bench::with(config, clock, hook).await;
    let headers = [
        ("content-type", "text/csv"),
        ("x-amz-meta-colour", "red"),
        ("x-amz-tagging", "a=1"),
        ("x-amz-acl", "public-read"),
        ("x-amz-storage-class", "STANDARD_IA"),
    ];
    let put = request("PUT", OBJECT).body(b"hello");
    let put = headers.iter().fold(put, |put, (name, value)| put.header(name, value));
    assert_eq!(bench.signed("app", EAST, put).await.status, 200);
    bench
}

fn copy<'a>(source: &str, target: &'a str) -> Request<'a> {
    request("PUT", target).body(b"").header("x-amz-copy-source", source)
}

async fn app(bench: &Bench, request: Request<'_>) -> Reply {
    bench.signed("app", EAST, request).await
}

#[tokio::test]
async fn metadata_and_tags_come_along_and_the_rest_does_not() {
    let bench = bench().await;
    let reply = app(&bench, copy("/reports/o", "/reports/c")).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(reply.element("ETag").as_deref(), Some("&quot;5d41402abc4b2a76b9719d911017c592&quot;"));
    assert_eq!(reply.element("LastModified").as_deref(), Some("2013-05-24T00:00:00.000Z"));
    assert!(reply.element("ChecksumCRC64NVME").is_some());
    let copied = app(&bench, get("/reports/c")).await;
    assert_eq!((copied.body.as_slice(), copied.header("content-type")), (&b"hello"[..], Some("text/csv")));
    assert_eq!(copied.header("x-amz-meta-colour"), Some("red"));
    assert_eq!(
        (copied.header("x-amz-tagging-count"), copied.header("x-amz-storage-class")),
        (Some("1"), None)
    );
    assert_eq!(bench.send(EAST, get("/reports/c")).await.status, 403);
}

#[tokio::test]
async fn directives_replace() {
    let bench = bench().await;
    let replaced = copy("reports/o", "/reports/c")
        .header("x-amz-metadata-directive", "REPLACE")
        .header("x-amz-tagging-directive", "REPLACE")
        .header("x-amz-meta-shape", "round")
        .header("x-amz-checksum-algorithm", "SHA1");
    let reply = app(&bench, replaced).await;
    assert_eq!(reply.element("ChecksumSHA1").as_deref(), Some("qvTGHdzF6KLavt4PO0gs2a6pQ00="));
    let copied = app(&bench, get("/reports/c")).await;
    assert_eq!(
        (copied.header("x-amz-meta-colour"), copied.header("x-amz-meta-shape")),
        (None, Some("round"))
    );
    assert_eq!(copied.header("content-type"), Some("binary/octet-stream"));
    assert_eq!(copied.header("x-amz-tagging-count"), None);
}

#[tokio::test]
async fn onto_itself_only_with_a_change() {
    let bench = bench().await;
    let same = || copy("reports/o", OBJECT).header("x-amz-storage-class", "STANDARD_IA");
    let refused = app(&bench, same()).await;
    assert_eq!(refused.verdict(), (400, "InvalidRequest".into()));
    assert!(refused.text().contains("to copy an object to itself"));
    assert_eq!(app(&bench, same().header("x-amz-metadata-directive", "REPLACE")).await.status, 200);
    assert_eq!(app(&bench, copy("reports/o", OBJECT)).await.status, 200);
    assert_eq!(app(&bench, get(OBJECT)).await.header("x-amz-storage-class"), None);
}

#[tokio::test]
async fn synthetic_objects_are_copied_within_and_between_regions() {
    let bench = bench().await;
    let original = app(&bench, get("/reports/r/3.csv")).await;
    assert_eq!(app(&bench, copy("reports/r/3.csv", "/reports/c")).await.status, 200);
    let copied = app(&bench, get("/reports/c")).await;
    assert_eq!(copied.body, original.body);
    assert!(!copied.header("etag").unwrap().contains('-'));
    // The west has the bucket under another name.
    let across = bench.signed("admin", WEST, copy("reports/o", "/reports-dr/c")).await;
    assert_eq!(across.status, 200, "{}", across.text());
    assert_eq!(bench.signed("app", WEST, get("/reports-dr/c")).await.body, b"hello");
}

#[tokio::test]
async fn what_is_not_copied() {
    let bench = bench().await;
    let from = |source: &str| copy(source, "/reports/c");
    let table = [
        ("no key", from("reports"), 400, "InvalidArgument"),
        ("no such key", from("reports/none"), 404, "NoSuchKey"),
        ("no such bucket", from("nowhere/o"), 404, "NoSuchBucket"),
        ("bad version", from("reports/o?versionId=1"), 400, "InvalidArgument"),
        ("directive", from("reports/o").header("x-amz-metadata-directive", "KEEP"), 400, "InvalidArgument"),
        ("tags", from("reports/o").header("x-amz-tagging-directive", "KEEP"), 400, "InvalidArgument"),
        ("algorithm", from("reports/o").header("x-amz-checksum-algorithm", "MD4"), 400, "InvalidRequest"),
        ("if-match", from("reports/o").header("x-amz-copy-source-if-match", "x"), 412, "PreconditionFailed"),
        (
            "if-none-match",
            from("reports/o").header("x-amz-copy-source-if-none-match", "5d41402abc4b2a76b9719d911017c592"),
            412,
            "PreconditionFailed",
        ),
        (
            "owner",
            from("reports/o").header("x-amz-source-expected-bucket-owner", "000000000009"),
            403,
            "AccessDenied",
        ),
        (
            "target is there",
            copy("reports/r/1.csv", OBJECT).header("if-none-match", "*"),
            412,
            "PreconditionFailed",
        ),
    ];
    for (name, request, status, code) in table {
        assert_eq!(app(&bench, request).await.verdict(), (status, code.into()), "{name}");
    }
    assert_eq!(app(&bench, get("/reports/c")).await.status, 404);
}

#[tokio::test]
async fn both_ends_are_authorised() {
    let bench = bench().await;
    let writer = |request| bench.signed("writer", EAST, request);
    let denied = writer(copy("reports/r/1.csv", "/reports/c")).await;
    assert_eq!(denied.verdict(), (403, "AccessDenied".into()));
    assert!(denied.text().contains("s3:GetObject on resource"), "{}", denied.text());
    assert_eq!(writer(copy("media/img/000001.bin", "/reports/c")).await.status, 200);
    let denied = bench.signed("guest", EAST, copy("media/img/000001.bin", "/reports/c")).await;
    assert_eq!(denied.verdict(), (403, "AccessDenied".into()));
    // Headers that do more than write need more than writing.
    for (name, value) in [("x-amz-acl", "public-read"), ("x-amz-tagging", "a=b")] {
        let put = request("PUT", OBJECT).body(b"x").header(name, value);
        assert_eq!(writer(put).await.verdict(), (403, "AccessDenied".into()), "{name}");
    }
}
