//! Conditional requests: RFC 9110 section 13 with S3's two combinations.

use http::header::{HeaderName, IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_UNMODIFIED_SINCE};

use crate::errors::S3Error;
use crate::request::Head;
use crate::store::{Current, Object};
use crate::time::parse_http_date;

/// What the conditions of a read come to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Outcome {
    Holds,
    NotModified,
    /// The header that failed.
    Failed(&'static str),
}

/// The condition of a write.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum WriteCondition {
    Always,
    /// `If-None-Match: *`
    Absent,
    /// `If-Match: "etag"`
    Matches(String),
}

/// A tag condition outranks the date condition of its kind (S3 API reference, GetObject).
pub(super) fn of_read(head: &Head, object: &Object) -> Outcome {
    let date = |name: &HeaderName| head.header(name).and_then(parse_http_date);
    if let Some(tags) = head.header(&IF_MATCH) {
        if !lists(tags, &object.etag) {
            return Outcome::Failed("If-Match");
        }
    } else if date(&IF_UNMODIFIED_SINCE).is_some_and(|since| object.modified > since) {
        return Outcome::Failed("If-Unmodified-Since");
    }
    if let Some(tags) = head.header(&IF_NONE_MATCH) {
        if lists(tags, &object.etag) {
            return Outcome::NotModified;
        }
    } else if date(&IF_MODIFIED_SINCE).is_some_and(|since| object.modified <= since) {
        return Outcome::NotModified;
    }
    Outcome::Holds
}

/// The condition of a write; S3 knows two.
pub(super) fn of_write(head: &Head) -> Result<WriteCondition, S3Error> {
    match (head.header(&IF_NONE_MATCH).map(str::trim), head.header(&IF_MATCH).map(str::trim)) {
        (None, None) => Ok(WriteCondition::Always),
        (Some("*"), None) => Ok(WriteCondition::Absent),
        (None, Some(tag)) if tag != "*" => Ok(WriteCondition::Matches(bare(tag).to_owned())),
        _ => Err(S3Error::of("NotImplemented")),
    }
}

impl WriteCondition {
    /// The error where it does not hold for the object that is there now.
    pub(super) fn check(&self, key: &str, now: Option<Current<'_>>) -> Result<(), S3Error> {
        let failed = |header| S3Error::of("PreconditionFailed").extra("Condition", header);
        match (self, now) {
            (Self::Always, _) | (Self::Absent, None) => Ok(()),
            (Self::Absent, Some(_)) => Err(failed("If-None-Match")),
            (Self::Matches(_), None) => Err(S3Error::of("NoSuchKey").extra("Key", key)),
            (Self::Matches(wanted), Some(now)) if now.etag == wanted => Ok(()),
            (Self::Matches(_), Some(_)) => Err(failed("If-Match")),
        }
    }
}

fn lists(tags: &str, etag: &str) -> bool {
    tags.split(',').map(str::trim).any(|tag| tag == "*" || bare(tag) == etag)
}

fn bare(tag: &str) -> &str {
    tag.trim_start_matches("W/").trim_matches('"')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Data;
    use http::{HeaderMap, HeaderValue, Method};

    fn head(headers: &[(HeaderName, &'static str)]) -> Head {
        let pairs = headers.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value)));
        Head::new(Method::GET, "/b/k".parse().unwrap(), pairs.collect::<HeaderMap>())
    }

    #[test]
    fn reads() {
        const BEFORE: &str = "Fri, 24 May 2013 00:00:00 GMT";
        const AT: &str = "Fri, 24 May 2013 00:00:10 GMT";
        let modified = parse_http_date(AT).unwrap();
        let data = Data::memory(&b""[..]);
        let object = Object { data, etag: "abc".into(), modified, version: None };
        let table = [
            (vec![], Outcome::Holds),
            (vec![(IF_MATCH, "\"abc\"")], Outcome::Holds),
            (vec![(IF_MATCH, "\"x\", \"abc\"")], Outcome::Holds),
            (vec![(IF_MATCH, "*")], Outcome::Holds),
            (vec![(IF_MATCH, "\"x\"")], Outcome::Failed("If-Match")),
            (vec![(IF_NONE_MATCH, "\"abc\"")], Outcome::NotModified),
            (vec![(IF_NONE_MATCH, "W/\"abc\"")], Outcome::NotModified),
            (vec![(IF_NONE_MATCH, "\"x\"")], Outcome::Holds),
            (vec![(IF_MODIFIED_SINCE, AT)], Outcome::NotModified),
            (vec![(IF_MODIFIED_SINCE, BEFORE)], Outcome::Holds),
            (vec![(IF_MODIFIED_SINCE, "yesterday")], Outcome::Holds),
            (vec![(IF_UNMODIFIED_SINCE, BEFORE)], Outcome::Failed("If-Unmodified-Since")),
            (vec![(IF_UNMODIFIED_SINCE, AT)], Outcome::Holds),
            (vec![(IF_MATCH, "abc"), (IF_UNMODIFIED_SINCE, BEFORE)], Outcome::Holds),
            (vec![(IF_NONE_MATCH, "\"x\""), (IF_MODIFIED_SINCE, AT)], Outcome::Holds),
        ];
        for (headers, expected) in table {
            assert_eq!(of_read(&head(&headers), &object), expected, "{headers:?}");
        }
    }

    #[test]
    fn writes() {
        assert_eq!(of_write(&head(&[])).unwrap(), WriteCondition::Always);
        let absent = of_write(&head(&[(IF_NONE_MATCH, "*")])).unwrap();
        let data = Data::memory(&b""[..]);
        let of = |etag: &str| Object { data: data.clone(), etag: etag.into(), modified: 0, version: None };
        let (same, other) = (of("abc"), of("x"));
        let code = |condition: &WriteCondition, now: Option<&Object>| {
            condition.check("k", now.map(Object::current)).map_err(|e| e.code.into_owned())
        };
        assert_eq!(code(&absent, None), Ok(()));
        assert_eq!(code(&absent, Some(&same)), Err("PreconditionFailed".into()));
        let matches = of_write(&head(&[(IF_MATCH, "\"abc\"")])).unwrap();
        assert_eq!(code(&matches, Some(&same)), Ok(()));
        assert_eq!(code(&matches, Some(&other)), Err("PreconditionFailed".into()));
        assert_eq!(code(&matches, None), Err("NoSuchKey".into()));
        assert_eq!(of_write(&head(&[(IF_NONE_MATCH, "\"abc\"")])).unwrap_err().code, "NotImplemented");
    }
}
