//! One bucket's life as the official client sees it, told in numbered steps: a failure names its step.

mod step;

use std::time::{Duration, SystemTime};

use aws_sdk_s3::Client;
use aws_sdk_s3::presigning::{PresignedRequest, PresigningConfig};
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{
    BucketVersioningStatus, ChecksumAlgorithm, ChecksumMode, CompletedMultipartUpload, CompletedPart, Delete,
    ObjectIdentifier, Tag, Tagging, VersioningConfiguration,
};

use crate::sdk::{bench, client};
use crate::support::{Bench, EAST, Reply, Request};
use step::{Step, etag, etag_of_parts, step};

const BUCKET: &str = "script";
/// The least that all parts but the last must have.
const BIG: usize = 5 << 20;
/// The body of most steps, and its length in `Content-Range`.
const DIGITS: &[u8] = b"0123456789";
/// The whole script takes seconds; more than this and it hangs.
const PATIENCE: Duration = Duration::from_secs(120);

fn completed(number: i32, etag: Option<&str>) -> CompletedPart {
    CompletedPart::builder().part_number(number).set_e_tag(etag.map(str::to_owned)).build()
}

fn all_of(parts: Vec<CompletedPart>) -> CompletedMultipartUpload {
    CompletedMultipartUpload::builder().set_parts(Some(parts)).build()
}

#[tokio::test]
async fn the_official_client_step_by_step() {
    let bench = bench().await;
    let s3 = client(&bench, "admin", EAST, EAST);
    let script = async {
        versions(&s3).await;
        ranges_and_conditions(&s3).await;
        let big = parts(&s3).await;
        copies(&s3, &big).await;
        presigned(&bench, &s3).await;
        checksums_and_tags(&s3).await;
        listings_and_bulk_deletes(&s3).await;
        errors(&bench, &s3).await;
        the_end(&s3).await;
    };
    tokio::time::timeout(PATIENCE, script).await.expect("the script ends");
}

async fn versions(s3: &Client) {
    let at = step(1, "create a bucket");
    let created = at.ok(s3.create_bucket().bucket(BUCKET).send().await);
    at.same(created.location(), Some("/script"));

    let at = step(2, "switch versioning on");
    let before = at.ok(s3.get_bucket_versioning().bucket(BUCKET).send().await);
    at.same(before.status(), None::<&BucketVersioningStatus>);
    let enabled = VersioningConfiguration::builder().status(BucketVersioningStatus::Enabled).build();
    let switch = s3.put_bucket_versioning().bucket(BUCKET).versioning_configuration(enabled);
    at.ok(switch.send().await);
    let after = at.ok(s3.get_bucket_versioning().bucket(BUCKET).send().await);
    at.same(after.status(), Some(&BucketVersioningStatus::Enabled));

    let at = step(3, "put the same key twice");
    let (_, first) = at.put(s3, "o", b"one").await;
    let (_, second) = at.put(s3, "o", b"two").await;
    at.same(first == second, false);

    let at = step(4, "get both versions, and the latest");
    for (version, wanted) in [(Some(&first), b"one"), (Some(&second), b"two"), (None, b"two")] {
        let get = s3.get_object().bucket(BUCKET).key("o").set_version_id(version.cloned());
        let got = at.ok(get.send().await);
        at.same(got.version_id(), Some(version.unwrap_or(&second).as_str()));
        at.same(at.body(got).await, wanted);
    }

    let at = step(5, "list the versions, newest first");
    at.same(versions_of(at, s3).await, [(second.clone(), true), (first.clone(), false)]);

    let at = step(6, "delete: a marker is put on top");
    let deleted = at.ok(s3.delete_object().bucket(BUCKET).key("o").send().await);
    at.same(deleted.delete_marker(), Some(true));
    let marker = at.some(deleted.version_id, "version of the marker");
    at.same(versions_of(at, s3).await, [(second.clone(), false), (first.clone(), false)]);
    let listed = at.ok(s3.list_object_versions().bucket(BUCKET).send().await);
    let markers: Vec<_> = listed.delete_markers().iter().map(|m| (m.version_id(), m.is_latest())).collect();
    at.same(markers, [(Some(marker.as_str()), Some(true))]);

    let at = step(7, "behind a marker there is nothing, but for its versions");
    at.refused(s3.get_object().bucket(BUCKET).key("o").send().await, 404, "NoSuchKey");
    at.refused(s3.head_object().bucket(BUCKET).key("o").send().await, 404, "NotFound");
    let by_marker = s3.get_object().bucket(BUCKET).key("o").version_id(&marker).send().await;
    at.refused(by_marker, 405, "MethodNotAllowed");
    let got = s3.get_object().bucket(BUCKET).key("o").version_id(&first).send().await;
    at.same(at.body(at.ok(got)).await, b"one");

    let at = step(8, "delete the marker: the object is back");
    let unmarked = s3.delete_object().bucket(BUCKET).key("o").version_id(&marker).send().await;
    let unmarked = at.ok(unmarked);
    at.same((unmarked.delete_marker(), unmarked.version_id()), (Some(true), Some(marker.as_str())));
    let got = at.ok(s3.get_object().bucket(BUCKET).key("o").send().await);
    at.same(at.body(got).await, b"two");
}

