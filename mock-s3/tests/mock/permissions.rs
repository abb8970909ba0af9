//! Who may do what: signatures, dates, regions, policies, and how a refusal looks.

use gatecrash_mock_s3::{Credentials, IdentityConfig};
use gatecrash_model::Decision;
use serde_json::json;

use crate::support::{Bench, EAST, Request, WALL, WEST, get, request};

const ACCOUNT: &str = "000000000001";
const OBJECT: &str = "/reports/r/1.csv";

fn signed<'a>(bench: &Bench, identity: &str, request: Request<'a>) -> Request<'a> {
    request.sign(&bench.credentials(identity), EAST, WALL)
}

#[tokio::test]
async fn signatures_are_verified() {
    let bench = Bench::start().await;
    let pair = bench.credentials("app");
    let forged = Credentials::new(&*pair.access_key, "another secret");
    let stranger = Credentials::new("AKIANOBODYKNOWSTHIS0", "secret");
    let streaming = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER";
    let altered = signed(&bench, "app", get(OBJECT)).header("x-amz-acl", "private");
    let mut moved = signed(&bench, "app", get(OBJECT));
    moved.headers[0].1 = "other.test".into();
    let mut extended = signed(&bench, "app", get("/reports/r/1.csv?a=1"));
    extended.target = "/reports/r/1.csv?a=2";
    let table = [
        ("right", signed(&bench, "app", get(OBJECT)), 200, ""),
        ("with a query", signed(&bench, "app", get("/reports?list-type=2&prefix=r%2F")), 200, ""),
        ("wrong secret", get(OBJECT).sign(&forged, EAST, WALL), 403, "SignatureDoesNotMatch"),
        ("unknown key", get(OBJECT).sign(&stranger, EAST, WALL), 403, "InvalidAccessKeyId"),
        ("other host", moved, 403, "SignatureDoesNotMatch"),
        ("other query", extended, 403, "SignatureDoesNotMatch"),
        ("a header added", altered, 403, "AccessDenied"),
        ("other region", get(OBJECT).sign(&pair, WEST, WALL), 400, "AuthorizationHeaderMalformed"),
        ("15 minutes late", get(OBJECT).sign(&pair, EAST, WALL - 900), 200, ""),
        ("later", get(OBJECT).sign(&pair, EAST, WALL - 901), 403, "RequestTimeTooSkewed"),
        ("early", get(OBJECT).sign(&pair, EAST, WALL + 901), 403, "RequestTimeTooSkewed"),
        ("unsigned payload", get(OBJECT).sign_with(&pair, EAST, WALL, "UNSIGNED-PAYLOAD"), 200, ""),
        ("streaming", get(OBJECT).sign_with(&pair, EAST, WALL, streaming), 411, "MissingContentLength"),
        ("no mechanism", get(OBJECT).header("authorization", "Basic x"), 400, "InvalidArgument"),
    ];
    for (name, request, status, code) in table {
        assert_eq!(bench.send(EAST, request).await.verdict(), (status, code.into()), "{name}");
    }
}

#[tokio::test]
async fn refusals_carry_what_a_client_needs() {
    let bench = Bench::start().await;
    let pair = bench.credentials("app");
    let forged = Credentials::new(&*pair.access_key, "another secret");
    let reply = bench.send(EAST, get(OBJECT).sign(&forged, EAST, WALL)).await;
    let to_sign = reply.element("StringToSign").unwrap();
    assert!(to_sign.starts_with("AWS4-HMAC-SHA256\n20130524T000000Z\n20130524/us-east-1/s3/aws4_request\n"));
    assert!(
        reply.element("CanonicalRequest").unwrap().starts_with("GET\n/reports/r/1.csv\n\nhost:s3.test\n")
    );
    assert_eq!(reply.element("AWSAccessKeyId"), Some(pair.access_key.clone()));
    assert!(!reply.text().contains(&pair.secret_key));
    let reply = bench.send(EAST, get(OBJECT).sign(&pair, WEST, WALL)).await;
    assert_eq!(reply.element("Region").as_deref(), Some(EAST));
    let reply = bench.send(EAST, get(OBJECT).sign(&pair, EAST, WALL - 1000)).await;
    assert_eq!(reply.element("ServerTime").as_deref(), Some("2013-05-24T00:00:00.000Z"));
    assert_eq!(reply.element("MaxAllowedSkewMilliseconds").as_deref(), Some("900000"));
}

