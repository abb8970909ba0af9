//! Objects: what is written comes back as S3 gives it back, and what S3 refuses is refused in its words.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gatecrash_mock_s3::IdentityConfig;
use md5::{Digest, Md5};

use crate::support::{Bench, EAST, Reply, Request, StepClock, WEST, config, get, request};

const OBJECT: &str = "/reports/o";

/// A mock in which an account of its own, `partner`, may do whatever buckets let it.
async fn bench() -> Bench {
    let mut config = config();
    let mut partner = IdentityConfig::new("partner").allow(&["s3:*"], &["*"]);
    partner.account = "000000000002".into();
    partner.email = Some("partner@example.org".into());
    config.identities.push(partner);
    Bench::with(
        config,
        std::sync::Arc::new(StepClock::default()),
        std::sync::Arc::new(gatecrash_mock_s3::NoFaults),
    )
    .await
}

async fn app(bench: &Bench, request: Request<'_>) -> Reply {
    bench.signed("app", EAST, request).await
}

fn put<'a>(target: &'a str, body: &[u8]) -> Request<'a> {
    request("PUT", target).body(body)
}

fn with<'a>(request: Request<'a>, headers: &[(&str, &str)]) -> Request<'a> {
    headers.iter().fold(request, |request, (name, value)| request.header(name, value))
}

fn shown(reply: &Reply) -> String {
    format!("{} {}", reply.status, reply.text())
}

#[tokio::test]
async fn what_is_written_comes_back() {
    let bench = bench().await;
    let headers = [
        ("content-type", "text/csv"),
        ("content-encoding", "gzip,aws-chunked"),
        ("cache-control", "max-age=60"),
        ("x-amz-meta-colour", "red"),
        ("x-amz-storage-class", "STANDARD_IA"),
        ("x-amz-tagging", "a=1&b=2"),
        ("x-amz-website-redirect-location", "/elsewhere"),
    ];
    let reply = app(&bench, with(put(OBJECT, b"hello"), &headers)).await;
    assert_eq!(reply.status, 200, "{}", shown(&reply));
    assert_eq!(reply.header("etag"), Some("\"5d41402abc4b2a76b9719d911017c592\""));
    assert_eq!(reply.header("x-amz-server-side-encryption"), Some("AES256"));
    assert_eq!((reply.header("x-amz-version-id"), reply.header("content-length")), (None, Some("0")));
    for method in ["GET", "HEAD"] {
        let reply = app(&bench, request(method, OBJECT).header("x-amz-checksum-mode", "ENABLED")).await;
        let expected = [
            ("content-type", "text/csv"),
            ("content-encoding", "gzip"),
            ("cache-control", "max-age=60"),
            ("x-amz-meta-colour", "red"),
            ("x-amz-storage-class", "STANDARD_IA"),
            ("x-amz-tagging-count", "2"),
            ("x-amz-website-redirect-location", "/elsewhere"),
            ("x-amz-server-side-encryption", "AES256"),
            ("x-amz-checksum-type", "FULL_OBJECT"),
            ("accept-ranges", "bytes"),
            ("content-length", "5"),
        ];
        for (name, value) in expected {
            assert_eq!(reply.header(name), Some(value), "{method} {name}");
        }
    }
    let plain = app(&bench, get(OBJECT)).await;
    assert_eq!((plain.body.as_slice(), plain.header("x-amz-checksum-type")), (&b"hello"[..], None));
}

#[tokio::test]
async fn headers_of_a_read_can_be_replaced_by_those_who_sign() {
    let bench = bench().await;
    let target = "/reports/r/1.csv?response-content-type=text%2Fplain&response-expires=0";
    let reply = app(&bench, get(target)).await;
    assert_eq!((reply.header("content-type"), reply.header("expires")), (Some("text/plain"), Some("0")));
    let reply = bench.send(EAST, get("/media/img/000001.bin?response-content-type=x")).await;
    assert_eq!(reply.verdict(), (400, "InvalidRequest".into()));
}

