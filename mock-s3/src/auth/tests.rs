//! Whole requests against the verifier: the published examples, and every way to be refused.

use std::sync::LazyLock;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method};

use super::*;
use crate::checksum::Algorithm;
use crate::incoming::Decoder;

/// Fri, 24 May 2013 00:00:00 GMT
const WALL: i64 = 1_369_353_600;
const KEY: &str = "AKIAIOSFODNN7EXAMPLE";
const SCOPE: &str = "20130524/us-east-1/s3/aws4_request";
const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

type Headers<'a> = &'a [(&'a str, &'a str)];

fn head(method: &str, target: &str, headers: Headers<'_>) -> Head {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.append(name.parse::<HeaderName>().unwrap(), HeaderValue::from_str(value).unwrap());
    }
    Head::new(Method::from_bytes(method.as_bytes()).unwrap(), target.parse().unwrap(), map)
}

/// What the mock of the examples says: the user `app` has the keys of the AWS documentation.
fn verify_at(wall: i64, head: &Head) -> Result<Signed, S3Error> {
    static SETTINGS: LazyLock<Settings> = LazyLock::new(crate::compile::settings_for_tests);
    let sessions = Sessions::new(7);
    let verifier =
        Verifier { settings: &SETTINGS, sessions: &sessions, region: Some("us-east-1"), service: "s3", wall };
    verifier.authenticate(head)
}

fn verify(head: &Head) -> Result<Signed, S3Error> {
    verify_at(WALL, head)
}

fn code(result: Result<Signed, S3Error>) -> String {
    result.map_or_else(|error| error.code.into_owned(), |signed| format!("{:?}", signed.scheme))
}

/// The signature a request must have, for tests that need a good one.
fn sign(head: &Head, signed_headers: &str, payload: &str) -> String {
    let canonical = sigv4::canonical_request(head, signed_headers, payload, None);
    let to_sign = sigv4::string_to_sign("20130524T000000Z", SCOPE, &canonical);
    let pair = Credentials::new(KEY, "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY");
    let scope = keys::Scope { date: "20130524", region: "us-east-1", service: "s3" };
    sigv4::hex(&SigningKey::of(&pair, scope).sign(to_sign.as_bytes()))
}

fn signed_get(headers: Headers<'_>) -> Head {
    let mut get = head("GET", "/b/k", headers);
    let mut names: Vec<&str> = headers.iter().map(|(name, _)| *name).collect();
    names.sort_unstable();
    let names = names.join(";");
    let signature = sign(&get, &names, EMPTY);
    let value =
        format!("AWS4-HMAC-SHA256 Credential={KEY}/{SCOPE}, SignedHeaders={names}, Signature={signature}");
    get.headers.insert(AUTHORIZATION, value.parse().unwrap());
    get
}

/// S3 API Reference, "Authenticating Requests: Using Query Parameters".
#[test]
fn the_published_presigned_url() {
    let target = "/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2F\
                  us-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&\
                  X-Amz-SignedHeaders=host&X-Amz-Signature=\
                  aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404";
    let host = ("host", "examplebucket.s3.amazonaws.com");
    let url = head("GET", target, &[host]);
    let signed = verify_at(WALL + 86_399, &url).unwrap();
    assert_eq!((signed.scheme, signed.signed_at), (Scheme::V4Query, Some(WALL)));
    assert_eq!(signed.caller.principal.arn, "arn:aws:iam::000000000001:user/app");
    assert!(matches!(signed.payload, Payload::Plain));
    let late = verify_at(WALL + 86_400, &url).unwrap_err();
    assert_eq!((&*late.code, &*late.message), ("AccessDenied", "Request has expired"));
    assert_eq!(code(verify(&head("HEAD", target, &[host]))), "SignatureDoesNotMatch");
    assert_eq!(code(verify(&head("GET", target, &[host, ("x-amz-acl", "private")]))), "AccessDenied");
    let error = |from: &str, to: &str| verify(&head("GET", &target.replace(from, to), &[host])).unwrap_err();
    let region = error("us-east-1", "us-west-2");
    assert_eq!(region.code, "AuthorizationQueryParametersError");
    assert_eq!(region.extras, [("Region", "us-east-1".to_owned())]);
    assert!(error("%2Fs3%2F", "%2Fsqs%2F").message.contains("incorrect service \"sqs\""));
    assert!(error("%2F20130524%2F", "%2F20130525%2F").message.starts_with("Invalid credential date"));
    assert_eq!(error("EXAMPLE%2F", "NOBODY%2F").code, "InvalidAccessKeyId");
    let both = head("GET", target, &[host, ("authorization", "AWS4-HMAC-SHA256 x")]);
    assert!(verify(&both).unwrap_err().message.starts_with("Only one auth mechanism allowed"));
}

