//! Dates of conditions: W3C's profile of ISO 8601, or seconds since the Unix epoch.

use time::{Date, Month};

/// Milliseconds since the Unix epoch of `2026-11-21T07:33:00.5+01:00`, any shorter form, or epoch seconds.
pub(in crate::policy) fn milliseconds(text: &str) -> Option<i64> {
    let text = text.trim();
    // Four digits are a year, more are seconds.
    if text.len() > 4
        && let Ok(seconds) = text.parse::<i64>()
    {
        return seconds.checked_mul(1000);
    }
    let (day, clock) = match text.split_once(['T', 't']) {
        Some((day, clock)) => (day, Some(clock)),
        None => (text, None),
    };
    let mut fields = day.split('-');
    let year = digits(fields.next()?, 4)?;
    let month = fields.next().map_or(Some(1), |text| digits(text, 2))?;
    let of_month = fields.next().map_or(Some(1), |text| digits(text, 2))?;
    if fields.next().is_some() {
        return None;
    }
    let month = Month::try_from(u8::try_from(month).ok()?).ok()?;
    let date =
        Date::from_calendar_date(i32::try_from(year).ok()?, month, u8::try_from(of_month).ok()?).ok()?;
    let midnight = date.midnight().assume_utc().unix_timestamp() * 1000;
    Some(midnight + clock.map_or(Some(0), of_day)?)
}

/// `07:33`, `07:33:00`, `07:33:00.5`, then `Z` or an offset; none means UTC.
fn of_day(clock: &str) -> Option<i64> {
    let (clock, offset) = match clock.find(['Z', 'z', '+', '-']) {
        Some(at) => (&clock[..at], &clock[at..]),
        None => (clock, "Z"),
    };
    let mut fields = clock.split(':');
    let hours = digits(fields.next()?, 2).filter(|hours| *hours < 24)?;
    let minutes = digits(fields.next()?, 2).filter(|minutes| *minutes < 60)?;
    let seconds = fields.next().map_or(Some(0), fraction)?;
    if fields.next().is_some() {
        return None;
    }
    Some((hours * 60 + minutes) * 60_000 + seconds - zone(offset)?)
}

/// Milliseconds of `00.5`.
fn fraction(text: &str) -> Option<i64> {
    let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
    let whole = digits(whole, 2).filter(|seconds| *seconds < 61)?;
    let head: String = part.chars().chain("00".chars()).take(3).collect();
    let part = digits(&head, 3).filter(|_| part.bytes().all(|b| b.is_ascii_digit()))?;
    Some(whole * 1000 + part)
}

/// Milliseconds a zone is ahead of UTC.
fn zone(text: &str) -> Option<i64> {
    let sign = match text.as_bytes().first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return (text.len() == 1).then_some(0),
    };
    let digits_only = text[1..].replace(':', "");
    let (hours, minutes) = digits_only.split_at_checked(2)?;
    let minutes = if minutes.is_empty() { 0 } else { digits(minutes, 2)? };
    Some(sign * (digits(hours, 2)? * 60 + minutes) * 60_000)
}

fn digits(text: &str, width: usize) -> Option<i64> {
    if text.len() != width || !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn dates_of_every_form() {
        let table = [
            ("2013", Some(1_356_998_400_000)),
            ("2013-05", Some(1_367_366_400_000)),
            ("2013-05-24", Some(1_369_353_600_000)),
            ("2013-05-24T00:00Z", Some(1_369_353_600_000)),
            ("2013-05-24T01:00:00+01:00", Some(1_369_353_600_000)),
            ("2013-05-23T19:00:00-0500", Some(1_369_353_600_000)),
            ("2013-05-24T00:00:00.25Z", Some(1_369_353_600_250)),
            ("2013-05-24T00:00:00", Some(1_369_353_600_000)),
            ("1369353600", Some(1_369_353_600_000)),
            ("-10000", Some(-10_000_000)),
            ("2013-02-30", None),
            ("2013-05-24T24:00Z", None),
            ("2013-05-24T00:00Zx", None),
            ("2013-05-24T00:00:00.xZ", None),
            ("", None),
            ("now", None),
        ];
        for (text, expected) in table {
            assert_eq!(milliseconds(text), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn reading_never_panics(text in "[0-9TZé:.+-]{0,30}") {
            let _ = milliseconds(&text);
        }
    }
}