#[tokio::test]
async fn ranges_and_parts() {
    let bench = bench().await;
    let etag = app(&bench, put(OBJECT, b"0123456789")).await.header("etag").unwrap().to_owned();
    let part = app(&bench, get("/reports/o?partNumber=1")).await;
    assert_eq!((part.status, part.header("content-range")), (206, Some("bytes 0-9/10")));
    assert_eq!(part.header("x-amz-mp-parts-count"), None);
    let beyond = app(&bench, get("/reports/o?partNumber=2")).await;
    assert_eq!(beyond.verdict(), (416, "InvalidPartNumber".into()));
    assert_eq!(beyond.element("ActualPartCount").as_deref(), Some("1"));
    for target in ["/reports/o?partNumber=0", "/reports/o?partNumber=x", "/reports/o?partNumber=10001"] {
        assert_eq!(app(&bench, get(target)).await.verdict(), (400, "InvalidArgument".into()), "{target}");
    }
    let both = app(&bench, get("/reports/o?partNumber=1").header("range", "bytes=0-1")).await;
    assert_eq!(both.verdict(), (400, "InvalidRequest".into()));
    let beyond = app(&bench, get(OBJECT).header("range", "bytes=10-")).await;
    assert_eq!(beyond.verdict(), (416, "InvalidRange".into()));
    assert_eq!(beyond.element("ActualObjectSize").as_deref(), Some("10"));
    assert_eq!(beyond.element("RangeRequested").as_deref(), Some("bytes=10-"));
    for (validator, status) in [(etag.as_str(), 206), ("\"other\"", 200)] {
        let reply = app(&bench, with(get(OBJECT), &[("range", "bytes=-3"), ("if-range", validator)])).await;
        assert_eq!(reply.status, status, "{validator}");
    }
}

#[tokio::test]
async fn writes_and_deletions_with_conditions() {
    let bench = bench().await;
    let etag = app(&bench, put(OBJECT, b"one").header("if-none-match", "*")).await;
    let etag = etag.header("etag").unwrap().to_owned();
    let delete = || request("DELETE", OBJECT);
    let table = [
        ("present", put(OBJECT, b"x").header("if-none-match", "*"), 412, "PreconditionFailed"),
        ("other tag", put(OBJECT, b"x").header("if-match", "\"x\""), 412, "PreconditionFailed"),
        ("same tag", put(OBJECT, b"one").header("if-match", &etag), 200, ""),
        ("nothing there", put("/reports/none", b"x").header("if-match", &etag), 404, "NoSuchKey"),
        ("unknown form", put(OBJECT, b"x").header("if-none-match", &etag), 501, "NotImplemented"),
        ("delete another", delete().header("if-match", "\"x\""), 412, "PreconditionFailed"),
        ("another size", delete().header("x-amz-if-match-size", "9"), 412, "PreconditionFailed"),
        ("delete this", delete().header("if-match", &etag), 204, ""),
        ("delete any", delete().header("if-match", "*"), 412, "PreconditionFailed"),
        ("delete nothing", delete(), 204, ""),
    ];
    for (name, request, status, code) in table {
        let reply = app(&bench, request).await;
        assert_eq!(reply.verdict(), (status, code.into()), "{name}");
    }
}