/// Versions and whether each is the latest.
async fn versions_of(at: Step, s3: &Client) -> Vec<(String, bool)> {
    let listed = at.ok(s3.list_object_versions().bucket(BUCKET).prefix("o").send().await);
    let version = |v: &aws_sdk_s3::types::ObjectVersion| {
        (v.version_id().unwrap_or_default().to_owned(), v.is_latest() == Some(true))
    };
    listed.versions().iter().map(version).collect()
}

async fn ranges_and_conditions(s3: &Client) {
    let get = || s3.get_object().bucket(BUCKET).key("digits");
    let at = step(9, "get ranges");
    let (tag, _) = at.put(s3, "digits", DIGITS).await;
    for (range, content_range, wanted) in [
        ("bytes=0-0", "bytes 0-0/10", &b"0"[..]),
        ("bytes=2-5", "bytes 2-5/10", b"2345"),
        ("bytes=7-", "bytes 7-9/10", b"789"),
        ("bytes=5-100", "bytes 5-9/10", b"56789"),
    ] {
        let got = at.ok(get().range(range).send().await);
        at.same(got.content_range(), Some(content_range));
        at.same(got.content_length(), Some(wanted.len() as i64));
        at.same(at.body(got).await, wanted);
    }

    let at = step(10, "get suffixes");
    for (range, content_range, wanted) in
        [("bytes=-3", "bytes 7-9/10", &b"789"[..]), ("bytes=-100", "bytes 0-9/10", DIGITS)]
    {
        let got = at.ok(get().range(range).send().await);
        at.same(got.content_range(), Some(content_range));
        at.same(at.body(got).await, wanted);
    }

    let at = step(11, "a range beyond the end");
    at.refused(get().range("bytes=10-12").send().await, 416, "InvalidRange");

    let at = step(12, "conditional reads");
    at.same(at.body(at.ok(get().if_match(&tag).send().await)).await, DIGITS);
    at.refused(get().if_none_match(&tag).send().await, 304, "");
    at.refused(get().if_match("\"other\"").send().await, 412, "PreconditionFailed");
    let modified = at.some(at.ok(get().send().await).last_modified, "Last-Modified");
    at.refused(get().if_modified_since(modified).send().await, 304, "");

    let at = step(13, "conditional writes");
    let put = |key| s3.put_object().bucket(BUCKET).key(key).body(ByteStream::from_static(DIGITS));
    at.refused(put("digits").if_none_match("*").send().await, 412, "PreconditionFailed");
    at.refused(put("digits").if_match("\"other\"").send().await, 412, "PreconditionFailed");
    at.refused(put("absent").if_match(&tag).send().await, 404, "NoSuchKey");
    at.ok(put("digits").if_match(&tag).send().await);
    at.ok(put("new").if_none_match("*").send().await);
}

