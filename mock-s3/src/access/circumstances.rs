//! The condition keys of a request (IAM, "AWS global condition context keys"; Service Authorization
//! Reference, "Condition keys for Amazon S3"), computed when a condition asks for one.

use std::net::IpAddr;

use gatecrash_model::Op;

use crate::encoding::{decode, decode_form};
use crate::policy::{Context, Values};
use crate::request::Head;
use crate::time::{document_date, parse_compact_date};
use http::header::{AUTHORIZATION, HeaderName, REFERER, USER_AGENT};

const AMZ_DATE: HeaderName = HeaderName::from_static("x-amz-date");
const COPY_SOURCE: HeaderName = HeaderName::from_static("x-amz-copy-source");
const TAGGING: HeaderName = HeaderName::from_static("x-amz-tagging");

/// Where, when and how a request came.
#[derive(Clone, Copy)]
pub(crate) struct Circumstances<'a> {
    pub(crate) head: &'a Head,
    /// The client's address; of requests through a gateway, the gateway's.
    pub(crate) peer: IpAddr,
    /// The mock's wall clock, seconds since the Unix epoch.
    pub(crate) wall: i64,
    /// The region of the endpoint.
    pub(crate) region: &'a str,
    /// Whether it came over TLS.
    pub(crate) secure: bool,
    /// When the temporary credentials it is signed with were issued.
    pub(crate) issued: Option<i64>,
}

/// A request as one of its actions sees it.
pub(super) struct Keys<'a, T> {
    pub(super) request: Circumstances<'a>,
    /// Owner of the bucket.
    pub(super) owner: Option<&'a str>,
    /// The tags of the object it is about.
    pub(super) tags: T,
}

impl<T: Fn() -> Vec<(String, String)>> Context for Keys<'_, T> {
    fn values(&self, key: &str) -> Values<'_> {
        let Circumstances { head, wall, region, .. } = self.request;
        match key {
            "aws:sourceip" => self.request.peer.to_canonical().to_string().into(),
            "aws:securetransport" => if self.request.secure { "true" } else { "false" }.into(),
            "aws:useragent" => head.header(&USER_AGENT).into(),
            "aws:referer" => head.header(&REFERER).into(),
            "aws:currenttime" => document_date(wall).into(),
            "aws:epochtime" => wall.to_string().into(),
            "aws:tokenissuetime" => self.request.issued.map(document_date).into(),
            // Only temporary credentials tell, and the mock's are made without a second factor.
            "aws:multifactorauthpresent" => self.request.issued.map(|_| "false").into(),
            "aws:requestedregion" => region.into(),
            "aws:viaawsservice" => "false".into(),
            "aws:resourceaccount" | "s3:resourceaccount" => self.owner.into(),
            "s3:prefix" | "s3:delimiter" | "s3:max-keys" => head.query_value(&key[3..]).into(),
            "s3:versionid" => head.query_value("versionId").into(),
            "s3:if-match" | "s3:if-none-match" => self.header(&key[3..]),
            "s3:x-amz-copy-source" => {
                let source =
                    head.header(&COPY_SOURCE).map(|source| source.split('?').next().unwrap_or(source));
                source.map(|source| decode(source.strip_prefix('/').unwrap_or(source)).into_owned()).into()
            }
            "s3:x-amz-content-sha256" => {
                match head.header(&HeaderName::from_static("x-amz-content-sha256")) {
                    None => head.query_value("X-Amz-Content-Sha256").into(),
                    declared => declared.into(),
                }
            }
            "s3:object-lock-mode" | "s3:object-lock-retain-until-date" | "s3:object-lock-legal-hold" => {
                self.header(&format!("x-amz-{}", &key[3..]))
            }
            "s3:authtype" => self.auth_type().into(),
            "s3:signatureversion" => self.signature_version().into(),
            "s3:signatureage" => self.signature_age().into(),
            "s3:requestobjecttagkeys" => match self.request_tags() {
                tags if tags.is_empty() => Values::Missing,
                tags => Values::Many(tags.into_iter().map(|(name, _)| name.into()).collect()),
            },
            _ => self.prefixed(key),
        }
    }
}