/// The body of the examples: 66,560 times `a`, in chunks of 64 KiB and the rest.
fn chunks(signatures: [&str; 3], trailers: &str) -> Vec<u8> {
    let mut body = Vec::new();
    for (size, signature) in [65_536, 1024, 0].into_iter().zip(signatures) {
        body.extend_from_slice(format!("{size:x};chunk-signature={signature}\r\n").as_bytes());
        body.extend_from_slice(&vec![b'a'; size]);
        body.extend_from_slice(if size > 0 { b"\r\n" } else { b"" });
    }
    body.extend_from_slice(trailers.as_bytes());
    body.extend_from_slice(b"\r\n");
    body
}

/// The payload's length, and the value of the trailing checksum.
fn decode(
    signed: &Signed,
    body: &[u8],
    announced: Option<Algorithm>,
) -> Result<(usize, Option<String>), String> {
    let Payload::Chunked(chunked) = &signed.payload else { panic!("not chunked") };
    let mut decoder = Decoder::new(chunked.as_ref().clone(), announced);
    let mut length = 0;
    for piece in body.chunks(10_000) {
        let pushed = decoder.push(Bytes::copy_from_slice(piece), &mut |data| length += data.len());
        pushed.map_err(|error| error.code.into_owned())?;
    }
    let checksum = decoder.finish().map_err(|error| error.code.into_owned())?;
    Ok((length, checksum.map(|digest| digest.base64())))
}

/// S3 API Reference, "Transferring Payload in Multiple Chunks".
#[test]
fn the_published_chunked_upload() {
    let put = head(
        "PUT",
        "/examplebucket/chunkObject.txt",
        &[
            ("host", "s3.amazonaws.com"),
            ("x-amz-date", "20130524T000000Z"),
            ("x-amz-storage-class", "REDUCED_REDUNDANCY"),
            (
                "authorization",
                "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,\
                 SignedHeaders=content-encoding;content-length;host;x-amz-content-sha256;x-amz-date;\
                 x-amz-decoded-content-length;x-amz-storage-class,\
                 Signature=4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9",
            ),
            ("x-amz-content-sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"),
            ("content-encoding", "aws-chunked"),
            ("x-amz-decoded-content-length", "66560"),
            ("content-length", "66824"),
        ],
    );
    let signed = verify(&put).unwrap();
    let signatures = [
        "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648",
        "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497",
        "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9",
    ];
    let body = chunks(signatures, "");
    assert_eq!(body.len(), 66_824);
    assert_eq!(decode(&signed, &body, None), Ok((66_560, None)));
    for at in 0..3 {
        let mut wrong = signatures;
        wrong[at] = signatures[(at + 1) % 3];
        assert_eq!(decode(&signed, &chunks(wrong, ""), None), Err("SignatureDoesNotMatch".into()), "{at}");
    }
    let mut changed = body.clone();
    changed[50_000] = b'b';
    assert_eq!(decode(&signed, &changed, None), Err("SignatureDoesNotMatch".into()));
    let unsigned = b"10000\r\n";
    assert_eq!(decode(&signed, unsigned, None), Err("IncompleteBody".into()));
}

/// S3 API Reference, "Transferring Payload in Multiple Chunks with trailing headers".
#[test]
fn the_published_trailer() {
    let put = head(
        "PUT",
        "/examplebucket/chunkObject.txt",
        &[
            ("host", "s3.amazonaws.com"),
            ("x-amz-date", "20130524T000000Z"),
            ("x-amz-storage-class", "REDUCED_REDUNDANCY"),
            (
                "authorization",
                "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,\
                 SignedHeaders=content-encoding;host;x-amz-content-sha256;x-amz-date;\
                 x-amz-decoded-content-length;x-amz-storage-class;x-amz-trailer,\
                 Signature=106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e",
            ),
            ("x-amz-content-sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"),
            ("content-encoding", "aws-chunked"),
            ("x-amz-decoded-content-length", "66560"),
            ("x-amz-trailer", "x-amz-checksum-crc32c"),
        ],
    );
    let signed = verify(&put).unwrap();
    let signatures = [
        "b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2",
        "1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7",
        "2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992",
    ];
    let trailers = "x-amz-checksum-crc32c:sOO8/Q==\r\nx-amz-trailer-signature:\
                    d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435\r\n";
    let announced = Some(Algorithm::Crc32c);
    let good = decode(&signed, &chunks(signatures, trailers), announced);
    assert_eq!(good, Ok((66_560, Some("sOO8/Q==".into()))));
    // As the page shows it: the line of a trailer ends twice.
    let page = trailers.replacen("\r\n", "\n\r\n", 1);
    assert!(decode(&signed, &chunks(signatures, &page), announced).is_ok());
    let other = trailers.replace("sOO8", "tOO8");
    assert_eq!(decode(&signed, &chunks(signatures, &other), announced), Err("SignatureDoesNotMatch".into()));
    assert_eq!(decode(&signed, &chunks(signatures, ""), announced), Err("MalformedTrailerError".into()));
}