#[tokio::test]
async fn what_s3_refuses_of_a_write() {
    let bench = bench().await;
    let long = "k".repeat(1025);
    let (target, metadata) = (format!("/reports/{long}"), "v".repeat(2100));
    let table = [
        ("long key", put(&target, b""), 400, "KeyTooLongError"),
        ("metadata", put(OBJECT, b"").header("x-amz-meta-a", &metadata), 400, "MetadataTooLarge"),
        ("class", put(OBJECT, b"").header("x-amz-storage-class", "COLD"), 400, "InvalidStorageClass"),
        ("method", put(OBJECT, b"").header("x-amz-server-side-encryption", "X"), 400, "InvalidArgument"),
        ("acl", put(OBJECT, b"").header("x-amz-acl", "public-ready"), 400, "InvalidArgument"),
        ("tags", put(OBJECT, b"").header("x-amz-tagging", "a=1&a=2"), 400, "InvalidArgument"),
        ("lock", put(OBJECT, b"").header("x-amz-object-lock-legal-hold", "ON"), 400, "InvalidRequest"),
        (
            "redirect",
            put(OBJECT, b"").header("x-amz-website-redirect-location", "ftp://x"),
            400,
            "InvalidRedirectLocation",
        ),
    ];
    for (name, request, status, code) in table {
        assert_eq!(app(&bench, request).await.verdict(), (status, code.into()), "{name}");
    }
    assert_eq!(app(&bench, get(OBJECT)).await.status, 404);
}

#[tokio::test]
async fn tags() {
    let bench = bench().await;
    let target = "/reports/r/2.csv?tagging=";
    let document = "<Tagging><TagSet><Tag><Key>b</Key><Value>2 x</Value></Tag>\
                    <Tag><Key>a</Key><Value></Value></Tag></TagSet></Tagging>";
    assert_eq!(app(&bench, put(target, document.as_bytes())).await.status, 200);
    let set = app(&bench, get(target)).await.element("TagSet").unwrap();
    assert_eq!(set, "<Tag><Key>a</Key><Value></Value></Tag><Tag><Key>b</Key><Value>2 x</Value></Tag>");
    // The object itself stays as it was.
    let reply = app(&bench, request("HEAD", "/reports/r/2.csv")).await;
    assert_eq!(
        (reply.header("x-amz-tagging-count"), reply.header("content-length")),
        (Some("2"), Some("4096"))
    );
    assert_eq!(app(&bench, request("DELETE", target)).await.status, 204);
    assert_eq!(app(&bench, get(target)).await.element("TagSet").as_deref(), Some(""));
    let table = [
        (put(target, b"<Tagging>"), 400, "MalformedXML"),
        (put(target, document.replace("2 x", "{").as_bytes()), 400, "InvalidTag"),
        (put("/reports/none?tagging=", document.as_bytes()), 404, "NoSuchKey"),
    ];
    for (request, status, code) in table {
        assert_eq!(app(&bench, request).await.verdict(), (status, code.into()));
    }
}

#[tokio::test]
async fn acls_open_and_close_objects() {
    let bench = bench().await;
    let acl = "/reports/o?acl=";
    app(&bench, put(OBJECT, b"hello").header("x-amz-acl", "public-read")).await;
    assert_eq!(bench.send(EAST, get(OBJECT)).await.body, b"hello");
    assert_eq!(bench.send(EAST, get(acl)).await.verdict(), (403, "AccessDenied".into()));
    let document = app(&bench, get(acl)).await.text();
    assert!(document.contains("<URI>http://acs.amazonaws.com/groups/global/AllUsers</URI>"), "{document}");
    assert!(document.contains("xsi:type=\"CanonicalUser\""), "{document}");
    // What was read can be put again.
    assert_eq!(app(&bench, put(acl, document.as_bytes())).await.status, 200);
    assert_eq!(bench.send(EAST, get(OBJECT)).await.status, 200);
    assert_eq!(app(&bench, put(acl, b"").header("x-amz-acl", "private")).await.status, 200);
    assert_eq!(bench.send(EAST, get(OBJECT)).await.verdict(), (403, "AccessDenied".into()));
    assert_eq!(bench.signed("partner", EAST, get(OBJECT)).await.status, 403);
    let grant = put(acl, b"").header("x-amz-grant-read", "emailAddress=\"partner@example.org\"");
    assert_eq!(app(&bench, grant).await.status, 200);
    assert_eq!(bench.signed("partner", EAST, get(OBJECT)).await.status, 200);
    let table = [
        (put(acl, b""), "MissingSecurityHeader"),
        (put(acl, b"<x/>"), "MalformedACLError"),
        (put(acl, document.as_bytes()).header("x-amz-acl", "private"), "UnexpectedContent"),
        (put(acl, b"").header("x-amz-grant-read", "id=\"nobody\""), "InvalidArgument"),
    ];
    for (request, code) in table {
        assert_eq!(app(&bench, request).await.verdict(), (400, code.into()));
    }
}

