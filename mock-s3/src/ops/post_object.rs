//! POST /bucket: an upload by a form of a browser (S3 API reference, "POST Object").

mod form;
mod policy;

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use gatecrash_model::Decision;
use http::header::{CONTENT_TYPE, ETAG, HOST, HeaderName, LOCATION};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use md5::{Digest, Md5};

use self::form::Form;
use self::policy::FormPolicy;
use super::{Answer, Call, Content, put_object, tags};
use crate::access::{Access, Circumstances};
use crate::auth::Verifier;
use crate::auth::sigv4::hex;
use crate::checksum::{self, Algorithm, Checksum, Declared, Hasher};
use crate::encoding::{encode_path, encode_query};
use crate::errors::S3Error;
use crate::received::Received;
use crate::request::Head;
use crate::store::Data;
use crate::xml::Xml;

/// Fields that are headers of an upload under the same name, besides `x-amz-*`.
const HEADERS: [&str; 7] = [
    "cache-control",
    "content-type",
    "content-disposition",
    "content-encoding",
    "content-language",
    "expires",
    "content-md5",
];
/// Fields of the signature: they describe the form, not the object.
const SIGNATURE: [&str; 5] =
    ["x-amz-algorithm", "x-amz-credential", "x-amz-date", "x-amz-security-token", "x-amz-signature"];

/// Stores the file of the form as PutObject would.
pub(super) fn run(call: &Call<'_>) -> Result<Answer, S3Error> {
    let place = call.place()?;
    let pool = &call.shared.pool_bytes;
    let form = Form::read(&call.body.data, call.head.header(&CONTENT_TYPE), pool)?;
    let key = form.key()?;
    let verifier = Verifier {
        settings: call.settings,
        sessions: &call.shared.sessions,
        region: Some(&call.shared.regions[call.region]),
        service: "s3",
        wall: call.wall,
    };
    let (caller, _) = verifier.authenticate_form(&|name| form.field(name))?;
    if let Some(policy) = form.field("policy") {
        FormPolicy::read(policy)?.check(&form, &call.head.bucket, &key, call.wall)?;
    }
    let head = Head {
        method: Method::PUT,
        uri: call.head.uri.clone(),
        headers: headers(call, &form)?,
        op: call.head.op,
        bucket: call.head.bucket.clone(),
        key,
        legible: true,
        hosted: call.head.hosted,
        website: false,
    };
    let request = Circumstances { head: &head, ..call.access.request };
    let access = Access { caller: &caller, request, ..call.access };
    let ruling = access.evaluate("s3:PutObject", &head.key);
    if !ruling.is_allowed() {
        return Err(access.denial(&ruling));
    }
    let body = received(&form, &head.headers, pool)?;
    let put = put_object::run(&Call { head: &head, body: &body, access, placement: Some(place), ..*call })?;
    let mut answer = answer(&form, &head, put)?;
    (answer.decision, answer.caller) = (Some(Decision::Allowed), Some(caller));
    Ok(answer)
}

/// The file with its hashes, checked against those the form has.
/// A form and its policy, read and thrown away.
#[cfg(feature = "fuzzing")]
pub(super) fn fuzz(body: &Data) {
    let pool = Bytes::new();
    if let Ok(form) = Form::read(body, Some("multipart/form-data; boundary=b"), &pool) {
        let policy = form.field("policy").and_then(|encoded| FormPolicy::read(encoded).ok());
        drop(policy.map(|policy| policy.check(&form, "b", "k", 1_369_353_600)));
        drop(form.key());
    }
}

fn received(form: &Form, headers: &HeaderMap, pool: &Bytes) -> Result<Received, S3Error> {
    let declared = Declared::of(headers)?;
    let algorithm = declared.algorithm.unwrap_or(Algorithm::Crc64Nvme);
    let (mut md5, mut sum) = (Md5::new(), Hasher::new(algorithm));
    let mut chunks = form.file.clone().chunks();
    while let Some(chunk) = chunks.next(1 << 20, pool) {
        md5.update(&chunk);
        sum.update(&chunk);
    }
    let (digest, md5): (_, [u8; 16]) = (sum.finish(), md5.finalize().into());
    if let Some(expected) = declared.md5.filter(|expected| *expected != md5) {
        return Err(S3Error::of("BadDigest")
            .extra("ExpectedDigest", hex(&expected))
            .extra("CalculatedDigest", STANDARD.encode(md5)));
    }
    if declared.expected.is_some_and(|expected| expected != digest) {
        return Err(checksum::mismatch(algorithm));
    }
    let checksum = Some(Checksum::full(algorithm, digest));
    let hash = form.file.hash(pool);
    Ok(Received { data: form.file.clone(), hash, md5: Some(md5), checksum })
}