#[test]
fn a_signed_request_is_its_users() {
    let base: [(&str, &str); 2] = [("host", "s3.test"), ("x-amz-content-sha256", EMPTY)];
    let get = signed_get(&[base[0], base[1], ("x-amz-date", "20130524T000000Z")]);
    let signed = verify(&get).unwrap();
    assert_eq!((signed.caller.identity, signed.scheme), (Some(0), Scheme::V4Header));
    assert!(matches!(signed.payload, Payload::Hashed(_)));
    // The plain Date header does as well.
    let dated = signed_get(&[base[0], base[1], ("date", "Fri, 24 May 2013 00:00:00 GMT")]);
    assert_eq!(code(verify(&dated)), "V4Header");
    assert_eq!(code(verify_at(WALL + 900, &get)), "V4Header");
    assert_eq!(code(verify_at(WALL + 901, &get)), "RequestTimeTooSkewed");
    let anonymous = verify(&head("GET", "/b/k", &[base[0]])).unwrap();
    assert!(anonymous.caller.is_anonymous() && anonymous.scheme == Scheme::Unsigned);
    // An empty header is none.
    assert_eq!(code(verify(&head("GET", "/b/k", &[("authorization", "")]))), "Unsigned");
}

#[test]
fn a_wrong_signature_is_told_with_everything_signed() {
    let headers = [("host", "s3.test"), ("x-amz-content-sha256", EMPTY), ("x-amz-date", "20130524T000000Z")];
    let mut get = signed_get(&headers);
    get.uri = "/b/other".parse().unwrap();
    let error = verify(&get).unwrap_err();
    let names: Vec<&str> = error.extras.iter().map(|(name, _)| *name).collect();
    assert_eq!(error.code, "SignatureDoesNotMatch");
    assert_eq!(
        names,
        [
            "AWSAccessKeyId",
            "StringToSign",
            "SignatureProvided",
            "StringToSignBytes",
            "CanonicalRequest",
            "CanonicalRequestBytes"
        ]
    );
    assert!(error.extras[4].1.starts_with("GET\n/b/other\n\nhost:s3.test\n"));
    assert!(error.extras[3].1.starts_with("41 57 53 34"));
}

