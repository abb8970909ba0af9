//! The listings of objects, versions and buckets, and deletions of many objects, as clients use them.

use aws_sdk_s3::Client;
use aws_sdk_s3::error::ProvideErrorMetadata;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{Delete, ObjectIdentifier};

use crate::sdk::{bench, client};
use crate::support::{Bench, EAST, Reply, WEST, get, request};

async fn put(s3: &Client, keys: &[&str]) {
    for key in keys {
        let put = s3.put_object().bucket("reports").key(*key).body(ByteStream::from_static(b"data"));
        put.send().await.unwrap();
    }
}

/// Everything between `<name>` and `</name>`, in order.
fn texts(reply: &Reply, name: &str) -> Vec<String> {
    let (text, open, close) = (reply.text(), format!("<{name}>"), format!("</{name}>"));
    text.split(&open).skip(1).map(|rest| rest.split_once(&close).unwrap().0.to_owned()).collect()
}

#[tokio::test]
async fn version_1_pages_by_marker() {
    let bench = bench().await;
    let s3 = client(&bench, "app", EAST, EAST);
    put(&s3, &["a/1", "a/2", "b", "c/1"]).await;
    // Without a delimiter there is no NextMarker: the last key is the marker.
    let first = s3.list_objects().bucket("reports").max_keys(3).send().await.unwrap();
    assert_eq!((first.is_truncated(), first.next_marker(), first.marker()), (Some(true), None, Some("")));
    assert_eq!(first.max_keys(), Some(3));
    let last = first.contents().last().unwrap();
    assert_eq!(
        (last.key(), last.size(), last.storage_class().unwrap().as_str()),
        (Some("b"), Some(4), "STANDARD")
    );
    assert_eq!(last.owner().unwrap().display_name(), Some("app"));
    let mut marker = String::new();
    let mut seen = Vec::new();
    loop {
        let page = s3.list_objects().bucket("reports").delimiter("/").max_keys(1).marker(&marker);
        let page = page.send().await.unwrap();
        seen.extend(page.contents().iter().map(|object| object.key().unwrap().to_owned()));
        seen.extend(page.common_prefixes().iter().map(|group| group.prefix().unwrap().to_owned()));
        match page.next_marker() {
            Some(next) => next.clone_into(&mut marker),
            None => break,
        }
    }
    assert_eq!(seen, ["a/", "b", "c/", "r/"]);
}

#[tokio::test]
async fn version_2_has_tokens_starts_and_owners() {
    let bench = Bench::start().await;
    let ask = async |query: &str| bench.signed("app", EAST, get(&format!("/reports?{query}"))).await;
    let first = ask("delimiter=%2F&fetch-owner=true&list-type=2&max-keys=0").await;
    assert_eq!(first.element("KeyCount").as_deref(), Some("0"));
    assert_eq!(first.element("IsTruncated").as_deref(), Some("false"));
    assert_eq!(first.element("Delimiter").as_deref(), Some("/"));
    assert_eq!(first.element("Prefix").as_deref(), Some(""));
    let owned = ask("fetch-owner=true&list-type=2&max-keys=1").await;
    assert!(owned.text().contains("<Owner><ID>") && owned.text().contains("<NextContinuationToken>"));
    let token = owned.element("NextContinuationToken").unwrap();
    let second = ask(&format!("continuation-token={token}&list-type=2&max-keys=1&start-after=zzz")).await;
    assert_eq!(second.element("Key").as_deref(), Some("r/1.csv"));
    assert_eq!(second.element("ContinuationToken"), Some(token));
    assert_eq!(second.element("StartAfter").as_deref(), Some("zzz"));
    assert_eq!(second.element("Owner"), None);
    let after = ask("list-type=2&start-after=r%2F8.csv").await;
    assert_eq!(texts(&after, "Key"), ["r/9.csv"]);
    for (query, argument) in [
        ("list-type=2&max-keys=-1", "maxKeys"),
        ("list-type=2&max-keys=blah", "max-keys"),
        ("continuation-token=%21&list-type=2", "continuation-token"),
        ("encoding-type=xml&list-type=2", "encoding-type"),
        ("version-id-marker=x&versions=", "version-id-marker"),
        ("max-uploads=many&uploads=", "max-uploads"),
    ] {
        let refused = ask(query).await;
        assert_eq!(refused.verdict(), (400, "InvalidArgument".to_owned()), "{query}");
        assert_eq!(refused.element("ArgumentName").as_deref(), Some(argument));
    }
}

