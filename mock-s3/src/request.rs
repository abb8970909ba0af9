//! A request head, taken apart once.

use gatecrash_model::Op;
use gatecrash_model::op::{Level, split_path};
use http::header::{HOST, HeaderName};
use http::{HeaderMap, HeaderValue, Method, Uri};

use crate::encoding::{decode, decode_form, decode_strict};

/// Parameters of a presigned URL that are about its signature, in lower case.
const OF_SIGNATURES: [&str; 8] = [
    "x-amz-algorithm",
    "x-amz-content-sha256",
    "x-amz-credential",
    "x-amz-date",
    "x-amz-expires",
    "x-amz-security-token",
    "x-amz-signature",
    "x-amz-signedheaders",
];
const COPY_SOURCE: HeaderName = HeaderName::from_static("x-amz-copy-source");

/// Method, target and headers of one request, path style or virtual-host style.
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
    /// The bucket came from the host name.
    pub(crate) hosted: bool,
    /// It is for the bucket's website, not for the API.
    pub(crate) website: bool,
}

impl Head {
    /// Classifies a path-style head.
    #[cfg(test)]
    pub(crate) fn new(method: Method, uri: Uri, headers: HeaderMap) -> Self {
        Self::within(method, uri, headers, &[])
    }

    /// Classifies a head. `domains` are the suffixes of virtual hosts besides those of AWS.
    pub(crate) fn within(method: Method, uri: Uri, headers: HeaderMap, domains: &[String]) -> Self {
        let host = host(&uri, &headers);
        let site = host.and_then(|host| bucket_of_website(host, domains));
        let hosted = site.or_else(|| host.and_then(|host| bucket_of_host(host, domains)));
        let (website, is_hosted) = (site.is_some(), hosted.is_some());
        let (bucket, key) = match hosted {
            Some(bucket) => (bucket.to_owned(), uri.path().strip_prefix('/').unwrap_or(uri.path())),
            None => {
                let (bucket, key) = split_path(uri.path());
                (decode(bucket).into_owned(), key)
            }
        };
        let legible = decode_strict(uri.path()).is_some();
        let key = decode(key).into_owned();
        let level = match (bucket.is_empty(), key.is_empty()) {
            (true, _) => Level::Service,
            (_, true) => Level::Bucket,
            _ => Level::Object,
        };
        let op = match (website, method.as_str()) {
            (true, "GET") => Op::GetObject,
            (true, "HEAD") => Op::HeadObject,
            (_, method) => Op::of(method, level, uri.query().unwrap_or("")),
        };
        let op = if headers.contains_key(COPY_SOURCE) { op.copying() } else { op };
        Self { method, uri, headers, op, bucket, key, legible, hosted: is_hosted, website }
    }

    /// Takes the headers that a presigned URL carries as parameters for headers: SDKs put all `x-amz-*` there, and S3
    /// reads them (PutObject with an ACL, tags, metadata). For after the signature was checked.
    pub(crate) fn adopt_parameters(&mut self) {
        if !self.has_query("X-Amz-Signature") {
            return;
        }
        let pairs = self.uri.query().unwrap_or("").split('&').filter_map(|pair| pair.split_once('='));
        for (name, value) in pairs {
            let name = name.to_ascii_lowercase();
            if !name.starts_with("x-amz-")
                || OF_SIGNATURES.contains(&name.as_str())
                || COPY_SOURCE == name.as_str()
            {
                continue;
            }
            if let Ok(name) = HeaderName::try_from(name)
                && let Ok(value) = HeaderValue::try_from(decode(value).as_ref())
            {
                self.headers.entry(name).or_insert(value);
            }
        }
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
        if self.query().is_empty() {
            return None;
        }
        self.query()
            .split('&')
            .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
            .find_map(|(n, value)| (n == name).then_some(value))
    }
}

/// The host a request is for, without port.
fn host<'h>(uri: &'h Uri, headers: &'h HeaderMap) -> Option<&'h str> {
    let host = match uri.host() {
        Some(host) => host,
        None => headers.get(HOST)?.to_str().ok()?,
    };
    Some(host.rsplit_once(':').map_or(host, |(name, _)| name))
}

/// Most hosts are: there is no bucket to look for.
fn is_address(host: &str) -> bool {
    host.ends_with(|last: char| last.is_ascii_digit() || last == ']')
}