/// Makes `big` of three parts, and gives its bytes.
async fn parts(s3: &Client) -> Vec<u8> {
    let bodies = [vec![b'a'; BIG], vec![b'b'; BIG], b"the end".to_vec()];
    let at = step(14, "upload three parts");
    let id = at.begin(s3, "big").await;
    let mut sent = Vec::new();
    for (number, body) in (1..).zip(&bodies) {
        let put = s3.upload_part().bucket(BUCKET).key("big").upload_id(&id).part_number(number);
        let put = at.ok(put.body(ByteStream::from(body.clone())).send().await);
        at.same(put.e_tag(), Some(etag(body).as_str()));
        sent.push(completed(number, put.e_tag()));
    }

    let at = step(15, "list the parts, two at a time");
    let list = s3.list_parts().bucket(BUCKET).key("big").upload_id(&id).max_parts(2);
    let page = at.ok(list.clone().send().await);
    at.same((page.is_truncated(), page.next_part_number_marker()), (Some(true), Some("2")));
    let sizes = |parts: &[aws_sdk_s3::types::Part]| -> Vec<_> {
        parts.iter().map(|part| (part.part_number(), part.size())).collect()
    };
    let big = Some(BIG as i64);
    at.same(sizes(page.parts()), [(Some(1), big), (Some(2), big)]);
    let page = at.ok(list.part_number_marker("2").send().await);
    at.same(page.is_truncated(), Some(false));
    at.same(sizes(page.parts()), [(Some(3), Some(7))]);

    let at = step(16, "complete the upload");
    let complete = s3.complete_multipart_upload().bucket(BUCKET).key("big").upload_id(&id);
    let done = at.ok(complete.multipart_upload(all_of(sent)).send().await);
    let wanted = etag_of_parts(&bodies.each_ref().map(Vec::as_slice));
    at.same(done.e_tag(), Some(wanted.as_str()));
    let got = at.ok(s3.get_object().bucket(BUCKET).key("big").send().await);
    at.same(got.e_tag(), Some(wanted.as_str()));
    let whole = bodies.concat();
    at.same_bytes(&at.body(got).await, &whole);

    let at = step(17, "get by part number");
    for (number, content_range) in
        [(2, "bytes 5242880-10485759/10485767"), (3, "bytes 10485760-10485766/10485767")]
    {
        let got = s3.get_object().bucket(BUCKET).key("big").part_number(number).send().await;
        let got = at.ok(got);
        at.same((got.parts_count(), got.content_range()), (Some(3), Some(content_range)));
        at.same_bytes(&at.body(got).await, &bodies[number as usize - 1]);
    }
    let beyond = s3.get_object().bucket(BUCKET).key("big").part_number(4).send().await;
    at.refused(beyond, 416, "InvalidPartNumber");

    let at = step(18, "abort another upload");
    let id = at.begin(s3, "given up").await;
    let put = s3.upload_part().bucket(BUCKET).key("given up").upload_id(&id).part_number(1);
    at.ok(put.body(ByteStream::from_static(DIGITS)).send().await);
    let listed = at.ok(s3.list_multipart_uploads().bucket(BUCKET).send().await);
    let open: Vec<_> = listed.uploads().iter().map(|upload| (upload.key(), upload.upload_id())).collect();
    at.same(open, [(Some("given up"), Some(id.as_str()))]);
    let abort = s3.abort_multipart_upload().bucket(BUCKET).key("given up").upload_id(&id);
    at.ok(abort.send().await);
    let listed = at.ok(s3.list_multipart_uploads().bucket(BUCKET).send().await);
    at.same(listed.uploads().len(), 0);
    let list = s3.list_parts().bucket(BUCKET).key("given up").upload_id(&id);
    at.refused(list.send().await, 404, "NoSuchUpload");
    at.refused(s3.get_object().bucket(BUCKET).key("given up").send().await, 404, "NoSuchKey");
    whole
}

