//! Uploads by forms, as browsers send them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gatecrash_mock_s3::Credentials;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::{Digest, Sha256};

use crate::support::{Bench, EAST, Reply, get, hex, request};

/// A policy that is in force on the day of the tests.
fn policy(conditions: &str) -> String {
    STANDARD.encode(format!("{{\"expiration\": \"2013-05-24T01:00:00Z\", \"conditions\": [{conditions}]}}"))
}

/// The fields of a signature of version 4 over a policy.
fn signed(pair: &Credentials, policy: &str) -> Vec<(&'static str, String)> {
    let mut key = format!("AWS4{}", pair.secret_key).into_bytes();
    for part in ["20130524", EAST, "s3", "aws4_request", policy] {
        let mac = Hmac::<Sha256>::new_from_slice(&key).unwrap().chain_update(part);
        key = mac.finalize().into_bytes().to_vec();
    }
    vec![
        ("policy", policy.to_owned()),
        ("x-amz-algorithm", "AWS4-HMAC-SHA256".into()),
        ("x-amz-credential", format!("{}/20130524/{EAST}/s3/aws4_request", pair.access_key)),
        ("x-amz-date", "20130524T000000Z".into()),
        ("X-Amz-Signature", hex(&key)),
    ]
}

const SIGNATURE: &str = r#"["starts-with", "$x-amz-credential", ""], {"x-amz-algorithm": "AWS4-HMAC-SHA256"}, ["starts-with", "$x-amz-date", ""]"#;

async fn post(bench: &Bench, bucket: &str, fields: &[(&str, String)], file: &[u8]) -> Reply {
    let mut body = Vec::new();
    for (name, value) in fields {
        body.extend(
            format!("--XX\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n").bytes(),
        );
    }
    body.extend(b"--XX\r\nContent-Disposition: form-data; name=\"file\"; filename=\"/tmp/a b.txt\"\r\n");
    body.extend(b"Content-Type: text/html\r\n\r\n");
    body.extend(file);
    body.extend(b"\r\n--XX\r\nContent-Disposition: form-data; name=\"submit\"\r\n\r\nUpload\r\n--XX--\r\n");
    let post = request("POST", bucket).header("content-type", "multipart/form-data; boundary=XX");
    bench.send(EAST, post.body(&body)).await
}

