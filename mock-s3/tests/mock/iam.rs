//! The policy simulator: IAM on the mock's own listener.

use std::sync::Arc;

use gatecrash_mock_s3::{AccountControls, NoFaults, RoleConfig};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::support::{Bench, EAST, Reply, StepClock, WALL, config, hex, request};

const ALICE: &str = "arn:aws:iam::000000000001:user/app";
const OTHER_OWNER: &str = "arn:aws:iam::000000000002:root";

async fn bench() -> Bench {
    let mut config = config();
    let trust = &["arn:aws:iam::000000000001:user/app"];
    config.roles =
        vec![RoleConfig::new("reader", trust).allow(&["s3:GetObject"], &["arn:aws:s3:::reports/*"])];
    config.controls = vec![AccountControls {
        account: "000000000001".into(),
        service_control: vec![vec![json!({ "Version": "2012-10-17", "Statement": [
            { "Effect": "Allow", "Action": "*", "Resource": "*" },
            { "Effect": "Deny", "Action": "s3:DeleteBucket", "Resource": "*" },
        ]})]],
        resource_control: Vec::new(),
    }];
    Bench::with(config, Arc::new(StepClock::default()), Arc::new(NoFaults)).await
}

/// Sends parameters as `identity`.
async fn ask(bench: &Bench, identity: &str, parameters: &[(&str, &str)]) -> Reply {
    let escape = |text: &str| -> String { text.bytes().map(|byte| format!("%{byte:02X}")).collect() };
    let pairs = [("Version", "2010-05-08")].iter().chain(parameters);
    let body: Vec<String> = pairs.map(|(name, value)| format!("{name}={}", escape(value))).collect();
    let body = body.join("&");
    let hash = hex(&Sha256::digest(body.as_bytes()));
    let form = request("POST", "/").header("content-type", "application/x-www-form-urlencoded");
    let call = form.body(body.as_bytes());
    bench.send(EAST, call.sign_for("iam", &bench.credentials(identity), EAST, WALL, &hash)).await
}

/// The texts of all elements of a name.
fn all(reply: &Reply, name: &str) -> Vec<String> {
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    let text = reply.text();
    text.split(&open).skip(1).map(|rest| rest.split(&close).next().unwrap().to_owned()).collect()
}

fn document(statements: &Value) -> String {
    format!("{:#}", json!({ "Statement": statements, "Version": "2012-10-17" }))
}

#[tokio::test]
async fn custom_policies_are_decided_by_action_and_resource() {
    let bench = bench().await;
    let policy = "{\n  \"Version\": \"2012-10-17\",\n  \"Statement\": [\n    \
        {\"Effect\":\"Allow\",\"Action\":\"s3:Get*\",\"Resource\":\"arn:aws:s3:::media/*\"},\n    \
        {\"Effect\":\"Deny\",\"Action\":\"*\",\"Resource\":\"arn:aws:s3:::media/secret\",\
         \"Condition\":{\"StringNotEquals\":{\"aws:SourceVpce\":\"vpce-1\"}}}\n  ]\n}";
    let asked = [
        ("Action", "SimulateCustomPolicy"),
        ("PolicyInputList.member.1", policy),
        ("ActionNames.member.1", "s3:GetObject"),
        ("ActionNames.member.2", "s3:ListBucket"),
        ("ResourceArns.member.1", "arn:aws:s3:::media/a"),
        ("ResourceArns.member.2", "arn:aws:s3:::media/secret"),
    ];
    let reply = ask(&bench, "admin", &asked).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(reply.header("content-type"), Some("text/xml"));
    assert!(reply.text().contains(
        "<SimulateCustomPolicyResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\">\
         <SimulateCustomPolicyResult><EvaluationResults><member>"
    ));
    assert_eq!(all(&reply, "EvalActionName"), ["s3:GetObject", "s3:ListBucket"]);
    // The strictest decision of an action, and each resource by itself.
    assert_eq!(all(&reply, "EvalDecision"), ["explicitDeny", "explicitDeny"]);
    let each = ["allowed", "explicitDeny", "implicitDeny", "explicitDeny"];
    assert_eq!(all(&reply, "EvalResourceDecision"), each);
    let object = "arn:${Partition}:s3:::${BucketName}/${KeyName}";
    let named = ["arn:aws:s3:::media/a", "arn:aws:s3:::media/secret"];
    let bucket = "arn:${Partition}:s3:::${BucketName}";
    let expected = [object, named[0], named[1], bucket, named[0], named[1]];
    assert_eq!(all(&reply, "EvalResourceName"), expected);
    // In the first result: of all resources together, then of each.
    let places = all(&reply, "StartPosition");
    let (allow, deny) = ("<Line>4</Line><Column>5</Column>", "<Line>5</Line><Column>5</Column>");
    assert_eq!(places, [deny, allow, deny, deny, deny]);
    assert_eq!(all(&reply, "EndPosition")[1], "<Line>4</Line><Column>76</Column>");
    assert!(all(&reply, "SourcePolicyId").iter().all(|id| id == "PolicyInputList.1"));
    assert!(all(&reply, "SourcePolicyType").iter().all(|id| id == "none"));
    assert_eq!(all(&reply, "MissingContextValues")[0], "<member>aws:SourceVpce</member>");
    assert_eq!(reply.element("IsTruncated").as_deref(), Some("false"));
    let known = [
        ("ContextEntries.member.1.ContextKeyName", "aws:sourcevpce"),
        ("ContextEntries.member.1.ContextKeyValues.member.1", "vpce-1"),
        ("ContextEntries.member.1.ContextKeyType", "string"),
    ];
    let reply = ask(&bench, "admin", &[&asked[..3], &asked[5..], &known].concat()).await;
    assert_eq!(all(&reply, "EvalDecision"), ["allowed"]);
    assert_eq!(all(&reply, "MissingContextValues"), ["", ""]);
    // Without resources there is one answer, about all of them.
    let reply = ask(&bench, "admin", &asked[..3]).await;
    assert_eq!(all(&reply, "EvalResourceName"), ["*"]);
    assert_eq!(all(&reply, "ResourceSpecificResults").len(), 0);
}

