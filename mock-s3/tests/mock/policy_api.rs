//! Bucket policies over the API: who may put them, what is taken, and what they then do.

use std::sync::Arc;

use gatecrash_mock_s3::{IdentityConfig, NoFaults};

use crate::support::{Bench, EAST, Reply, StepClock, config, get, request};

const TARGET: &str = "/reports?policy=";

/// With a root user of the account that owns `reports`, and a foreigner.
async fn bench() -> Bench {
    let mut config = config();
    let mut root = IdentityConfig::new("root");
    root.root = true;
    let mut other = IdentityConfig::new("other").allow(&["*"], &["*"]);
    other.account = "000000000002".into();
    config.identities.extend([root, other]);
    Bench::with(config, Arc::new(StepClock::default()), Arc::new(NoFaults)).await
}

async fn put(bench: &Bench, identity: &str, policy: &str) -> Reply {
    bench.signed(identity, EAST, request("PUT", TARGET).body(policy.as_bytes())).await
}

fn policy(effect: &str, principal: &str, action: &str, resource: &str) -> String {
    format!(
        r#"{{ "Version": "2012-10-17",  "Statement": [{{"Effect": "{effect}", "Principal": {principal},
            "Action": "{action}", "Resource": "arn:aws:s3:::{resource}"}}] }}"#
    )
}

#[tokio::test]
async fn a_policy_is_put_obeyed_told_and_deleted() {
    let bench = bench().await;
    let missing = bench.signed("app", EAST, get(TARGET)).await;
    assert_eq!(missing.verdict(), (404, "NoSuchBucketPolicy".into()));
    assert_eq!(missing.element("BucketName").as_deref(), Some("reports"));
    assert_eq!(bench.send(EAST, get("/reports/r/1.csv")).await.status, 403);
    let public = policy("Allow", r#""*""#, "s3:GetObject", "reports/*");
    assert_eq!(put(&bench, "app", &public).await.status, 204);
    assert_eq!(bench.send(EAST, get("/reports/r/1.csv")).await.status, 200);
    let told = bench.signed("app", EAST, get(TARGET)).await;
    assert_eq!((told.header("content-type"), told.text()), (Some("application/json"), public));
    let status = bench.signed("app", EAST, get("/reports?policyStatus=")).await;
    assert_eq!(status.element("IsPublic").as_deref(), Some("true"));
    assert_eq!(bench.signed("app", EAST, request("DELETE", TARGET)).await.status, 204);
    assert_eq!(bench.send(EAST, get("/reports/r/1.csv")).await.status, 403);
    let status = bench.signed("app", EAST, get("/reports?policyStatus=")).await;
    assert_eq!(status.verdict(), (404, "NoSuchBucketPolicy".into()));
}

#[tokio::test]
async fn what_is_no_policy_of_the_bucket_is_refused() {
    let bench = bench().await;
    let long = policy("Allow", r#""*""#, "s3:GetObject", &format!("reports/{}", "x".repeat(21_000)));
    let table = [
        (String::new(), "Policies must be valid JSON and the first byte must be '{'"),
        ("[]".into(), "Policies must be valid JSON and the first byte must be '{'"),
        (policy("Allow", r#""*""#, "s3:GetObject", "media/*"), "Policy has invalid resource"),
        (policy("Allow", r#""*""#, "nonsense", "reports/*"), "Policy has invalid action"),
        (
            policy("Allow", r#"{"AWS": "arn:aws:iam::1:x"}"#, "s3:GetObject", "reports/*"),
            "Invalid principal in policy",
        ),
        (long, "Policy exceeds the maximum allowed document size."),
    ];
    for (text, message) in table {
        let reply = put(&bench, "app", &text).await;
        let got = (reply.verdict(), reply.element("Message").unwrap_or_default().replace("&apos;", "'"));
        assert_eq!(
            got,
            ((400, "MalformedPolicy".into()), message.into()),
            "{}",
            &text[..text.len().min(200)]
        );
    }
}

#[tokio::test]
async fn public_policies_are_blocked() {
    let bench = bench().await;
    let block = b"<PublicAccessBlockConfiguration><BlockPublicPolicy>true</BlockPublicPolicy>\
        </PublicAccessBlockConfiguration>";
    let blocked = bench.signed("app", EAST, request("PUT", "/reports?publicAccessBlock=").body(block)).await;
    assert_eq!(blocked.status, 200);
    let public = policy("Allow", r#""*""#, "s3:GetObject", "reports/*");
    assert_eq!(put(&bench, "app", &public).await.verdict(), (403, "AccessDenied".into()));
    let private = policy("Allow", r#"{"AWS": "000000000002"}"#, "s3:GetObject", "reports/*");
    assert_eq!(put(&bench, "app", &private).await.status, 204);
    let status = bench.signed("app", EAST, get("/reports?policyStatus=")).await;
    assert_eq!(status.element("IsPublic").as_deref(), Some("false"));
    assert_eq!(bench.signed("other", EAST, get("/reports/r/1.csv")).await.status, 200);
    // What is public already stays in force, for nobody but the account.
    let restrict = b"<PublicAccessBlockConfiguration><RestrictPublicBuckets>true</RestrictPublicBuckets>\
        </PublicAccessBlockConfiguration>";
    bench.signed("app", EAST, request("PUT", "/reports?publicAccessBlock=").body(restrict)).await;
    assert_eq!(put(&bench, "app", &public).await.status, 204);
    assert_eq!(bench.send(EAST, get("/reports/r/1.csv")).await.status, 403);
    assert_eq!(bench.signed("app", EAST, get("/reports/r/1.csv")).await.status, 200);
}

#[tokio::test]
async fn an_owner_cannot_lock_itself_out_and_foreigners_stay_out() {
    let bench = bench().await;
    let nothing = policy("Deny", r#""*""#, "s3:*", "reports");
    assert_eq!(put(&bench, "app", &nothing).await.status, 204);
    assert_eq!(bench.signed("app", EAST, get(TARGET)).await.verdict(), (403, "AccessDenied".into()));
    assert_eq!(bench.signed("root", EAST, get(TARGET)).await.status, 200);
    assert_eq!(bench.signed("root", EAST, request("DELETE", TARGET)).await.status, 204);
    assert_eq!(bench.signed("other", EAST, get(TARGET)).await.verdict(), (403, "AccessDenied".into()));
    let shared = policy("Allow", r#"{"AWS": "000000000002"}"#, "s3:*", "reports");
    assert_eq!(put(&bench, "root", &shared).await.status, 204);
    assert_eq!(bench.signed("other", EAST, get(TARGET)).await.verdict(), (405, "MethodNotAllowed".into()));
    assert_eq!(bench.send(EAST, get(TARGET)).await.verdict(), (403, "AccessDenied".into()));
}