async fn copies(s3: &Client, big: &[u8]) {
    let at = step(19, "copy an object");
    let copy = s3.copy_object().copy_source("script/digits").bucket(BUCKET).key("copied/ü b");
    let copied = at.ok(copy.send().await);
    let result = at.some(copied.copy_object_result(), "result");
    at.same(result.e_tag(), Some(etag(DIGITS).as_str()));
    let got = at.ok(s3.get_object().bucket(BUCKET).key("copied/ü b").send().await);
    at.same(at.body(got).await, DIGITS);

    let at = step(20, "make an object of copied parts");
    let id = at.begin(s3, "pieces").await;
    let part = |number, source: &str, range: &str| {
        let copy = s3.upload_part_copy().bucket(BUCKET).key("pieces").upload_id(&id).part_number(number);
        copy.copy_source(source).copy_source_range(range).send()
    };
    let ranges = [(1, "script/big", "bytes=5-5242884"), (2, "script/digits", "bytes=2-5")];
    let wanted: [&[u8]; 2] = [&big[5..5 + BIG], b"2345"];
    let mut sent = Vec::new();
    for ((number, source, range), wanted) in ranges.into_iter().zip(wanted) {
        let copied = at.ok(part(number, source, range).await);
        let result = at.some(copied.copy_part_result(), "result");
        at.same(result.e_tag(), Some(etag(wanted).as_str()));
        sent.push(completed(number, result.e_tag()));
    }
    let complete = s3.complete_multipart_upload().bucket(BUCKET).key("pieces").upload_id(&id);
    let done = at.ok(complete.multipart_upload(all_of(sent)).send().await);
    at.same(done.e_tag(), Some(etag_of_parts(&wanted).as_str()));
    let got = at.ok(s3.get_object().bucket(BUCKET).key("pieces").send().await);
    at.same_bytes(&at.body(got).await, &wanted.concat());
}

/// Sends a presigned request as somebody who has nothing but its URL and its headers.
async fn follow(bench: &Bench, presigned: &PresignedRequest, body: &[u8]) -> Reply {
    let host = format!("http://{}", bench.addr(EAST));
    let target = presigned.uri().strip_prefix(&host).expect("a URL of the mock");
    let headers = vec![("host".to_owned(), bench.addr(EAST).to_string())];
    let mut request = Request { method: presigned.method(), target, headers, body: Vec::new() };
    for (name, value) in presigned.headers().filter(|(name, _)| *name != "content-length") {
        request = request.header(name, value);
    }
    let request = if body.is_empty() { request } else { request.body(body) };
    bench.send(EAST, request).await
}

async fn presigned(bench: &Bench, s3: &Client) {
    let minute = || PresigningConfig::expires_in(Duration::from_secs(60));
    let at = step(21, "follow a presigned GET");
    let get = s3.get_object().bucket(BUCKET).key("copied/ü b").response_content_type("text/x-digits");
    let get = at.ok(get.presigned(at.ok(minute())).await);
    let got = follow(bench, &get, b"").await;
    at.same((got.status, got.body.as_slice()), (200, DIGITS));
    at.same(got.header("content-type"), Some("text/x-digits"));

    let at = step(22, "follow a presigned PUT");
    let put = s3.put_object().bucket(BUCKET).key("presigned").presigned(at.ok(minute())).await;
    let reply = follow(bench, &at.ok(put), b"by URL").await;
    at.same((reply.status, reply.header("etag")), (200, Some(etag(b"by URL").as_str())));
    let got = at.ok(s3.get_object().bucket(BUCKET).key("presigned").send().await);
    at.same(at.body(got).await, b"by URL");

    let at = step(23, "a presigned URL ends, and is good for nothing else");
    let hour_ago = SystemTime::now() - Duration::from_secs(3600);
    let ended = PresigningConfig::builder().start_time(hour_ago).expires_in(Duration::from_secs(60));
    let late = s3.get_object().bucket(BUCKET).key("digits").presigned(at.ok(ended.build())).await;
    let reply = follow(bench, &at.ok(late), b"").await;
    at.same(reply.verdict(), (403, "AccessDenied".to_owned()));
    at.same(reply.element("Message").as_deref(), Some("Request has expired"));
    let uri = get.uri().strip_prefix(&format!("http://{}", bench.addr(EAST)));
    let uri = at.some(uri, "target").replace("copied/", "other/");
    let headers = vec![("host".to_owned(), bench.addr(EAST).to_string())];
    let other = Request { method: "GET", target: &uri, headers, body: Vec::new() };
    at.same(bench.send(EAST, other).await.verdict(), (403, "SignatureDoesNotMatch".to_owned()));
}

