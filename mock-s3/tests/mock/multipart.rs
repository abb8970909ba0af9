//! Multipart uploads, with the official client and byte by byte.

use aws_sdk_s3::Client;
use aws_sdk_s3::error::ProvideErrorMetadata;
use aws_sdk_s3::operation::complete_multipart_upload::CompleteMultipartUploadOutput;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{
    ChecksumAlgorithm, ChecksumMode, ChecksumType, CompletedMultipartUpload, CompletedPart,
};
use md5::{Digest, Md5};

use crate::sdk::{bench, client};
use crate::support::{Bench, EAST, Request, get, hex, request};

const BUCKET: &str = "reports";
/// The least that all parts but the last must have.
const BIG: usize = 5 << 20;

async fn begin(s3: &Client, key: &str) -> String {
    let begun = s3.create_multipart_upload().bucket(BUCKET).key(key).send().await.unwrap();
    begun.upload_id().unwrap().to_owned()
}

/// Part number `n` of so many letters, the `n`th of the alphabet.
fn letters(number: i32, length: usize) -> Vec<u8> {
    vec![b'a' + number as u8 - 1; length]
}

async fn upload(
    s3: &Client,
    (key, id): (&str, &str),
    number: i32,
    length: usize,
    sum: Option<&ChecksumAlgorithm>,
) -> CompletedPart {
    let put = s3.upload_part().bucket(BUCKET).key(key).upload_id(id).part_number(number);
    let put = put.set_checksum_algorithm(sum.cloned()).body(ByteStream::from(letters(number, length)));
    let put = put.send().await.unwrap();
    CompletedPart::builder()
        .part_number(number)
        .set_e_tag(put.e_tag)
        .set_checksum_crc32(put.checksum_crc32)
        .set_checksum_crc32_c(put.checksum_crc32_c)
        .set_checksum_crc64_nvme(put.checksum_crc64_nvme)
        .set_checksum_sha1(put.checksum_sha1)
        .set_checksum_sha256(put.checksum_sha256)
        .build()
}

async fn uploads(
    s3: &Client,
    upload_of: (&str, &str),
    lengths: &[usize],
    sum: Option<&ChecksumAlgorithm>,
) -> Vec<CompletedPart> {
    let mut parts = Vec::new();
    for (number, length) in (1..).zip(lengths) {
        parts.push(upload(s3, upload_of, number, *length, sum).await);
    }
    parts
}

/// Completes; the error is its code.
async fn complete(
    s3: &Client,
    (key, id): (&str, &str),
    parts: &[CompletedPart],
) -> Result<CompleteMultipartUploadOutput, String> {
    let parts = CompletedMultipartUpload::builder().set_parts(Some(parts.to_vec())).build();
    let done = s3.complete_multipart_upload().bucket(BUCKET).key(key).upload_id(id).multipart_upload(parts);
    done.send().await.map_err(|error| error.into_service_error().code().unwrap_or_default().to_owned())
}