#[tokio::test]
async fn keys_of_the_customer() {
    let bench = bench().await;
    let keyed = |request: Request<'static>, key: [u8; 32], from: &str| {
        let name = |tail: &str| format!("x-amz-{from}server-side-encryption-customer-{tail}");
        request
            .header(&name("algorithm"), "AES256")
            .header(&name("key"), &STANDARD.encode(key))
            .header(&name("key-md5"), &STANDARD.encode(Md5::digest(key)))
    };
    let reply = app(&bench, keyed(put(OBJECT, b"hello"), [1; 32], "")).await;
    assert_eq!(reply.header("x-amz-server-side-encryption-customer-algorithm"), Some("AES256"));
    assert_ne!(reply.header("etag"), Some("\"5d41402abc4b2a76b9719d911017c592\""));
    assert_eq!(app(&bench, get(OBJECT)).await.verdict(), (400, "InvalidRequest".into()));
    assert_eq!(app(&bench, request("HEAD", OBJECT)).await.status, 400);
    let other = app(&bench, keyed(get(OBJECT), [2; 32], "")).await;
    assert_eq!(other.verdict(), (403, "AccessDenied".into()));
    let read = app(&bench, keyed(get(OBJECT), [1; 32], "")).await;
    assert_eq!((read.body.as_slice(), read.header("x-amz-server-side-encryption")), (&b"hello"[..], None));
    let copy = || put("/reports/copy", b"").header("x-amz-copy-source", "reports/o");
    assert_eq!(app(&bench, copy()).await.verdict(), (400, "InvalidRequest".into()));
    assert_eq!(app(&bench, keyed(copy(), [1; 32], "copy-source-")).await.status, 200);
    let read = app(&bench, get("/reports/copy")).await;
    assert_eq!(read.header("etag"), Some("\"5d41402abc4b2a76b9719d911017c592\""));
    let kms = app(&bench, put(OBJECT, b"hello").header("x-amz-server-side-encryption", "aws:kms")).await;
    let arn = kms.header("x-amz-server-side-encryption-aws-kms-key-id").unwrap();
    assert!(arn.starts_with("arn:aws:kms:us-east-1:000000000001:key/"), "{arn}");
}

#[tokio::test]
async fn a_bucket_has_a_default_encryption() {
    let bench = bench().await;
    let document = "<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault>\
                    <SSEAlgorithm>aws:kms</SSEAlgorithm><KMSMasterKeyID>abc</KMSMasterKeyID>\
                    </ApplyServerSideEncryptionByDefault></Rule></ServerSideEncryptionConfiguration>";
    assert_eq!(app(&bench, put("/reports?encryption=", document.as_bytes())).await.status, 200);
    let by_default = app(&bench, put(OBJECT, b"hello")).await;
    let arn = "arn:aws:kms:us-east-1:000000000001:key/abc";
    assert_eq!(by_default.header("x-amz-server-side-encryption-aws-kms-key-id"), Some(arn));
    assert_eq!(app(&bench, get(OBJECT)).await.header("x-amz-server-side-encryption"), Some("aws:kms"));
    let named = app(&bench, put(OBJECT, b"hello").header("x-amz-server-side-encryption", "AES256")).await;
    assert_eq!(named.header("x-amz-server-side-encryption"), Some("AES256"));
    assert_eq!(named.header("etag"), Some("\"5d41402abc4b2a76b9719d911017c592\""));
}