async fn checksums_and_tags(s3: &Client) {
    // The check values of the algorithms' definitions are of these nine digits.
    let nine = || ByteStream::from_static(b"123456789");
    let sha256 = "FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU=";
    let crc32c = "4waSgw==";
    let at = step(24, "checksums are stored");
    let put = |key| s3.put_object().bucket(BUCKET).key(key).body(nine());
    let sent = at.ok(put("sum/sha256").checksum_algorithm(ChecksumAlgorithm::Sha256).send().await);
    at.same((sent.checksum_sha256(), sent.checksum_crc32_c()), (Some(sha256), None));
    let sent = at.ok(put("sum/crc32c").checksum_algorithm(ChecksumAlgorithm::Crc32C).send().await);
    at.same((sent.checksum_sha256(), sent.checksum_crc32_c()), (None, Some(crc32c)));

    let at = step(25, "checksums are read back when asked for");
    let keys = [("sum/sha256", Some(sha256), None), ("sum/crc32c", None, Some(crc32c))];
    for (key, sha256, crc32c) in keys {
        let head = s3.head_object().bucket(BUCKET).key(key).checksum_mode(ChecksumMode::Enabled);
        let head = at.ok(head.send().await);
        at.same((head.checksum_sha256(), head.checksum_crc32_c()), (sha256, crc32c));
        let got = s3.get_object().bucket(BUCKET).key(key).checksum_mode(ChecksumMode::Enabled);
        let got = at.ok(got.send().await);
        at.same((got.checksum_sha256(), got.checksum_crc32_c()), (sha256, crc32c));
        at.same(at.body(got).await, b"123456789");
        let head = at.ok(s3.head_object().bucket(BUCKET).key(key).send().await);
        at.same((head.checksum_sha256(), head.checksum_crc32_c()), (None, None));
    }
    let wrong = put("sum/wrong").checksum_sha256("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=");
    at.refused(wrong.send().await, 400, "BadDigest");

    let at = step(26, "tags are put, counted, read and taken away");
    let tag = |key: &str, value: &str| at.ok(Tag::builder().key(key).value(value).build());
    let tags = Tagging::builder().tag_set(tag("colour", "red")).tag_set(tag("team", "a b"));
    let tags = at.ok(tags.build());
    at.ok(s3.put_object_tagging().bucket(BUCKET).key("digits").tagging(tags).send().await);
    let got = at.ok(s3.get_object().bucket(BUCKET).key("digits").send().await);
    at.same(got.tag_count(), Some(2));
    let read = at.ok(s3.get_object_tagging().bucket(BUCKET).key("digits").send().await);
    let pairs: Vec<_> = read.tag_set().iter().map(|tag| (tag.key(), tag.value())).collect();
    at.same(pairs, [("colour", "red"), ("team", "a b")]);
    at.ok(s3.delete_object_tagging().bucket(BUCKET).key("digits").send().await);
    let read = at.ok(s3.get_object_tagging().bucket(BUCKET).key("digits").send().await);
    at.same(read.tag_set().len(), 0);
}

async fn listings_and_bulk_deletes(s3: &Client) {
    let at = step(27, "list page by page");
    let wanted: Vec<String> = (0..7).map(|n| format!("page/{n}")).collect();
    for key in &wanted {
        at.put(s3, key, DIGITS).await;
    }
    let list = s3.list_objects_v2().bucket(BUCKET).prefix("page/").max_keys(3);
    let mut pages = list.into_paginator().send();
    let (mut keys, mut lengths) = (Vec::new(), Vec::new());
    while let Some(page) = pages.next().await {
        let page = at.ok(page);
        lengths.push(page.contents().len());
        keys.extend(page.contents().iter().map(|object| object.key().unwrap_or_default().to_owned()));
    }
    at.same((lengths, &keys), (vec![3, 3, 1], &wanted));

    let at = step(28, "list by delimiter");
    let listed = at.ok(s3.list_objects_v2().bucket(BUCKET).delimiter("/").send().await);
    let groups: Vec<_> = listed.common_prefixes().iter().filter_map(|group| group.prefix()).collect();
    at.same(groups, ["copied/", "page/", "sum/"]);
    let keys: Vec<_> = listed.contents().iter().filter_map(|object| object.key()).collect();
    at.same(keys, ["big", "digits", "new", "o", "pieces", "presigned"]);

    let at = step(29, "delete many at once");
    let ids = wanted.iter().take(5).map(|key| at.ok(ObjectIdentifier::builder().key(key).build()));
    let delete = at.ok(Delete::builder().set_objects(Some(ids.collect())).build());
    let deleted = at.ok(s3.delete_objects().bucket(BUCKET).delete(delete).send().await);
    at.same(deleted.errors().len(), 0);
    let deleted: Vec<_> = deleted.deleted().iter().map(|one| (one.key(), one.delete_marker())).collect();
    let marked: Vec<_> = wanted[..5].iter().map(|key| (Some(key.as_str()), Some(true))).collect();
    at.same(deleted, marked);
    let left = at.ok(s3.list_objects_v2().bucket(BUCKET).prefix("page/").send().await);
    let left: Vec<_> = left.contents().iter().filter_map(|object| object.key()).collect();
    at.same(left, ["page/5", "page/6"]);
}

