//! Percent-encoding by AWS's rules: everything but letters, digits and `-._~`.

use std::borrow::Cow;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

const QUERY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
const PATH: &AsciiSet = &QUERY.remove(b'/');
/// What S3 leaves as it is in a listing with `encoding-type=url`.
const LISTED: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'*').remove(b'/').remove(b' ');

/// Decoded text; bytes that are not UTF-8 become U+FFFD (and so never match a signature).
pub(crate) fn decode(text: &str) -> Cow<'_, str> {
    percent_decode_str(text).decode_utf8_lossy()
}

/// Decoded text; `None` when it is not UTF-8.
pub(crate) fn decode_strict(text: &str) -> Option<Cow<'_, str>> {
    percent_decode_str(text).decode_utf8().ok()
}

/// A decoded query value: `+` is a blank.
pub(crate) fn decode_form(text: &str) -> String {
    decode(&text.replace('+', " ")).into_owned()
}

pub(crate) fn encode_path(text: &str) -> String {
    utf8_percent_encode(text, PATH).to_string()
}

pub(crate) fn encode_query(text: &str) -> String {
    utf8_percent_encode(text, QUERY).to_string()
}

/// A name in a listing with `encoding-type=url`: as a form is encoded, so a blank is `+` (seen of the service, and what
/// the SDKs that decode it expect), but slashes stay.
pub(crate) fn encode_listed(text: &str) -> String {
    utf8_percent_encode(text, LISTED).to_string().replace(' ', "+")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_listings() {
        let table = [
            ("a/b-c.d_e*", "a/b-c.d_e*"),
            ("test_file(3).png", "test_file%283%29.png"),
            ("a b+c", "a+b%2Bc"),
            ("~é\n%", "%7E%C3%A9%0A%25"),
        ];
        for (name, encoded) in table {
            assert_eq!(encode_listed(name), encoded);
            assert_eq!(decode_form(encoded), name);
        }
    }
}