#[tokio::test]
async fn policies_decide_and_the_message_says_why() {
    let bench = Bench::start().await;
    let reply = bench.signed("guest", EAST, get(OBJECT)).await;
    assert_eq!(reply.verdict(), (403, "AccessDenied".into()));
    assert_eq!(
        reply.element("Message").unwrap().replace("&quot;", "\""),
        "User: arn:aws:iam::000000000001:user/guest is not authorized to perform: s3:GetObject on resource: \
         \"arn:aws:s3:::reports/r/1.csv\" because no identity-based policy allows the s3:GetObject action"
    );
    let reply = bench.send(EAST, get(OBJECT)).await;
    assert_eq!(reply.element("Message").as_deref(), Some("Access Denied"));
    let head = bench.signed("guest", EAST, request("HEAD", OBJECT)).await;
    assert_eq!((head.status, head.body.len()), (403, 0));
    let explained =
        bench.mock.control().evaluate(Some("guest"), "s3:GetObject", "reports", "r/1.csv").unwrap();
    assert_eq!(explained.decision, Decision::ImplicitDeny);
    assert_eq!(
        explained.explain(),
        "s3:GetObject on arn:aws:s3:::reports/r/1.csv: no statement of the identity's policies allows it"
    );
}

#[tokio::test]
async fn conditions_ask_the_request() {
    let bench = Bench::start().await;
    let control = bench.mock.control();
    let deny = |action: &str, resource: &str, condition: serde_json::Value| {
        json!({ "Effect": "Deny", "Principal": "*", "Action": action, "Resource": resource,
            "Condition": condition })
    };
    let list = "/reports?list-type=2&prefix=r%2F";
    let versioned = "arn:aws:s3:::reports/*";
    let bucket = "arn:aws:s3:::reports";
    let table = [
        (OBJECT, deny("s3:*", "*", json!({ "IpAddress": { "aws:SourceIp": "127.0.0.0/8" } })), 403),
        (OBJECT, deny("s3:*", "*", json!({ "IpAddress": { "aws:SourceIp": "10.0.0.0/8" } })), 200),
        (OBJECT, deny("s3:*", "*", json!({ "Bool": { "aws:SecureTransport": false } })), 403),
        (OBJECT, deny("s3:*", "*", json!({ "StringNotEquals": { "aws:SourceVpce": "vpce-1" } })), 403),
        (OBJECT, deny("s3:*", "*", json!({ "StringEquals": { "aws:username": "app" } })), 403),
        (OBJECT, deny("s3:*", "*", json!({ "StringNotEquals": { "s3:signatureversion": "AWS" } })), 403),
        (OBJECT, deny("s3:*", "*", json!({ "NumericGreaterThan": { "s3:signatureAge": "0" } })), 200),
        (OBJECT, deny("s3:*", "*", json!({ "DateLessThan": { "aws:CurrentTime": "2013-05-25" } })), 403),
        (OBJECT, deny("s3:GetObject", versioned, json!({ "Null": { "s3:prefix": "false" } })), 200),
        (list, deny("s3:ListBucket", bucket, json!({ "StringLike": { "s3:prefix": "r/*" } })), 403),
        (list, deny("s3:ListBucket", bucket, json!({ "StringNotLike": { "s3:prefix": "r/*" } })), 200),
        (list, deny("s3:ListBucket", bucket, json!({ "Null": { "s3:delimiter": true } })), 403),
    ];
    for (target, statement, status) in table {
        let change = control.add_bucket_policy_statement("reports", &statement).unwrap();
        assert_eq!(bench.signed("app", EAST, get(target)).await.status, status, "{statement}");
        assert!(control.undo(change));
    }
}

#[tokio::test]
async fn public_access_is_blocked_for_a_while() {
    let bench = Bench::start().await;
    let control = bench.mock.control();
    let object = "/media/img/000001.bin";
    let before = bench.send(EAST, get(object)).await.status;
    let change = control.block_public_access("media").unwrap();
    let blocked = bench.send(EAST, get(object)).await;
    assert_eq!((before, blocked.verdict()), (200, (403, "AccessDenied".into())));
    assert_eq!(bench.signed("app", EAST, get(object)).await.status, 200, "the own account");
    assert!(control.undo(change));
    assert_eq!(bench.send(EAST, get(object)).await.status, 200);
    assert!(control.block_public_access("meida").is_err());
}