#[tokio::test]
async fn names_that_xml_has_no_place_for() {
    let bench = Bench::start().await;
    for key in ["%01%0A%0D", "a+b%20c", "%C3%A9%7E%28"] {
        let target = format!("/media/odd/{key}");
        let put = request("PUT", &target).body(b"x");
        let put = bench.send(EAST, put).await;
        assert_eq!(put.status, 200, "{key}");
    }
    let plain = bench.send(EAST, get("/media?prefix=odd/")).await;
    assert_eq!(texts(&plain, "Key"), ["odd/&#x1;\n&#xd;", "odd/a+b c", "odd/é~("]);
    let encoded = bench.send(EAST, get("/media?prefix=odd/&encoding-type=url&delimiter=%25")).await;
    assert_eq!(texts(&encoded, "Key"), ["odd/%01%0A%0D", "odd/a%2Bb+c", "odd/%C3%A9%7E%28"]);
    assert_eq!(encoded.element("EncodingType").as_deref(), Some("url"));
    assert_eq!(encoded.element("Delimiter").as_deref(), Some("%25"));
}

#[tokio::test]
async fn deletions_of_many_objects() {
    let bench = bench().await;
    let s3 = client(&bench, "app", EAST, EAST);
    put(&s3, &["d/1", "d/2", "d/3"]).await;
    let id = |key: &str| ObjectIdentifier::builder().key(key);
    let delete = Delete::builder()
        .objects(id("d/1").build().unwrap())
        .objects(id("d/none").build().unwrap())
        .objects(id("d/2").e_tag("\"other\"").build().unwrap())
        .objects(id("d/3").version_id("no such id").build().unwrap());
    let done = s3.delete_objects().bucket("reports").delete(delete.build().unwrap()).send().await.unwrap();
    let deleted: Vec<_> = done.deleted().iter().filter_map(|deleted| deleted.key()).collect();
    assert_eq!(deleted, ["d/1", "d/none"]);
    let failed: Vec<_> = done.errors().iter().map(|e| (e.key().unwrap(), e.code().unwrap())).collect();
    assert_eq!(failed, [("d/2", "PreconditionFailed"), ("d/3", "NoSuchVersion")]);
    assert_eq!(done.errors()[1].version_id(), Some("no such id"));
    // Old clients send a digest of the document; without one, S3 does not even look at it.
    let bench = Bench::start().await;
    let document = b"<Delete><Object><Key>r/1.csv</Key></Object></Delete>";
    let bare = bench.signed("app", EAST, request("POST", "/reports?delete=").body(document)).await;
    assert_eq!(bare.verdict(), (400, "InvalidRequest".to_owned()));
    assert!(bare.text().contains("Missing required header for this request: Content-MD5"));
    let digested = bench.signed("app", EAST, request("POST", "/reports?delete=").digested(document)).await;
    assert_eq!(texts(&digested, "Deleted"), ["<Key>r/1.csv</Key>"]);
}

#[tokio::test]
async fn buckets_page_too() {
    let bench = bench().await;
    let admin = client(&bench, "admin", EAST, EAST);
    for name in ["pages-1", "pages-2", "pages-3"] {
        admin.create_bucket().bucket(name).send().await.unwrap();
    }
    let mut names = Vec::new();
    let mut pages = admin.list_buckets().prefix("pages-").max_buckets(2).into_paginator().send();
    while let Some(page) = pages.next().await {
        let page = page.unwrap();
        assert_eq!(page.prefix(), Some("pages-"));
        assert!(page.buckets().iter().all(|bucket| bucket.bucket_region() == Some(EAST)));
        names.push(page.buckets().iter().map(|bucket| bucket.name().unwrap().to_owned()).collect::<Vec<_>>());
    }
    assert_eq!(names, [vec!["pages-1", "pages-2"], vec!["pages-3"]]);
    let west = admin.list_buckets().bucket_region(WEST).send().await.unwrap();
    assert_eq!(west.buckets().iter().filter_map(|b| b.name()).collect::<Vec<_>>(), ["media", "reports-dr"]);
    let none = admin.list_buckets().max_buckets(0).send().await.unwrap_err();
    assert_eq!(none.into_service_error().code(), Some("InvalidArgument"));
}