#[test]
fn every_refusal_has_its_code() {
    let date = ("x-amz-date", "20130524T000000Z");
    let hash = ("x-amz-content-sha256", EMPTY);
    let with = |credential: &str| {
        format!("AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders=host;x-amz-date, Signature=ab")
    };
    let good = with(&format!("{KEY}/{SCOPE}"));
    let unknown = with(&format!("AKIANOBODY/{SCOPE}"));
    let west = with(&format!("{KEY}/20130524/us-west-2/s3/aws4_request"));
    let sts = with(&format!("{KEY}/20130524/us-east-1/sts/aws4_request"));
    let day = with(&format!("{KEY}/20130525/us-east-1/s3/aws4_request"));
    let long = with(&"A".repeat(60_000));
    let denied = "AccessDenied";
    let malformed = "AuthorizationHeaderMalformed";
    let token = ("x-amz-security-token", "nonsense");
    let table: Vec<(Vec<(&str, &str)>, &str)> = vec![
        (vec![hash, date, ("authorization", "Basic abc")], "InvalidArgument"),
        (vec![hash, date, ("authorization", "nonsense")], "InvalidArgument"),
        (vec![hash, date, ("authorization", "AWS HAHAHA")], "InvalidArgument"),
        (vec![hash, date, ("authorization", "AWS AKIANOBODY:sig=")], "InvalidAccessKeyId"),
        (vec![hash, date, ("authorization", "AWS4-HMAC-SHA256")], malformed),
        (vec![hash, date, ("authorization", "AWS4-HMAC-SHA256 x")], malformed),
        (vec![hash, date, ("authorization", &long)], malformed),
        (vec![hash, date, ("authorization", &unknown)], "InvalidAccessKeyId"),
        (vec![hash, date, ("authorization", &west)], malformed),
        (vec![hash, date, ("authorization", &sts)], malformed),
        (vec![hash, date, ("authorization", &day)], malformed),
        (vec![date, ("authorization", &good)], "InvalidRequest"),
        (vec![date, ("x-amz-content-sha256", "x"), ("authorization", &good)], "InvalidArgument"),
        (vec![hash, ("authorization", &good)], denied),
        (vec![hash, ("x-amz-date", "Bad Date"), ("authorization", &good)], denied),
        (vec![hash, ("x-amz-date", "20130524T010000Z"), ("authorization", &good)], "RequestTimeTooSkewed"),
        // x-amz-content-sha256 is not among the signed headers.
        (vec![hash, date, ("authorization", &good)], denied),
        (vec![hash, date, token, ("authorization", &good)], "InvalidToken"),
        (vec![hash, date, token, ("authorization", &unknown)], "InvalidToken"),
    ];
    for (headers, expected) in table {
        let got = code(verify(&head("GET", "/b/k", &headers)));
        assert_eq!(got, expected, "{:.200}", format!("{headers:?}"));
    }
    let west = verify(&head("GET", "/b/k", &[hash, date, ("authorization", &west)])).unwrap_err();
    assert_eq!(
        west.message,
        "The authorization header is malformed; the region 'us-west-2' is wrong; expecting 'us-east-1'"
    );
}

#[test]
fn version_2_is_taken_until_it_is_switched_off() {
    let mut get = head("GET", "/b/k?acl", &[("date", "Fri, 24 May 2013 00:00:00 GMT")]);
    let secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
    let signature = v2::sign(secret, &v2::string_to_sign(&get, "/b/k", None));
    get.headers.insert(AUTHORIZATION, format!("AWS {KEY}:{signature}").parse().unwrap());
    assert_eq!(code(verify(&get)), "V2Header");
    assert_eq!(code(verify_at(WALL - 901, &get)), "RequestTimeTooSkewed");
    let mut settings = crate::compile::settings_for_tests();
    settings.signature_v2 = false;
    let sessions = Sessions::new(7);
    let verifier =
        Verifier { settings: &settings, sessions: &sessions, region: None, service: "s3", wall: WALL };
    assert_eq!(code(verifier.authenticate(&get)), "InvalidRequest");
    get.headers.insert("x-amz-acl", "private".parse().unwrap());
    assert_eq!(code(verify(&get)), "SignatureDoesNotMatch");
    let expires = (WALL + 60).to_string();
    let url = head("PUT", &format!("/b/k?Expires={expires}"), &[]);
    let signature = v2::sign(secret, &v2::string_to_sign(&url, "/b/k", Some(WALL + 60)));
    let signature = crate::encoding::encode_query(&signature);
    let target = format!("/b/k?AWSAccessKeyId={KEY}&Expires={expires}&Signature={signature}");
    assert_eq!(code(verify(&head("PUT", &target, &[]))), "V2Query");
    assert_eq!(code(verify_at(WALL + 61, &head("PUT", &target, &[]))), "AccessDenied");
    assert_eq!(code(verify(&head("GET", &target, &[]))), "SignatureDoesNotMatch");
}