#[tokio::test]
async fn boundaries_and_organisations_limit_what_policies_allow() {
    let bench = Bench::start().await;
    let control = bench.mock.control();
    let document = |effect: &str, action: &str| {
        json!({ "Version": "2012-10-17",
        "Statement": { "Effect": effect, "Action": action, "Resource": "*" } })
    };
    let everyone = |effect: &str, action: &str| {
        json!({ "Version": "2012-10-17",
        "Statement": { "Effect": effect, "Principal": "*", "Action": action, "Resource": "*" } })
    };
    let said = async |expected: &str| {
        let reply = bench.signed("app", EAST, get(OBJECT)).await;
        assert_eq!(reply.status, if expected.is_empty() { 200 } else { 403 });
        let message = reply.element("Message").unwrap_or_default();
        assert!(message.ends_with(expected), "{message}");
    };
    let get_only = document("Allow", "s3:GetObject");
    let put_only = document("Allow", "s3:PutObject");
    let change = control.set_boundary("app", Some(&get_only)).unwrap();
    said("").await;
    assert!(control.undo(change));
    let change = control.set_boundary("app", Some(&put_only)).unwrap();
    said("because no permissions boundary allows the s3:GetObject action").await;
    assert!(control.undo(change));
    let levels = [vec![document("Allow", "*")], vec![document("Allow", "*"), document("Deny", "s3:Get*")]];
    let change = control.set_service_control(ACCOUNT, &levels).unwrap();
    said("with an explicit deny in a service control policy").await;
    assert!(control.undo(change));
    let change = control.set_service_control(ACCOUNT, &[vec![put_only]]).unwrap();
    said("because no service control policy allows the s3:GetObject action").await;
    assert!(control.undo(change));
    let levels = [vec![everyone("Allow", "*"), everyone("Deny", "s3:GetObject")]];
    let change = control.set_resource_control(ACCOUNT, &levels).unwrap();
    said("with an explicit deny in a resource control policy").await;
    let why = control.evaluate(Some("app"), "s3:GetObject", "reports", "r/1.csv").unwrap();
    assert_eq!((why.decision, why.layer.name()), (Decision::ExplicitDeny, "resource-control"));
    // Everyone's bucket, too.
    assert_eq!(bench.send(EAST, get("/media/img/000001.bin")).await.status, 403);
    assert!(control.undo(change));
    said("").await;
}

#[tokio::test]
async fn a_missing_key_is_told_only_to_those_who_may_list() {
    let bench = Bench::start().await;
    let missing = "/reports/r/none.csv";
    assert_eq!(bench.signed("app", EAST, get(missing)).await.verdict(), (404, "NoSuchKey".into()));
    let control = bench.mock.control();
    let change = control.remove_action("app", "s3:ListBucket").unwrap();
    assert_eq!(bench.signed("app", EAST, get(missing)).await.verdict(), (403, "AccessDenied".into()));
    assert_eq!(bench.signed("app", EAST, request("HEAD", missing)).await.status, 403);
    assert_eq!(bench.signed("app", EAST, get(OBJECT)).await.status, 200);
    assert!(control.undo(change));
    assert_eq!(bench.signed("app", EAST, request("HEAD", missing)).await.status, 404);
    let records = bench.records(5).await;
    assert_eq!(records[1].decision, Decision::ImplicitDeny);
    // A missing bucket is told to everyone.
    assert_eq!(bench.send(EAST, get("/nobucket/k")).await.verdict(), (404, "NoSuchBucket".into()));
}

#[tokio::test]
async fn many_deletes_are_authorised_one_by_one() {
    let bench = Bench::start().await;
    bench.mock.control().deny("app", &["s3:DeleteObject"], &["arn:aws:s3:::reports/r/2.csv"]).unwrap();
    let body = b"<Delete><Quiet>true</Quiet><Object><Key>r/1.csv</Key></Object>\
        <Object><Key>r/2.csv</Key></Object></Delete>";
    let request = signed(&bench, "app", request("POST", "/reports?delete=").digested(body));
    let reply = bench.send(EAST, request).await;
    assert_eq!(reply.status, 200);
    assert!(!reply.text().contains("r/1.csv"));
    assert_eq!(reply.element("Key").as_deref(), Some("r/2.csv"));
    assert_eq!(reply.element("Code").as_deref(), Some("AccessDenied"));
    assert_eq!(bench.signed("app", EAST, get("/reports/r/1.csv")).await.status, 404);
    assert_eq!(bench.signed("app", EAST, get("/reports/r/2.csv")).await.status, 200);
    assert_eq!(bench.records(3).await[0].decision, Decision::ExplicitDeny);
}

