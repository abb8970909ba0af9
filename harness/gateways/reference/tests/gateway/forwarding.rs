//! The request as the upstream gets it, and the response as the client does.

use gatecrash_reference::{Config, Gateway};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use crate::support::{Act, Client, PATIENCE, Running, Seen, Upstream, get, pair, put, refusing, script};

async fn echo() -> Upstream {
    Upstream::always(script("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")).await
}

#[tokio::test]
async fn a_request_arrives_as_it_was_sent() {
    let upstream = echo().await;
    let gateway = Running::before(&upstream, json!({})).await;
    let request = "GET /b/a%20b//../c?list-type=2&prefix=%2Fx&flag HTTP/1.1\r\nHost: bucket.s3.test:99\r\n\
                   Authorization: AWS4-HMAC-SHA256 x\r\nX-Amz-Date: d\r\nRange: bytes=1-2\r\n\
                   x-gatecrash-id: 9f2c41aa-0-7\r\nConnection: X-Hop\r\nX-Hop: 1\r\nTE: trailers\r\n\r\n";
    gateway.ask(request).await.expect(200, "");
    let seen = &upstream.seen()[0];
    assert!(
        seen.head.starts_with("GET /b/a%20b//../c?list-type=2&prefix=%2Fx&flag HTTP/1.1\r\n"),
        "{}",
        seen.head
    );
    for (name, value) in [
        ("host", Some("bucket.s3.test:99")),
        ("authorization", Some("AWS4-HMAC-SHA256 x")),
        ("x-amz-date", Some("d")),
        ("range", Some("bytes=1-2")),
        ("x-gatecrash-id", Some("9f2c41aa-0-7")),
        ("via", Some("1.1 gatecrash-reference")),
        ("x-hop", None),
        ("te", None),
        ("connection", None),
        ("content-length", None),
    ] {
        assert_eq!(seen.header(name), value, "{name}");
    }
}

#[tokio::test]
async fn a_response_arrives_as_it_was_sent() {
    let head = "HTTP/1.1 200 Fine\r\nETag: \"a-2\"\r\nx-amz-meta-a: 1\r\nx-amz-meta-a: 2\r\nKeep-Alive: 9\r\n\
                X-Gatecrash-Attempt: 1-2-3\r\nConnection: X-Hop\r\nX-Hop: 1\r\n\
                Content-Length: 5\r\n\r\nhello";
    let upstream = Upstream::always(script(head)).await;
    let gateway = Running::before(&upstream, json!({})).await;
    let reply = gateway.get("/b/k").await;
    reply.expect(200, "hello");
    for (name, value) in [
        ("etag", Some("\"a-2\"")),
        ("content-length", Some("5")),
        ("x-gatecrash-attempt", Some("1-2-3")),
        ("via", Some("1.1 gatecrash-reference")),
        ("x-gatecrash-reference", None),
        ("keep-alive", None),
        ("x-hop", None),
    ] {
        assert_eq!(reply.header(name), value, "{name}");
    }
    assert_eq!(reply.head.matches("x-amz-meta-a").count(), 2);
}

#[tokio::test]
async fn gateway_made_errors_are_marked() {
    let gateway =
        Running::start(json!([{"region": "one", "endpoints": [refusing().await]}]), json!({})).await;
    let reply = gateway.ask(&get("/b/k").replace("GET", "HEAD")).await;
    assert_eq!(reply.header("x-gatecrash-reference"), Some("error"));
    assert_eq!(reply.header("via"), Some("1.1 gatecrash-reference"));
}

#[tokio::test]
async fn tunnels_are_not_offered() {
    let upstream = echo().await;
    let gateway = Running::before(&upstream, json!({})).await;
    gateway.ask("CONNECT s3.test:443 HTTP/1.1\r\nHost: s3.test:443\r\n\r\n").await.expect_error(501);
    assert_eq!(upstream.count(), 0);
}

#[tokio::test]
async fn buckets_have_their_own_name_in_each_region() {
    let first = Upstream::always(vec![Act::Fin]).await;
    let second = echo().await;
    let mut upstreams = pair(first.address, second.address);
    upstreams[0]["buckets"] = json!({"photos": "photos-eu"});
    upstreams[1]["buckets"] = json!({"photos": "photos-us"});
    let gateway = Running::start(upstreams, json!({})).await;
    for path in ["/photos/a/photos/b", "/photos", "/photos?list-type=2", "/other/photos", "/photos-x/a"] {
        assert_eq!(gateway.get(path).await.status, 200);
    }
    let paths =
        |upstream: &Upstream| upstream.seen().iter().map(|seen| seen.path().to_owned()).collect::<Vec<_>>();
    assert_eq!(paths(&first), ["/photos-eu/a/photos/b", "/photos-eu", "/photos-eu?list-type=2"]);
    assert_eq!(
        paths(&second),
        ["/photos-us/a/photos/b", "/photos-us", "/photos-us?list-type=2", "/other/photos", "/photos-x/a"]
    );
}

