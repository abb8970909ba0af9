//! What a response says about storing it: Cache-Control, Expires, Age and Vary (RFC 9111 sections 3 to 5).

use std::time::Duration;

use http::HeaderMap;
use http::header::{AGE, CACHE_CONTROL, DATE, EXPIRES, SET_COOKIE, VARY};
use time::PrimitiveDateTime;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;

/// The preferred format of HTTP dates (RFC 9110 section 5.6.7).
const HTTP_DATE: &[BorrowedFormatItem<'_>] =
    format_description!("[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT");

/// What may be done with a copy of a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Permit {
    /// How long it is still fresh.
    pub(super) fresh: Duration,
    /// Whether it may be served stale at all.
    pub(super) stale: bool,
    /// Its own `stale-if-error`, which goes before the cache's.
    pub(super) stale_if_error: Option<Duration>,
    /// Its own `stale-while-revalidate`.
    pub(super) stale_while_revalidate: Option<Duration>,
}

/// The permit of a response with these headers; `None` where a shared cache may not store it, or had to ask
/// each time. `default` is the freshness of one that says nothing.
pub(super) fn permit(headers: &HeaderMap, default: Duration) -> Option<Permit> {
    // A copy for one variant only would have to be told from the others: not stored.
    if headers.contains_key(VARY) || headers.contains_key(SET_COOKIE) {
        return None;
    }
    if ["no-store", "private", "no-cache"].iter().any(|name| directive(headers, name).is_some()) {
        return None;
    }
    let lifetime = seconds(headers, "s-maxage")
        .or_else(|| seconds(headers, "max-age"))
        .or_else(|| until_expires(headers))
        .unwrap_or(default);
    let age = headers.get(AGE).and_then(|age| age.to_str().ok()?.trim().parse().ok());
    let strict = ["must-revalidate", "proxy-revalidate", "s-maxage"];
    Some(Permit {
        fresh: lifetime.saturating_sub(Duration::from_secs(age.unwrap_or(0))),
        stale: !strict.iter().any(|name| directive(headers, name).is_some()),
        stale_if_error: seconds(headers, "stale-if-error"),
        stale_while_revalidate: seconds(headers, "stale-while-revalidate"),
    })
}

/// Whether a request wants an answer of the upstream's own.
pub(super) fn insists(headers: &HeaderMap) -> bool {
    ["no-store", "no-cache"].iter().any(|name| directive(headers, name).is_some())
}

/// The value of a Cache-Control directive, empty where it has none.
fn directive<'h>(headers: &'h HeaderMap, wanted: &str) -> Option<&'h str> {
    let lines = headers.get_all(CACHE_CONTROL).iter().filter_map(|value| value.to_str().ok());
    lines.flat_map(|line| line.split(',')).find_map(|part| {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        name.trim().eq_ignore_ascii_case(wanted).then(|| value.trim().trim_matches('"'))
    })
}

/// A directive in seconds; one that is no number counts as 0, so that the copy is stale (RFC 9111 4.2.1).
fn seconds(headers: &HeaderMap, name: &str) -> Option<Duration> {
    directive(headers, name).map(|value| Duration::from_secs(value.parse().unwrap_or(0)))
}

/// Expires less Date; an invalid one has passed already (RFC 9111 5.3).
fn until_expires(headers: &HeaderMap) -> Option<Duration> {
    let at = |value: &http::HeaderValue| PrimitiveDateTime::parse(value.to_str().ok()?, HTTP_DATE).ok();
    let expires = headers.get(EXPIRES)?;
    let date = headers.get(DATE).and_then(at);
    let left = at(expires).zip(date).map(|(expires, date)| expires - date);
    Some(left.and_then(|left| left.try_into().ok()).unwrap_or(Duration::ZERO))
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue};

    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let pair = |(name, value): &(&'static str, &'static str)| {
            (HeaderName::from_static(name), HeaderValue::from_static(value))
        };
        pairs.iter().map(pair).collect()
    }

    #[test]
    fn freshness_comes_from_the_most_telling_header() {
        let date = ("date", "Sun, 06 Nov 1994 08:49:37 GMT");
        let expires = ("expires", "Sun, 06 Nov 1994 08:49:47 GMT");
        for (pairs, fresh) in [
            (&[][..], 60),
            (&[("cache-control", "public, Max-Age=5")], 5),
            (&[("cache-control", "max-age=5, s-maxage=\"7\"")], 7),
            (&[("cache-control", "max-age=5"), ("age", "3")], 2),
            (&[("cache-control", "max-age=5"), ("age", "9")], 0),
            (&[("cache-control", "max-age=soon")], 0),
            (&[date, expires], 10),
            (&[date, ("expires", "0")], 0),
            (&[date, expires, ("cache-control", "max-age=5")], 5),
        ] {
            let permit = permit(&headers(pairs), Duration::from_secs(60)).unwrap();
            assert_eq!(permit.fresh, Duration::from_secs(fresh), "{pairs:?}");
        }
    }

    #[test]
    fn what_may_not_be_shared_is_not_stored() {
        for pair in [
            ("cache-control", "no-store"),
            ("cache-control", "max-age=5, private"),
            ("cache-control", "no-cache"),
            ("vary", "Origin"),
            ("set-cookie", "a=b"),
        ] {
            assert_eq!(permit(&headers(&[pair]), Duration::from_secs(60)), None, "{pair:?}");
        }
    }

    #[test]
    fn a_strict_copy_is_never_served_stale() {
        let told = |value| permit(&headers(&[("cache-control", value)]), Duration::ZERO).unwrap();
        assert!(told("max-age=1").stale);
        assert!(!told("max-age=1, must-revalidate").stale);
        assert_eq!(told("max-age=1, stale-if-error=0").stale_if_error, Some(Duration::ZERO));
    }
}