#[tokio::test]
async fn an_object_is_made_of_parts() {
    let bench = bench().await;
    let s3 = client(&bench, "app", EAST, EAST);
    let begun = s3.create_multipart_upload().bucket(BUCKET).key("up/big").metadata("colour", "red");
    let begun = begun.content_type("text/plain").tagging("team=a").send().await.unwrap();
    let big = ("up/big", begun.upload_id().unwrap());
    let lengths = [BIG, BIG + 1, 7];
    let parts = uploads(&s3, big, &lengths, None).await;
    upload(&s3, big, 4, 9, None).await;
    let done = complete(&s3, big, &parts).await.unwrap();
    let mut md5 = Md5::new();
    for (number, length) in (1..).zip(lengths) {
        md5.update(Md5::digest(letters(number, length)));
    }
    let etag = format!("\"{}-3\"", hex(&md5.finalize()));
    assert_eq!(
        (done.e_tag(), done.key(), done.bucket()),
        (Some(etag.as_str()), Some("up/big"), Some(BUCKET))
    );
    let location = format!("http://{}/reports/up/big", bench.addr(EAST));
    assert_eq!(done.location(), Some(location.as_str()));
    assert!(done.checksum_crc64_nvme().is_some());

    let got = s3.get_object().bucket(BUCKET).key("up/big").checksum_mode(ChecksumMode::Enabled);
    let got = got.send().await.unwrap();
    assert_eq!(
        (got.content_type(), got.tag_count(), got.e_tag()),
        (Some("text/plain"), Some(1), Some(&*etag))
    );
    assert_eq!(got.metadata().unwrap()["colour"], "red");
    assert_eq!(got.checksum_crc64_nvme(), done.checksum_crc64_nvme());
    // The client verifies the checksum while it reads.
    let body = got.body.collect().await.unwrap().to_vec();
    assert!(body == [letters(1, BIG), letters(2, BIG + 1), letters(3, 7)].concat());
    let part = s3.get_object().bucket(BUCKET).key("up/big").part_number(3).send().await.unwrap();
    assert_eq!((part.parts_count(), part.content_length()), (Some(3), Some(7)));

    // Once more gives the same; with other parts, or when the object is gone, there is no such upload.
    assert_eq!(complete(&s3, big, &parts).await.unwrap().e_tag(), done.e_tag());
    assert_eq!(complete(&s3, big, &parts[..2]).await.unwrap_err(), "NoSuchUpload");
    s3.delete_object().bucket(BUCKET).key("up/big").send().await.unwrap();
    assert_eq!(complete(&s3, big, &parts).await.unwrap_err(), "NoSuchUpload");
}

#[tokio::test]
async fn completions_are_checked() {
    let bench = bench().await;
    let s3 = client(&bench, "app", EAST, EAST);
    let id = begin(&s3, "k").await;
    let of = ("k", id.as_str());
    let parts = uploads(&s3, of, &[BIG, 10, 10], None).await;
    let [first, second, third] = &parts[..] else { unreachable!() };
    let named = |number, etag: &str| CompletedPart::builder().part_number(number).e_tag(etag).build();
    let table: [(&[CompletedPart], &str); 5] = [
        (&[], "MalformedXML"),
        (&[second.clone(), first.clone()], "InvalidPartOrder"),
        (&[first.clone(), named(2, "\"00000000000000000000000000000000\"")], "InvalidPart"),
        (&[first.clone(), named(9, second.e_tag().unwrap())], "InvalidPart"),
        (&[first.clone(), second.clone(), third.clone()], "EntityTooSmall"),
    ];
    for (parts, code) in table {
        assert_eq!(complete(&s3, of, parts).await.unwrap_err(), code, "{parts:?}");
    }
    assert_eq!(complete(&s3, ("other", &id), &parts).await.unwrap_err(), "NoSuchUpload");
    assert_eq!(complete(&s3, ("k", "other"), &parts).await.unwrap_err(), "NoSuchUpload");
    let sized = |size| {
        let parts = CompletedMultipartUpload::builder().parts(first.clone()).parts(third.clone()).build();
        let done = s3.complete_multipart_upload().bucket(BUCKET).key("k").upload_id(&id);
        done.multipart_upload(parts).mpu_object_size(size)
    };
    let wrong = sized(7).send().await.unwrap_err();
    assert_eq!(wrong.into_service_error().code(), Some("InvalidRequest"));
    s3.put_object().bucket(BUCKET).key("k").send().await.unwrap();
    let taken = sized(BIG as i64 + 10).if_none_match("*").send().await.unwrap_err();
    assert_eq!(taken.into_service_error().code(), Some("PreconditionFailed"));
    // Parts that are left out are allowed, and the upload is there until it succeeds.
    sized(BIG as i64 + 10).send().await.unwrap();
    let head = s3.head_object().bucket(BUCKET).key("k").send().await.unwrap();
    assert_eq!(head.content_length(), Some(BIG as i64 + 10));
}