/// The headers an upload of the same object would have had.
fn headers(call: &Call<'_>, form: &Form) -> Result<HeaderMap, S3Error> {
    let mut headers = HeaderMap::new();
    if let Some(host) = call.head.headers.get(HOST) {
        headers.insert(HOST, host.clone());
    }
    let mut set = |name: &str, value: &str| {
        let invalid =
            || S3Error::of("InvalidArgument").extra("ArgumentName", name).extra("ArgumentValue", value);
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| invalid())?;
        headers.insert(name, HeaderValue::from_bytes(value.as_bytes()).map_err(|_| invalid())?);
        Ok::<(), S3Error>(())
    };
    for (name, value) in &form.fields {
        match name.as_str() {
            "acl" => set("x-amz-acl", value)?,
            "tagging" => {
                let tags = tags::of_document(value.as_bytes(), tags::OF_OBJECT)?;
                let pairs: Vec<String> = tags
                    .iter()
                    .map(|(key, value)| format!("{}={}", encode_query(key), encode_query(value)))
                    .collect();
                set(tags::HEADER, &pairs.join("&"))?;
            }
            name if SIGNATURE.contains(&name) => {}
            name if HEADERS.contains(&name) || name.starts_with("x-amz-") => set(name, value)?,
            _ => {}
        }
    }
    Ok(headers)
}

/// What the form asks to be told: by default 204.
fn answer(form: &Form, head: &Head, put: Answer) -> Result<Answer, S3Error> {
    let etag = put.headers.get(ETAG).and_then(|etag| etag.to_str().ok()).unwrap_or_default().to_owned();
    let location = location(head);
    let Answer { headers, applied, .. } = put;
    let told = |status: StatusCode| {
        let mut answer = Answer::new(status).applied(applied);
        answer.headers = headers;
        answer
    };
    let redirect = form.field("success_action_redirect").or_else(|| form.field("redirect"));
    if let Some(url) = redirect.filter(|url| url.starts_with("http://") || url.starts_with("https://")) {
        let mut target = url.to_owned();
        let (bucket, key) = (encode_query(&head.bucket), encode_query(&head.key));
        let joint = if url.contains('?') { '&' } else { '?' };
        let etag = encode_query(&etag);
        write!(target, "{joint}bucket={bucket}&key={key}&etag={etag}").expect("a String takes all");
        return Ok(told(StatusCode::SEE_OTHER).header(LOCATION, &target).body_empty());
    }
    let answer = |status| told(status).header(LOCATION, &location);
    match form.field("success_action_status") {
        Some("200") => Ok(answer(StatusCode::OK).body_empty()),
        Some("201") => {
            // Without a namespace, unlike every other document.
            let mut xml = Xml::new();
            xml.open("PostResponse");
            xml.text("Location", &location);
            xml.text("Bucket", &head.bucket);
            xml.text("Key", &head.key);
            xml.text("ETag", &etag);
            xml.close("PostResponse");
            let body = Content::Data(Data::memory(xml.finish()));
            Ok(answer(StatusCode::CREATED).header(CONTENT_TYPE, "application/xml").body(body))
        }
        _ => Ok(answer(StatusCode::NO_CONTENT)),
    }
}

/// The object's URL, in the style the form was sent to.
fn location(head: &Head) -> String {
    let host = head.header(&HOST).unwrap_or("s3.amazonaws.com");
    let key = encode_path(&head.key);
    match head.hosted {
        true => format!("http://{host}/{key}"),
        false => format!("http://{host}/{}/{key}", head.bucket),
    }
}