impl<T: Fn() -> Vec<(String, String)>> Keys<'_, T> {
    /// Keys with a name in them: tags, and headers of S3.
    fn prefixed(&self, key: &str) -> Values<'_> {
        let value = |tags: Vec<(String, String)>, wanted: &str| {
            let found = tags.into_iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted));
            found.map(|(_, value)| value).into()
        };
        if let Some(name) = key.strip_prefix("s3:existingobjecttag/") {
            return value((self.tags)(), name);
        }
        if let Some(name) = key.strip_prefix("s3:requestobjecttag/") {
            return value(self.request_tags(), name);
        }
        match key.strip_prefix("s3:") {
            Some(name) if name.starts_with("x-amz-") => self.header(name),
            _ => Values::Missing,
        }
    }

    fn header(&self, name: &str) -> Values<'_> {
        self.request.head.headers.get(name).and_then(|value| value.to_str().ok()).into()
    }

    /// The tags in `x-amz-tagging`.
    fn request_tags(&self) -> Vec<(String, String)> {
        let header = self.request.head.header(&TAGGING).unwrap_or_default();
        let pairs = header.split('&').filter(|pair| !pair.is_empty());
        pairs
            .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
            .map(|(name, value)| (decode_form(name), decode_form(value)))
            .collect()
    }

    fn auth_type(&self) -> Option<&'static str> {
        let head = self.request.head;
        if head.op == Op::PostObject {
            Some("POST")
        } else if head.headers.contains_key(AUTHORIZATION) {
            Some("REST-HEADER")
        } else if head.has_query("X-Amz-Signature") || head.has_query("Signature") {
            Some("REST-QUERY-STRING")
        } else {
            None
        }
    }

    fn signature_version(&self) -> Option<&'static str> {
        let head = self.request.head;
        match head.header(&AUTHORIZATION) {
            Some(header) if header.starts_with("AWS4-HMAC-SHA256") => Some("AWS4-HMAC-SHA256"),
            Some(header) if header.starts_with("AWS ") => Some("AWS"),
            Some(_) => None,
            None if head.has_query("X-Amz-Signature") => Some("AWS4-HMAC-SHA256"),
            None if head.has_query("Signature") => Some("AWS"),
            None => None,
        }
    }

    /// Milliseconds since it was signed, of Signature Version 4.
    fn signature_age(&self) -> Option<String> {
        let head = self.request.head;
        let signed = match head.header(&AMZ_DATE) {
            Some(date) => parse_compact_date(date),
            None => parse_compact_date(&head.query_value("X-Amz-Date")?),
        };
        Some((self.request.wall.checked_sub(signed?)?.max(0).checked_mul(1000)?).to_string())
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderValue};

    use super::*;

    #[test]
    fn keys_are_read_from_the_request() {
        let headers = [
            ("user-agent", "aws-cli/2"),
            ("referer", "https://example.com/"),
            ("authorization", "AWS4-HMAC-SHA256 Credential=x"),
            ("x-amz-date", "20130524T000000Z"),
            ("x-amz-acl", "public-read"),
            ("x-amz-tagging", "Team=a%20b&Stage=x"),
            ("x-amz-copy-source", "/media/a%2Fb?versionId=7"),
            ("x-amz-object-lock-mode", "GOVERNANCE"),
        ];
        let headers: HeaderMap = headers
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect();
        let target = "/media?list-type=2&prefix=a%2Fb&max-keys=7&versionId=v1";
        let head = Head::new("GET".parse().unwrap(), target.parse().unwrap(), headers);
        let request = Circumstances {
            head: &head,
            peer: "::ffff:192.0.2.1".parse().unwrap(),
            wall: 1_369_353_602,
            region: "us-east-1",
            secure: false,
            issued: Some(1_369_353_600),
        };
        let tags = || vec![("Kind".to_owned(), "raw".to_owned())];
        let keys = Keys { request, owner: Some("000000000001"), tags };
        let table = [
            ("aws:sourceip", "192.0.2.1"),
            ("aws:securetransport", "false"),
            ("aws:useragent", "aws-cli/2"),
            ("aws:referer", "https://example.com/"),
            ("aws:currenttime", "2013-05-24T00:00:02.000Z"),
            ("aws:epochtime", "1369353602"),
            ("aws:tokenissuetime", "2013-05-24T00:00:00.000Z"),
            ("aws:multifactorauthpresent", "false"),
            ("aws:requestedregion", "us-east-1"),
            ("s3:resourceaccount", "000000000001"),
            ("s3:prefix", "a/b"),
            ("s3:max-keys", "7"),
            ("s3:versionid", "v1"),
            ("s3:x-amz-acl", "public-read"),
            ("s3:x-amz-copy-source", "media/a/b"),
            ("s3:object-lock-mode", "GOVERNANCE"),
            ("s3:existingobjecttag/kind", "raw"),
            ("s3:requestobjecttag/team", "a b"),
            ("s3:authtype", "REST-HEADER"),
            ("s3:signatureversion", "AWS4-HMAC-SHA256"),
            ("s3:signatureage", "2000"),
        ];
        for (key, value) in table {
            assert_eq!(keys.values(key), value.into(), "{key}");
        }
        assert_eq!(keys.values("s3:requestobjecttagkeys"), Values::Many(vec!["Team".into(), "Stage".into()]));
        for key in
            ["s3:delimiter", "aws:sourcevpce", "s3:requestobjecttag/none", "s3:x-amz-storage-class", "x"]
        {
            assert_eq!(keys.values(key), Values::Missing, "{key}");
        }
    }
}
