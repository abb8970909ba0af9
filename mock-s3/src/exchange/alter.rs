//! Answers that are not true: a wrong ETag, checksum, range or length on the right bytes.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_RANGE, ETAG};
use http::{HeaderMap, HeaderValue};

use crate::hook::{Alteration, RangeLie};
use crate::ops::{Answer, Content};
use crate::store::Data;

/// Changes what an answer says; an answer that does not say it stays as it is. `foreign` is the content of an
/// object that is not asked for.
pub(super) fn alter(
    answer: &mut Answer,
    alteration: Alteration,
    is_head: bool,
    foreign: gatecrash_model::Content,
) {
    answer.faulted = true;
    match alteration {
        Alteration::ETag => change(&mut answer.headers, ETAG.as_str(), other_digit),
        Alteration::Checksum => {
            let names: Vec<_> = answer.headers.keys().map(ToString::to_string).collect();
            let checksums = names.iter().filter(|n| n.starts_with("x-amz-checksum-") && *n != TYPE);
            checksums.for_each(|name| change(&mut answer.headers, name, other_bit));
        }
        Alteration::Object => {
            if let (true, Content::Data(data)) = (answer.status.is_success(), &answer.body) {
                answer.body = Content::Data(Data::synthetic(foreign, data.length()));
            }
        }
        // What was not looked at is not in the answer.
        Alteration::Range(RangeLie::Ignored) => {}
        Alteration::Range(RangeLie::Missing) => drop(answer.headers.remove(CONTENT_RANGE)),
        Alteration::Range(lie) => {
            change(&mut answer.headers, CONTENT_RANGE.as_str(), |range| wrong(range, lie))
        }
        Alteration::Length(more) if is_head => {
            let told = answer.headers.get(CONTENT_LENGTH).and_then(|v| v.to_str().ok()?.parse::<u64>().ok());
            if let Some(length) = told {
                answer.headers.insert(CONTENT_LENGTH, length.saturating_add(more).into());
            }
        }
        Alteration::Length(more) => {
            if let Content::Data(data) = &answer.body {
                let document = data.to_bytes(&Bytes::new());
                let document = longer_sizes(&String::from_utf8_lossy(&document), more);
                answer.headers.insert(CONTENT_LENGTH, document.len().into());
                answer.body = Content::Data(Data::memory(document));
            }
        }
    }
}

const TYPE: &str = "x-amz-checksum-type";

fn change(headers: &mut HeaderMap, name: &str, change: impl FnOnce(&str) -> Option<String>) {
    let Some(value) = headers.get_mut(name) else { return };
    let changed = value.to_str().ok().and_then(change).and_then(|text| HeaderValue::from_str(&text).ok());
    if let Some(changed) = changed {
        *value = changed;
    }
}

/// The first hexadecimal digit is another one.
fn other_digit(etag: &str) -> Option<String> {
    let at = etag.find(|c: char| c.is_ascii_hexdigit())?;
    let other = if etag[at..].starts_with('0') { "1" } else { "0" };
    Some(format!("{}{other}{}", &etag[..at], &etag[at + 1..]))
}

/// The first bit is the other one. What follows the base64 (`-N` of composite checksums) stays.
fn other_bit(checksum: &str) -> Option<String> {
    let (sum, parts) =
        checksum.split_once('-').map_or((checksum, ""), |(sum, _)| (sum, &checksum[sum.len()..]));
    let mut bytes = STANDARD.decode(sum).ok()?;
    *bytes.first_mut()? ^= 0x80;
    Some(format!("{}{parts}", STANDARD.encode(bytes)))
}

/// `bytes 0-9/100` with something wrong.
fn wrong(range: &str, lie: RangeLie) -> Option<String> {
    let (ends, total) = range.strip_prefix("bytes ")?.split_once('/')?;
    let (first, last) = ends.split_once('-')?;
    let (first, last) = (first.parse::<u64>().ok()?, last.parse::<u64>().ok()?);
    Some(match lie {
        RangeLie::Total => format!("bytes {ends}/{}", total.parse::<u64>().ok()?.saturating_add(1)),
        RangeLie::Shifted | RangeLie::Missing | RangeLie::Ignored => {
            format!("bytes {}-{}/{total}", first.saturating_add(1), last.saturating_add(1))
        }
    })
}

/// A listing whose every `Size` is larger.
fn longer_sizes(document: &str, more: u64) -> String {
    let mut parts = document.split("<Size>");
    let mut longer = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let end = part.find(|c: char| !c.is_ascii_digit()).unwrap_or(part.len());
        let size = part[..end].parse::<u64>().map_or(more, |size| size.saturating_add(more));
        longer.push_str(&format!("<Size>{size}{}", &part[end..]));
    }
    longer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_is_another_thing_of_the_same_form() {
        assert_eq!(other_digit("\"abc-3\"").as_deref(), Some("\"0bc-3\""));
        assert_eq!(other_digit("\"0bc\"").as_deref(), Some("\"1bc\""));
        assert_eq!(other_bit("AAAAAA==").as_deref(), Some("gAAAAA=="));
        assert_eq!(other_bit("AAAAAA==-2").as_deref(), Some("gAAAAA==-2"));
        assert_eq!(wrong("bytes 0-9/100", RangeLie::Shifted).as_deref(), Some("bytes 1-10/100"));
        assert_eq!(wrong("bytes 0-9/100", RangeLie::Total).as_deref(), Some("bytes 0-9/101"));
        assert_eq!(wrong("bytes */100", RangeLie::Total), None);
        let listing = "<a><Size>0</Size><Size>41</Size></a>";
        assert_eq!(longer_sizes(listing, 1), "<a><Size>1</Size><Size>42</Size></a>");
        assert_eq!(longer_sizes("<a/>", 1), "<a/>");
    }
}
