//! Cross-origin resource sharing: the rules of a bucket, and what they say to a browser (S3 user guide, "Using
//! cross-origin resource sharing"; Fetch standard, "CORS protocol").

mod document;

use gatecrash_model::Op;
use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE,
    ACCESS_CONTROL_REQUEST_HEADERS, ACCESS_CONTROL_REQUEST_METHOD, ORIGIN, VARY,
};
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::request::Head;

/// What an answer depends on.
const VARIES: &str = "Origin, Access-Control-Request-Headers, Access-Control-Request-Method";

/// The configuration of a bucket.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Cors {
    /// First match wins.
    rules: Vec<Rule>,
    /// The document as it is sent back.
    pub(crate) text: String,
}

#[derive(Clone, PartialEq, Eq, Debug)]
struct Rule {
    origins: Vec<Pattern>,
    methods: Vec<String>,
    headers: Vec<Pattern>,
    exposed: Vec<String>,
    /// Seconds.
    max_age: Option<u32>,
}

/// Text with at most one `*`.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Pattern {
    before: String,
    /// What follows the wildcard; none without one.
    after: Option<String>,
}

/// What a browser asks before, or with, a request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Question<'h> {
    pub(crate) origin: &'h str,
    pub(crate) method: &'h str,
    /// Comma-separated names.
    pub(crate) headers: Option<&'h str>,
}

/// Adds what the bucket's rules say of an answer to a request with an `Origin`. The answer to a preflight request
/// is all about them already.
pub(crate) fn stamp(headers: &mut HeaderMap, head: &Head, cors: &Cors) {
    let Some(origin) = head.header(&ORIGIN).filter(|_| head.op != Op::Preflight) else { return };
    let method = head.header(&ACCESS_CONTROL_REQUEST_METHOD).unwrap_or(head.method.as_str());
    headers.insert(VARY, HeaderValue::from_static(VARIES));
    if let Some(allowed) = cors.allow(Question { origin, method, headers: None }) {
        headers.extend(allowed);
    }
}

impl<'h> Question<'h> {
    /// Reads a preflight request; the message of S3's refusal where something is missing.
    pub(crate) fn of(head: &'h Head) -> Result<Self, String> {
        let origin = head.header(&ORIGIN).ok_or("Insufficient information. Origin request header needed.")?;
        let method = head.header(&ACCESS_CONTROL_REQUEST_METHOD).unwrap_or("null");
        if !document::METHODS.contains(&method) {
            return Err(format!("Invalid Access-Control-Request-Method: {method}"));
        }
        Ok(Self { origin, method, headers: head.header(&ACCESS_CONTROL_REQUEST_HEADERS) })
    }

    fn headers(self) -> impl Iterator<Item = &'h str> {
        self.headers.unwrap_or_default().split(',').map(str::trim).filter(|name| !name.is_empty())
    }
}

// === impl Cors ===

impl Cors {
    /// The headers of the first rule that allows it.
    pub(crate) fn allow(&self, question: Question<'_>) -> Option<HeaderMap> {
        self.rules.iter().find_map(|rule| rule.allow(question))
    }
}

// === impl Rule ===

impl Rule {
    fn allow(&self, question: Question<'_>) -> Option<HeaderMap> {
        let origin = self.origins.iter().find(|pattern| pattern.matches(question.origin))?;
        self.methods.iter().find(|method| *method == question.method)?;
        let allows = |name: &str| self.headers.iter().any(|p| p.matches(&name.to_ascii_lowercase()));
        if !question.headers().all(allows) {
            return None;
        }
        let mut answer = HeaderMap::new();
        let mut set = |name: HeaderName, value: &str| {
            if let Ok(value) = HeaderValue::from_str(value) {
                answer.insert(name, value);
            }
        };
        set(ACCESS_CONTROL_ALLOW_ORIGIN, if origin.is_everything() { "*" } else { question.origin });
        set(ACCESS_CONTROL_ALLOW_METHODS, &self.methods.join(", "));
        if !origin.is_everything() {
            set(ACCESS_CONTROL_ALLOW_CREDENTIALS, "true");
        }
        let asked: Vec<String> = question.headers().map(str::to_ascii_lowercase).collect();
        if !asked.is_empty() {
            set(ACCESS_CONTROL_ALLOW_HEADERS, &asked.join(", "));
        }
        if !self.exposed.is_empty() {
            set(ACCESS_CONTROL_EXPOSE_HEADERS, &self.exposed.join(", "));
        }
        if let Some(seconds) = self.max_age {
            set(ACCESS_CONTROL_MAX_AGE, &seconds.to_string());
        }
        set(VARY, VARIES);
        Some(answer)
    }
}