/// The bucket in a virtual host: `<bucket>.s3.amazonaws.com`, `<bucket>.s3.<region>.amazonaws.com` and its older and
/// dual-stack forms (S3 user guide, "Virtual hosting of general purpose buckets"), or `<bucket>.<domain>`.
fn bucket_of_host<'h>(host: &'h str, domains: &[String]) -> Option<&'h str> {
    if is_address(host) {
        return None;
    }
    if let Some(front) = host.strip_suffix(".amazonaws.com") {
        let is_service = |label: &str| label == "s3" || label.starts_with("s3-");
        let labels = front.rmatch_indices('.').map(|(at, _)| at);
        let starts = labels.take(3).filter(|at| is_service(front[at + 1..].split('.').next().unwrap_or("")));
        return starts.last().map(|at| &front[..at]);
    }
    domains.iter().find_map(|domain| host.strip_suffix(domain.as_str())?.strip_suffix('.'))
}

/// The bucket in a website's host: `<bucket>.s3-website-<region>.amazonaws.com`, `<bucket>.s3-website.<region>` of it
/// (S3 user guide, "Website endpoints"), or `<bucket>.s3-website.<domain>`.
fn bucket_of_website<'h>(host: &'h str, domains: &[String]) -> Option<&'h str> {
    if is_address(host) {
        return None;
    }
    let (bucket, rest) = host.split_once(".s3-website")?;
    let of_aws = rest.starts_with(['.', '-']) && rest.ends_with(".amazonaws.com");
    let of_domain = || rest.strip_prefix('.').is_some_and(|rest| domains.iter().any(|domain| domain == rest));
    (of_aws || of_domain()).then_some(bucket)
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
    fn buckets_of_websites() {
        let domains = ["localhost".to_owned()];
        let table = [
            ("media.s3-website.localhost", Some("media")),
            ("media.s3-website.example.org", None),
            ("my.media.s3-website-us-east-1.amazonaws.com", Some("my.media")),
            ("media.s3-website.eu-central-1.amazonaws.com", Some("media")),
            ("media.s3.eu-central-1.amazonaws.com", None),
        ];
        for (host, bucket) in table {
            assert_eq!(bucket_of_website(host, &domains), bucket, "{host}");
        }
        let headers = [(HOST, "media.s3-website.localhost:9000".parse().unwrap())].into_iter().collect();
        let head = Head::within(Method::GET, "/?acl".parse().unwrap(), headers, &domains);
        assert_eq!((head.bucket.as_str(), head.op, head.website), ("media", Op::GetObject, true));
    }

    #[test]
    fn presigned_urls_carry_headers() {
        let target = "/b/k?X-Amz-Signature=a&X-Amz-Date=d&x-amz-acl=private&x-amz-tagging=a%3D1%26b%3D2&x-id=PutObject";
        let mut presigned = head("PUT", target);
        presigned.headers.insert("x-amz-acl", HeaderValue::from_static("public-read"));
        presigned.adopt_parameters();
        let value = |name: &'static str| presigned.header(&HeaderName::from_static(name));
        assert_eq!((value("x-amz-acl"), value("x-amz-tagging")), (Some("public-read"), Some("a=1&b=2")));
        assert_eq!(presigned.headers.len(), 2);
        let mut plain = head("PUT", "/b/k?x-amz-acl=private");
        plain.adopt_parameters();
        assert!(plain.headers.is_empty());
    }

    #[test]
    fn buckets_of_hosts() {
        let domains = ["localhost".to_owned(), "s3.example.org".to_owned()];
        let table = [
            ("127.0.0.1", None),
            ("[::1]", None),
            ("localhost", None),
            ("media.localhost", Some("media")),
            ("a.b.localhost", Some("a.b")),
            ("s3.example.org", None),
            ("media.s3.example.org", Some("media")),
            ("s3.amazonaws.com", None),
            ("s3.eu-west-1.amazonaws.com", None),
            ("media.s3.amazonaws.com", Some("media")),
            ("my.media.s3.eu-west-1.amazonaws.com", Some("my.media")),
            ("media.s3-eu-west-1.amazonaws.com", Some("media")),
            ("media.s3.dualstack.eu-west-1.amazonaws.com", Some("media")),
            ("other.example.com", None),
        ];
        for (host, bucket) in table {
            assert_eq!(bucket_of_host(host, &domains), bucket, "{host}");
        }
        let headers = [(HOST, "media.localhost:9000".parse().unwrap())].into_iter().collect();
        let head = Head::within(Method::GET, "/a/b%20c".parse().unwrap(), headers, &domains);
        assert_eq!((head.bucket.as_str(), head.key.as_str(), head.op), ("media", "a/b c", Op::GetObject));
    }
}
