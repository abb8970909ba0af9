//! Buckets as websites.

use crate::support::{Bench, EAST, Reply, Request, request};

const RULES: &str = "<WebsiteConfiguration><IndexDocument><Suffix>index.html</Suffix></IndexDocument>\
    <ErrorDocument><Key>sorry.html</Key></ErrorDocument><RoutingRules>\
    <RoutingRule><Condition><KeyPrefixEquals>old/</KeyPrefixEquals></Condition>\
    <Redirect><ReplaceKeyPrefixWith>new/</ReplaceKeyPrefixWith></Redirect></RoutingRule>\
    <RoutingRule><Condition><HttpErrorCodeReturnedEquals>404</HttpErrorCodeReturnedEquals>\
    <KeyPrefixEquals>gone/</KeyPrefixEquals></Condition><Redirect><HostName>archive.test</HostName>\
    <HttpRedirectCode>302</HttpRedirectCode></Redirect></RoutingRule></RoutingRules></WebsiteConfiguration>";

async fn ask(bench: &Bench, method: &str, target: &str) -> Reply {
    let host = ("host".to_owned(), "media.s3-website.localhost".to_owned());
    bench.send(EAST, Request { method, target, headers: vec![host], body: Vec::new() }).await
}

#[tokio::test]
async fn pages_indexes_errors_and_redirects() {
    let bench = Bench::start().await;
    let none = ask(&bench, "GET", "/").await;
    assert_eq!((none.status, none.header("content-type")), (404, Some("text/html; charset=utf-8")));
    assert!(none.text().contains("<li>Code: NoSuchWebsiteConfiguration</li>"));
    for (key, body) in [("index.html", "home"), ("docs/index.html", "docs")] {
        let target = format!("/media/{key}");
        let put = request("PUT", &target).header("content-type", "text/html").body(body.as_bytes());
        assert_eq!(bench.send(EAST, put).await.status, 200);
    }
    let put = request("PUT", "/media?website=").body(RULES.as_bytes());
    assert_eq!(bench.signed("admin", EAST, put).await.status, 200);
    let table = [
        ("/", 200, "home", None),
        ("/docs/", 200, "docs", None),
        ("/docs", 302, "", Some("/docs/")),
        ("/old/a", 301, "", Some("http://media.s3-website.localhost/new/a")),
        ("/gone/a%20b", 302, "", Some("http://archive.test/gone/a%20b")),
    ];
    for (target, status, body, location) in table {
        let reply = ask(&bench, "GET", target).await;
        assert_eq!(
            (reply.status, &*reply.text(), reply.header("location")),
            (status, body, location),
            "{target}"
        );
    }
    let missing = ask(&bench, "GET", "/none?acl").await;
    assert_eq!(missing.status, 404);
    assert!(
        missing
            .text()
            .contains("<li>Code: NoSuchKey</li>\n<li>Message: The specified key does not exist.</li>")
    );
    let page = request("PUT", "/media/sorry.html").body(b"sorry");
    assert_eq!(bench.send(EAST, page).await.status, 200);
    let missing = ask(&bench, "GET", "/none").await;
    assert_eq!((missing.status, missing.text().as_str()), (404, "sorry"));
    let head = ask(&bench, "HEAD", "/docs/").await;
    assert_eq!((head.status, head.header("content-length"), head.body.len()), (200, Some("4"), 0));
    assert_eq!(ask(&bench, "PUT", "/docs").await.status, 405);
}
