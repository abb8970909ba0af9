//! What the listings have in common: parameters, and the elements of their documents.

use crate::encoding::encode_listed;
use crate::errors::S3Error;
use crate::request::Head;
use crate::store::{Entry, List, Owner, Placement, Stored};
use crate::time::document_date;
use crate::xml::Xml;

/// S3 gives at most this many lines a page.
pub(super) const MAX_LINES: usize = 1000;

/// How names are written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Encoding {
    Plain,
    Url,
}

/// The listing a request asks for, without where it starts.
pub(super) fn asked(head: &Head) -> Result<(List, Encoding), S3Error> {
    let text = |name: &str| head.query_value(name).unwrap_or_default();
    let encoding = Encoding::of(head)?;
    let limit = limit(head, "max-keys")?;
    Ok((List { prefix: text("prefix"), delimiter: text("delimiter"), after: String::new(), limit }, encoding))
}

/// The size of a page: a number of 32 bits, no more than S3 gives.
pub(super) fn limit(head: &Head, name: &'static str) -> Result<usize, S3Error> {
    let Some(given) = head.query_value(name).filter(|given| !given.is_empty()) else { return Ok(MAX_LINES) };
    match given.parse::<i32>().map(usize::try_from) {
        Ok(Ok(limit)) => Ok(limit.min(MAX_LINES)),
        Ok(Err(_)) => {
            let told = if name == "max-keys" { "maxKeys" } else { name };
            let message = format!("Argument {told} must be an integer between 0 and 2147483647");
            Err(invalid(told, &given, message))
        }
        Err(_) => {
            let message = format!("Provided {name} not an integer or within integer range");
            Err(invalid(name, &given, message))
        }
    }
}

/// InvalidArgument, with the argument.
pub(super) fn invalid(name: &str, value: &str, message: impl Into<String>) -> S3Error {
    S3Error::of("InvalidArgument")
        .message(message.into())
        .extra("ArgumentName", name)
        .extra("ArgumentValue", value)
}

// === impl Encoding ===

impl Encoding {
    pub(super) fn of(head: &Head) -> Result<Self, S3Error> {
        match head.query_value("encoding-type").as_deref() {
            None | Some("") => Ok(Self::Plain),
            Some("url") => Ok(Self::Url),
            Some(other) => {
                Err(invalid("encoding-type", other, "Invalid Encoding Method specified in Request"))
            }
        }
    }

    pub(super) fn name(self, text: &str) -> String {
        match self {
            Self::Plain => text.to_owned(),
            Self::Url => encode_listed(text),
        }
    }

    /// The elements that say what was grouped by, and how names are written.
    pub(super) fn write(self, xml: &mut Xml, delimiter: &str) {
        if !delimiter.is_empty() {
            xml.text("Delimiter", &self.name(delimiter));
        }
        if self == Self::Url {
            xml.text("EncodingType", "url");
        }
    }

    /// A common prefix.
    pub(super) fn group(self, xml: &mut Xml, group: &str) {
        xml.open("CommonPrefixes");
        xml.text("Prefix", &self.name(group));
        xml.close("CommonPrefixes");
    }

    /// Keys first, then groups, as S3 writes them.
    pub(super) fn entries(self, xml: &mut Xml, placement: &Placement, entries: &[Entry], owners: bool) {
        for entry in entries {
            let Entry::Key { key, length, etag, modified, version } = entry else { continue };
            let stored = version.as_ref().and_then(|version| version.stored.as_ref());
            xml.open("Contents");
            xml.text("Key", &self.name(key));
            described(xml, *modified, etag, *length, stored);
            if owners {
                owner(xml, "Owner", version.as_ref().map_or(&placement.bucket.owner, |v| &v.owner));
            }
            xml.text("StorageClass", storage_class(stored));
            xml.close("Contents");
        }
        for entry in entries {
            if let Entry::Group(group) = entry {
                self.group(xml, group);
            }
        }
    }
}

/// LastModified, ETag, checksum and Size of an object.
pub(super) fn described(xml: &mut Xml, modified: i64, etag: &str, length: u64, stored: Option<&Stored>) {
    xml.text("LastModified", &document_date(modified));
    xml.text("ETag", &format!("\"{etag}\""));
    if let Some(checksum) = stored.and_then(|stored| stored.checksum.as_ref()) {
        xml.text("ChecksumAlgorithm", checksum.algorithm.name());
        xml.text("ChecksumType", checksum.kind.name());
    }
    xml.text("Size", &length.to_string());
}

pub(super) fn storage_class(stored: Option<&Stored>) -> &str {
    named_class(stored.map_or("", |stored| &stored.attributes.storage_class))
}

/// A storage class as documents name it; the store leaves out the usual one.
pub(super) fn named_class(class: &str) -> &str {
    if class.is_empty() { "STANDARD" } else { class }
}

/// `Owner` or `Initiator`.
pub(super) fn owner(xml: &mut Xml, element: &str, owner: &Owner) {
    xml.open(element);
    xml.text("ID", &owner.canonical);
    xml.text("DisplayName", &owner.display);
    xml.close(element);
}

pub(super) fn truth(is: bool) -> &'static str {
    if is { "true" } else { "false" }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::{HeaderMap, Method};

    fn head(query: &str) -> Head {
        Head::new(Method::GET, format!("/b?{query}").parse().unwrap(), HeaderMap::new())
    }

    #[test]
    fn limits() {
        for (query, expected) in [
            ("", MAX_LINES),
            ("max-keys=", MAX_LINES),
            ("max-keys=0", 0),
            ("max-keys=7", 7),
            ("max-keys=1000", 1000),
            ("max-keys=2147483647", 1000),
        ] {
            assert_eq!(limit(&head(query), "max-keys").unwrap(), expected, "{query}");
        }
        for (bad, argument) in [
            ("max-keys=blah", "max-keys"),
            ("max-keys=-1", "maxKeys"),
            ("max-keys=2147483648", "max-keys"),
            ("max-keys=1.5", "max-keys"),
        ] {
            let error = limit(&head(bad), "max-keys").unwrap_err();
            assert_eq!(error.code, "InvalidArgument", "{bad}");
            assert_eq!(error.extras[0], ("ArgumentName", argument.to_owned()));
        }
    }

    #[test]
    fn encodings() {
        assert_eq!(Encoding::of(&head("")).unwrap(), Encoding::Plain);
        assert_eq!(Encoding::of(&head("encoding-type=url")).unwrap(), Encoding::Url);
        assert_eq!(Encoding::of(&head("encoding-type=xml")).unwrap_err().code, "InvalidArgument");
    }
}
