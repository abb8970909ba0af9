//! The protocol, byte by byte: heads, bodies, ranges, conditions, lists, errors, and what the journal says.

use crate::support::{Bench, EAST, Request, WALL, WEST, get, request};
use gatecrash_model::{Decision, Op, RequestId, RunId, UpstreamRecord, hash};

/// The bytes a synthetic object must have.
fn content(bench: &Bench, bucket: &str, key: &str, offset: u64, length: usize) -> Vec<u8> {
    let content = bench.pool.content(bucket, key, 0);
    let mut out = Vec::new();
    while out.len() < length {
        let chunk = content.chunk(&bench.pool, offset + out.len() as u64, length - out.len());
        out.extend_from_slice(chunk);
    }
    out
}

#[tokio::test]
async fn a_synthetic_object_is_its_content_in_every_region() {
    let bench = Bench::start().await;
    let expected = content(&bench, "media", "img/000042.bin", 0, 300_000);
    for region in [EAST, WEST] {
        let reply = bench.send(region, get("/media/img/000042.bin")).await;
        assert_eq!(reply.status, 200);
        assert_eq!(reply.body, expected);
        assert_eq!(reply.header("content-length"), Some("300000"));
        assert_eq!(reply.header("content-type"), Some("binary/octet-stream"));
        assert_eq!(reply.header("accept-ranges"), Some("bytes"));
        assert_eq!(reply.header("server"), Some("AmazonS3"));
        assert_eq!(reply.header("date"), Some("Fri, 24 May 2013 00:00:00 GMT"));
        assert_eq!(reply.header("last-modified"), Some("Fri, 24 May 2013 00:00:00 GMT"));
        let etag = reply.header("etag").unwrap();
        assert!(etag.len() == 36 && etag.ends_with("-1\""), "{etag}");
        let id = reply.header("x-amz-request-id").unwrap();
        assert!(id.len() == 16 && id.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_uppercase()), "{id}");
        assert!(reply.header("x-amz-id-2").is_some());
    }
}

#[tokio::test]
async fn a_head_has_everything_but_the_body() {
    let bench = Bench::start().await;
    let mut client = bench.connect(EAST).await;
    let reply = client.send(request("HEAD", "/media/img/000001.bin")).await;
    assert_eq!((reply.status, reply.header("content-length")), (200, Some("300000")));
    // The same connection goes on.
    let missing = client.send(request("HEAD", "/media/img/999999.bin")).await;
    assert_eq!((missing.status, missing.header("content-type")), (404, None));
    assert_eq!(client.send(get("/media/img/000001.bin")).await.body.len(), 300_000);
}

#[tokio::test]
async fn ranges() {
    let bench = Bench::start().await;
    let mut client = bench.connect(EAST).await;
    let key = "img/000007.bin";
    let target = "/media/img/000007.bin";
    let reply = client.send(get(target).header("range", "bytes=1000-200999")).await;
    assert_eq!((reply.status, reply.header("content-range")), (206, Some("bytes 1000-200999/300000")));
    assert_eq!(reply.body, content(&bench, "media", key, 1000, 200_000));
    let reply = client.send(get(target).header("range", "bytes=-10")).await;
    assert_eq!(reply.body, content(&bench, "media", key, 299_990, 10));
    let reply = client.send(get(target).header("range", "bytes=0-1,5-6")).await;
    assert_eq!((reply.status, reply.body.len()), (200, 300_000));
    let reply = client.send(get(target).header("range", "bytes=300000-")).await;
    assert_eq!(reply.verdict(), (416, "InvalidRange".into()));
    assert_eq!(reply.header("content-range"), Some("bytes */300000"));
    assert_eq!(reply.element("ActualObjectSize").as_deref(), Some("300000"));
}

#[tokio::test]
async fn conditional_reads() {
    let bench = Bench::start().await;
    let mut client = bench.connect(EAST).await;
    let target = "/media/img/000007.bin";
    let etag = client.send(request("HEAD", target)).await.header("etag").unwrap().to_owned();
    let reply = client.send(get(target).header("if-none-match", &etag)).await;
    assert_eq!((reply.status, reply.body.len(), reply.header("etag")), (304, 0, Some(etag.as_str())));
    let reply = client.send(get(target).header("if-match", "\"other\"")).await;
    assert_eq!(reply.verdict(), (412, "PreconditionFailed".into()));
    assert_eq!(reply.element("Condition").as_deref(), Some("If-Match"));
    let reply = client.send(get(target).header("if-match", &etag)).await;
    assert_eq!(reply.status, 200);
}