#[tokio::test]
async fn every_kind_of_policy_has_its_say() {
    let bench = bench().await;
    let allow = document(&json!([{ "Effect": "Allow", "Action": "s3:*", "Resource": "*" }]));
    let reads = document(&json!([{ "Effect": "Allow", "Action": "s3:Get*", "Resource": "*" }]));
    let bucket =
        document(&json!([{ "Effect": "Allow", "Principal": { "AWS": ALICE }, "Action": "s3:GetObject",
        "Resource": "arn:aws:s3:::theirs/*" }]));
    let asked = [
        ("Action", "SimulateCustomPolicy"),
        ("PolicyInputList.member.1", &*allow),
        ("ActionNames.member.1", "s3:GetObject"),
        ("ActionNames.member.2", "s3:PutObject"),
        ("ResourceArns.member.1", "arn:aws:s3:::theirs/a"),
        ("CallerArn", ALICE),
    ];
    let bounded = [&asked[..], &[("PermissionsBoundaryPolicyInputList.member.1", &*reads)]].concat();
    let reply = ask(&bench, "admin", &bounded).await;
    assert_eq!(all(&reply, "EvalDecision"), ["allowed", "implicitDeny"]);
    assert_eq!(all(&reply, "AllowedByPermissionsBoundary"), ["true", "true", "false", "false"]);
    assert_eq!(all(&reply, "EvalDecisionDetails"), ["", ""]);
    let level = "OrderedOrganizationPolicyInputList.member.1.ServiceControlPolicyInputList.member.1";
    let reply = ask(&bench, "admin", &[&asked[..], &[(level, &*reads)]].concat()).await;
    assert_eq!(all(&reply, "EvalDecision"), ["allowed", "implicitDeny"]);
    assert_eq!(all(&reply, "AllowedByOrganizations"), ["true", "false"]);
    // Two accounts have to agree.
    let across = [("ResourceOwner", OTHER_OWNER), ("ResourcePolicy", &*bucket)];
    let reply = ask(&bench, "admin", &[&asked[..], &across].concat()).await;
    assert_eq!(all(&reply, "EvalDecision"), ["allowed", "implicitDeny"]);
    let details = "<entry><key>IAM Policy</key><value>allowed</value></entry>\
                   <entry><key>Resource Policy</key><value>implicitDeny</value></entry>";
    assert_eq!(all(&reply, "EvalDecisionDetails")[2], details);
    assert!(all(&reply, "SourcePolicyType").contains(&"resource".to_owned()));
}