#[tokio::test]
async fn policies_speak_the_scenarios_bucket_name_in_every_region() {
    let bench = Bench::start().await;
    assert_eq!(bench.signed("app", WEST, get("/reports-dr/r/1.csv")).await.status, 200);
    let control = bench.mock.control();
    control.deny("app", &["s3:GetObject"], &["arn:aws:s3:::reports-dr/*"]).unwrap();
    assert_eq!(bench.signed("app", WEST, get("/reports-dr/r/1.csv")).await.status, 403);
    assert_eq!(bench.signed("app", EAST, get(OBJECT)).await.status, 200);
    control.deny("app", &["s3:GetObject"], &["arn:aws:s3:::reports/*"]).unwrap();
    assert_eq!(bench.signed("app", EAST, get(OBJECT)).await.status, 403);
}

#[tokio::test]
async fn a_bucket_of_another_region_is_redirected_there() {
    let bench = Bench::start().await;
    let reply = bench.signed("app", EAST, get("/reports-dr/r/1.csv")).await;
    assert_eq!(reply.verdict(), (301, "PermanentRedirect".into()));
    assert_eq!(reply.header("x-amz-bucket-region"), Some(WEST));
    assert_eq!(reply.element("Endpoint").as_deref(), Some("s3.us-west-2.amazonaws.com"));
    let head = bench.signed("app", EAST, request("HEAD", "/reports-dr")).await;
    assert_eq!((head.status, head.header("x-amz-bucket-region")), (301, Some(WEST)));
}

#[tokio::test]
async fn anonymous_may_do_everything_only_when_told_so() {
    let mut config = crate::support::config();
    config.anonymous = true;
    let open = Bench::with(
        config,
        std::sync::Arc::new(crate::support::StepClock::default()),
        std::sync::Arc::new(gatecrash_mock_s3::NoFaults),
    )
    .await;
    assert_eq!(open.send(EAST, get(OBJECT)).await.status, 200);
    assert_eq!(open.send(EAST, get("/")).await.status, 200);
    let closed = Bench::start().await;
    assert_eq!(closed.send(EAST, get(OBJECT)).await.status, 403);
    assert_eq!(closed.send(EAST, get("/media/img/000001.bin")).await.status, 200);
    assert_eq!(closed.send(EAST, request("DELETE", "/media")).await.status, 403);
}

#[tokio::test]
async fn an_object_of_another_account_is_not_the_bucket_owners_to_give() {
    let mut config = crate::support::config();
    let partner = IdentityConfig { account: "000000000002".into(), ..IdentityConfig::new("partner") };
    config.identities.push(partner.allow(&["s3:*"], &["*"]));
    let clock = std::sync::Arc::new(crate::support::StepClock::default());
    let bench = Bench::with(config, clock, std::sync::Arc::new(gatecrash_mock_s3::NoFaults)).await;
    let statement = json!({ "Effect": "Allow", "Principal": { "AWS": "000000000002" },
        "Action": ["s3:GetObject", "s3:PutObject*"], "Resource": "arn:aws:s3:::reports/*" });
    bench.mock.control().add_bucket_policy_statement("reports", &statement).unwrap();
    let put = |key, acl| request("PUT", key).body(b"x").header("x-amz-acl", acl);
    let table =
        [("/reports/r/mine", "private", 403), ("/reports/r/shared", "bucket-owner-full-control", 200)];
    for (key, acl, status) in table {
        assert_eq!(bench.signed("partner", EAST, put(key, acl)).await.status, 200);
        assert_eq!(bench.signed("partner", EAST, get(key)).await.status, 200);
        assert_eq!(bench.signed("app", EAST, get(key)).await.status, status, "{acl}");
    }
    // What the bucket's owner wrote, its policy gives away.
    assert_eq!(bench.signed("partner", EAST, get(OBJECT)).await.status, 200);
}
