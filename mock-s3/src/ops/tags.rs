//! Tags of objects and buckets: the header, the document, and their limits.
//!
//! Rules: S3 user guide, "Categorizing your objects using tags"; API reference, PutObjectTagging.

use crate::encoding::decode_strict;
use crate::errors::S3Error;
use crate::xml::Xml;
use crate::xml_tree::Node;

pub(super) const HEADER: &str = "x-amz-tagging";
/// An object has at most so many.
pub(super) const OF_OBJECT: usize = 10;
/// A bucket has at most so many.
pub(super) const OF_BUCKET: usize = 50;
/// In UTF-16 code units, as S3 counts.
const MAX_KEY: usize = 128;
const MAX_VALUE: usize = 256;

pub(super) type Tags = Vec<(String, String)>;

/// The value of `x-amz-tagging`: an URL query.
pub(super) fn of_header(value: &str) -> Result<Tags, S3Error> {
    let unread = || {
        S3Error::of("InvalidArgument")
            .message(
                "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters \
                 without tag name duplicates.",
            )
            .extra("ArgumentName", HEADER)
            .extra("ArgumentValue", value)
    };
    let text = |part: &str| Some(decode_strict(&part.replace('+', " "))?.into_owned());
    let mut tags = Tags::new();
    for pair in value.split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        let (key, value) = (text(key).ok_or_else(unread)?, text(value).ok_or_else(unread)?);
        if pair.matches('=').count() > 1 || tags.iter().any(|(known, _)| *known == key) {
            return Err(unread());
        }
        tags.push((key, value));
    }
    checked(tags, OF_OBJECT)
}

/// A `Tagging` document with at most `limit` tags.
pub(super) fn of_document(document: &[u8], limit: usize) -> Result<Tags, S3Error> {
    let malformed = || S3Error::of("MalformedXML");
    let root = Node::parse(document).filter(|root| root.name == "Tagging").ok_or_else(malformed)?;
    of_elements(root.child("TagSet").ok_or_else(malformed)?, limit)
}

/// The `Tag` elements of a set, at most `limit`.
pub(super) fn of_elements(set: &Node, limit: usize) -> Result<Tags, S3Error> {
    let malformed = || S3Error::of("MalformedXML");
    let mut tags = Tags::new();
    for tag in set.all("Tag") {
        // Blanks around a key or value are part of it.
        let text = |name| tag.child(name).map(|child| child.text.clone()).ok_or_else(malformed);
        let (key, value) = (text("Key")?, text("Value")?);
        if tags.iter().any(|(known, _)| *known == key) {
            return Err(S3Error::of("InvalidTag")
                .message("Cannot provide multiple Tags with the same key")
                .extra("TagKey", key));
        }
        tags.push((key, value));
    }
    checked(tags, limit)
}

/// The document of tags.
pub(super) fn document(tags: &[(String, String)]) -> String {
    let mut xml = Xml::root("Tagging");
    xml.open("TagSet");
    for (key, value) in tags {
        xml.open("Tag");
        xml.text("Key", key);
        xml.text("Value", value);
        xml.close("Tag");
    }
    xml.close("TagSet");
    xml.close("Tagging");
    xml.finish()
}

/// The tags in order of key, as they are told.
fn checked(mut tags: Tags, limit: usize) -> Result<Tags, S3Error> {
    if tags.len() > limit {
        return Err(match limit {
            OF_OBJECT => S3Error::of("InvalidTag").message("Object tags cannot be greater than 10"),
            _ => {
                S3Error::of("BadRequest").message(format!("Bucket tag count cannot be greater than {limit}"))
            }
        });
    }
    for (key, value) in &tags {
        let invalid = |message: &'static str| S3Error::of("InvalidTag").message(message);
        if key.to_ascii_lowercase().starts_with("aws:") {
            return Err(invalid("System tags cannot be added/updated by requester").extra("TagKey", key));
        }
        if key.is_empty() || !fits(key, MAX_KEY) {
            return Err(invalid("The TagKey you have provided is invalid").extra("TagKey", key));
        }
        if !fits(value, MAX_VALUE) {
            return Err(invalid("The TagValue you have provided is invalid")
                .extra("TagKey", key)
                .extra("TagValue", value));
        }
    }
    tags.sort();
    Ok(tags)
}

fn fits(text: &str, limit: usize) -> bool {
    let allowed = |c: char| c.is_alphanumeric() || c.is_whitespace() || "_.:/=+-@".contains(c);
    text.encode_utf16().count() <= limit && text.chars().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tag(key: &str, value: &str) -> (String, String) {
        (key.to_owned(), value.to_owned())
    }

    #[test]
    fn headers() {
        assert_eq!(of_header("").unwrap(), []);
        assert_eq!(of_header("foo=bar&bar").unwrap(), [tag("bar", ""), tag("foo", "bar")]);
        assert_eq!(of_header("a%2Fb=c+d%C3%A9").unwrap(), [tag("a/b", "c dé")]);
        let many: Vec<String> = (0..11).map(|n| format!("k{n}=v")).collect();
        let table = [
            ("a=1&a=2", "InvalidArgument"),
            ("TagSet=[{Key=a,Value=b}]", "InvalidArgument"),
            ("a=%FF", "InvalidArgument"),
            ("TagSet%3D%5B%7B", "InvalidTag"),
            ("=x", "InvalidTag"),
            ("aws:a=b", "InvalidTag"),
            (&many.join("&"), "InvalidTag"),
        ];
        for (value, code) in table {
            assert_eq!(of_header(value).unwrap_err().code, code, "{value}");
        }
        assert_eq!(of_header(&many[..10].join("&")).unwrap().len(), 10);
    }

    #[test]
    fn documents() {
        let tags = vec![tag("a", "1 <"), tag("b", "")];
        let escaped = document(&tags).replace("1 &lt;", "1 +");
        assert_eq!(of_document(escaped.as_bytes(), OF_OBJECT).unwrap(), [tag("a", "1 +"), tag("b", "")]);
        assert_eq!(of_document(document(&[]).as_bytes(), OF_OBJECT).unwrap(), []);
        let one = |key: &str, value: &str| document(&[tag(key, value)]);
        let table = [
            ("<Tagging/>".to_owned(), "MalformedXML"),
            ("<Tag>".to_owned(), "MalformedXML"),
            ("<Tagging><TagSet><Tag><Key>a</Key></Tag></TagSet></Tagging>".to_owned(), "MalformedXML"),
            (document(&[tag("a", "1"), tag("a", "2")]), "InvalidTag"),
            (one(&"k".repeat(129), ""), "InvalidTag"),
            (one("k", &"v".repeat(257)), "InvalidTag"),
            (one("k", "{"), "InvalidTag"),
        ];
        for (body, code) in table {
            assert_eq!(of_document(body.as_bytes(), OF_OBJECT).unwrap_err().code, code, "{body}");
        }
        assert_eq!(of_document(one(&"k".repeat(128), &"v".repeat(256)).as_bytes(), 1).unwrap().len(), 1);
    }
}
