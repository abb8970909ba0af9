//! Paths as Gorilla's router reads them: decoded once, cleaned (a path that is not clean is redirected), and matched
//! segment by segment.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// What Go's `URL.String` leaves as it is in a path.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~')
    .remove(b'$')
    .remove(b'&')
    .remove(b'+')
    .remove(b',')
    .remove(b'/')
    .remove(b':')
    .remove(b';')
    .remove(b'=')
    .remove(b'@');

/// The decoded path, or `None` where an escape is none: Go's server answers that with 400.
pub(crate) fn decoded(raw: &str) -> Option<String> {
    let mut rest = raw;
    while let Some((_, behind)) = rest.split_once('%') {
        let digits = behind.as_bytes().get(..2)?;
        if !digits.iter().all(u8::is_ascii_hexdigit) {
            return None;
        }
        rest = &behind[2..];
    }
    Some(percent_decode_str(raw).decode_utf8_lossy().into_owned())
}

/// Go's `path.Clean`, with a slash at the end kept.
pub(crate) fn cleaned(path: &str) -> String {
    let mut segments: Vec<&str> = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => _ = segments.pop(),
            segment => segments.push(segment),
        }
    }
    let slash = if path.ends_with('/') && !segments.is_empty() { "/" } else { "" };
    format!("/{}{slash}", segments.join("/"))
}

/// A decoded path, written for a `Location`.
pub(crate) fn escaped(path: &str) -> String {
    utf8_percent_encode(path, ESCAPED).to_string()
}

/// The values of the `{}` segments of a pattern, if a path has its shape.
pub(crate) fn matched(pattern: &str, path: &str) -> Option<Vec<String>> {
    let mut names = Vec::new();
    let (mut wanted, mut given) = (pattern.split('/'), path.split('/'));
    loop {
        match (wanted.next(), given.next()) {
            (None, None) => return Some(names),
            (Some("{}"), Some(name)) if !name.is_empty() => names.push(name.to_owned()),
            (Some(wanted), Some(given)) if wanted == given => {}
            _ => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_cleaned_as_go_cleans_them() {
        for (path, clean) in [
            ("/proxies", "/proxies"),
            ("//proxies", "/proxies"),
            ("/proxies/", "/proxies/"),
            ("/proxies/../version", "/version"),
            ("/./a//b/.", "/a/b"),
            ("/", "/"),
            ("/../..", "/"),
        ] {
            assert_eq!(cleaned(path), clean);
        }
    }

    #[test]
    fn names_are_whole_segments() {
        assert_eq!(matched("/proxies/{}", "/proxies/a b"), Some(vec!["a b".to_owned()]));
        assert_eq!(matched("/proxies/{}", "/proxies/"), None);
        assert_eq!(matched("/proxies/{}", "/proxies/a/b"), None);
        assert_eq!(matched("/proxies/{}/toxics/{}", "/proxies/p/toxics/t").map(|n| n.len()), Some(2));
    }

    #[test]
    fn escapes_that_are_none_are_told_apart() {
        assert_eq!(decoded("/a%20b").as_deref(), Some("/a b"));
        assert_eq!(decoded("/a%zz"), None);
        assert_eq!(decoded("/a%2"), None);
        assert_eq!(decoded("/a%2\u{e9}"), None);
    }
}