#[tokio::test]
async fn an_upload_is_stored_in_its_region_only_and_read_back() {
    let bench = Bench::start().await;
    let body = vec![7u8; 200_000];
    let put =
        request("PUT", "/media/up/1").header("x-amz-meta-colour", "red").header("content-type", "text/plain");
    let reply = bench.send(EAST, put.body(&body)).await;
    assert_eq!((reply.status, reply.header("content-length")), (200, Some("0")));
    let etag = reply.header("etag").unwrap().to_owned();
    let read = bench.send(EAST, get("/media/up/1")).await;
    assert_eq!((read.status, &read.body), (200, &body));
    assert_eq!(read.header("etag"), Some(etag.as_str()));
    assert_eq!(read.header("x-amz-meta-colour"), Some("red"));
    assert_eq!(read.header("content-type"), Some("text/plain"));
    assert_eq!(bench.send(WEST, get("/media/up/1")).await.verdict(), (404, "NoSuchKey".into()));

    bench.send(EAST, request("PUT", "/media/up/1").body(b"again")).await;
    let entries = bench.mock.store_entries();
    assert_eq!(entries.len(), 1);
    assert_eq!((entries[0].region.as_str(), entries[0].bucket.as_str()), (EAST, "media"));
    assert_eq!((entries[0].key.as_str(), entries[0].length, entries[0].writes), ("up/1", 5, 2));
    assert_eq!(entries[0].hash, hash::bytes(b"again"));
}

#[tokio::test]
async fn uploads_are_checked() {
    let bench = Bench::start().await;
    let put = || request("PUT", "/media/up/1");
    let md5 = "XUFAKrxLKna5cZ2REBfFkg==";
    let table: Vec<(Request<'_>, u16, &str)> = vec![
        (put().header("content-md5", md5).body(b"hello"), 200, ""),
        (put().header("content-md5", md5).body(b"hellO"), 400, "BadDigest"),
        (put().header("content-md5", "nonsense").body(b"hello"), 400, "InvalidDigest"),
        (put().header("x-amz-checksum-crc32", "NhCmhg==").body(b"hello"), 200, ""),
        (put().header("x-amz-checksum-crc32", "NhCmhg==").body(b"hellO"), 400, "BadDigest"),
        (
            put().header("x-amz-content-sha256", &"0".repeat(64)).body(b"hello"),
            400,
            "XAmzContentSHA256Mismatch",
        ),
        (put().header("x-amz-content-sha256", "nonsense").body(b"hello"), 400, "InvalidArgument"),
        (put(), 411, "MissingContentLength"),
        (put().header("if-none-match", "*").body(b"hello"), 412, "PreconditionFailed"),
        (put().header("if-match", "\"5d41402abc4b2a76b9719d911017c592\"").body(b"hello"), 200, ""),
        (request("PUT", "/media/up/2").header("if-none-match", "*").body(b""), 200, ""),
        (request("PUT", "/media/up/3").header("if-match", "\"x\"").body(b""), 404, "NoSuchKey"),
    ];
    for (request, status, code) in table {
        let shown = format!("{request:?}");
        assert_eq!(bench.send(EAST, request).await.verdict(), (status, code.into()), "{shown}");
    }
    let mut client = bench.connect(EAST).await;
    let chunked = put().header("transfer-encoding", "chunked");
    client.post(&chunked).await;
    client.write(b"5\r\nhello\r\n0\r\n\r\n").await;
    let reply = client.reply("PUT").await;
    assert_eq!(reply.verdict(), (501, "NotImplemented".into()));
    assert_eq!(reply.element("Header").as_deref(), Some("Transfer-Encoding"));
}

#[tokio::test]
async fn aws_chunked_uploads_are_unwrapped() {
    let bench = Bench::start().await;
    let put = request("PUT", "/media/up/1")
        .header("x-amz-content-sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER")
        .header("x-amz-decoded-content-length", "5")
        .header("content-encoding", "aws-chunked")
        .header("x-amz-trailer", "x-amz-checksum-crc32")
        .body(b"5\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n");
    assert_eq!(bench.send(EAST, put).await.status, 200);
    let read = bench.send(EAST, get("/media/up/1")).await;
    assert_eq!((read.text().as_str(), read.header("content-encoding")), ("hello", None));
    let records = bench.records(2).await;
    assert_eq!((records[0].body_bytes, records[0].body_hash), (5, hash::bytes(b"hello")));
}