#[tokio::test]
async fn principals_are_simulated_with_their_own_policies() {
    let bench = bench().await;
    let actions = [("ActionNames.member.1", "s3:GetObject"), ("ActionNames.member.2", "s3:DeleteBucket")];
    let resource = ("ResourceArns.member.1", "arn:aws:s3:::reports");
    let simulate = |source| [("Action", "SimulatePrincipalPolicy"), ("PolicySourceArn", source), resource];
    let reply = ask(&bench, "admin", &[&simulate(ALICE)[..], &actions].concat()).await;
    assert_eq!(all(&reply, "EvalDecision"), ["allowed", "explicitDeny"], "{}", reply.text());
    assert_eq!(all(&reply, "AllowedByOrganizations"), ["true", "false"]);
    assert_eq!(all(&reply, "SourcePolicyId"), ["user_app_policy-1", "user_app_policy-1"]);
    assert_eq!(all(&reply, "SourcePolicyType"), ["user", "user"]);
    let role = "arn:aws:iam::000000000001:role/reader";
    let objects = ("ResourceArns.member.1", "arn:aws:s3:::reports/r/1.csv");
    let asked = [("Action", "SimulatePrincipalPolicy"), ("PolicySourceArn", role), objects];
    let reply = ask(&bench, "admin", &[&asked[..], &actions[..1]].concat()).await;
    assert_eq!(all(&reply, "EvalDecision"), ["allowed"]);
    assert_eq!(all(&reply, "SourcePolicyId")[0], "role_reader_policy-1");
    // Page by page.
    let paged = [&simulate(ALICE)[..], &actions, &[("MaxItems", "1")]].concat();
    let reply = ask(&bench, "admin", &paged).await;
    let marker = reply.element("Marker").unwrap();
    assert_eq!(reply.element("IsTruncated").as_deref(), Some("true"));
    assert_eq!(all(&reply, "EvalActionName"), ["s3:GetObject"]);
    let reply = ask(&bench, "admin", &[&paged[..], &[("Marker", &*marker)]].concat()).await;
    assert_eq!(
        (all(&reply, "EvalActionName"), reply.element("Marker")),
        (vec!["s3:DeleteBucket".into()], None)
    );
}

#[tokio::test]
async fn what_cannot_be_simulated_is_refused() {
    let bench = bench().await;
    let custom = ("Action", "SimulateCustomPolicy");
    let allow = document(&json!([{ "Effect": "Allow", "Action": "s3:*", "Resource": "*" }]));
    let policy = ("PolicyInputList.member.1", &*allow);
    let action = ("ActionNames.member.1", "s3:GetObject");
    let entry = |kind, value| {
        vec![
            custom,
            policy,
            action,
            ("ContextEntries.member.1.ContextKeyName", "aws:SourceIp"),
            ("ContextEntries.member.1.ContextKeyType", kind),
            ("ContextEntries.member.1.ContextKeyValues.member.1", value),
        ]
    };
    let principal = |arn| vec![("Action", "SimulatePrincipalPolicy"), ("PolicySourceArn", arn), action];
    let table = [
        (vec![custom, action], 400, "ValidationError"),
        (vec![custom, policy], 400, "ValidationError"),
        (vec![custom, policy, ("ActionNames.member.1", "s3:Get*")], 400, "InvalidInput"),
        (vec![custom, policy, ("ActionNames.member.1", "GetObject")], 400, "InvalidInput"),
        (vec![custom, policy, action, ("ResourceArns.member.1", "media")], 400, "InvalidInput"),
        (vec![custom, policy, action, ("MaxItems", "1001")], 400, "ValidationError"),
        (vec![custom, policy, action, ("Marker", "x")], 400, "ValidationError"),
        (vec![custom, policy, action, ("CallerArn", "arn:aws:sts::1:assumed-role/r/s")], 400, "InvalidInput"),
        (vec![custom, policy, action, ("ResourcePolicy", &*allow)], 400, "InvalidInput"),
        (vec![custom, policy, action, ("ResourceOwner", "000000000002")], 400, "InvalidInput"),
        (vec![custom, action, ("PolicyInputList.member.1", "{\"Statement\": {}")], 400, "InvalidInput"),
        (entry("ip", "here"), 400, "InvalidInput"),
        (entry("cidr", "10.0.0.1"), 400, "InvalidInput"),
        (principal("arn:aws:iam::000000000001:user/nobody"), 404, "NoSuchEntity"),
        (principal("arn:aws:iam::000000000001:role/nobody"), 404, "NoSuchEntity"),
        (principal("arn:aws:iam::000000000002:user/app"), 404, "NoSuchEntity"),
        (principal("app"), 400, "InvalidInput"),
    ];
    for (parameters, status, code) in table {
        let reply = ask(&bench, "admin", &parameters).await;
        assert_eq!(reply.verdict(), (status, code.to_owned()), "{parameters:?}");
    }
    let broken = ask(&bench, "admin", &[custom, action, ("PolicyInputList.member.3", "{\n  7")]).await;
    let message = broken.element("Message").unwrap();
    assert!(message.starts_with("Syntax errors in policy PolicyInputList.3: line 2, column 3"), "{message}");
    // Simulating is an action like others.
    let denied = ask(&bench, "guest", &[custom, policy, action]).await;
    assert_eq!(denied.verdict(), (403, "AccessDenied".into()));
    let message = "User: arn:aws:iam::000000000001:user/guest is not authorized to perform: \
                   iam:SimulateCustomPolicy on resource: *";
    assert_eq!(denied.element("Message").as_deref(), Some(message));
}