#[tokio::test]
async fn checksums_of_all_kinds() {
    let bench = bench().await;
    let s3 = client(&bench, "app", EAST, EAST);
    for (algorithm, kind) in [
        (ChecksumAlgorithm::Crc32, ChecksumType::Composite),
        (ChecksumAlgorithm::Crc32, ChecksumType::FullObject),
        (ChecksumAlgorithm::Crc32C, ChecksumType::FullObject),
        (ChecksumAlgorithm::Crc64Nvme, ChecksumType::FullObject),
        (ChecksumAlgorithm::Sha1, ChecksumType::Composite),
        (ChecksumAlgorithm::Sha256, ChecksumType::Composite),
    ] {
        let begun =
            s3.create_multipart_upload().bucket(BUCKET).key("sum").checksum_algorithm(algorithm.clone());
        let begun = begun.checksum_type(kind.clone()).send().await.unwrap();
        assert_eq!(begun.checksum_type(), Some(&kind));
        let id = begun.upload_id().unwrap();
        let parts = uploads(&s3, ("sum", id), &[BIG, 3], Some(&algorithm)).await;
        let listed = s3.list_parts().bucket(BUCKET).key("sum").upload_id(id).send().await.unwrap();
        assert_eq!(listed.checksum_algorithm(), Some(&algorithm));
        assert_eq!(listed.parts()[1].checksum_crc32(), parts[1].checksum_crc32());
        assert_eq!(listed.parts()[1].checksum_sha256(), parts[1].checksum_sha256());
        if kind == ChecksumType::Composite {
            let bare: Vec<_> = parts
                .iter()
                .map(|part| CompletedPart::builder().part_number(part.part_number().unwrap()))
                .zip(&parts)
                .map(|(bare, part)| bare.set_e_tag(part.e_tag.clone()).build())
                .collect();
            assert_eq!(complete(&s3, ("sum", id), &bare).await.unwrap_err(), "InvalidRequest");
        }
        let done = complete(&s3, ("sum", id), &parts).await.unwrap();
        assert_eq!(done.checksum_type(), Some(&kind), "{algorithm:?}");
        let got = s3.get_object().bucket(BUCKET).key("sum").checksum_mode(ChecksumMode::Enabled);
        let got = got.send().await.unwrap();
        assert_eq!(got.checksum_type(), Some(&kind));
        assert_eq!(got.checksum_sha256(), done.checksum_sha256());
        assert_eq!(got.checksum_crc32(), done.checksum_crc32());
        // The client verifies checksums of whole objects.
        assert_eq!(got.body.collect().await.unwrap().to_vec().len(), BIG + 3);
    }
    let begun =
        s3.create_multipart_upload().bucket(BUCKET).key("sum").checksum_algorithm(ChecksumAlgorithm::Sha256);
    let begun = begun.send().await.unwrap();
    let other =
        s3.upload_part().bucket(BUCKET).key("sum").upload_id(begun.upload_id().unwrap()).part_number(1);
    let other = other.checksum_algorithm(ChecksumAlgorithm::Crc32).body(ByteStream::from_static(b"x"));
    let refused = other.send().await.unwrap_err().into_service_error();
    let message =
        "Checksum Type mismatch occurred, expected checksum Type: sha256, actual checksum Type: crc32";
    assert_eq!((refused.code(), refused.message()), (Some("InvalidRequest"), Some(message)));
}

