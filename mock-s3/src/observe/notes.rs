//! What is gathered about one exchange on its way, when somebody listens.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use gatecrash_model::{Nanos, Op, UpstreamRecord};
use http::header::{AUTHORIZATION, HOST, HeaderName, REFERER, USER_AGENT};
use http::{HeaderMap, Version};

use super::finished::{Authentication, BatchItem, Finished, Principal, Source};
use crate::encoding::decode;
use crate::policy::Evaluation;
use crate::request::Head;
use crate::store::{Placement, Store};
use crate::xml_tree::Node;

const COPY_SOURCE: HeaderName = HeaderName::from_static("x-amz-copy-source");
const INVOCATION: HeaderName = HeaderName::from_static("amz-sdk-invocation-id");
const SDK_REQUEST: HeaderName = HeaderName::from_static("amz-sdk-request");

/// Headers are kept up to this many bytes, targets and keys up to that many: more than any valid key has.
const HEADER: usize = 1024;
const TARGET: usize = 8192;

/// Query parameters whose values give somebody access.
const SECRET: &[&str] = &[
    "X-Amz-Credential",
    "X-Amz-Security-Token",
    "X-Amz-Signature",
    "AWSAccessKeyId",
    "Signature",
    "x-amz-security-token",
];

/// The description of an exchange, being written.
pub(crate) struct Notes {
    finished: Finished,
    /// When the request had arrived whole.
    complete: Option<Nanos>,
    /// When the answer went to the connection.
    answered: Option<Nanos>,
}

/// Where an exchange takes place.
pub(crate) struct Scene<'a> {
    pub(crate) region: usize,
    pub(crate) region_name: &'a str,
    pub(crate) remote: IpAddr,
    pub(crate) wall: i64,
    pub(crate) request_id: &'a str,
    pub(crate) store: &'a Store,
    pub(crate) placement: Option<&'a Placement>,
}

impl Notes {
    /// What the head says.
    pub(crate) fn begin(head: &Head, version: Version, scene: &Scene<'_>) -> Box<Self> {
        let text = |name: &HeaderName| head.header(name).map(|text| cut(text, HEADER));
        let finished = Finished {
            record: UpstreamRecord::default(),
            wall: scene.wall,
            request_id: scene.request_id.to_owned(),
            host_id: None,
            op: head.op,
            method: head.method.clone(),
            target: cut(&redacted(head.path(), head.query()), TARGET),
            version: if version == Version::HTTP_10 { "HTTP/1.0" } else { "HTTP/1.1" },
            region: scene.region_name.into(),
            bucket: head.bucket.clone(),
            bucket_owner: scene.placement.map(|placement| placement.bucket.owner.canonical.clone()),
            key: cut(&head.key, TARGET),
            version_id: head.query_value("versionId").filter(|id| !id.is_empty()),
            source: head.header(&COPY_SOURCE).and_then(|source| source_of(source, scene)),
            batch: Vec::new(),
            principal: None,
            authentication: authentication(head),
            decision: gatecrash_model::Decision::default(),
            explained: None,
            status: 0,
            code: String::new(),
            received: 0,
            sent: 0,
            object_size: None,
            turn_around: None,
            total: Duration::ZERO,
            remote: scene.remote,
            host: text(&HOST).or_else(|| head.uri.host().map(str::to_owned)),
            referer: text(&REFERER),
            user_agent: text(&USER_AGENT),
            invocation: text(&INVOCATION),
            attempt: attempt(&head.headers),
            fault: None,
            logging: scene.placement.and_then(|placement| placement.state().logging.clone()),
        };
        Box::new(Self { finished, complete: None, answered: None })
    }

    /// The request has arrived whole; told once.
    pub(crate) fn complete(&mut self, now: Nanos) {
        self.complete.get_or_insert(now);
    }

    /// The answer goes to its connection; told once.
    pub(crate) fn answered(&mut self, now: Nanos) {
        self.answered.get_or_insert(now);
    }

    pub(crate) fn received(&mut self, bytes: u64) {
        self.finished.received = bytes;
    }

    pub(crate) fn sent(&mut self, bytes: u64) {
        self.finished.sent += bytes;
    }

    pub(crate) fn signed_by(&mut self, principal: Principal) {
        self.finished.principal = Some(principal);
    }

    pub(crate) fn explained(&mut self, explained: Evaluation) {
        self.finished.explained = Some(Box::new(explained));
    }

    pub(crate) fn fault(&mut self, rule: Arc<str>) {
        self.finished.fault = Some(rule);
    }

    pub(crate) fn code(&mut self, code: &str) {
        code.clone_into(&mut self.finished.code);
    }

    pub(crate) fn host_id(&mut self, host_id: &str) {
        self.finished.host_id = Some(host_id.to_owned());
    }

    pub(crate) fn object_size(&mut self, bytes: Option<u64>) {
        self.finished.object_size = bytes;
    }

    /// The keys of a DeleteObjects, off its own request and answer.
    pub(crate) fn batch(&mut self, request: &[u8], answer: &[u8]) {
        self.finished.batch = batch(request, answer).unwrap_or_default();
    }

    /// The exchange has ended.
    pub(crate) fn end(self, record: UpstreamRecord, now: Nanos) -> Finished {
        let complete = self.complete.unwrap_or(record.received);
        let span = |from: Nanos, to: Nanos| Duration::from_nanos(to.saturating_sub(from));
        Finished {
            record,
            decision: record.decision,
            status: record.status,
            turn_around: self.answered.map(|answered| span(complete, answered)),
            total: span(record.received, now),
            ..self.finished
        }
    }
}

/// The text, or its beginning when it is long.
fn cut(text: &str, limit: usize) -> String {
    text[..text.floor_char_boundary(limit)].to_owned()
}

