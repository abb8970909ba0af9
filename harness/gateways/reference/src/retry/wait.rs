//! How long an answer asks its client to wait: Retry-After (RFC 9110 10.2.3).

use std::time::Duration;

use http::header::RETRY_AFTER;
use http::{HeaderMap, HeaderName};
use tokio::time::Instant;

use crate::upstream::{Answer, Failed};

/// What AWS SDKs look at, in milliseconds; between the service and the SDK, so it is passed on and not obeyed.
const AMZ_RETRY_AFTER: HeaderName = HeaderName::from_static("x-amz-retry-after");

/// Until when no attempt may go where an answer asked for a pause.
#[derive(Debug, Default)]
pub(crate) struct Waits {
    /// `Some(None)`: longer than any request lasts.
    until: Option<Option<Instant>>,
}

// === impl Waits ===

impl Waits {
    /// Takes in what an attempt brought at `now`.
    pub(crate) fn note(&mut self, outcome: &Result<Answer, Failed>, now: Instant) {
        let Some(asked) = outcome.as_ref().ok().and_then(|answer| asked(&answer.headers)) else { return };
        let until = now.checked_add(asked);
        self.until = Some(match (self.until, until) {
            (Some(None), _) | (_, None) => None,
            (Some(Some(before)), Some(until)) => Some(before.max(until)),
            (None, until) => until,
        });
    }

    /// What is left of the pause at `now`; nothing when none was asked for.
    pub(crate) fn left(&self, now: Instant) -> Duration {
        match self.until {
            None => Duration::ZERO,
            Some(None) => Duration::MAX,
            Some(Some(until)) => until.saturating_duration_since(now),
        }
    }
}

/// The pause that a head asks for. A date, or what cannot be read, is longer than we wait.
fn asked(headers: &HeaderMap) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?;
    let seconds = value.to_str().ok().and_then(|text| text.trim().parse().ok());
    Some(seconds.map_or(Duration::MAX, Duration::from_secs))
}

/// Takes every word about waiting out of a head.
pub(crate) fn strip(headers: &mut HeaderMap) {
    headers.remove(RETRY_AFTER);
    headers.remove(AMZ_RETRY_AFTER);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_are_read_and_anything_else_is_too_long() {
        let read = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, text.parse().unwrap());
            asked(&headers)
        };
        assert_eq!(read("2"), Some(Duration::from_secs(2)));
        assert_eq!(read(" 0 "), Some(Duration::ZERO));
        for odd in ["Fri, 31 Dec 1999 23:59:59 GMT", "soon", "-1", "1.5"] {
            assert_eq!(read(odd), Some(Duration::MAX), "{odd}");
        }
        assert_eq!(asked(&HeaderMap::new()), None);
    }

    #[test]
    fn the_longest_pause_counts() {
        let (now, second) = (Instant::now(), Duration::from_secs(1));
        let waits = |until| Waits { until };
        assert_eq!(waits(None).left(now), Duration::ZERO);
        assert_eq!(waits(Some(Some(now + second))).left(now), second);
        assert_eq!(waits(Some(Some(now))).left(now + second), Duration::ZERO);
        assert_eq!(waits(Some(None)).left(now), Duration::MAX);
    }
}