#[tokio::test]
async fn the_whole_checksum_of_a_completion_is_verified() {
    let bench = bench().await;
    let s3 = client(&bench, "app", EAST, EAST);
    let begun =
        s3.create_multipart_upload().bucket(BUCKET).key("sum").checksum_algorithm(ChecksumAlgorithm::Crc32);
    let begun = begun.checksum_type(ChecksumType::FullObject).send().await.unwrap();
    let id = begun.upload_id().unwrap();
    let parts = uploads(&s3, ("sum", id), &[9], Some(&ChecksumAlgorithm::Crc32)).await;
    let done = |sum: &str| {
        let parts = CompletedMultipartUpload::builder().set_parts(Some(parts.clone())).build();
        let done = s3.complete_multipart_upload().bucket(BUCKET).key("sum").upload_id(id);
        done.checksum_crc32(sum).checksum_type(ChecksumType::FullObject).multipart_upload(parts)
    };
    let wrong = done("NhCmhg==").send().await.unwrap_err().into_service_error();
    assert_eq!(wrong.code(), Some("BadDigest"));
    let sum = parts[0].checksum_crc32().unwrap();
    assert_eq!(done(sum).send().await.unwrap().checksum_crc32(), Some(sum));
}

#[tokio::test]
async fn parts_are_copied_from_objects() {
    let bench = bench().await;
    let s3 = client(&bench, "app", EAST, EAST);
    let copy = |id: &str, number: i32, source: &str, range: Option<&str>| {
        let copy = s3.upload_part_copy().bucket(BUCKET).key("copy").upload_id(id).part_number(number);
        copy.copy_source(source).set_copy_source_range(range.map(str::to_owned)).send()
    };
    let id = begin(&s3, "copy").await;
    // Of a synthetic object, shared and not copied.
    let first = copy(&id, 1, "media/img/000000.bin", None).await.unwrap();
    let second = copy(&id, 2, "reports/r/1.csv", Some("bytes=1-9")).await.unwrap();
    let parts: Vec<_> = [(1, first), (2, second)]
        .into_iter()
        .map(|(number, copied)| {
            let etag = copied.copy_part_result.unwrap().e_tag.unwrap();
            CompletedPart::builder().part_number(number).e_tag(etag).build()
        })
        .collect();
    assert_eq!(complete(&s3, ("copy", &id), &parts).await.unwrap_err(), "EntityTooSmall");
    complete(&s3, ("copy", &id), &parts[1..]).await.unwrap();
    let copied = s3.get_object().bucket(BUCKET).key("copy").send().await.unwrap();
    let source = s3.get_object().bucket(BUCKET).key("r/1.csv").range("bytes=1-9").send().await.unwrap();
    assert_eq!(copied.body.collect().await.unwrap().to_vec(), source.body.collect().await.unwrap().to_vec());

    let id = begin(&s3, "copy").await;
    for (source, range, code) in [
        ("reports/r/1.csv", Some("bytes=0-4096"), "InvalidArgument"),
        ("reports/r/1.csv", Some("0-2"), "InvalidArgument"),
        ("reports/none", None, "NoSuchKey"),
        ("nobucket/none", None, "NoSuchBucket"),
    ] {
        let refused = copy(&id, 1, source, range).await.unwrap_err().into_service_error();
        assert_eq!(refused.code(), Some(code), "{source} {range:?}");
    }
    // Who copies needs to read the source, too.
    bench.mock.control().deny("app", &["s3:GetObject"], &["arn:aws:s3:::reports/r/*"]).unwrap();
    let denied = copy(&id, 1, "reports/r/1.csv", None).await.unwrap_err().into_service_error();
    assert_eq!(denied.code(), Some("AccessDenied"));
}