/// Path and query without what gives access.
fn redacted(path: &str, query: &str) -> String {
    if query.is_empty() {
        return path.to_owned();
    }
    let pairs = query.split('&').map(|pair| match pair.split_once('=') {
        Some((name, _)) if SECRET.contains(&name) => format!("{name}=REDACTED"),
        _ => pair.to_owned(),
    });
    format!("{path}?{}", pairs.collect::<Vec<_>>().join("&"))
}

fn authentication(head: &Head) -> Authentication {
    match head.headers.get(AUTHORIZATION).map(|value| value.as_bytes()) {
        Some(value) if value.starts_with(b"AWS ") => Authentication::Version2 { query: false },
        Some(_) => Authentication::Header,
        None if head.has_query("X-Amz-Signature") => Authentication::Query,
        None if head.has_query("Signature") => Authentication::Version2 { query: true },
        None => Authentication::Unsigned,
    }
}

/// The access key a request was signed with, as it says itself.
pub(crate) fn presented_key(head: &Head) -> Option<&str> {
    match head.header(&AUTHORIZATION) {
        Some(value) => match value.strip_prefix("AWS ") {
            Some(version2) => version2.split(':').next(),
            None => value.split_once("Credential=")?.1.split('/').next(),
        },
        None => head.query().split('&').find_map(|pair| {
            let (name, value) = pair.split_once('=')?;
            let value = value.split('/').next()?;
            matches!(name, "X-Amz-Credential" | "AWSAccessKeyId").then(|| value.split("%2F").next())?
        }),
    }
}

/// `amz-sdk-request: attempt=2; max=3`
fn attempt(headers: &HeaderMap) -> Option<u32> {
    let text = headers.get(&SDK_REQUEST)?.to_str().ok()?;
    text.split(';').find_map(|part| part.trim().strip_prefix("attempt=")?.parse().ok())
}

/// `/bucket/key?versionId=id`, encoded, with or without the first slash.
fn source_of(text: &str, scene: &Scene<'_>) -> Option<Source> {
    let (path, version_id) = match text.split_once("?versionId=") {
        Some((path, version)) => (path, Some(version.to_owned())),
        None => (text, None),
    };
    let path = decode(path);
    let (bucket, key) = path.strip_prefix('/').unwrap_or(&path).split_once('/')?;
    let placement = scene.store.find(scene.region, bucket)?;
    Some(Source {
        bucket: bucket.to_owned(),
        bucket_owner: placement.bucket.owner.canonical.clone(),
        key: key.to_owned(),
        version_id,
        logging: placement.state().logging.clone(),
    })
}

fn batch(request: &[u8], answer: &[u8]) -> Option<Vec<BatchItem>> {
    let text = |node: &Node, name: &str| node.child(name).map(|child| child.text.clone());
    let asked = |object: &Node| BatchItem {
        key: text(object, "Key").unwrap_or_default(),
        version_id: text(object, "VersionId"),
        status: 204,
        code: String::new(),
    };
    let mut items: Vec<BatchItem> = Node::parse(request)?.all("Object").map(asked).collect();
    for error in Node::parse(answer)?.all("Error") {
        let refused = asked(error);
        let same = |item: &&mut BatchItem| {
            item.code.is_empty() && item.key == refused.key && item.version_id == refused.version_id
        };
        if let Some(item) = items.iter_mut().find(same) {
            item.code = text(error, "Code").unwrap_or_default();
            item.status = crate::errors::known_code(&item.code).map_or(500, |(status, _)| status);
        }
    }
    Some(items)
}

/// Whether an exchange is to be described although nobody listens to all of them: its bucket is logged.
pub(crate) fn is_logged(op: Op, head: &Head, scene: &Scene<'_>) -> bool {
    scene.placement.is_some_and(Placement::is_logged)
        || (matches!(op, Op::CopyObject | Op::UploadPartCopy)
            && head
                .header(&COPY_SOURCE)
                .and_then(|source| source_of(source, scene))
                .is_some_and(|source| source.logging.is_some()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_gives_access_is_kept() {
        assert_eq!(
            redacted("/b/k", "X-Amz-Date=1&X-Amz-Credential=AKIA%2F&X-Amz-Signature=ab&a"),
            "/b/k?X-Amz-Date=1&X-Amz-Credential=REDACTED&X-Amz-Signature=REDACTED&a"
        );
        assert_eq!(redacted("/b/k", ""), "/b/k");
    }

    #[test]
    fn attempts_are_read_off_the_sdk_header() {
        let table =
            [("attempt=2; max=3", Some(2)), ("max=3; attempt=1", Some(1)), ("", None), ("attempt=x", None)];
        for (text, expected) in table {
            let headers = [(SDK_REQUEST, text.parse().unwrap())].into_iter().collect();
            assert_eq!(attempt(&headers), expected, "{text}");
        }
    }

    #[test]
    fn batches_have_an_outcome_for_each_key() {
        let request = b"<Delete><Object><Key>a</Key></Object><Object><Key>b</Key><VersionId>1</VersionId>\
            </Object></Delete>";
        let answer =
            b"<DeleteResult><Deleted><Key>a</Key></Deleted><Error><Key>b</Key><VersionId>1</VersionId>\
            <Code>AccessDenied</Code></Error></DeleteResult>";
        let items = batch(request, answer).unwrap();
        let short: Vec<_> = items.iter().map(|i| (i.key.as_str(), i.status, i.code.as_str())).collect();
        assert_eq!(short, [("a", 204, ""), ("b", 403, "AccessDenied")]);
        assert_eq!(batch(b"no", b"no"), None);
    }
}
