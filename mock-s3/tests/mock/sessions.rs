//! Temporary credentials: STS on the mock's own listener, and what its tokens are good for.

use std::sync::{Arc, Mutex};

use gatecrash_mock_s3::{Credentials, NoFaults, RoleConfig};
use gatecrash_model::{Clock, Nanos};
use serde_json::json;

use crate::sdk::client_with;
use crate::support::{Bench, EAST, Reply, Request, WALL, WEST, WallClock, config, get, hex, request};
use sha2::{Digest, Sha256};

const APP: &str = "arn:aws:iam::000000000001:user/app";
const READER: &str = "arn%3Aaws%3Aiam%3A%3A000000000001%3Arole%2Freader";

/// A wall clock that is set by hand.
#[derive(Default)]
struct HandClock(Mutex<i64>);

impl Clock for HandClock {
    fn now(&self) -> Nanos {
        0
    }
    fn wall_seconds(&self) -> i64 {
        *self.0.lock().unwrap()
    }
}

/// The usual mock, with a role `reader` that `app` may assume and that may read `reports`.
async fn bench(clock: Arc<dyn Clock>) -> Bench {
    let mut config = config();
    let reader = RoleConfig::new("reader", &[APP]).allow(&["s3:GetObject"], &["arn:aws:s3:::reports/*"]);
    config.roles = vec![reader];
    Bench::with(config, clock, Arc::new(NoFaults)).await
}

fn call(body: &str) -> Request<'static> {
    let form = "application/x-www-form-urlencoded; charset=utf-8";
    request("POST", "/").header("content-type", form).body(format!("{body}&Version=2011-06-15").as_bytes())
}

