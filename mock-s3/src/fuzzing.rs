//! The parsers of what strangers send, one entry each for the fuzz targets in `fuzz/`. Whatever the input, they
//! return; what they return is checked as far as it can be without a second parser.

use std::sync::LazyLock;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};

use crate::auth::sessions::Sessions;
use crate::auth::{Payload, Verifier};
use crate::checksum::Algorithm;
use crate::incoming::Decoder;
use crate::ops;
use crate::policy::{Kind, Policy};
use crate::request::Head;
use crate::settings::Settings;
use crate::xml_tree::Node;

/// Fri, 24 May 2013 00:00:00 GMT
const WALL: i64 = 1_369_353_600;

static SETTINGS: LazyLock<Settings> = LazyLock::new(crate::compile::settings_for_tests);
static SESSIONS: LazyLock<Sessions> = LazyLock::new(|| Sessions::new(7));

/// A request head: method, target and header lines, one each; all that authentication reads of it.
pub fn signature(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let mut lines = text.split('\n');
    let (Some(target), Some(authorization)) = (lines.next(), lines.next()) else { return };
    let mut headers = HeaderMap::new();
    let fixed = [("host", "localhost"), ("x-amz-date", "20130524T000000Z"), ("authorization", authorization)];
    for (name, value) in lines.filter_map(|line| line.split_once(':')).chain(fixed).take(40) {
        if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), HeaderValue::from_str(value)) {
            headers.append(name, value);
        }
    }
    let Ok(uri) = format!("/{target}").parse::<Uri>() else { return };
    let head = Head::within(Method::PUT, uri, headers, &["localhost".to_owned()]);
    let verifier = Verifier {
        settings: &SETTINGS,
        sessions: &SESSIONS,
        region: Some("us-east-1"),
        service: "s3",
        wall: WALL,
    };
    // Nobody signs by chance: whoever is let in is unsigned.
    if let Ok(signed) = verifier.authenticate(&head) {
        assert!(signed.caller.is_anonymous(), "an unsigned request became {:?}", signed.caller);
    }
}

/// A body in aws-chunked encoding; the first byte says in what steps it arrives.
pub fn chunked(data: &[u8]) {
    let Some((&step, body)) = data.split_first() else { return };
    let mut headers = HeaderMap::new();
    headers.insert("x-amz-content-sha256", HeaderValue::from_static("STREAMING-UNSIGNED-PAYLOAD-TRAILER"));
    headers.insert("x-amz-decoded-content-length", HeaderValue::from_static("32"));
    let head = Head::within(Method::PUT, Uri::from_static("/b/k"), headers, &[]);
    let verifier =
        Verifier { settings: &SETTINGS, sessions: &SESSIONS, region: None, service: "s3", wall: WALL };
    let Ok(signed) = verifier.authenticate(&head) else { return };
    let Payload::Chunked(chunked) = signed.payload else { return };
    let mut decoder = Decoder::new(*chunked, Some(Algorithm::Crc32));
    let mut length = 0;
    for piece in body.chunks(usize::from(step).max(1)) {
        let pushed = decoder.push(Bytes::copy_from_slice(piece), &mut |data| length += data.len());
        assert!(length <= body.len(), "more came out than went in");
        if pushed.is_err() {
            return;
        }
    }
    if decoder.finish().is_ok() {
        assert_eq!(length, 32, "a whole body has the length its head told");
    }
}

/// XML documents of requests.
pub fn xml(data: &[u8]) {
    if let Some(node) = Node::parse(data) {
        let again = Node::parse(node.document().as_bytes());
        assert!(again.is_some(), "what was written from a tree can be read");
    }
    ops::fuzzing::documents(data);
}

/// A Range header; the first eight bytes are the object's length.
pub fn range(data: &[u8]) {
    let Some((length, value)) = data.split_first_chunk::<8>() else { return };
    let Ok(value) = std::str::from_utf8(value) else { return };
    let length = u64::from_le_bytes(*length);
    if let Some((first, last)) = ops::fuzzing::range(value, length) {
        assert!(first <= last && last < length, "{first}-{last} of {length}");
    }
}

/// A policy document, of an identity, a bucket or a role.
pub fn policy(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    for kind in [Kind::Identity, Kind::Bucket, Kind::Trust] {
        match Policy::read(text, kind) {
            Ok(policy) => {
                assert_eq!(policy.text(), text);
                let _ = policy.is_public();
            }
            Err(error) => drop(error.to_string()),
        }
    }
}

/// A browser's upload form, and the policy in it.
pub fn form(data: &[u8]) {
    ops::fuzzing::form(data);
}
