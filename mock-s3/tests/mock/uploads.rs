//! Bodies as clients send them: checksums, signed chunks, presigned URLs, and senders that stall.

use std::sync::Arc;
use std::time::Duration;

use aws_sdk_s3::config::RequestChecksumCalculation;
use aws_sdk_s3::error::ProvideErrorMetadata;
use aws_sdk_s3::presigning::PresigningConfig;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::ChecksumAlgorithm;
use gatecrash_mock_s3::{Credentials, NoFaults};
use gatecrash_model::{UpstreamRecord, hash};

use crate::sdk::{bench, client};
use crate::support::{Bench, EAST, StepClock, config, get, request};

#[tokio::test]
async fn the_official_client_sends_every_checksum() {
    let bench = bench().await;
    let s3 = client(&bench, "app", EAST, EAST);
    let body = vec![9u8; 200_000];
    for algorithm in [
        ChecksumAlgorithm::Crc32,
        ChecksumAlgorithm::Crc32C,
        ChecksumAlgorithm::Crc64Nvme,
        ChecksumAlgorithm::Sha1,
        ChecksumAlgorithm::Sha256,
    ] {
        let put = s3.put_object().bucket("reports").key("up/1").checksum_algorithm(algorithm.clone());
        put.body(ByteStream::from(body.clone()))
            .send()
            .await
            .unwrap_or_else(|e| panic!("{algorithm}: {e:?}"));
        let read = s3.get_object().bucket("reports").key("up/1").send().await.unwrap();
        assert_eq!(read.body.collect().await.unwrap().to_vec(), body, "{algorithm}");
    }
    let wrong = s3.put_object().bucket("reports").key("up/1").checksum_crc32("AAAAAA==");
    let wrong = wrong.body(ByteStream::from(body.clone())).send().await.unwrap_err().into_service_error();
    assert_eq!(wrong.code(), Some("BadDigest"));
    assert_eq!(wrong.message(), Some("The CRC32 you specified did not match the calculated checksum."));
    // With checksums only when they are required the payload is hashed and signed instead.
    let plain = s3.config().to_builder();
    let plain = plain.request_checksum_calculation(RequestChecksumCalculation::WhenRequired).build();
    let plain = aws_sdk_s3::Client::from_conf(plain);
    plain.put_object().bucket("reports").key("up/2").body(ByteStream::from(body)).send().await.unwrap();
}

/// Method, target and headers of a presigned request.
fn presigned(url: &aws_sdk_s3::presigning::PresignedRequest) -> crate::support::Request<'_> {
    let target = url.uri().split_once("//").unwrap().1;
    let (host, _) = target.split_once('/').unwrap();
    let target = &target[host.len()..];
    let headers = url.headers().map(|(name, value)| (name.to_owned(), value.to_owned()));
    let mut headers: Vec<_> = headers.filter(|(name, _)| name != "content-length").collect();
    headers.push(("host".to_owned(), host.to_owned()));
    crate::support::Request { method: url.method(), target, headers, body: Vec::new() }
}

#[tokio::test]
async fn presigned_urls_of_the_official_client_work_for_what_they_were_made() {
    let bench = bench().await;
    let s3 = client(&bench, "app", EAST, EAST);
    let hour = PresigningConfig::expires_in(Duration::from_secs(3600)).unwrap();
    let put = s3.put_object().bucket("reports").key("up/a b").presigned(hour.clone()).await.unwrap();
    let sent = bench.send(EAST, presigned(&put).body(b"hello")).await;
    assert_eq!(sent.status, 200, "{}", sent.text());
    let read = s3.get_object().bucket("reports").key("up/a b").presigned(hour.clone()).await.unwrap();
    assert_eq!(bench.send(EAST, presigned(&read)).await.text(), "hello");
    let mut other = presigned(&read);
    let target = other.target.replace("up/a", "up/b");
    other.target = &target;
    assert_eq!(bench.send(EAST, other).await.verdict(), (403, "SignatureDoesNotMatch".into()));
    let mut delete = presigned(&read);
    delete.method = "DELETE";
    assert_eq!(bench.send(EAST, delete).await.verdict(), (403, "SignatureDoesNotMatch".into()));
    let head = s3.head_object().bucket("reports").key("up/a b").presigned(hour.clone()).await.unwrap();
    assert_eq!(bench.send(EAST, presigned(&head)).await.header("content-length"), Some("5"));
    let guest = client(&bench, "guest", EAST, EAST);
    let denied = guest.get_object().bucket("reports").key("up/a b").presigned(hour).await.unwrap();
    assert_eq!(bench.send(EAST, presigned(&denied)).await.verdict(), (403, "AccessDenied".into()));
    let before = std::time::SystemTime::now() - Duration::from_secs(120);
    let minute = PresigningConfig::builder().start_time(before).expires_in(Duration::from_secs(60));
    let minute = minute.build().unwrap();
    let late = s3.get_object().bucket("reports").key("up/a b").presigned(minute).await.unwrap();
    let late = bench.send(EAST, presigned(&late)).await;
    assert_eq!(late.verdict(), (403, "AccessDenied".into()));
    assert_eq!(late.element("Message").as_deref(), Some("Request has expired"));
}