#[tokio::test]
async fn parts_and_uploads_are_listed_page_by_page() {
    let bench = bench().await;
    let s3 = client(&bench, "app", EAST, EAST);
    let id = begin(&s3, "many").await;
    uploads(&s3, ("many", &id), &[1, 2, 3, 4, 5], None).await;
    // Again: the part is replaced.
    upload(&s3, ("many", &id), 3, 33, None).await;
    let mut sizes = Vec::new();
    let mut pages =
        s3.list_parts().bucket(BUCKET).key("many").upload_id(&id).max_parts(2).into_paginator().send();
    while let Some(page) = pages.next().await {
        sizes.push(page.unwrap().parts().iter().filter_map(|part| part.size()).collect::<Vec<_>>());
    }
    assert_eq!(sizes, [vec![1, 2], vec![33, 4], vec![5]]);

    let ids = [begin(&s3, "many").await, begin(&s3, "z/1").await, begin(&s3, "z/2").await];
    let all = [("many", &id), ("many", &ids[0]), ("z/1", &ids[1]), ("z/2", &ids[2])];
    for limit in 1..=5 {
        let (mut key, mut after, mut seen) = (None, None, Vec::new());
        loop {
            let page = s3.list_multipart_uploads().bucket(BUCKET).max_uploads(limit);
            let page = page.set_key_marker(key).set_upload_id_marker(after).send().await.unwrap();
            assert!(page.uploads().iter().all(|upload| {
                upload.initiator().unwrap().id() == Some("arn:aws:iam::000000000001:user/app")
                    && upload.owner().unwrap().display_name() == Some("app")
            }));
            seen.extend(
                page.uploads().iter().map(|u| (u.key.clone().unwrap(), u.upload_id.clone().unwrap())),
            );
            (key, after) = (page.next_key_marker.clone(), page.next_upload_id_marker.clone());
            if page.is_truncated() != Some(true) {
                break;
            }
        }
        let seen: Vec<_> = seen.iter().map(|(key, id)| (key.as_str(), id)).collect();
        assert_eq!(seen, all, "{limit}");
    }
    let grouped = s3.list_multipart_uploads().bucket(BUCKET).delimiter("/").send().await.unwrap();
    assert_eq!((grouped.uploads().len(), grouped.common_prefixes()[0].prefix()), (2, Some("z/")));
    let prefixed =
        s3.list_multipart_uploads().bucket(BUCKET).prefix("z/").key_marker("z/1").send().await.unwrap();
    assert_eq!(prefixed.uploads().len(), 1);

    let abort = |id: &str| s3.abort_multipart_upload().bucket(BUCKET).key("many").upload_id(id).send();
    abort(&id).await.unwrap();
    let gone = abort(&id).await.unwrap_err().into_service_error();
    assert!(gone.is_no_such_upload());
    let gone = s3.list_parts().bucket(BUCKET).key("many").upload_id(&id).send().await.unwrap_err();
    assert_eq!(gone.into_service_error().code(), Some("NoSuchUpload"));
}

#[tokio::test]
async fn a_bucket_goes_with_its_uploads() {
    let mut config = crate::support::config();
    config.upload_capacity = 100;
    let clock = std::sync::Arc::new(crate::support::WallClock);
    let bench = Bench::with(config, clock, std::sync::Arc::new(gatecrash_mock_s3::NoFaults)).await;
    let s3 = client(&bench, "admin", EAST, EAST);
    // The whole room is taken three times over: aborted, left out of the object and deleted with the bucket.
    for name in ["one-bucket", "two-bucket"] {
        s3.create_bucket().bucket(name).send().await.unwrap();
        let begun = s3.create_multipart_upload().bucket(name).key("k").send().await.unwrap();
        let id = begun.upload_id().unwrap();
        let part = |number: i32, length: usize| {
            let part = s3.upload_part().bucket(name).key("k").upload_id(id).part_number(number);
            part.body(ByteStream::from(letters(number, length))).send()
        };
        part(1, 60).await.unwrap();
        part(1, 40).await.unwrap();
        let left = part(2, 60).await.unwrap();
        let full = part(3, 1).await.unwrap_err();
        assert_eq!(full.into_service_error().code(), Some("MockStoreFull"));
        let left = CompletedPart::builder().part_number(2).set_e_tag(left.e_tag).build();
        let parts = CompletedMultipartUpload::builder().parts(left).build();
        let done = s3.complete_multipart_upload().bucket(name).key("k").upload_id(id).multipart_upload(parts);
        done.send().await.unwrap();
        s3.delete_object().bucket(name).key("k").send().await.unwrap();
        let begun = s3.create_multipart_upload().bucket(name).key("k").send().await.unwrap();
        let part =
            s3.upload_part().bucket(name).key("k").upload_id(begun.upload_id().unwrap()).part_number(1);
        part.body(ByteStream::from(letters(1, 100))).send().await.unwrap();
        s3.delete_bucket().bucket(name).send().await.unwrap();
    }
}

