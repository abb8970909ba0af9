//! Versions, delete markers and object lock, as one object's life shows them.

use crate::support::{Bench, EAST, Reply, Request, get, request};

const OBJECT: &str = "/reports/o";

async fn app(bench: &Bench, request: Request<'_>) -> Reply {
    bench.signed("app", EAST, request).await
}

async fn configure(bench: &Bench, target: &str, document: &str) {
    let reply = app(bench, request("PUT", target).body(document.as_bytes())).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
}

async fn versioned(status: &str) -> Bench {
    let bench = Bench::start().await;
    switch(&bench, status).await;
    bench
}

async fn switch(bench: &Bench, status: &str) {
    let document = format!("<VersioningConfiguration><Status>{status}</Status></VersioningConfiguration>");
    configure(bench, "/reports?versioning=", &document).await;
}

async fn put(bench: &Bench, body: &[u8]) -> String {
    let reply = app(bench, request("PUT", OBJECT).body(body)).await;
    reply.header("x-amz-version-id").unwrap_or("none").to_owned()
}

fn of(version: &str) -> String {
    format!("{OBJECT}?versionId={version}")
}

#[tokio::test]
async fn every_write_is_a_version() {
    let bench = versioned("Enabled").await;
    let (first, second) = (put(&bench, b"one").await, put(&bench, b"two").await);
    assert!(first.len() == 32 && first != second);
    let reply = app(&bench, get(OBJECT)).await;
    assert_eq!((reply.body.as_slice(), reply.header("x-amz-version-id")), (&b"two"[..], Some(&*second)));
    assert_eq!(app(&bench, get(&of(&first))).await.body, b"one");
    // What was there before has the null version.
    let synthetic = app(&bench, get("/reports/r/1.csv")).await;
    assert_eq!(synthetic.header("x-amz-version-id"), Some("null"));

    let deleted = app(&bench, request("DELETE", OBJECT)).await;
    assert_eq!((deleted.status, deleted.header("x-amz-delete-marker")), (204, Some("true")));
    let marker = deleted.header("x-amz-version-id").unwrap().to_owned();
    let gone = app(&bench, get(OBJECT)).await;
    assert_eq!(gone.verdict(), (404, "NoSuchKey".into()));
    assert_eq!(gone.header("x-amz-delete-marker"), Some("true"));
    assert_eq!(gone.header("x-amz-version-id"), Some(&*marker));
    let refused = app(&bench, get(&of(&marker))).await;
    assert_eq!(refused.verdict(), (405, "MethodNotAllowed".into()));
    assert_eq!(
        (refused.header("allow"), refused.header("x-amz-delete-marker")),
        (Some("DELETE"), Some("true"))
    );
    assert!(refused.header("last-modified").is_some());
    assert_eq!(app(&bench, request("HEAD", &of(&marker))).await.status, 405);
    let source = request("PUT", "/reports/c").body(b"");
    let copy =
        |version: &str| source.clone().header("x-amz-copy-source", &format!("reports/o?versionId={version}"));
    assert_eq!(app(&bench, copy(&marker)).await.verdict(), (400, "InvalidRequest".into()));
    let copied = app(&bench, copy(&first)).await;
    assert_eq!(copied.header("x-amz-copy-source-version-id"), Some(&*first));
    assert_ne!(copied.header("x-amz-version-id"), Some(&*first));

    let unmarked = app(&bench, request("DELETE", &of(&marker))).await;
    assert_eq!(unmarked.header("x-amz-delete-marker"), Some("true"));
    assert_eq!(app(&bench, get(OBJECT)).await.body, b"two");
    let removed = app(&bench, request("DELETE", &of(&second))).await;
    assert_eq!(
        (removed.header("x-amz-version-id"), removed.header("x-amz-delete-marker")),
        (Some(&*second), None)
    );
    assert_eq!(app(&bench, get(OBJECT)).await.body, b"one");
    assert_eq!(app(&bench, get(&of(&second))).await.verdict(), (404, "NoSuchVersion".into()));
}

#[tokio::test]
async fn suspended_versioning_writes_null_versions() {
    let bench = versioned("Enabled").await;
    let kept = put(&bench, b"one").await;
    switch(&bench, "Suspended").await;
    assert_eq!((put(&bench, b"two").await, put(&bench, b"three").await), ("none".into(), "none".into()));
    assert_eq!(app(&bench, get(&of("null"))).await.body, b"three");
    assert_eq!(app(&bench, get(&of(&kept))).await.body, b"one");
    let deleted = app(&bench, request("DELETE", OBJECT)).await;
    assert_eq!(deleted.header("x-amz-version-id"), Some("null"));
    assert_eq!(app(&bench, get(&of("null"))).await.status, 405);
}

#[tokio::test]
async fn conditions_and_attributes_are_of_one_version() {
    let bench = versioned("Enabled").await;
    let first = put(&bench, b"one").await;
    put(&bench, b"two").await;
    let tags = "<Tagging><TagSet><Tag><Key>a</Key><Value>1</Value></Tag></TagSet></Tagging>";
    let target = format!("{OBJECT}?tagging=&versionId={first}");
    let tagged = app(&bench, request("PUT", &target).body(tags.as_bytes())).await;
    assert_eq!((tagged.status, tagged.header("x-amz-version-id")), (200, Some(&*first)));
    assert_eq!(app(&bench, get(&of(&first))).await.header("x-amz-tagging-count"), Some("1"));
    assert_eq!(app(&bench, get(OBJECT)).await.header("x-amz-tagging-count"), None);
    // A delete marker is nothing to a conditional write.
    app(&bench, request("DELETE", OBJECT)).await;
    let absent = request("PUT", OBJECT).body(b"x").header("if-none-match", "*");
    assert_eq!(app(&bench, absent.clone()).await.status, 200);
    assert_eq!(app(&bench, absent).await.status, 412);
    app(&bench, request("DELETE", OBJECT)).await;
    let matching = request("PUT", OBJECT).body(b"x").header("if-match", "\"x\"");
    assert_eq!(app(&bench, matching).await.verdict(), (404, "NoSuchKey".into()));
}