fn fields(list: &[(&'static str, &str)]) -> Vec<(&'static str, String)> {
    list.iter().map(|(name, value)| (*name, (*value).to_owned())).collect()
}

#[tokio::test]
async fn anybody_may_post_to_a_public_bucket() {
    let bench = Bench::start().await;
    let form = fields(&[
        ("key", "up/${filename}"),
        ("Content-Type", "text/plain"),
        ("x-amz-meta-colour", "red"),
        ("x-ignore-me", "1"),
    ]);
    let reply = post(&bench, "/media", &form, b"hello").await;
    assert_eq!((reply.status, reply.body.len()), (204, 0), "{}", reply.text());
    assert_eq!(reply.header("location"), Some("http://s3.test/media/up/a%20b.txt"));
    assert_eq!(reply.header("etag"), Some("\"5d41402abc4b2a76b9719d911017c592\""));
    let got = bench.send(EAST, get("/media/up/a%20b.txt")).await;
    assert_eq!((got.text().as_str(), got.header("content-type")), ("hello", Some("text/plain")));
    assert_eq!(got.header("x-amz-meta-colour"), Some("red"));
    let digest = [form.clone(), fields(&[("Content-MD5", "XUFAKrxLKna5cZ2REBfFkg==")])].concat();
    assert_eq!(post(&bench, "/media", &digest, b"hello").await.status, 204);
    assert_eq!(post(&bench, "/media", &digest, b"other").await.verdict(), (400, "BadDigest".into()));
    let refused = post(&bench, "/reports", &form, b"hello").await;
    assert_eq!(refused.verdict(), (403, "AccessDenied".into()));
}

#[tokio::test]
async fn a_form_chooses_its_answer() {
    let bench = Bench::start().await;
    let choose = async |name, value: &str| {
        post(&bench, "/media", &fields(&[("key", "up/<1>"), (name, value)]), b"hello").await
    };
    let reply = choose("success_action_status", "200").await;
    assert_eq!((reply.status, reply.body.len()), (200, 0));
    let reply = choose("success_action_status", "404").await;
    assert_eq!(reply.status, 204);
    let reply = choose("success_action_status", "201").await;
    assert_eq!(reply.status, 201);
    assert!(reply.text().ends_with(
        "<PostResponse><Location>http://s3.test/media/up/%3C1%3E</Location><Bucket>media</Bucket>\
         <Key>up/&lt;1&gt;</Key><ETag>&quot;5d41402abc4b2a76b9719d911017c592&quot;</ETag></PostResponse>"
    ));
    let reply = choose("success_action_redirect", "http://site.test/done?x=1").await;
    assert_eq!(reply.status, 303);
    assert_eq!(
        reply.header("location"),
        Some(
            "http://site.test/done?x=1&bucket=media&key=up%2F%3C1%3E&etag=%225d41402abc4b2a76b9719d911017c592%22"
        )
    );
    assert_eq!(choose("success_action_redirect", "javascript:x").await.status, 204);
}

#[tokio::test]
async fn signed_forms_do_what_their_policy_says() {
    let bench = Bench::start().await;
    let pair = bench.credentials("app");
    let conditions = format!(
        r#"{{"bucket": "reports"}}, ["starts-with", "$key", "up/"], ["content-length-range", 1, 9], {SIGNATURE}"#
    );
    let send = async |key: &str, more: &[(&'static str, &str)], file: &'static [u8]| {
        let form = [fields(&[("key", key)]), fields(more), signed(&pair, &policy(&conditions))].concat();
        post(&bench, "/reports", &form, file).await
    };
    let reply = send("up/1", &[], b"hello").await;
    assert_eq!(reply.status, 204, "{}", reply.text());
    assert_eq!(bench.signed("app", EAST, get("/reports/up/1")).await.text(), "hello");
    let table = [
        (send("down/1", &[], b"hello").await, 403, "AccessDenied"),
        (send("up/1", &[("acl", "private")], b"hello").await, 403, "AccessDenied"),
        (send("up/1", &[], b"too long to be").await, 400, "EntityTooLarge"),
        (send("up/1", &[], b"").await, 400, "EntityTooSmall"),
    ];
    for (reply, status, code) in table {
        assert_eq!(reply.verdict(), (status, code.into()), "{}", reply.text());
    }
    let long = send("up/1", &[], b"too long to be").await;
    assert_eq!(long.element("ProposedSize").as_deref(), Some("14"));
    assert_eq!(long.element("MaxSizeAllowed").as_deref(), Some("9"));
}

#[tokio::test]
async fn bad_signatures_and_bad_policies() {
    let bench = Bench::start().await;
    let pair = bench.credentials("app");
    let all = format!(r#"{{"bucket": "reports"}}, {{"key": "k"}}, {SIGNATURE}"#);
    let send = async |form: Vec<(&'static str, String)>| {
        post(&bench, "/reports", &[fields(&[("key", "k")]), form].concat(), b"x").await.verdict()
    };
    let with = |name: &str, value: &str| {
        let mut form = signed(&pair, &policy(&all));
        form.iter_mut().filter(|(known, _)| *known == name).for_each(|field| field.1 = value.to_owned());
        form
    };
    let without = |name: &str| {
        let mut form = signed(&pair, &policy(&all));
        form.retain(|(known, _)| *known != name);
        form
    };
    let credential = |key: &str, region: &str| format!("{key}/20130524/{region}/s3/aws4_request");
    let expired =
        STANDARD.encode(format!("{{\"expiration\": \"2013-05-23T23:59:59Z\", \"conditions\": [{all}]}}"));
    let foreign = policy(&all.replace("reports", "media"));
    let guest = signed(&bench.credentials("guest"), &policy(&all));
    let table = [
        (with("", ""), 204, ""),
        (with("X-Amz-Signature", "00"), 403, "SignatureDoesNotMatch"),
        (with("x-amz-credential", &credential("AKIANOBODY", EAST)), 403, "InvalidAccessKeyId"),
        (with("x-amz-credential", &credential(&pair.access_key, "mars-1")), 400, "InvalidArgument"),
        (with("x-amz-credential", "nonsense"), 400, "InvalidArgument"),
        (without("X-Amz-Signature"), 400, "InvalidArgument"),
        (without("policy"), 400, "InvalidArgument"),
        (signed(&pair, &STANDARD.encode("{}")), 400, "InvalidPolicyDocument"),
        (signed(&pair, &expired), 403, "AccessDenied"),
        (signed(&pair, &foreign), 403, "AccessDenied"),
        (guest, 403, "AccessDenied"),
    ];
    for (form, status, code) in table {
        let shown = format!("{form:?}");
        assert_eq!(send(form).await, (status, code.into()), "{shown}");
    }
}

#[tokio::test]
async fn forms_of_version_2_and_forms_with_checksums() {
    let bench = Bench::start().await;
    let pair = bench.credentials("app");
    let policy =
        policy(r#"{"bucket": "reports"}, {"key": "k"}, ["starts-with", "$x-amz-checksum-sha256", ""]"#);
    let mac = Hmac::<Sha1>::new_from_slice(pair.secret_key.as_bytes()).unwrap().chain_update(&policy);
    let signature = STANDARD.encode(mac.finalize().into_bytes());
    let send = async |signature: &str, sum: &str| {
        let form = fields(&[
            ("key", "k"),
            ("AWSAccessKeyId", &pair.access_key),
            ("policy", &policy),
            ("signature", signature),
            ("x-amz-checksum-sha256", sum),
        ]);
        post(&bench, "/reports", &form, b"hello").await.verdict()
    };
    let sum = STANDARD.encode(Sha256::digest(b"hello"));
    assert_eq!(send(&signature, &sum).await, (204, String::new()));
    assert_eq!(send(&signature, &STANDARD.encode(Sha256::digest(b"x"))).await, (400, "BadDigest".into()));
    assert_eq!(send(&signature, "nonsense").await, (400, "InvalidRequest".into()));
    assert_eq!(send("AAAA", &sum).await, (403, "SignatureDoesNotMatch".into()));
    // The journal knows who signed the form.
    let identities: Vec<u8> = bench.records(4).await.iter().map(|record| record.identity).collect();
    assert_eq!(identities, [1, 0, 0, 0]);
}

#[tokio::test]
async fn what_is_no_form() {
    let bench = Bench::start().await;
    let plain = bench.send(EAST, request("POST", "/media").body(b"x")).await;
    assert_eq!(plain.verdict(), (412, "PreconditionFailed".into()));
    let form = |body: &'static [u8]| {
        request("POST", "/media").header("content-type", "multipart/form-data; boundary=XX").body(body)
    };
    assert_eq!(bench.send(EAST, form(b"x")).await.verdict(), (400, "MalformedPOSTRequest".into()));
    let none =
        bench.send(EAST, form(b"--XX\r\nContent-Disposition: form-data; name=key\r\n\r\nk\r\n--XX--")).await;
    assert_eq!(none.verdict(), (400, "InvalidArgument".into()));
    assert_eq!(none.element("ArgumentName").as_deref(), Some("file"));
    let keyless = post(&bench, "/media", &[], b"x").await;
    assert_eq!(keyless.element("ArgumentName").as_deref(), Some("key"));
    let long =
        post(&bench, "/media", &fields(&[("key", "k"), ("x-amz-meta-a", &"x".repeat(21_000))]), b"x").await;
    assert_eq!(long.verdict(), (400, "MaxPostPreDataLengthExceededError".into()));
    let unsized_form = request("POST", "/media").header("content-type", "multipart/form-data; boundary=XX");
    assert_eq!(bench.send(EAST, unsized_form).await.verdict(), (411, "MissingContentLength".into()));
}
