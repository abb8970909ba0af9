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
    /// `If-Match: *`
    Present,
    /// `If-Match: "etag"`
    Matches(String),
}

/// The conditions of a deletion. Size and date are told of directory buckets alone; the mock has them for all.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct DeleteCondition {
    etag: WriteCondition,
    size: Option<u64>,
    modified: Option<i64>,
}

/// The header names of the conditions of a read, and how an error tells of the first and the last.
struct Names {
    matching: (HeaderName, &'static str),
    none_matching: HeaderName,
    modified: HeaderName,
    unmodified: (HeaderName, &'static str),
}

const OF_READ: Names = Names {
    matching: (IF_MATCH, "If-Match"),
    none_matching: IF_NONE_MATCH,
    modified: IF_MODIFIED_SINCE,
    unmodified: (IF_UNMODIFIED_SINCE, "If-Unmodified-Since"),
};

const OF_SOURCE: Names = Names {
    matching: (HeaderName::from_static("x-amz-copy-source-if-match"), "x-amz-copy-source-If-Match"),
    none_matching: HeaderName::from_static("x-amz-copy-source-if-none-match"),
    modified: HeaderName::from_static("x-amz-copy-source-if-modified-since"),
    unmodified: (
        HeaderName::from_static("x-amz-copy-source-if-unmodified-since"),
        "x-amz-copy-source-If-Unmodified-Since",
    ),
};

const SIZE: HeaderName = HeaderName::from_static("x-amz-if-match-size");
const MODIFIED: HeaderName = HeaderName::from_static("x-amz-if-match-last-modified-time");

/// Whether an object is to be read.
pub(super) fn of_read(head: &Head, object: &Object) -> Outcome {
    OF_READ.outcome(head, object)
}

/// Whether an object is to be copied from: nothing but yes or 412.
pub(super) fn of_source(head: &Head, object: &Object) -> Result<(), S3Error> {
    match OF_SOURCE.outcome(head, object) {
        Outcome::Holds => Ok(()),
        Outcome::Failed(header) => Err(failed(header)),
        Outcome::NotModified if head.headers.contains_key(&OF_SOURCE.none_matching) => {
            Err(failed("x-amz-copy-source-If-None-Match"))
        }
        Outcome::NotModified => Err(failed("x-amz-copy-source-If-Modified-Since")),
    }
}

/// Whether a range is to be sent of this object, or all of it (RFC 9110 section 13.1.5).
pub(super) fn range_holds(if_range: Option<&str>, object: &Object) -> bool {
    if_range.is_none_or(|validator| match parse_http_date(validator) {
        Some(date) => object.modified == date,
        None => bare(validator.trim()) == object.etag,
    })
}

/// The condition of a write; S3 knows two.
pub(super) fn of_write(head: &Head) -> Result<WriteCondition, S3Error> {
    match (head.header(&IF_NONE_MATCH).map(str::trim), head.header(&IF_MATCH).map(str::trim)) {
        (None, None) => Ok(WriteCondition::Always),
        (Some("*"), None) => Ok(WriteCondition::Absent),
        (None, Some("*")) => Ok(WriteCondition::Present),
        (None, Some(tag)) => Ok(WriteCondition::Matches(bare(tag).to_owned())),
        (Some(_), _) => Err(S3Error::of("NotImplemented").extra("Header", "If-None-Match")),
    }
}

/// The conditions of a deletion.
pub(super) fn of_delete(head: &Head) -> Result<DeleteCondition, S3Error> {
    let invalid = |name: &HeaderName| S3Error::of("InvalidArgument").extra("ArgumentName", name.as_str());
    let size = head.header(&SIZE).map(|text| text.trim().parse().map_err(|_| invalid(&SIZE)));
    let modified = head.header(&MODIFIED).map(|text| parse_http_date(text).ok_or_else(|| invalid(&MODIFIED)));
    Ok(DeleteCondition::new(head.header(&IF_MATCH), size.transpose()?, modified.transpose()?))
}

impl Names {
    /// A tag condition outranks the date condition of its kind (S3 API reference, GetObject).
    fn outcome(&self, head: &Head, object: &Object) -> Outcome {
        let date = |name: &HeaderName| head.header(name).and_then(parse_http_date);
        if let Some(tags) = head.header(&self.matching.0) {
            if !lists(tags, &object.etag) {
                return Outcome::Failed(self.matching.1);
            }
        } else if date(&self.unmodified.0).is_some_and(|since| object.modified > since) {
            return Outcome::Failed(self.unmodified.1);
        }
        if let Some(tags) = head.header(&self.none_matching) {
            if lists(tags, &object.etag) {
                return Outcome::NotModified;
            }
        } else if date(&self.modified).is_some_and(|since| object.modified <= since) {
            return Outcome::NotModified;
        }
        Outcome::Holds
    }
}

impl WriteCondition {
    /// The error where it does not hold for the object that is there now.
    pub(super) fn check(&self, key: &str, now: Option<Current<'_>>) -> Result<(), S3Error> {
        match (self, now) {
            (Self::Always, _) | (Self::Absent, None) | (Self::Present, Some(_)) => Ok(()),
            (Self::Absent, Some(_)) => Err(failed("If-None-Match")),
            (Self::Matches(_), None) => Err(S3Error::of("NoSuchKey").extra("Key", key)),
            (Self::Matches(wanted), Some(now)) if now.etag == wanted => Ok(()),
            (Self::Matches(_), Some(_)) | (Self::Present, None) => Err(failed("If-Match")),
        }
    }
}

impl DeleteCondition {
    pub(super) fn new(etag: Option<&str>, size: Option<u64>, modified: Option<i64>) -> Self {
        let etag = match etag.map(str::trim) {
            None => WriteCondition::Always,
            Some("*") => WriteCondition::Present,
            Some(tag) => WriteCondition::Matches(bare(tag).to_owned()),
        };
        Self { etag, size, modified }
    }

    /// Whether it asks what the object is, which only a reader may.
    pub(super) fn names_etag(&self) -> bool {
        self.etag != WriteCondition::Always
    }

    /// The error where it does not hold for the object that is there now.
    pub(super) fn check(&self, key: &str, now: Option<Current<'_>>) -> Result<(), S3Error> {
        self.etag.check(key, now)?;
        let Some(now) = now else { return Ok(()) };
        if self.size.is_some_and(|size| size != now.length) {
            return Err(failed(SIZE.as_str()));
        }
        match self.modified.is_some_and(|date| date != now.modified) {
            true => Err(failed(MODIFIED.as_str())),
            false => Ok(()),
        }
    }
}

fn failed(header: &str) -> S3Error {
    S3Error::of("PreconditionFailed").extra("Condition", header)
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
        let present = of_write(&head(&[(IF_MATCH, "*")])).unwrap();
        assert_eq!(code(&present, Some(&same)), Ok(()));
        assert_eq!(code(&present, None), Err("PreconditionFailed".into()));
        assert_eq!(of_write(&head(&[(IF_NONE_MATCH, "\"abc\"")])).unwrap_err().code, "NotImplemented");
    }

    #[test]
    fn deletions() {
        const AT: &str = "Fri, 24 May 2013 00:00:10 GMT";
        let modified = parse_http_date(AT).unwrap();
        let data = Data::memory(&b"data"[..]);
        let object = Object { data, etag: "abc".into(), modified, version: None };
        let code = |headers: &[(HeaderName, &'static str)], now: Option<&Object>| {
            let condition = of_delete(&head(headers)).map_err(|e| e.code.into_owned())?;
            condition.check("k", now.map(Object::current)).map_err(|e| e.code.into_owned())
        };
        let refused = |code: &str| Err(code.to_owned());
        let all = [(IF_MATCH, "abc"), (SIZE, "4"), (MODIFIED, AT)];
        assert_eq!(code(&all, Some(&object)), Ok(()));
        assert_eq!(code(&all[1..], None), Ok(()));
        assert_eq!(code(&[(IF_MATCH, "x")], Some(&object)), refused("PreconditionFailed"));
        assert_eq!(code(&[(IF_MATCH, "*")], None), refused("PreconditionFailed"));
        assert_eq!(code(&[(SIZE, "5")], Some(&object)), refused("PreconditionFailed"));
        assert_eq!(
            code(&[(MODIFIED, "Fri, 24 May 2013 00:00:11 GMT")], Some(&object)),
            refused("PreconditionFailed")
        );
        assert_eq!(code(&[(SIZE, "four")], Some(&object)), refused("InvalidArgument"));
    }

    #[test]
    fn sources_and_ranges() {
        const AT: &str = "Fri, 24 May 2013 00:00:10 GMT";
        let modified = parse_http_date(AT).unwrap();
        let object = Object { data: Data::memory(&b""[..]), etag: "abc".into(), modified, version: None };
        let condition = |name: &HeaderName, value| {
            let error = of_source(&head(&[(name.clone(), value)]), &object).err();
            error.map(|error| error.extras[0].1.clone()).unwrap_or_default()
        };
        assert_eq!(condition(&OF_SOURCE.matching.0, "abc"), "");
        assert_eq!(condition(&OF_SOURCE.matching.0, "x"), "x-amz-copy-source-If-Match");
        assert_eq!(condition(&OF_SOURCE.none_matching, "\"abc\""), "x-amz-copy-source-If-None-Match");
        assert_eq!(condition(&OF_SOURCE.modified, AT), "x-amz-copy-source-If-Modified-Since");
        for (value, holds) in
            [(None, true), (Some("\"abc\""), true), (Some("\"x\""), false), (Some(AT), true)]
        {
            assert_eq!(range_holds(value, &object), holds, "{value:?}");
        }
    }
}