#[tokio::test]
async fn deletes_hide_synthetic_objects_and_never_fail_on_missing_ones() {
    let bench = Bench::start().await;
    let target = "/media/img/000003.bin";
    assert_eq!(bench.send(EAST, request("DELETE", target)).await.status, 204);
    assert_eq!(bench.send(EAST, request("DELETE", target)).await.status, 204);
    assert_eq!(bench.send(EAST, get(target)).await.verdict(), (404, "NoSuchKey".into()));
    assert_eq!(bench.send(WEST, get(target)).await.status, 200);
    let body = b"<Delete><Object><Key>img/000004.bin</Key></Object><Object><Key>none</Key></Object></Delete>";
    let reply = bench.send(EAST, request("POST", "/media?delete").digested(body)).await;
    assert_eq!(reply.status, 200);
    assert!(reply.text().contains("<Deleted><Key>img/000004.bin</Key></Deleted><Deleted><Key>none</Key>"));
    assert_eq!(bench.send(EAST, get("/media/img/000004.bin")).await.status, 404);
    let bad = bench.send(EAST, request("POST", "/media?delete").digested(b"<Delete")).await;
    assert_eq!(bad.verdict(), (400, "MalformedXML".into()));
    let flags: Vec<u16> = bench.records(7).await.iter().map(|r| r.flags & UpstreamRecord::APPLIED).collect();
    assert_eq!(flags, [1, 0, 0, 0, 1, 0, 0]);
}

#[tokio::test]
async fn lists_are_paged_grouped_and_encoded() {
    let bench = Bench::start().await;
    let mut client = bench.connect(EAST).await;
    client.send(request("PUT", "/media/a%20b/1").body(b"x")).await;
    let first = client.send(get("/media?list-type=2&max-keys=2&prefix=img/")).await;
    assert_eq!(first.header("x-amz-bucket-region"), Some(EAST));
    assert_eq!(first.element("IsTruncated").as_deref(), Some("true"));
    assert_eq!(first.element("Key").as_deref(), Some("img/000000.bin"));
    assert_eq!(first.element("Size").as_deref(), Some("300000"));
    let token = first.element("NextContinuationToken").unwrap();
    let target = format!("/media?list-type=2&max-keys=2&prefix=img/&continuation-token={token}");
    assert_eq!(client.send(get(&target)).await.element("Key").as_deref(), Some("img/000002.bin"));
    let groups = client.send(get("/media?list-type=2&delimiter=%2F&encoding-type=url")).await;
    assert_eq!(groups.element("KeyCount").as_deref(), Some("2"));
    let text = groups.text();
    assert!(text.contains("<CommonPrefixes><Prefix>a+b/</Prefix></CommonPrefixes>"), "{text}");
    assert!(text.contains("<CommonPrefixes><Prefix>img/</Prefix></CommonPrefixes>"), "{text}");
    let last = client.send(get("/media?list-type=2&start-after=img/000198.bin")).await;
    assert_eq!(last.element("KeyCount").as_deref(), Some("1"));
    let bad = client.send(get("/media?list-type=2&max-keys=many")).await;
    assert_eq!(bad.verdict(), (400, "InvalidArgument".into()));
}

#[tokio::test]
async fn buckets_are_made_listed_and_deleted() {
    let bench = Bench::start().await;
    let send = |request| bench.signed("admin", WEST, request);
    let west = b"<CreateBucketConfiguration><LocationConstraint>us-west-2</LocationConstraint>\
        </CreateBucketConfiguration>";
    let fresh = || request("PUT", "/fresh").body(west);
    assert_eq!(send(fresh()).await.status, 200);
    assert_eq!(send(fresh()).await.verdict(), (409, "BucketAlreadyOwnedByYou".into()));
    assert_eq!(send(request("PUT", "/Bad_Name")).await.verdict(), (400, "InvalidBucketName".into()));
    let listed = send(get("/")).await.text();
    let at = |name: &str| listed.find(&format!("<Name>{name}</Name>")).unwrap_or_else(|| panic!("{name}"));
    assert!(at("fresh") < at("media") && at("media") < at("reports-dr"));
    let head = send(request("HEAD", "/fresh")).await;
    assert_eq!((head.status, head.header("x-amz-bucket-region")), (200, Some(WEST)));
    assert_eq!(send(request("PUT", "/fresh/k").body(b"x")).await.status, 200);
    assert_eq!(send(request("DELETE", "/fresh")).await.verdict(), (409, "BucketNotEmpty".into()));
    assert_eq!(send(request("DELETE", "/fresh/k")).await.status, 204);
    assert_eq!(send(request("DELETE", "/fresh")).await.status, 204);
    assert_eq!(send(request("HEAD", "/fresh")).await.status, 404);
}