#[tokio::test]
async fn host_is_the_endpoint_where_it_is_not_preserved() {
    let upstream = echo().await;
    let gateway = Running::before(&upstream, json!({"preserve-host": false})).await;
    gateway.get("/b/k").await.expect(200, "");
    assert_eq!(upstream.seen()[0].header("host"), Some(upstream.address.to_string().as_str()));
}

#[tokio::test]
async fn each_mistake_shows_where_it_should() {
    let upstream = echo().await;
    let with = async |mistake: Value| {
        let upstreams = json!([
            {"region": "one", "endpoints": [upstream.address], "buckets": {"b": "b-one"}},
            {"region": "two", "role": "standby", "endpoints": [upstream.address], "buckets": {"b": "b-two"}},
        ]);
        Running::start(upstreams, json!({"misconfigure": mistake})).await
    };
    with(Value::Null).await.get("/b/k").await.expect(200, "");
    with(json!({"bucket": "wrong"})).await.get("/b/k").await.expect(200, "");
    with(json!({"region": "two"})).await.get("/b/k").await.expect(200, "");
    with(json!({"host": "wrong.test"})).await.get("/b/k").await.expect(200, "");
    with(json!({"endpoint": refusing().await})).await.get("/b/k").await.expect_error(502);
    let seen = upstream.seen();
    let paths: Vec<_> = seen.iter().map(Seen::path).collect();
    assert_eq!(paths, ["/b-one/k", "/wrong/k", "/b-two/k", "/b-one/k"]);
    assert_eq!(seen[3].header("host"), Some("wrong.test"));
}

const SIGNING: &str = r#"{"access-key": "AKIAEXAMPLEKEY", "secret-key": "secret/KEY"}"#;

/// Recomputes the signature of a request as a server would; says for which region it is right.
fn verified_region(seen: &Seen) -> String {
    let hmac = |key: &[u8], text: &str| {
        let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
        mac.update(text.as_bytes());
        mac.finalize().into_bytes().to_vec()
    };
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let authorization = seen.header("authorization").unwrap();
    let field = |name: &str| authorization.split_once(name).unwrap().1.split(',').next().unwrap().to_owned();
    let credential = field("Credential=");
    let (key, scope) = credential.split_once('/').unwrap();
    assert_eq!(key, "AKIAEXAMPLEKEY");
    let [day, region, "s3", "aws4_request"] = scope.split('/').collect::<Vec<_>>()[..] else {
        panic!("{scope}")
    };
    let names = field("SignedHeaders=");
    let headers: String =
        names.split(';').map(|name| format!("{name}:{}\n", seen.header(name).unwrap())).collect();
    let (path, query) = seen.path().split_once('?').unwrap_or((seen.path(), ""));
    let method = seen.head.split(' ').next().unwrap();
    let payload = seen.header("x-amz-content-sha256").unwrap();
    let canonical = format!("{method}\n{path}\n{query}\n{headers}\n{names}\n{payload}");
    let date = seen.header("x-amz-date").unwrap();
    let text = format!("AWS4-HMAC-SHA256\n{date}\n{scope}\n{}", hex(&Sha256::digest(canonical.as_bytes())));
    let day_key = hmac(b"AWS4secret/KEY", day);
    let signing_key = hmac(&hmac(&hmac(&day_key, region), "s3"), "aws4_request");
    assert_eq!(field("Signature="), hex(&hmac(&signing_key, &text)), "{}", seen.head);
    if payload.len() == 64 {
        assert_eq!(payload, hex(&Sha256::digest(&seen.body)));
    }
    region.to_owned()
}