async fn errors(bench: &Bench, s3: &Client) {
    let at = step(30, "what is not there has its own codes");
    at.refused(s3.get_object().bucket(BUCKET).key("absent").send().await, 404, "NoSuchKey");
    at.refused(s3.get_object().bucket("nowhere").key("absent").send().await, 404, "NoSuchBucket");
    at.refused(s3.list_objects_v2().bucket("nowhere").send().await, 404, "NoSuchBucket");
    let complete = s3.complete_multipart_upload().bucket(BUCKET).key("big").upload_id("nobodys");
    let complete = complete.multipart_upload(all_of(vec![completed(1, Some("\"x\""))]));
    at.refused(complete.send().await, 404, "NoSuchUpload");

    let at = step(31, "another identity is denied");
    let guest = client(bench, "guest", EAST, EAST);
    at.refused(guest.get_object().bucket(BUCKET).key("digits").send().await, 403, "AccessDenied");
    at.refused(guest.list_objects_v2().bucket(BUCKET).send().await, 403, "AccessDenied");
    let app = client(bench, "app", EAST, EAST);
    let put = app.put_object().bucket(BUCKET).key("digits").body(ByteStream::from_static(b"mine"));
    at.refused(put.send().await, 403, "AccessDenied");
    at.refused(app.delete_object().bucket(BUCKET).key("digits").send().await, 403, "AccessDenied");

    let at = step(32, "a bucket that is not empty stays");
    at.refused(s3.delete_bucket().bucket(BUCKET).send().await, 409, "BucketNotEmpty");
}

async fn the_end(s3: &Client) {
    let at = step(33, "markers and old versions keep a bucket too");
    let listed = at.ok(s3.list_object_versions().bucket(BUCKET).send().await);
    at.same(listed.is_truncated(), Some(false));
    let versions = listed.versions().iter().map(|v| (v.key(), v.version_id()));
    let markers = listed.delete_markers().iter().map(|m| (m.key(), m.version_id()));
    let id = |(key, version): (Option<&str>, Option<&str>)| {
        let id = ObjectIdentifier::builder().set_key(key.map(str::to_owned));
        at.ok(id.set_version_id(version.map(str::to_owned)).build())
    };
    let mut ids: Vec<_> = markers.chain(versions).map(id).collect();
    // Seven keys, of which `digits` and `o` have two versions; two sums; seven pages; five markers.
    at.same(ids.len(), 7 + 2 + 2 + 7 + 5);
    let last = at.some(ids.pop(), "version");
    let delete = at.ok(Delete::builder().set_objects(Some(ids)).build());
    let deleted = at.ok(s3.delete_objects().bucket(BUCKET).delete(delete).send().await);
    at.same((deleted.deleted().len(), deleted.errors().len()), (22, 0));
    at.refused(s3.delete_bucket().bucket(BUCKET).send().await, 409, "BucketNotEmpty");

    let at = step(34, "delete the empty bucket");
    let delete = s3.delete_object().bucket(BUCKET).key(last.key()).set_version_id(last.version_id);
    at.ok(delete.send().await);
    at.ok(s3.delete_bucket().bucket(BUCKET).send().await);
    at.refused(s3.head_bucket().bucket(BUCKET).send().await, 404, "NotFound");
    at.refused(s3.delete_bucket().bucket(BUCKET).send().await, 404, "NoSuchBucket");
}
