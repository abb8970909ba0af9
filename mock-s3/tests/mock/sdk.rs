//! The official `aws-sdk-s3` client, as people use it, against the mock.

use std::sync::Arc;

use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::{BehaviorVersion, Region};
use aws_sdk_s3::error::ProvideErrorMetadata;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{
    ChecksumMode, CreateBucketConfiguration, Delete, ObjectAttributes, ObjectCannedAcl, ObjectIdentifier,
    Permission,
};
use aws_sdk_s3::{Client, Config};
use gatecrash_mock_s3::NoFaults;

use crate::support::{Bench, EAST, WEST, WallClock, config};

pub(crate) fn client(bench: &Bench, identity: &str, endpoint: &str, region: &str) -> Client {
    let pair = bench.credentials(identity);
    let keys = aws_sdk_s3::config::Credentials::new(pair.access_key, pair.secret_key, None, None, "test");
    client_with(bench, keys, endpoint, region)
}

pub(crate) fn client_with(
    bench: &Bench,
    credentials: aws_sdk_s3::config::Credentials,
    endpoint: &str,
    region: &str,
) -> Client {
    let http = aws_smithy_http_client::Builder::new().build_http();
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(region.to_owned()))
        .endpoint_url(format!("http://{}", bench.addr(endpoint)))
        .force_path_style(true)
        .credentials_provider(credentials)
        .retry_config(RetryConfig::disabled())
        .http_client(http)
        .build();
    Client::from_conf(config)
}

pub(crate) async fn bench() -> Bench {
    Bench::with(config(), Arc::new(WallClock), Arc::new(NoFaults)).await
}

#[tokio::test]
async fn put_get_range_and_delete() {
    let bench = bench().await;
    let s3 = client(&bench, "app", EAST, EAST);
    // The client's default: aws-chunked with a CRC32 trailer.
    let body = vec![5u8; 150_000];
    let put = s3.put_object().bucket("reports").key("up/a b+c").body(ByteStream::from(body.clone()));
    let put = put.metadata("colour", "red").send().await.unwrap();
    let get = s3.get_object().bucket("reports").key("up/a b+c").send().await.unwrap();
    assert_eq!(get.e_tag(), put.e_tag());
    assert_eq!(get.metadata().unwrap()["colour"], "red");
    assert_eq!(get.content_encoding(), None);
    assert_eq!(get.body.collect().await.unwrap().to_vec(), body);
    let part = s3.get_object().bucket("reports").key("up/a b+c").range("bytes=10-19").send().await.unwrap();
    assert_eq!(part.content_range(), Some("bytes 10-19/150000"));
    assert_eq!(part.body.collect().await.unwrap().to_vec(), [5u8; 10]);
    let head = s3.head_object().bucket("reports").key("up/a b+c").send().await.unwrap();
    assert_eq!(head.content_length(), Some(150_000));
    s3.delete_object().bucket("reports").key("up/a b+c").send().await.unwrap();
    let gone = s3.get_object().bucket("reports").key("up/a b+c").send().await.unwrap_err();
    assert!(gone.into_service_error().is_no_such_key());
    let gone = s3.head_object().bucket("reports").key("up/a b+c").send().await.unwrap_err();
    assert!(gone.into_service_error().is_not_found());
}

#[tokio::test]
async fn synthetic_objects_are_listed_and_deleted_in_bulk() {
    let bench = bench().await;
    let s3 = client(&bench, "app", WEST, WEST);
    let mut keys = Vec::new();
    let mut pages = s3.list_objects_v2().bucket("reports-dr").max_keys(7).into_paginator().send();
    let mut count = 0;
    while let Some(page) = pages.next().await {
        count += 1;
        keys.extend(page.unwrap().contents().iter().map(|object| object.key().unwrap().to_owned()));
    }
    assert_eq!((count, keys.len()), (3, 20));
    assert_eq!(keys[..3], ["r/0.csv", "r/1.csv", "r/10.csv"]);
    let groups = s3.list_objects_v2().bucket("reports-dr").delimiter("/").send().await.unwrap();
    assert_eq!(groups.common_prefixes()[0].prefix(), Some("r/"));
    let ids = keys.iter().take(5).map(|key| ObjectIdentifier::builder().key(key).build().unwrap());
    let delete = Delete::builder().set_objects(Some(ids.collect())).build().unwrap();
    let deleted = s3.delete_objects().bucket("reports-dr").delete(delete).send().await.unwrap();
    assert_eq!((deleted.deleted().len(), deleted.errors().len()), (5, 0));
    let left = s3.list_objects_v2().bucket("reports-dr").send().await.unwrap();
    assert_eq!(left.key_count(), Some(15));
}