#[tokio::test]
async fn errors_are_whole_documents_and_keep_the_connection() {
    let bench = Bench::start().await;
    let mut client = bench.connect(EAST).await;
    let reply = client.send(get("/media/none?x=1")).await;
    assert_eq!(reply.verdict(), (404, "NoSuchKey".into()));
    assert_eq!(reply.header("content-type"), Some("application/xml"));
    assert_eq!(reply.element("Key").as_deref(), Some("none"));
    assert_eq!(reply.element("Resource").as_deref(), Some("/media/none"));
    assert_eq!(reply.element("RequestId").as_deref(), reply.header("x-amz-request-id"));
    assert_eq!(reply.element("HostId").as_deref(), reply.header("x-amz-id-2"));
    let table = [
        (get("/nobucket/k"), 404, "NoSuchBucket"),
        (get("/nobucket?list-type=2"), 404, "NoSuchBucket"),
        (get("/media?policy"), 403, "AccessDenied"),
        (get("/media?inventory"), 501, "NotImplemented"),
        (request("PATCH", "/media/k"), 405, "MethodNotAllowed"),
        (request("OPTIONS", "/"), 405, "MethodNotAllowed"),
        (get("/media/%ff"), 400, "InvalidURI"),
        (get("/"), 403, "AccessDenied"),
        (get("/media/k?X-Amz-Signature=1"), 400, "AuthorizationQueryParametersError"),
    ];
    for (request, status, code) in table {
        let shown = format!("{request:?}");
        let reply = client.send(request).await;
        assert_eq!(reply.verdict(), (status, code.into()), "{shown}");
        assert_eq!(reply.header("connection"), None, "{shown}");
    }
}

#[tokio::test]
async fn a_refused_upload_is_read_over_when_short_and_closed_when_long() {
    let bench = Bench::start().await;
    let mut client = bench.connect(EAST).await;
    let put = || request("PUT", "/reports/k");
    let short = client.send(put().body(&[1; 100_000])).await;
    assert_eq!((short.status, short.header("connection")), (403, None));
    let mut late = bench.connect(EAST).await;
    late.post(&put().header("content-length", "5").header("expect", "100-continue")).await;
    let reply = late.reply("PUT").await;
    assert_eq!((reply.status, reply.header("connection")), (403, Some("close")));
    assert!(late.is_closed().await);
    let mut long = bench.connect(EAST).await;
    long.post(&put().header("content-length", "20000000")).await;
    assert_eq!(long.reply("PUT").await.header("connection"), Some("close"));
    let records = bench.records(3).await;
    assert_eq!((records[0].body_bytes, records[0].flags), (100_000, UpstreamRecord::BODY_WHOLE));
    assert_eq!((records[1].body_bytes, records[1].flags), (0, 0));
}

#[tokio::test]
async fn the_upload_store_is_bounded() {
    let mut config = crate::support::config();
    config.upload_capacity = 10;
    let bench = Bench::with(
        config,
        std::sync::Arc::new(crate::support::StepClock::default()),
        std::sync::Arc::new(gatecrash_mock_s3::NoFaults),
    )
    .await;
    let put = |target, body: &'static [u8]| bench.send(EAST, request("PUT", target).body(body));
    assert_eq!(put("/media/1", b"12345678").await.status, 200);
    assert_eq!(put("/media/2", b"12345678").await.verdict(), (507, "MockStoreFull".into()));
    bench.send(EAST, request("DELETE", "/media/1")).await;
    assert_eq!(put("/media/2", b"12345678").await.status, 200);
    assert_eq!(put("/media/3", b"12345678901").await.verdict(), (400, "EntityTooLarge".into()));
}