// === impl Pattern ===

impl Pattern {
    /// None for text with more than one wildcard.
    fn parse(text: &str) -> Option<Self> {
        match text.split_once('*') {
            None => Some(Self { before: text.to_owned(), after: None }),
            Some((_, after)) if after.contains('*') => None,
            Some((before, after)) => Some(Self { before: before.to_owned(), after: Some(after.to_owned()) }),
        }
    }

    fn is_everything(&self) -> bool {
        self.before.is_empty() && self.after.as_deref() == Some("")
    }

    fn matches(&self, text: &str) -> bool {
        match &self.after {
            None => text == self.before,
            Some(after) => text.strip_prefix(self.before.as_str()).is_some_and(|rest| rest.ends_with(after)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cors(rules: &str) -> Cors {
        let text = format!("<CORSConfiguration>{rules}</CORSConfiguration>");
        Cors::read(&crate::xml_tree::Node::parse(text.as_bytes()).unwrap()).unwrap()
    }

    fn asked<'h>(origin: &'h str, method: &'h str, headers: Option<&'h str>) -> Question<'h> {
        Question { origin, method, headers }
    }

    #[test]
    fn rules_match_by_origin_method_and_headers() {
        let cors = cors(
            "<CORSRule><AllowedMethod>GET</AllowedMethod><AllowedOrigin>https://*.example.org</AllowedOrigin>\
             <AllowedHeader>x-amz-*</AllowedHeader><AllowedHeader>Content-Type</AllowedHeader></CORSRule>\
             <CORSRule><AllowedMethod>PUT</AllowedMethod><AllowedMethod>GET</AllowedMethod>\
             <AllowedOrigin>*</AllowedOrigin><ExposeHeader>ETag</ExposeHeader>\
             <MaxAgeSeconds>60</MaxAgeSeconds></CORSRule>",
        );
        let table = [
            (asked("https://a.example.org", "GET", None), Some("https://a.example.org")),
            (
                asked("https://a.example.org", "GET", Some("X-Amz-Date, content-type")),
                Some("https://a.example.org"),
            ),
            (asked("https://a.example.org", "GET", Some("authorization")), None),
            (asked("https://a.example.org", "PUT", None), Some("*")),
            (asked("http://a.example.org", "GET", None), Some("*")),
            (asked("http://a.example.org", "DELETE", None), None),
        ];
        for (question, origin) in table {
            let got = cors.allow(question);
            let got = got.as_ref().map(|headers| headers[ACCESS_CONTROL_ALLOW_ORIGIN].to_str().unwrap());
            assert_eq!(got, origin, "{question:?}");
        }
        let first = cors.allow(asked("https://a.example.org", "GET", Some("X-Amz-Date"))).unwrap();
        assert_eq!(first[ACCESS_CONTROL_ALLOW_CREDENTIALS], "true");
        assert_eq!(first[ACCESS_CONTROL_ALLOW_HEADERS], "x-amz-date");
        let second = cors.allow(asked("x", "PUT", None)).unwrap();
        assert!(!second.contains_key(ACCESS_CONTROL_ALLOW_CREDENTIALS));
        assert_eq!(second[ACCESS_CONTROL_ALLOW_METHODS], "PUT, GET");
        assert_eq!(second[ACCESS_CONTROL_EXPOSE_HEADERS], "ETag");
        assert_eq!(second[ACCESS_CONTROL_MAX_AGE], "60");
    }
}
