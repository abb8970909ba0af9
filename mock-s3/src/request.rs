//! A request head, taken apart once.

use gatecrash_model::Op;
use gatecrash_model::op::split_path;
use http::header::HeaderName;
use http::{HeaderMap, Method, Uri};

use crate::encoding::{decode, decode_form, decode_strict};

/// Query parameters that make a request something the mock does not do yet.
const SUBRESOURCES: &[&str] = &[
    "accelerate",
    "acl",
    "analytics",
    "attributes",
    "cors",
    "encryption",
    "intelligent-tiering",
    "inventory",
    "legal-hold",
    "lifecycle",
    "location",
    "logging",
    "metrics",
    "notification",
    "object-lock",
    "ownershipControls",
    "partNumber",
    "policy",
    "policyStatus",
    "publicAccessBlock",
    "replication",
    "requestPayment",
    "restore",
    "retention",
    "select",
    "tagging",
    "torrent",
    "uploadId",
    "uploads",
    "versionId",
    "versioning",
    "versions",
    "website",
];

/// Method, target and headers of one request, path style.
#[derive(Debug)]
pub(crate) struct Head {
    pub(crate) method: Method,
    pub(crate) uri: Uri,
    pub(crate) headers: HeaderMap,
    pub(crate) op: Op,
    /// Decoded; the name in the addressed region.
    pub(crate) bucket: String,
    /// Decoded.
    pub(crate) key: String,
    /// Bucket and key are UTF-8 after decoding.
    pub(crate) legible: bool,
}

impl Head {
    /// Classifies a head.
    pub(crate) fn new(method: Method, uri: Uri, headers: HeaderMap) -> Self {
        let (bucket, key) = split_path(uri.path());
        let legible = decode_strict(bucket).is_some() && decode_strict(key).is_some();
        let (bucket, key) = (decode(bucket).into_owned(), decode(key).into_owned());
        let target = uri.path_and_query().map_or("/", |target| target.as_str());
        let op = Op::classify(method.as_str(), target);
        let mut head = Self { method, uri, headers, op, bucket, key, legible };
        if head.op != Op::Unknown && head.is_beyond_us() {
            head.op = Op::Unknown;
        }
        head
    }

    fn is_beyond_us(&self) -> bool {
        SUBRESOURCES.iter().any(|name| self.has_query(name))
            || (self.op == Op::PutObject && self.headers.contains_key("x-amz-copy-source"))
    }

    pub(crate) fn path(&self) -> &str {
        self.uri.path()
    }

    /// The raw query, empty when there is none.
    pub(crate) fn query(&self) -> &str {
        self.uri.query().unwrap_or("")
    }

    /// Whether a query parameter is present, with or without a value.
    pub(crate) fn has_query(&self, name: &str) -> bool {
        self.raw_value(name).is_some()
    }

    /// The decoded value of a query parameter.
    pub(crate) fn query_value(&self, name: &str) -> Option<String> {
        self.raw_value(name).map(decode_form)
    }

    /// A header's value, when it is readable text.
    pub(crate) fn header(&self, name: &HeaderName) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    fn raw_value(&self, name: &str) -> Option<&str> {
        self.query()
            .split('&')
            .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
            .find_map(|(n, value)| (n == name).then_some(value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(method: &str, target: &str) -> Head {
        Head::new(method.parse().unwrap(), target.parse().unwrap(), HeaderMap::new())
    }

    #[test]
    fn targets_are_decoded() {
        let got = head("GET", "/media/a%20b/%C3%A9+?prefix=x%2Fy+z&list");
        assert_eq!((got.bucket.as_str(), got.key.as_str()), ("media", "a b/é+"));
        assert_eq!(got.query_value("prefix").as_deref(), Some("x/y z"));
        assert!(got.has_query("list") && !got.has_query("lis"));
    }

    #[test]
    fn subresources_are_beyond_us() {
        for target in
            ["/b?policy", "/b/k?tagging", "/b/k?uploadId=1", "/b?location", "/b?list-type=2&versions"]
        {
            assert_eq!(head("GET", target).op, Op::Unknown, "{target}");
        }
        assert_eq!(head("PUT", "/b/k?x-id=PutObject").op, Op::PutObject);
        assert!(SUBRESOURCES.is_sorted_by_key(|name| name.to_lowercase()));
    }
}