/// A document with the digest that requests about locks need.
fn lock<'a>(target: &'a str, document: &str) -> Request<'a> {
    use base64::Engine as _;
    use md5::Digest as _;
    let digest = base64::engine::general_purpose::STANDARD.encode(md5::Md5::digest(document));
    request("PUT", target).body(document.as_bytes()).header("content-md5", &digest)
}

fn retention(mode: &str, until: &str) -> String {
    format!("<Retention><Mode>{mode}</Mode><RetainUntilDate>{until}</RetainUntilDate></Retention>")
}

#[tokio::test]
async fn locked_versions_stay() {
    let bench = versioned("Enabled").await;
    let on =
        "<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled></ObjectLockConfiguration>";
    assert_eq!(app(&bench, lock("/reports?object-lock=", on)).await.status, 200);
    let version = put(&bench, b"one").await;
    let (target, hold) = (format!("{OBJECT}?retention="), format!("{OBJECT}?legal-hold="));
    let none = app(&bench, get(&target)).await;
    assert_eq!(none.verdict(), (404, "NoSuchObjectLockConfiguration".into()));
    let bare = request("PUT", &target).body(retention("GOVERNANCE", "2013-06-01T00:00:00Z").as_bytes());
    assert_eq!(app(&bench, bare).await.verdict(), (400, "InvalidRequest".into()));
    let govern = |until: &str| lock(&target, &retention("GOVERNANCE", until));
    assert_eq!(app(&bench, govern("2013-06-01T00:00:00Z")).await.status, 200);
    let reply = app(&bench, request("HEAD", OBJECT)).await;
    assert_eq!(reply.header("x-amz-object-lock-mode"), Some("GOVERNANCE"));
    assert_eq!(reply.header("x-amz-object-lock-retain-until-date"), Some("2013-06-01T00:00:00.000Z"));
    assert_eq!(app(&bench, get(&target)).await.element("Mode").as_deref(), Some("GOVERNANCE"));
    // Longer by everybody, shorter only past governance.
    assert_eq!(app(&bench, govern("2013-07-01T00:00:00Z")).await.status, 200);
    let shorter = || govern("2013-06-01T00:00:00Z");
    assert_eq!(app(&bench, shorter()).await.verdict(), (403, "AccessDenied".into()));
    let shortened = shorter().header("x-amz-bypass-governance-retention", "true");
    assert_eq!(app(&bench, shortened).await.status, 200);

    let gone = of(&version);
    let delete = || request("DELETE", &gone);
    assert_eq!(app(&bench, delete()).await.verdict(), (403, "AccessDenied".into()));
    assert_eq!(app(&bench, lock(&hold, "<LegalHold><Status>ON</Status></LegalHold>")).await.status, 200);
    let past = || delete().header("x-amz-bypass-governance-retention", "true");
    assert_eq!(app(&bench, past()).await.verdict(), (403, "AccessDenied".into()));
    assert_eq!(app(&bench, get(&hold)).await.element("Status").as_deref(), Some("ON"));
    assert_eq!(app(&bench, lock(&hold, "<LegalHold><Status>OFF</Status></LegalHold>")).await.status, 200);
    // A marker on top is no deletion.
    assert_eq!(app(&bench, request("DELETE", OBJECT)).await.status, 204);
    assert_eq!(app(&bench, past()).await.status, 204);
    let wrong = app(&bench, lock(&target, &retention("governance", "2013-06-01T00:00:00Z"))).await;
    assert_eq!(wrong.verdict(), (400, "MalformedXML".into()));
}

#[tokio::test]
async fn compliance_is_for_good_and_writes_can_bring_locks() {
    let bench = versioned("Enabled").await;
    let on = "<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled><Rule><DefaultRetention>\
              <Mode>GOVERNANCE</Mode><Days>1</Days></DefaultRetention></Rule></ObjectLockConfiguration>";
    assert_eq!(app(&bench, lock("/reports?object-lock=", on)).await.status, 200);
    let with_lock = lock(OBJECT, "data")
        .header("x-amz-object-lock-mode", "COMPLIANCE")
        .header("x-amz-object-lock-retain-until-date", "2013-06-01T00:00:00Z")
        .header("x-amz-object-lock-legal-hold", "OFF");
    let version = app(&bench, with_lock).await.header("x-amz-version-id").unwrap().to_owned();
    let reply = app(&bench, get(OBJECT)).await;
    assert_eq!(reply.header("x-amz-object-lock-mode"), Some("COMPLIANCE"));
    assert_eq!(reply.header("x-amz-object-lock-legal-hold"), Some("OFF"));
    let gone = of(&version);
    let delete = request("DELETE", &gone).header("x-amz-bypass-governance-retention", "true");
    assert_eq!(app(&bench, delete).await.verdict(), (403, "AccessDenied".into()));
    // The bucket's default for what brings none.
    app(&bench, lock("/reports/other", "data")).await;
    let reply = app(&bench, get("/reports/other")).await;
    assert_eq!(reply.header("x-amz-object-lock-mode"), Some("GOVERNANCE"));
    assert_eq!(reply.header("x-amz-object-lock-retain-until-date"), Some("2013-05-25T00:00:00.000Z"));
}
