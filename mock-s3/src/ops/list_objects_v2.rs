//! GET /bucket?list-type=2

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::listing::{asked, invalid, truth};
use super::{Answer, Call};
use crate::errors::S3Error;
use crate::xml::Xml;

pub(super) fn run(call: &Call<'_>) -> Result<Answer, S3Error> {
    let placement = call.place()?;
    let head = call.head;
    let (mut list, encoding) = asked(head)?;
    let start = head.query_value("start-after");
    let token = head.query_value("continuation-token");
    list.after = match token.as_deref() {
        Some(token) if !token.is_empty() => from_token(token).ok_or_else(|| {
            invalid("continuation-token", token, "The continuation token provided is incorrect")
        })?,
        _ => start.clone().unwrap_or_default(),
    };
    let page = placement.list(&list);

    let mut xml = Xml::root("ListBucketResult");
    xml.text("Name", &placement.name);
    xml.text("Prefix", &encoding.name(&list.prefix));
    if let Some(token) = &token {
        xml.text("ContinuationToken", token);
    }
    if let Some(next) = &page.next {
        xml.text("NextContinuationToken", &to_token(next));
    }
    if let Some(start) = &start {
        xml.text("StartAfter", &encoding.name(start));
    }
    xml.text("KeyCount", &page.entries.len().to_string());
    xml.text("MaxKeys", &list.limit.to_string());
    encoding.write(&mut xml, &list.delimiter);
    xml.text("IsTruncated", truth(page.next.is_some()));
    let owners = head.query_value("fetch-owner").as_deref() == Some("true");
    encoding.entries(&mut xml, placement, &page.entries, owners);
    xml.close("ListBucketResult");
    Ok(Answer::xml(xml.finish()))
}

/// A continuation token: opaque to callers.
pub(super) fn to_token(after: &str) -> String {
    URL_SAFE_NO_PAD.encode(format!("1{after}"))
}

pub(super) fn from_token(token: &str) -> Option<String> {
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(token).ok()?).ok()?;
    text.strip_prefix('1').map(str::to_owned)
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