#[tokio::test]
async fn denied_wrong_region_and_conditions() {
    let bench = bench().await;
    let guest = client(&bench, "guest", EAST, EAST);
    let denied = guest.get_object().bucket("reports").key("r/1.csv").send().await.unwrap_err();
    assert_eq!(denied.raw_response().unwrap().status().as_u16(), 403);
    let denied = denied.into_service_error();
    assert_eq!(denied.code(), Some("AccessDenied"));
    let app = client(&bench, "app", EAST, EAST);
    let moved = app.get_object().bucket("reports-dr").key("r/1.csv").send().await.unwrap_err();
    assert_eq!(moved.raw_response().unwrap().status().as_u16(), 301);
    let astray = client(&bench, "app", EAST, WEST);
    let wrong = astray.get_object().bucket("reports").key("r/1.csv").send().await.unwrap_err();
    assert_eq!(wrong.into_service_error().code(), Some("AuthorizationHeaderMalformed"));

    let object = app.get_object().bucket("reports").key("r/1.csv").send().await.unwrap();
    let etag = object.e_tag().unwrap().to_owned();
    let same =
        app.get_object().bucket("reports").key("r/1.csv").if_none_match(&etag).send().await.unwrap_err();
    assert_eq!(same.raw_response().unwrap().status().as_u16(), 304);
    let stale = app.get_object().bucket("reports").key("r/1.csv").if_match("\"x\"").send().await.unwrap_err();
    assert_eq!(stale.into_service_error().code(), Some("PreconditionFailed"));
    let taken =
        app.put_object().bucket("reports").key("r/1.csv").if_none_match("*").send().await.unwrap_err();
    assert_eq!(taken.into_service_error().code(), Some("PreconditionFailed"));
}

#[tokio::test]
async fn buckets() {
    let bench = bench().await;
    let admin = client(&bench, "admin", EAST, EAST);
    admin.create_bucket().bucket("fresh").send().await.unwrap();
    // The first region lets owners make their buckets again; the others do not.
    admin.create_bucket().bucket("fresh").send().await.unwrap();
    let west = client(&bench, "admin", WEST, WEST);
    let constraint = CreateBucketConfiguration::builder().location_constraint(WEST.into()).build();
    let taken = west.create_bucket().bucket("fresh").create_bucket_configuration(constraint);
    assert!(taken.send().await.unwrap_err().into_service_error().is_bucket_already_owned_by_you());
    let listed = admin.list_buckets().send().await.unwrap();
    let names: Vec<_> = listed.buckets().iter().filter_map(|bucket| bucket.name()).collect();
    assert_eq!(names, ["fresh", "media", "reports"]);
    let head = admin.head_bucket().bucket("fresh").send().await.unwrap();
    assert_eq!(head.bucket_region(), Some(EAST));
    admin.delete_bucket().bucket("fresh").send().await.unwrap();
    let gone = admin.head_bucket().bucket("fresh").send().await.unwrap_err();
    assert!(gone.into_service_error().is_not_found());
}

#[tokio::test]
async fn copies_tags_acls_and_attributes() {
    let bench = bench().await;
    let s3 = client(&bench, "app", EAST, EAST);
    let put = s3.put_object().bucket("reports").key("a").body(ByteStream::from_static(b"hello"));
    put.tagging("a=1&b=2").metadata("colour", "red").send().await.unwrap();
    let copy = s3.copy_object().copy_source("reports/a").bucket("reports").key("b c/ü").send().await.unwrap();
    let copy = copy.copy_object_result().unwrap();
    assert_eq!(copy.e_tag(), Some("\"5d41402abc4b2a76b9719d911017c592\""));
    assert!(copy.last_modified().is_some());
    let tags = s3.get_object_tagging().bucket("reports").key("b c/ü").send().await.unwrap();
    let tags: Vec<_> = tags.tag_set().iter().map(|tag| (tag.key(), tag.value())).collect();
    assert_eq!(tags, [("a", "1"), ("b", "2")]);
    let read = s3.get_object().bucket("reports").key("b c/ü").checksum_mode(ChecksumMode::Enabled);
    let read = read.send().await.unwrap();
    assert_eq!((read.tag_count(), read.metadata().unwrap()["colour"].as_str()), (Some(2), "red"));
    assert_eq!(read.checksum_crc32(), Some("NhCmhg=="));
    assert_eq!(read.body.collect().await.unwrap().to_vec(), b"hello");
    let acl = s3.get_object_acl().bucket("reports").key("a").send().await.unwrap();
    assert_eq!(acl.grants()[0].permission(), Some(&Permission::FullControl));
    assert_eq!(acl.owner().unwrap().id(), acl.grants()[0].grantee().unwrap().id());
    s3.put_object_acl().bucket("reports").key("a").acl(ObjectCannedAcl::PublicRead).send().await.unwrap();
    let acl = s3.get_object_acl().bucket("reports").key("a").send().await.unwrap();
    assert_eq!(acl.grants().len(), 2);
    let wanted = [ObjectAttributes::Etag, ObjectAttributes::ObjectSize, ObjectAttributes::Checksum];
    let attributes = s3.get_object_attributes().bucket("reports").key("a");
    let attributes = attributes.set_object_attributes(Some(wanted.into())).send().await.unwrap();
    assert_eq!(attributes.object_size(), Some(5));
    assert_eq!(attributes.checksum().unwrap().checksum_crc32(), Some("NhCmhg=="));
    let stale = s3.delete_object().bucket("reports").key("a").if_match("\"x\"").send().await.unwrap_err();
    assert_eq!(stale.into_service_error().code(), Some("PreconditionFailed"));
}