#[tokio::test]
async fn a_body_is_checked_against_everything_its_head_says() {
    let bench = Bench::start().await;
    let put = || request("PUT", "/media/up/1");
    let sha1 = "qvTGHdzF6KLavt4PO0gs2a6pQ00=";
    let chunked = |body: &str, length: &str| {
        put()
            .header("x-amz-content-sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER")
            .header("x-amz-decoded-content-length", length)
            .header("x-amz-trailer", "x-amz-checksum-crc32")
            .body(body.as_bytes())
    };
    let two = "x-amz-checksum-sha1";
    let table = [
        (put().header("x-amz-checksum-sha1", sha1).body(b"hello"), 200, ""),
        (put().header("x-amz-checksum-sha1", sha1).body(b"hellO"), 400, "BadDigest"),
        (put().header("x-amz-checksum-sha1", "qvTG").body(b"hello"), 400, "InvalidRequest"),
        (
            put().header(two, sha1).header("x-amz-checksum-crc32", "NhCmhg==").body(b"hello"),
            400,
            "InvalidRequest",
        ),
        (put().header("content-md5", "").body(b"hello"), 400, "InvalidDigest"),
        (chunked("5\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n", "5"), 200, ""),
        (chunked("5\r\nhello\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n", "5"), 400, "BadDigest"),
        (chunked("5\r\nhello\r\n0\r\n\r\n", "5"), 400, "MalformedTrailerError"),
        (chunked("5\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n", "6"), 400, "IncompleteBody"),
        (
            chunked("1\r\nh\r\n4\r\nello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n", "5"),
            403,
            "InvalidChunkSizeError",
        ),
    ];
    for (request, status, code) in table {
        let shown = format!("{request:?}");
        assert_eq!(bench.send(EAST, request).await.verdict(), (status, code.into()), "{shown}");
    }
    let expect = put().header("expect", "200").header("x-amz-checksum-crc32", "NhCmhg==").body(b"hello");
    assert_eq!(bench.send(EAST, expect).await.status, 200);
}

#[tokio::test]
async fn a_body_that_stalls_is_given_up() {
    let mut config = config();
    config.idle_timeout = Duration::from_millis(50);
    let bench = Bench::with(config, Arc::new(StepClock::default()), Arc::new(NoFaults)).await;
    let mut client = bench.connect(EAST).await;
    client.post(&request("PUT", "/media/up/1").header("content-length", "5")).await;
    client.write(b"hel").await;
    let reply = client.reply("PUT").await;
    assert_eq!(reply.verdict(), (400, "RequestTimeout".into()));
    assert_eq!(reply.header("connection"), Some("close"));
    assert!(client.is_closed().await);
    assert_eq!(bench.send(EAST, get("/media/up/1")).await.status, 404);
    let record = bench.records(2).await[0];
    assert_eq!((record.body_bytes, record.flags & UpstreamRecord::BODY_WHOLE), (3, 0));
}

#[tokio::test]
async fn half_a_head_is_given_up_and_an_idle_connection_is_not() {
    let mut config = config();
    config.idle_timeout = Duration::from_millis(30);
    let bench = Bench::with(config, Arc::new(StepClock::default()), Arc::new(NoFaults)).await;
    let (mut idle, mut served) = (bench.connect(EAST).await, bench.connect(EAST).await);
    assert_eq!(served.send(get("/media/img/000001.bin")).await.status, 200);
    for begin in ["GET /media/img/000001.bin HT", "G"] {
        let mut half = bench.connect(EAST).await;
        half.write(begin.as_bytes()).await;
        assert!(half.is_closed().await);
    }
    // Both are older than the connections that were closed.
    assert_eq!(idle.send(get("/media/img/000001.bin")).await.status, 200);
    served.write(b"GET / HTTP/1.1\r\nhost").await;
    assert!(served.is_closed().await);
    assert_eq!(idle.send(get("/media/img/000001.bin")).await.status, 200);
}

#[tokio::test]
async fn an_upload_in_many_small_pieces_is_one_object() {
    let bench = Bench::start().await;
    let body: Vec<u8> = (0..100_000_u32).map(|n| (n % 251) as u8).collect();
    let mut client = bench.connect(EAST).await;
    client.post(&request("PUT", "/media/up/1").header("content-length", "100000")).await;
    for piece in body.chunks(997) {
        client.write(piece).await;
    }
    assert_eq!(client.reply("PUT").await.status, 200);
    assert_eq!(bench.send(EAST, get("/media/up/1")).await.body, body);
    assert_eq!(bench.records(2).await[0].body_hash, hash::bytes(&body));
    let unknown = Credentials::new("AKIANOBODYKNOWSTHIS0", "secret");
    let huge = request("PUT", "/media/up/2").header("content-length", "99999999999");
    let huge = huge.sign(&unknown, EAST, crate::support::WALL);
    assert_eq!(bench.send(EAST, huge).await.verdict(), (403, "InvalidAccessKeyId".into()));
    let huge = request("PUT", "/media/up/2").header("content-length", "99999999999");
    assert_eq!(bench.send(EAST, huge).await.verdict(), (400, "EntityTooLarge".into()));
}
