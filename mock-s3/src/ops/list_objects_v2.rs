//! GET /bucket?list-type=2

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::{Answer, Call};
use crate::encoding::encode_path;
use crate::errors::S3Error;
use crate::store::{Entry, List};
use crate::time::document_date;
use crate::xml::Xml;

/// S3 gives at most this many keys a page.
const MAX_KEYS: usize = 1000;

pub(super) fn run(call: &Call<'_>) -> Result<Answer, S3Error> {
    let placement = call.place()?;
    let head = call.head;
    let text = |name: &str| head.query_value(name).unwrap_or_default();
    let encode: fn(&str) -> String = match head.query_value("encoding-type").as_deref() {
        None => str::to_owned,
        Some("url") => encode_path,
        Some(_) => return Err(invalid("encoding-type", "Invalid Encoding Method specified in Request")),
    };
    let limit = match head.query_value("max-keys") {
        None => MAX_KEYS,
        Some(number) => number
            .parse::<i32>()
            .ok()
            .and_then(|n| usize::try_from(n).ok())
            .ok_or_else(|| invalid("max-keys", "Provided max-keys not an integer or within integer range"))?
            .min(MAX_KEYS),
    };
    let token = head.query_value("continuation-token");
    let after = match &token {
        Some(token) => from_token(token)
            .ok_or_else(|| invalid("continuation-token", "The continuation token provided is incorrect"))?,
        None => text("start-after"),
    };
    let list = List { prefix: text("prefix"), delimiter: text("delimiter"), after, limit };
    let page = placement.list(&list);

    let mut xml = Xml::root("ListBucketResult");
    xml.text("Name", &placement.name);
    xml.text("Prefix", &encode(&list.prefix));
    if !list.delimiter.is_empty() {
        xml.text("Delimiter", &encode(&list.delimiter));
    }
    if head.has_query("encoding-type") {
        xml.text("EncodingType", "url");
    }
    if let Some(token) = &token {
        xml.text("ContinuationToken", token);
    } else if head.has_query("start-after") {
        xml.text("StartAfter", &encode(&list.after));
    }
    xml.text("KeyCount", &page.entries.len().to_string());
    xml.text("MaxKeys", &limit.to_string());
    xml.text("IsTruncated", if page.next.is_some() { "true" } else { "false" });
    if let Some(next) = &page.next {
        xml.text("NextContinuationToken", &to_token(next));
    }
    // Keys first, then groups, as S3 writes them.
    for entry in &page.entries {
        if let Entry::Key { key, length, etag, modified, .. } = entry {
            xml.open("Contents");
            xml.text("Key", &encode(key));
            xml.text("LastModified", &document_date(*modified));
            xml.text("ETag", &format!("\"{etag}\""));
            xml.text("Size", &length.to_string());
            xml.text("StorageClass", "STANDARD");
            xml.close("Contents");
        }
    }
    for entry in &page.entries {
        if let Entry::Group(group) = entry {
            xml.open("CommonPrefixes");
            xml.text("Prefix", &encode(group));
            xml.close("CommonPrefixes");
        }
    }
    xml.close("ListBucketResult");
    Ok(Answer::xml(xml.finish()))
}

fn to_token(after: &str) -> String {
    URL_SAFE_NO_PAD.encode(format!("1{after}"))
}

fn from_token(token: &str) -> Option<String> {
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(token).ok()?).ok()?;
    text.strip_prefix('1').map(str::to_owned)
}

fn invalid(name: &str, message: &'static str) -> S3Error {
    S3Error::of("InvalidArgument").message(message).extra("ArgumentName", name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_come_back_and_others_are_refused() {
        let after = "img/é\u{10FFFF}";
        assert_eq!(from_token(&to_token(after)).as_deref(), Some(after));
        for bad in ["", "a b", "bm90IG91cnM"] {
            assert_eq!(from_token(bad), None, "{bad}");
        }
    }
}