#[tokio::test]
async fn what_s3_says_byte_by_byte() {
    let bench = Bench::start().await;
    let send = async |request: Request<'_>| bench.signed("app", EAST, request).await;
    let begun = send(request("POST", "/reports/raw?uploads=")).await;
    let id = begun.element("UploadId").unwrap();
    assert_eq!(begun.element("Bucket").as_deref(), Some("reports"));
    for target in [
        format!("/reports/raw?partNumber=0&uploadId={id}"),
        format!("/reports/raw?partNumber=10001&uploadId={id}"),
        format!("/reports/raw?uploadId={id}"),
    ] {
        let refused = send(request("PUT", &target).body(b"x")).await;
        assert_eq!(refused.verdict(), (400, "InvalidArgument".to_owned()), "{target}");
    }
    let target = format!("/reports/raw?partNumber=2&uploadId={id}");
    let part = send(request("PUT", &target).body(b"hello")).await;
    assert_eq!(part.header("etag"), Some("\"5d41402abc4b2a76b9719d911017c592\""));
    let target = format!("/reports/raw?uploadId={id}");
    let document = "<CompleteMultipartUpload><Part><PartNumber>2</PartNumber><ETag>5d41402abc4b2a76b9719d911017c593\
        </ETag></Part></CompleteMultipartUpload>";
    let refused = send(request("POST", &target).body(document.as_bytes())).await;
    assert_eq!(refused.verdict(), (400, "InvalidPart".to_owned()));
    let told = (refused.element("UploadId"), refused.element("PartNumber"), refused.element("ETag"));
    assert_eq!(told, (Some(id.clone()), Some("2".into()), Some("5d41402abc4b2a76b9719d911017c593".into())));
    let listed = send(get(&target)).await;
    let order = [
        "<Bucket>",
        "<Key>",
        "<UploadId>",
        "<Initiator>",
        "<Owner>",
        "<StorageClass>",
        "<PartNumberMarker>0<",
        "<NextPartNumberMarker>2<",
        "<MaxParts>1000<",
        "<IsTruncated>false<",
        "<Part><PartNumber>2<",
    ];
    let text = listed.text();
    let places: Vec<_> = order.iter().map(|element| text.find(element).expect(element)).collect();
    assert!(places.is_sorted(), "{text}");
    let document = document.replace("c593", "c592");
    let done = send(request("POST", &target).body(document.as_bytes())).await;
    // MD5 of the MD5 of "hello".
    assert_eq!(done.element("ETag").as_deref(), Some("&quot;62109206880d38a4010a98e11243924a-1&quot;"));
    assert_eq!(send(request("DELETE", &target)).await.verdict(), (404, "NoSuchUpload".to_owned()));
    // Whoever began an upload may look at it and end it, unless that is denied.
    let begun = send(request("POST", "/reports/own?uploads=")).await;
    let own = format!("/reports/own?uploadId={}", begun.element("UploadId").unwrap());
    assert_eq!(bench.signed("guest", EAST, get(&own)).await.status, 403);
    let control = bench.mock.control();
    control.remove_action("app", "s3:ListMultipartUploadParts").unwrap();
    assert_eq!(send(get(&own)).await.status, 200);
    control.deny("app", &["s3:AbortMultipartUpload"], &["*"]).unwrap();
    assert_eq!(send(request("DELETE", &own)).await.verdict(), (403, "AccessDenied".to_owned()));
    let guest = bench.signed("guest", EAST, request("POST", "/reports/raw?uploads=")).await;
    assert_eq!(guest.verdict(), (403, "AccessDenied".to_owned()));
}
