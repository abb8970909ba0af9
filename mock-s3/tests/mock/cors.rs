//! What browsers are told about requests from other origins.

use crate::support::{Bench, EAST, Reply, Request, get, request};

const RULES: &str = "<CORSConfiguration>\
    <CORSRule><AllowedMethod>GET</AllowedMethod><AllowedOrigin>https://*.example.org</AllowedOrigin>\
    <AllowedHeader>x-amz-*</AllowedHeader><ExposeHeader>ETag</ExposeHeader><MaxAgeSeconds>60</MaxAgeSeconds></CORSRule>\
    <CORSRule><AllowedMethod>PUT</AllowedMethod><AllowedOrigin>*</AllowedOrigin></CORSRule></CORSConfiguration>";

async fn bench() -> Bench {
    let bench = Bench::start().await;
    let put = request("PUT", "/media?cors=").body(RULES.as_bytes());
    assert_eq!(bench.signed("admin", EAST, put).await.status, 200);
    bench
}

fn allowed(reply: &Reply) -> (u16, Option<&str>, Option<&str>) {
    let header = |name| reply.header(name);
    (reply.status, header("access-control-allow-origin"), header("access-control-allow-methods"))
}

#[tokio::test]
async fn the_configuration_is_put_told_and_deleted() {
    let bench = bench().await;
    let told = bench.signed("admin", EAST, get("/media?cors=")).await.text();
    assert_eq!(
        told.split_once('\n').unwrap().1.replace(" xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"", ""),
        RULES
    );
    assert_eq!(bench.signed("admin", EAST, request("DELETE", "/media?cors=")).await.status, 204);
    let missing = bench.signed("admin", EAST, get("/media?cors=")).await;
    assert_eq!(missing.verdict(), (404, "NoSuchCORSConfiguration".into()));
    let ask =
        request("OPTIONS", "/media/k").header("origin", "x").header("access-control-request-method", "GET");
    let refused = bench.send(EAST, ask).await;
    assert_eq!(refused.verdict(), (403, "AccessForbidden".into()));
    let message = refused.element("Message");
    assert_eq!(message.as_deref(), Some("CORSResponse: CORS is not enabled for this bucket."));
}

#[tokio::test]
async fn preflight_requests() {
    let bench = bench().await;
    let ask = async |origin: &str, method: &str, headers: &str| {
        let mut ask = request("OPTIONS", "/media/img/000001.bin");
        for (name, value) in [
            ("origin", origin),
            ("access-control-request-method", method),
            ("access-control-request-headers", headers),
        ] {
            if !value.is_empty() {
                ask = ask.header(name, value);
            }
        }
        bench.send(EAST, ask).await
    };
    let site = "https://a.example.org";
    let reply = ask(site, "GET", "X-Amz-Date,x-amz-user-agent").await;
    assert_eq!(allowed(&reply), (200, Some(site), Some("GET")));
    assert_eq!(reply.header("access-control-allow-headers"), Some("x-amz-date, x-amz-user-agent"));
    assert_eq!(reply.header("access-control-expose-headers"), Some("ETag"));
    assert_eq!(reply.header("access-control-max-age"), Some("60"));
    assert_eq!(reply.header("access-control-allow-credentials"), Some("true"));
    let varies = "Origin, Access-Control-Request-Headers, Access-Control-Request-Method";
    assert_eq!(reply.header("vary"), Some(varies));
    assert_eq!(allowed(&ask("http://other", "PUT", "").await), (200, Some("*"), Some("PUT")));
    let table = [
        (site, "GET", "authorization", 403, "AccessForbidden"),
        (site, "DELETE", "", 403, "AccessForbidden"),
        ("http://other", "GET", "", 403, "AccessForbidden"),
        ("", "GET", "", 400, "BadRequest"),
        (site, "", "", 400, "BadRequest"),
        (site, "PATCH", "", 400, "BadRequest"),
    ];
    for (origin, method, headers, status, code) in table {
        let reply = ask(origin, method, headers).await;
        assert_eq!(reply.verdict(), (status, code.into()), "{origin} {method} {headers}");
        assert_eq!(reply.header("access-control-allow-origin"), None);
    }
    let refused = ask(site, "DELETE", "").await;
    assert_eq!(refused.element("Method").as_deref(), Some("DELETE"));
    assert_eq!(refused.element("ResourceType").as_deref(), Some("OBJECT"));
    // Presigned URLs are asked about with all their parameters.
    let presigned = request("OPTIONS", "/media/k?X-Amz-Signature=1&X-Amz-Credential=x")
        .header("origin", site)
        .header("access-control-request-method", "GET");
    assert_eq!(bench.send(EAST, presigned).await.status, 200);
    let nowhere = request("OPTIONS", "/nobucket/k").header("origin", site);
    assert_eq!(bench.send(EAST, nowhere).await.verdict(), (404, "NoSuchBucket".into()));
}

#[tokio::test]
async fn answers_tell_whom_they_are_for_even_when_they_are_errors() {
    let bench = bench().await;
    let send =
        async |request: Request<'_>, origin: &str| bench.send(EAST, request.header("origin", origin)).await;
    let site = "https://a.example.org";
    let object = || get("/media/img/000001.bin");
    assert_eq!(allowed(&send(object(), site).await), (200, Some(site), Some("GET")));
    assert_eq!(allowed(&send(object(), "http://other").await), (200, None, None));
    assert_eq!(allowed(&send(get("/media/none"), site).await), (404, Some(site), Some("GET")));
    let acl = send(request("PUT", "/media?acl="), "http://other").await;
    assert_eq!(allowed(&acl), (403, Some("*"), Some("PUT")));
    assert_eq!(acl.header("access-control-allow-credentials"), None);
    let quiet = bench.send(EAST, object()).await;
    assert_eq!((allowed(&quiet), quiet.header("vary")), ((200, None, None), None));
}