/// S3 API Reference, "Example: Browser-Based Upload using HTTP POST (Using AWS Signature Version 4)".
const POLICY: &str = "eyAiZXhwaXJhdGlvbiI6ICIyMDE1LTEyLTMwVDEyOjAwOjAwLjAwMFoiLA0KICAiY29uZGl0aW9ucyI6IFsNCiAgICB7ImJ1Y2tldCI6ICJza\
     Wd2NGV4YW1wbGVidWNrZXQifSwNCiAgICBbInN0YXJ0cy13aXRoIiwgIiRrZXkiLCAidXNlci91c2VyMS8iXSwNCiAgICB7ImFjbCI6ICJwdW\
     JsaWMtcmVhZCJ9LA0KICAgIHsic3VjY2Vzc19hY3Rpb25fcmVkaXJlY3QiOiAiaHR0cDovL3NpZ3Y0ZXhhbXBsZWJ1Y2tldC5zMy5hbWF6b25\
     hd3MuY29tL3N1Y2Nlc3NmdWxfdXBsb2FkLmh0bWwifSwNCiAgICBbInN0YXJ0cy13aXRoIiwgIiRDb250ZW50LVR5cGUiLCAiaW1hZ2UvIl0s\
     DQogICAgeyJ4LWFtei1tZXRhLXV1aWQiOiAiMTQzNjUxMjM2NTEyNzQifSwNCiAgICB7IngtYW16LXNlcnZlci1zaWRlLWVuY3J5cHRpb24iO\
     iAiQUVTMjU2In0sDQogICAgWyJzdGFydHMtd2l0aCIsICIkeC1hbXotbWV0YS10YWciLCAiIl0sDQoNCiAgICB7IngtYW16LWNyZWRlbnRpYW\
     wiOiAiQUtJQUlPU0ZPRE5ON0VYQU1QTEUvMjAxNTEyMjkvdXMtZWFzdC0xL3MzL2F3czRfcmVxdWVzdCJ9LA0KICAgIHsieC1hbXotYWxnb3J\
     pdGhtIjogIkFXUzQtSE1BQy1TSEEyNTYifSwNCiAgICB7IngtYW16LWRhdGUiOiAiMjAxNTEyMjlUMDAwMDAwWiIgfQ0KICBdDQp9";

fn form(fields: Headers<'_>) -> String {
    let settings = crate::compile::settings_for_tests();
    let sessions = Sessions::new(7);
    let region = Some("us-east-1");
    let verifier = Verifier { settings: &settings, sessions: &sessions, region, service: "s3", wall: WALL };
    let field = |name: &str| fields.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
    let got = verifier.authenticate_form(&field);
    got.map_or_else(|error| error.code.into_owned(), |(_, scheme)| format!("{scheme:?}"))
}

#[test]
fn the_published_form() {
    let good = [
        ("policy", POLICY),
        ("x-amz-algorithm", "AWS4-HMAC-SHA256"),
        ("x-amz-credential", "AKIAIOSFODNN7EXAMPLE/20151229/us-east-1/s3/aws4_request"),
        ("x-amz-date", "20151229T000000Z"),
        ("x-amz-signature", "8afdbf4008c03f22c2cd3cdb72e4afbb1f6a588f3255ac628749a66d7f09699e"),
    ];
    assert_eq!(form(&good), "V4Form");
    let with = |at: usize, value| {
        let mut fields = good;
        fields[at].1 = value;
        form(&fields)
    };
    assert_eq!(with(0, "e30="), "SignatureDoesNotMatch");
    assert_eq!(with(1, "AWS4"), "InvalidArgument");
    assert_eq!(with(2, "AKIANOBODY/20151229/us-east-1/s3/aws4_request"), "InvalidAccessKeyId");
    assert_eq!(with(2, "AKIAIOSFODNN7EXAMPLE/20151229/us-west-2/s3/aws4_request"), "InvalidArgument");
    assert_eq!(with(3, "20151230T000000Z"), "InvalidArgument");
    for left_out in 0..good.len() {
        let mut fields = good.to_vec();
        fields.remove(left_out);
        assert_eq!(form(&fields), "InvalidArgument", "{left_out}");
    }
    assert_eq!(form(&[("key", "k")]), "Unsigned");
    let signature = v2::sign("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", POLICY);
    let v2 = [("policy", POLICY), ("awsaccesskeyid", KEY), ("signature", signature.as_str())];
    assert_eq!(form(&v2), "V2Form");
    assert_eq!(form(&[v2[0], v2[1], ("signature", "x")]), "SignatureDoesNotMatch");
    assert_eq!(form(&v2[..2]), "InvalidArgument");
}

proptest::proptest! {
    #[test]
    fn no_head_makes_it_panic(query in "[ -~]{0,80}", authorization in "(AWS4-HMAC-SHA256|AWS) [ -~]{0,120}", date in "[ -~]{0,20}") {
        let known = ["X-Amz-Algorithm=AWS4-HMAC-SHA256", "X-Amz-Signature=a", "Signature=a&AWSAccessKeyId=b&Expires=1"];
        for prefix in known {
            let target = crate::encoding::encode_query(&query).replace("%3D", "=").replace("%26", "&");
            let get = head("GET", &format!("/b/k?{prefix}&{target}"), &[("x-amz-date", &date)]);
            drop(verify(&get));
        }
        let headers = [("x-amz-date", date.as_str()), ("authorization", &authorization), ("x-amz-content-sha256", EMPTY)];
        drop(verify(&head("GET", "/b/k", &headers)));
    }
}