#[tokio::test]
async fn the_gateway_signs_for_the_region_it_asks() {
    let signing: Value = serde_json::from_str(SIGNING).unwrap();
    let first = Upstream::start(|seen| {
        if seen.number == 0 { script("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n") } else { vec![Act::Fin] }
    })
    .await;
    let second = echo().await;
    let gateway = Running::start(pair(first.address, second.address), json!({"signing": signing})).await;
    let signed = "Authorization: AWS4 theirs\r\nx-amz-date: 20200101T000000Z\r\nx-amz-content-sha256: 00\r\n\
                  x-amz-security-token: theirs\r\nx-amz-meta-a: kept\r\nx-gatecrash-id: 9f2c41aa-0-7\r\nHost";
    let request =
        put("/b/a%20b?X-Amz-Signature=theirs&partNumber=1&uploadId=u", "data").replacen("Host", signed, 1);
    gateway.ask(&request).await.expect(200, "");
    gateway.ask(&request).await.expect(200, "");
    for (upstream, name) in [(&first, "first"), (&second, "second")] {
        let seen = &upstream.seen()[0];
        assert_eq!(verified_region(seen), name);
        assert_eq!(seen.header("host"), Some(upstream.address.to_string().as_str()));
        assert_eq!(seen.header("x-amz-meta-a"), Some("kept"));
        assert!(!seen.head.contains("theirs"), "{}", seen.head);
        let names = seen.header("authorization").unwrap();
        assert!(names.contains("x-amz-meta-a") && !names.contains("x-gatecrash"), "{names}");
    }
}

#[tokio::test]
async fn a_streamed_body_is_signed_as_stated_or_unsigned() {
    let upstream = echo().await;
    let signing: Value = serde_json::from_str(SIGNING).unwrap();
    let gateway = Running::before(&upstream, json!({"signing": signing, "buffer-limit": 10})).await;
    let body = "longer than the buffer";
    gateway.ask(&put("/b/k", body)).await.expect(200, "");
    let digest: String = Sha256::digest(body).iter().map(|byte| format!("{byte:02x}")).collect();
    let stated = put("/b/k", body).replacen("Host", &format!("x-amz-content-sha256: {digest}\r\nHost"), 1);
    gateway.ask(&stated).await.expect(200, "");
    let chunks = "x-amz-content-sha256: STREAMING-AWS4-HMAC-SHA256-PAYLOAD\r\nHost";
    gateway.ask(&put("/b/k", "x").replacen("Host", chunks, 1)).await.expect_error(501);
    let seen = upstream.seen();
    assert_eq!(seen.len(), 2);
    assert_eq!(seen[0].header("x-amz-content-sha256"), Some("UNSIGNED-PAYLOAD"));
    assert_eq!(verified_region(&seen[0]), "one");
    assert_eq!(seen[1].header("x-amz-content-sha256"), Some(digest.as_str()));
    assert_eq!(verified_region(&seen[1]), "one");
}

#[tokio::test]
async fn a_wrong_region_is_signed_for() {
    let upstream = echo().await;
    let signing: Value = serde_json::from_str(SIGNING).unwrap();
    let gateway =
        Running::before(&upstream, json!({"signing": signing, "misconfigure": {"region": "mars"}})).await;
    gateway.get("/b/k").await.expect(200, "");
    assert_eq!(verified_region(&upstream.seen()[0]), "mars");
}

#[tokio::test]
async fn shutdown_lets_open_requests_finish() {
    // Half a body is out when the shutdown begins; the rest comes with the close that ends it.
    let slow = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let config = json!({
        "upstreams": [{"region": "one", "endpoints": [slow.local_addr().unwrap()]}],
        "health": {"path": null},
    });
    let gateway = Gateway::bind(Config::from_json(&config.to_string()).unwrap()).await.unwrap();
    let address = gateway.local_addr();
    let (shut_down, asked) = tokio::sync::oneshot::channel::<()>();
    let serving = tokio::spawn(gateway.serve(async {
        let _ = asked.await;
    }));
    let (mut busy, mut idle) = (Client::connect(address).await, Client::connect(address).await);
    busy.send(get("/b/k")).await;
    let (mut upstream, _) = slow.accept().await.unwrap();
    upstream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello").await.unwrap();
    assert!(busy.fill().await);
    shut_down.send(()).unwrap();
    assert!(!idle.fill().await, "an idle connection is closed");
    upstream.write_all(b"world").await.unwrap();
    busy.reply("GET").await.expect(200, "helloworld");
    timeout(PATIENCE, serving).await.unwrap().unwrap();
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn a_taken_address_is_an_error() {
    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let config = json!({
        "listen": taken.local_addr().unwrap(),
        "upstreams": [{"region": "one", "endpoints": ["127.0.0.1:1"]}],
    });
    let Err(error) = Gateway::bind(Config::from_json(&config.to_string()).unwrap()).await else {
        panic!("bound twice");
    };
    assert!(error.to_string().starts_with("cannot listen on 127.0.0.1:"), "{error}");
}