#[tokio::test]
async fn archived_objects_are_not_read() {
    let bench = bench().await;
    app(&bench, put(OBJECT, b"hello").header("x-amz-storage-class", "GLACIER")).await;
    let reply = app(&bench, get(OBJECT)).await;
    assert_eq!(reply.verdict(), (403, "InvalidObjectState".into()));
    assert_eq!(reply.element("StorageClass").as_deref(), Some("GLACIER"));
    assert_eq!(app(&bench, request("HEAD", OBJECT)).await.header("x-amz-storage-class"), Some("GLACIER"));
}

#[tokio::test]
async fn attributes() {
    let bench = bench().await;
    app(&bench, put(OBJECT, b"hello")).await;
    let target = "/reports/o?attributes=";
    let all = "ETag,Checksum,ObjectParts,StorageClass,ObjectSize";
    let reply = app(&bench, get(target).header("x-amz-object-attributes", all)).await;
    assert_eq!(reply.element("ETag").as_deref(), Some("5d41402abc4b2a76b9719d911017c592"));
    assert_eq!(reply.element("ObjectSize").as_deref(), Some("5"));
    assert_eq!(reply.element("StorageClass").as_deref(), Some("STANDARD"));
    assert!(reply.element("ChecksumCRC64NVME").is_some() && reply.element("ObjectParts").is_none());
    assert!(reply.header("last-modified").is_some());
    let reply = app(&bench, get(target).header("x-amz-object-attributes", "ObjectSize")).await;
    assert_eq!((reply.element("ObjectSize").as_deref(), reply.element("ETag")), (Some("5"), None));
    assert_eq!(app(&bench, get(target)).await.verdict(), (400, "InvalidRequest".into()));
    let unknown = app(&bench, get(target).header("x-amz-object-attributes", "Colour")).await;
    assert_eq!(unknown.verdict(), (400, "InvalidArgument".into()));
}

#[tokio::test]
async fn missing_objects_are_told_to_those_who_may_list() {
    let bench = bench().await;
    let well_formed = format!("/reports/o?versionId={}", "A".repeat(32));
    let table = [
        ("app", "/reports/none", 404, "NoSuchKey"),
        ("app", well_formed.as_str(), 404, "NoSuchVersion"),
        ("app", "/reports/o?versionId=1", 400, "InvalidArgument"),
        ("app", "/reports/o?versionId=", 400, "InvalidArgument"),
        ("app", "/reports/r/1.csv?versionId=null", 200, ""),
        ("guest", "/reports/none", 403, "AccessDenied"),
        ("guest", "/reports/r/1.csv", 403, "AccessDenied"),
    ];
    for (who, target, status, code) in table {
        let reply = bench.signed(who, EAST, get(target)).await;
        let code = (status, code.to_owned());
        assert_eq!((reply.status, reply.element("Code").unwrap_or_default()), code, "{who} {target}");
    }
    assert_eq!(bench.signed("app", WEST, get("/reports-dr/r/1.csv")).await.status, 200);
}

#[tokio::test]
async fn objects_of_others_are_not_the_buckets_to_give() {
    let bench = bench().await;
    let object = "/media/theirs";
    let partner = |request| bench.signed("partner", EAST, request);
    // The bucket's policy lets everybody write and read.
    assert_eq!(partner(put(object, b"hello")).await.status, 200);
    assert_eq!(partner(get(object)).await.body, b"hello");
    assert_eq!(bench.signed("admin", EAST, get(object)).await.verdict(), (403, "AccessDenied".into()));
    assert_eq!(bench.send(EAST, get(object)).await.verdict(), (403, "AccessDenied".into()));
    let shared = put(object, b"hello").header("x-amz-acl", "bucket-owner-full-control");
    assert_eq!(partner(shared).await.status, 200);
    assert_eq!(bench.signed("admin", EAST, get(object)).await.status, 200);
    assert_eq!(bench.send(EAST, get(object)).await.status, 403);
    // Deleting is the bucket's owner's in any case.
    assert_eq!(bench.signed("admin", EAST, request("DELETE", object)).await.status, 204);
}