fn sign(request: Request<'static>, pair: &Credentials, wall: i64) -> Request<'static> {
    let hash = hex(&Sha256::digest(&request.body));
    request.sign_for("sts", pair, EAST, wall, &hash)
}

async fn sts(bench: &Bench, identity: &str, body: &str) -> Reply {
    bench.send(EAST, sign(call(body), &bench.credentials(identity), WALL)).await
}

/// Keys and token of an answer.
fn issued(reply: &Reply) -> (Credentials, String) {
    assert_eq!(reply.status, 200, "{}", reply.text());
    let text = |name: &str| reply.element(name).unwrap();
    (Credentials::new(text("AccessKeyId"), text("SecretAccessKey")), text("SessionToken"))
}

fn with_token(target: &'static str, pair: &Credentials, token: &str, wall: i64) -> Request<'static> {
    get(target).header("x-amz-security-token", token).sign(pair, EAST, wall)
}

#[tokio::test]
async fn a_session_of_a_user_is_the_user_until_it_ends() {
    let clock = Arc::new(HandClock(Mutex::new(WALL)));
    let bench = bench(clock.clone()).await;
    let reply = sts(&bench, "app", "Action=GetSessionToken&DurationSeconds=900").await;
    assert_eq!(reply.element("Expiration").as_deref(), Some("2013-05-24T00:15:00Z"));
    assert_eq!(reply.header("content-type"), Some("text/xml"));
    assert_eq!(reply.element("RequestId").as_deref(), reply.header("x-amz-request-id"));
    let (pair, token) = issued(&reply);
    let target = "/reports/r/1.csv";
    assert_eq!(bench.send(EAST, with_token(target, &pair, &token, WALL)).await.status, 200);
    // Without its token the key is nobody's; with another one it is not its own.
    assert_eq!(
        bench.send(EAST, get(target).sign(&pair, EAST, WALL)).await.verdict(),
        (403, "InvalidAccessKeyId".into())
    );
    let garbled = with_token(target, &pair, "AAAA", WALL);
    let garbled = bench.send(EAST, garbled).await;
    assert_eq!(garbled.verdict(), (400, "InvalidToken".into()));
    assert_eq!(garbled.element("Token-0").as_deref(), Some("AAAA"));
    let forged = Credentials::new(&*pair.access_key, "another secret");
    let forged = bench.send(EAST, with_token(target, &forged, &token, WALL)).await;
    assert_eq!(forged.verdict(), (403, "SignatureDoesNotMatch".into()));
    let control = bench.mock.control();
    let change = control.expire_sessions(WALL);
    let ended = bench.send(EAST, with_token(target, &pair, &token, WALL)).await;
    assert_eq!(ended.verdict(), (400, "ExpiredToken".into()));
    control.undo(change);
    *clock.0.lock().unwrap() = WALL + 899;
    assert_eq!(bench.send(EAST, with_token(target, &pair, &token, WALL + 899)).await.status, 200);
    *clock.0.lock().unwrap() = WALL + 900;
    let late = bench.send(EAST, with_token(target, &pair, &token, WALL + 900)).await;
    assert_eq!(late.verdict(), (400, "ExpiredToken".into()));
    assert_eq!(late.element("Token-0"), Some(token));
    // The journal knows the user behind the session.
    let records = bench.finish().await.upstreams;
    assert_eq!(records.iter().map(|record| record.identity).collect::<Vec<_>>(), [1, 1, 0, 0, 0, 0, 1, 0]);
}

#[tokio::test]
async fn a_role_is_for_those_it_trusts_and_may_do_what_its_policies_say() {
    let bench = bench(Arc::new(HandClock(Mutex::new(WALL)))).await;
    let assume = format!("Action=AssumeRole&RoleSessionName=s1&RoleArn={READER}");
    let reply = sts(&bench, "app", &assume).await;
    let session = "arn:aws:sts::000000000001:assumed-role/reader/s1";
    assert_eq!(reply.element("Arn").as_deref(), Some(session));
    assert!(reply.element("AssumedRoleId").unwrap().ends_with(":s1"));
    let (pair, token) = issued(&reply);
    let read = |target| bench.send(EAST, with_token(target, &pair, &token, WALL));
    assert_eq!(read("/reports/r/1.csv").await.status, 200);
    let list = read("/reports?list-type=2").await;
    assert_eq!(list.verdict(), (403, "AccessDenied".into()));
    assert!(list.element("Message").unwrap().starts_with(&format!("User: {session} is not authorized")));
    let who = sign(call("Action=GetCallerIdentity").header("x-amz-security-token", &token), &pair, WALL);
    let who = bench.send(EAST, who).await;
    assert_eq!(
        (who.element("Arn").as_deref(), who.element("Account").as_deref()),
        (Some(session), Some("000000000001"))
    );
    let again = sign(call("Action=GetSessionToken").header("x-amz-security-token", &token), &pair, WALL);
    assert_eq!(bench.send(EAST, again).await.verdict(), (403, "AccessDenied".into()));
    // The policies of the caller do not matter to the session, and nobody else is trusted.
    let denied = sts(&bench, "guest", &assume).await;
    assert_eq!(denied.verdict(), (403, "AccessDenied".into()));
    let nobody = assume.replace("reader", "nobody");
    assert_eq!(sts(&bench, "app", &nobody).await.verdict(), (403, "AccessDenied".into()));
    // Not even an administrator may without the role's trust.
    assert_eq!(sts(&bench, "admin", &assume).await.verdict(), (403, "AccessDenied".into()));
}

#[tokio::test]
async fn a_session_policy_narrows_the_role() {
    let bench = bench(Arc::new(HandClock(Mutex::new(WALL)))).await;
    let policy = json!({ "Version": "2012-10-17", "Statement": [
        { "Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::reports/r/1.csv" },
    ]});
    let policy: String = policy.to_string().bytes().map(|byte| format!("%{byte:02X}")).collect();
    let assume = format!("Action=AssumeRole&RoleSessionName=s1&RoleArn={READER}&Policy={policy}");
    let (pair, token) = issued(&sts(&bench, "app", &assume).await);
    let read = |target| bench.send(EAST, with_token(target, &pair, &token, WALL));
    assert_eq!(read("/reports/r/1.csv").await.status, 200);
    assert_eq!(read("/reports/r/2.csv").await.verdict(), (403, "AccessDenied".into()));
}

#[tokio::test]
async fn sts_refuses_in_its_own_words() {
    let bench = bench(Arc::new(HandClock(Mutex::new(WALL)))).await;
    let app = bench.credentials("app");
    let forged = Credentials::new(&*app.access_key, "another secret");
    let stranger = Credentials::new("AKIANOBODYKNOWSTHIS0", "secret");
    let who = || call("Action=GetCallerIdentity");
    let role = format!("Action=AssumeRole&RoleArn={READER}");
    let table = [
        (sign(who(), &app, WALL), 200, ""),
        (who(), 403, "MissingAuthenticationToken"),
        (sign(who(), &forged, WALL), 403, "SignatureDoesNotMatch"),
        (sign(who(), &stranger, WALL), 403, "InvalidClientTokenId"),
        (sign(who(), &app, WALL - 901), 403, "SignatureDoesNotMatch"),
        (who().sign(&app, EAST, WALL), 400, "IncompleteSignature"),
        (sign(call("Action=Nonsense"), &app, WALL), 400, "InvalidAction"),
        (sign(call("Foo=1"), &app, WALL), 400, "MissingAction"),
        (sign(call("Action=GetSessionToken&DurationSeconds=899"), &app, WALL), 400, "ValidationError"),
        (sign(call("Action=GetSessionToken&DurationSeconds=129601"), &app, WALL), 400, "ValidationError"),
        (sign(call(&role), &app, WALL), 400, "ValidationError"),
        (sign(call(&format!("{role}&RoleSessionName=a b")), &app, WALL), 400, "ValidationError"),
        (
            sign(call(&format!("{role}&RoleSessionName=s1&DurationSeconds=3601")), &app, WALL),
            400,
            "ValidationError",
        ),
        (
            sign(call(&format!("{role}&RoleSessionName=s1&Policy=nonsense")), &app, WALL),
            400,
            "MalformedPolicyDocument",
        ),
    ];
    for (request, status, code) in table {
        let shown = String::from_utf8_lossy(&request.body).into_owned();
        let reply = bench.send(EAST, request).await;
        assert_eq!(reply.verdict(), (status, code.into()), "{shown}");
        assert_eq!(
            reply.text().contains("<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">"),
            status != 200
        );
    }
}

#[tokio::test]
async fn the_official_client_uses_a_session_everywhere() {
    let bench = bench(Arc::new(WallClock)).await;
    let now = WallClock.wall_seconds();
    let assume = format!("Action=AssumeRole&RoleSessionName=sdk&RoleArn={READER}");
    let (pair, token) = issued(&bench.send(WEST, sign(call(&assume), &bench.credentials("app"), now)).await);
    let keys = |token: &str| {
        let (key, secret) = (pair.access_key.clone(), pair.secret_key.clone());
        aws_sdk_s3::config::Credentials::new(key, secret, Some(token.to_owned()), None, "test")
    };
    let s3 = client_with(&bench, keys(&token), EAST, EAST);
    let object = s3.get_object().bucket("reports").key("r/1.csv").send().await.unwrap();
    assert_eq!(object.content_length(), Some(4096));
    let refused = client_with(&bench, keys("AAAA"), EAST, EAST);
    let refused = refused.get_object().bucket("reports").key("r/1.csv").send().await.unwrap_err();
    let code =
        aws_sdk_s3::error::ProvideErrorMetadata::code(&refused.into_service_error()).map(str::to_owned);
    assert_eq!(code.as_deref(), Some("InvalidToken"));
}
