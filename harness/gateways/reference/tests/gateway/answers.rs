//! Form and statuses of errors, buffered answers, and harmless variants.

use serde_json::json;

use crate::support::{Act, Client, Ending, Running, Upstream, get, put, refusing, region, script};

/// A body of three bytes where nine were promised.
fn broken() -> Vec<Act> {
    vec![Act::Send(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhel".to_vec()), Act::Fin]
}

#[tokio::test]
async fn errors_have_the_declared_status_and_form() {
    let answers = json!({"answers": {"shape": "json", "refused": 504}});
    let gateway = Running::start(region("one", &[refusing().await]), answers).await;
    let reply = gateway.get("/b/k").await;
    reply.expect(504, r#"{"message": "Network error communicating with endpoint"}"#);
    assert_eq!(reply.header("content-type"), Some("application/json"));
    let mut client = Client::connect(gateway.address).await;
    let head = client.ask("HEAD /b/k HTTP/1.1\r\nHost: s3.test\r\n\r\n").await;
    assert_eq!(head.status, 504);
    client.ask(&get("/b/k")).await.expect(504, r#"{"message": "Network error communicating with endpoint"}"#);
}

#[tokio::test]
async fn a_buffered_answer_that_breaks_is_an_error() {
    let upstream = Upstream::always(broken()).await;
    let streamed = Running::before(&upstream, json!({"tries": 1})).await;
    assert_eq!(streamed.get("/b/k").await.ending, Ending::Cut);
    let answers = json!({"tries": 1, "answers": {"buffer": 100, "invalid": 504}});
    let buffered = Running::before(&upstream, answers).await;
    assert_eq!(buffered.get("/b/k").await.status, 504);
}

#[tokio::test]
async fn buffered_answers_are_bounded() {
    let upstream = Upstream::good("hello").await;
    let within = |limit: usize| json!({"answers": {"buffer": limit}});
    Running::before(&upstream, within(5)).await.get("/b/k").await.expect(200, "hello");
    assert_eq!(Running::before(&upstream, within(4)).await.get("/b/k").await.status, 500);
}

#[tokio::test]
async fn a_request_that_is_too_long_is_not_sent() {
    let upstream = Upstream::good("hello").await;
    let gateway = Running::before(&upstream, json!({"answers": {"request-limit": 4}})).await;
    gateway.ask(&put("/b/k", "1234")).await.expect(200, "hello");
    assert_eq!(gateway.ask(&put("/b/k", "12345")).await.status, 413);
    assert_eq!(upstream.count(), 1);
}

#[tokio::test]
async fn without_mappings_an_upstream_error_becomes_a_success() {
    let denied = script("HTTP/1.1 403 X\r\nContent-Length: 6\r\n\r\ndenied");
    let upstream = Upstream::always(denied).await;
    Running::before(&upstream, json!({})).await.get("/b/k").await.expect(403, "denied");
    let trap = json!({"mapping": {"responses": "default:200"}});
    Running::before(&upstream, trap).await.get("/b/k").await.expect(200, "denied");
    let mistake = json!({"misconfigure": {"mapping": "default:200"}});
    Running::before(&upstream, mistake).await.get("/b/k").await.expect(200, "denied");
}

#[tokio::test]
async fn an_answer_without_an_integration_response_is_a_configuration_error() {
    let upstream = Upstream::good("hello").await;
    let missing = json!({
        "tries": 1,
        "mapping": {"responses": "5\\d{2}:500"},
        "answers": {"shape": "json", "buffer": 100},
    });
    let gateway = Running::before(&upstream, missing).await;
    let reply = gateway.get("/b/k").await;
    reply.expect(500, r#"{"message": "Internal server error"}"#);
    assert_eq!(reply.header("x-amzn-errortype"), Some("InternalServerErrorException"));
    assert_eq!(reply.header("x-amzn-requestid").map(str::len), Some(36));
    let mapped = json!({"mapping": {"responses": "5\\d{2}:500 2..:203"}});
    Running::before(&upstream, mapped).await.get("/b/k").await.expect(203, "hello");
}

#[tokio::test]
async fn a_template_makes_the_body_of_errors_alone() {
    let template = r#"{"id": "$context.requestId", "said": "$util.escapeJavaScript($input.body)"}"#;
    let changes = json!({
        "tries": 1,
        "mapping": {"responses": "4..:400 default:200", "error-template": template},
        "answers": {"shape": "json", "buffer": 100},
    });
    let denied = script("HTTP/1.1 403 X\r\nContent-Type: text/xml\r\nContent-Length: 8\r\n\r\n<\"no\"/>\n");
    let upstream = Upstream::always(denied).await;
    let gateway = Running::before(&upstream, changes.clone()).await;
    let reply = gateway.get("/b/k").await;
    let id = reply.header("x-amzn-requestid").unwrap();
    reply.expect(400, &format!(r#"{{"id": "{id}", "said": "<\"no\"/>\n"}}"#));
    assert_eq!(reply.header("content-type"), Some("application/json"));
    assert_eq!(reply.header("x-amzn-errortype"), None, "the upstream's error, not the gateway's");
    let upstream = Upstream::good("hello").await;
    let gateway = Running::before(&upstream, changes).await;
    gateway.get("/b/k").await.expect(200, "hello");
}

#[tokio::test]
async fn who_asks_too_fast_is_throttled_and_not_sent() {
    let upstream = Upstream::good("hello").await;
    // A token in two minutes: none comes back while the test runs.
    let changes = json!({"throttle": {"rate": 0.008, "burst": 3}, "answers": {"shape": "json"}});
    let gateway = Running::before(&upstream, changes).await;
    for _ in 0..2 {
        gateway.get("/b/k").await.expect(200, "hello");
    }
    gateway.ask(&put("/b/k", "1234")).await.expect(200, "hello");
    let reply = gateway.ask(&put("/b/k", "1234")).await;
    reply.expect(429, r#"{"message": "Too Many Requests"}"#);
    assert_eq!(reply.header("x-amzn-errortype"), Some("TooManyRequestsException"));
    assert_eq!(upstream.count(), 3);
}

#[tokio::test]
async fn html_errors() {
    let html = json!({"defects": ["html-errors"]});
    let gateway = Running::start(region("one", &[refusing().await]), html).await;
    let reply = gateway.get("/b/k").await;
    assert_eq!((reply.status, reply.header("content-type")), (502, Some("text/html")));
}

#[tokio::test]
async fn rewrite_host() {
    for (defects, host) in [(vec![], None), (vec!["rewrite-host"], Some(()))] {
        let upstream = Upstream::good("hello").await;
        let gateway = Running::before(&upstream, json!({"defects": defects})).await;
        gateway.get("/b/k").await.expect(200, "hello");
        let address = upstream.address.to_string();
        let expected = host.map_or("s3.test", |()| address.as_str());
        assert_eq!(upstream.seen()[0].header("host"), Some(expected));
    }
}

#[tokio::test]
async fn variants_change_the_form_alone() {
    let upstream = Upstream::good("hello").await;
    let with = |name: &str| json!({"variants": [name]});
    let chunked = Running::before(&upstream, with("chunked")).await.get("/b/k").await;
    chunked.expect(200, "hello");
    assert_eq!(chunked.header("transfer-encoding"), Some("chunked"));
    let title = Running::before(&upstream, with("title-case")).await.get("/b/k").await;
    title.expect(200, "hello");
    assert!(title.head.contains("Content-Length: 5"), "{}", title.head);
    let phrase = Running::before(&upstream, with("reason-phrases")).await.get("/b/k").await;
    assert!(phrase.head.starts_with("HTTP/1.1 200 So It Is\r\n"), "{}", phrase.head);
    let extra = Running::before(&upstream, with("extra-headers")).await.get("/b/k").await;
    assert_eq!(extra.header("server"), Some("edge"));
    let refused = Running::start(region("one", &[refusing().await]), with("refused-503")).await;
    refused.get("/b/k").await.expect_error(503);
}

#[tokio::test]
async fn a_close_comes_on_reused_connections_alone() {
    let upstream = Upstream::good("hello").await;
    let gateway = Running::before(&upstream, json!({"variants": ["closes-reused"]})).await;
    let mut closed = 0;
    for _ in 0..4 {
        let mut client = Client::connect(gateway.address).await;
        for turn in 0..200 {
            let reply = client.ask(&get("/b/k")).await;
            if reply.ending == Ending::Dropped {
                assert!(turn > 0);
                closed += 1;
                break;
            }
            reply.expect(200, "hello");
        }
    }
    assert!(closed > 0, "800 requests and none was closed");
}