#[tokio::test]
async fn the_journal_tells_it_all() {
    let bench = Bench::start().await;
    let id = RequestId { workload: 2, k: 4410 };
    let header = id.header(RunId(0x9f2c_41aa));
    let got = bench.send(WEST, get("/media/img/000005.bin").header("x-gatecrash-id", &header)).await;
    let put = request("PUT", "/reports/up").body(b"hello").sign(&bench.credentials("app"), EAST, WALL);
    bench.send(EAST, put).await;
    bench.signed("guest", EAST, get("/reports/r/1.csv")).await;
    bench.send(EAST, get("/reports/r/1.csv")).await;
    let records = bench.records(4).await;
    let kept = bench.finish().await;
    let [read, put, denied, anonymous] = records[..] else { panic!("four records") };

    assert_eq!((read.op, read.status, read.region, read.identity), (Op::GetObject, 200, 1, 0));
    assert_eq!(RequestId::unpack(read.request), Some(id));
    assert_eq!(read.attempt, gatecrash_model::AttemptId::NONE);
    assert_eq!(kept.strings.text(read.key), "img/000005.bin");
    assert_eq!((read.sent_bytes, read.body_bytes, read.body_hash), (300_000, 0, 0));
    assert_eq!((read.flags, read.decision), (UpstreamRecord::BODY_WHOLE, Decision::Allowed));
    assert_eq!(read.request_id, hash::bytes(got.header("x-amz-request-id").unwrap().as_bytes()) as u32);
    assert!(read.done > 0);

    assert_eq!((put.op, put.status, put.identity, put.body_bytes), (Op::PutObject, 200, 1, 5));
    assert_eq!(put.flags, UpstreamRecord::APPLIED | UpstreamRecord::BODY_WHOLE);
    assert_eq!(put.body_hash, hash::bytes(b"hello"));

    assert_eq!((denied.status, denied.identity, denied.decision), (403, 2, Decision::ImplicitDeny));
    assert_eq!(kept.strings.text(denied.code), "AccessDenied");
    assert_eq!((anonymous.status, anonymous.identity, anonymous.decision), (403, 0, Decision::ImplicitDeny));
}

#[tokio::test]
async fn a_link_tells_the_mock_which_attempt_it_carries() {
    use gatecrash_model::context::write_cell;
    use gatecrash_model::{AttemptContext, AttemptId};
    let bench = Bench::start().await;
    let mut client = bench.connect(EAST).await;
    let cell = bench.registry.register(client.local());
    for (ordinal, k) in [(0, 10), (1, 11)] {
        let attempt = AttemptId { link: 3, conn: 9, ordinal }.pack();
        let request = RequestId { workload: 0, k }.pack();
        write_cell(&cell, AttemptContext { attempt, request, number: 1 });
        client.send(get("/media/img/000005.bin").header("x-gatecrash-id", "9f2c41aa-0-999")).await;
    }
    let records = bench.records(2).await;
    assert_eq!(AttemptId::unpack(records[1].attempt), Some(AttemptId { link: 3, conn: 9, ordinal: 1 }));
    assert_eq!(RequestId::unpack(records[0].request), Some(RequestId { workload: 0, k: 10 }));
    assert_eq!(RequestId::unpack(records[1].request), Some(RequestId { workload: 0, k: 11 }));
}

#[tokio::test]
async fn a_caller_may_wait_for_continue() {
    let bench = Bench::start().await;
    let mut client = bench.connect(EAST).await;
    let put = request("PUT", "/media/up/1").header("content-length", "5").header("expect", "100-continue");
    client.post(&put).await;
    assert_eq!(client.reply("PUT").await.status, 100);
    client.write(b"hello").await;
    assert_eq!(client.reply("PUT").await.status, 200);
    assert_eq!(bench.send(EAST, get("/media/up/1")).await.text(), "hello");
}

#[tokio::test]
async fn an_empty_upload_is_an_object() {
    let bench = Bench::start().await;
    assert_eq!(bench.send(EAST, request("PUT", "/media/up/0").body(b"")).await.status, 200);
    let read = bench.send(EAST, get("/media/up/0")).await;
    assert_eq!((read.status, read.header("content-length")), (200, Some("0")));
    assert_eq!(read.header("etag"), Some("\"d41d8cd98f00b204e9800998ecf8427e\""));
    assert_eq!(bench.records(2).await[0].body_hash, bench.mock.store_entries()[0].hash);
}
