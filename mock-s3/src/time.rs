//! Dates as S3 writes and reads them, from and to seconds since the Unix epoch.

use time::format_description::BorrowedFormatItem;
use time::macros::format_description;
use time::{Date, Month, OffsetDateTime, PrimitiveDateTime};

/// `Sat, 21 Nov 2026 07:33:00 GMT` (RFC 9110, IMF-fixdate).
const HTTP: &[BorrowedFormatItem<'_>] =
    format_description!("[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT");
/// `20261121T073300Z`: `x-amz-date`.
const COMPACT: &[BorrowedFormatItem<'_>] = format_description!("[year][month][day]T[hour][minute][second]Z");
/// `2026-11-21T07:33:00.000Z`: in documents.
const DOCUMENT: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].000Z");

/// `24/May/2013:00:00:00 +0000`: in access logs.
const LOG: &[BorrowedFormatItem<'_>] =
    format_description!("[day]/[month repr:short]/[year]:[hour]:[minute]:[second] +0000");
/// `2013-05-24-00-00-00`: in the names of log objects.
const DASHED: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day]-[hour]-[minute]-[second]");

pub(crate) fn http_date(seconds: i64) -> String {
    write(seconds, HTTP)
}

pub(crate) fn document_date(seconds: i64) -> String {
    write(seconds, DOCUMENT)
}

pub(crate) fn log_date(seconds: i64) -> String {
    write(seconds, LOG)
}

pub(crate) fn dashed_date(seconds: i64) -> String {
    write(seconds, DASHED)
}

pub(crate) fn compact_date(seconds: i64) -> String {
    write(seconds, COMPACT)
}

/// The form of HTTP, and that of mail with the zone as a number, which Signature Version 2 takes as well
/// (S3 user guide, "Signing and authenticating REST requests": RFC 2616 or RFC 822).
pub(crate) fn parse_http_date(text: &str) -> Option<i64> {
    match text.trim().strip_suffix("+0000") {
        Some(rest) => read(&format!("{rest}GMT"), HTTP),
        None => read(text, HTTP),
    }
}

/// Read digit by digit: every signed request has one.
pub(crate) fn parse_compact_date(text: &str) -> Option<i64> {
    let bytes: &[u8; 16] = text.as_bytes().try_into().ok()?;
    if bytes[8] != b'T' || bytes[15] != b'Z' {
        return None;
    }
    let number = |from: usize, to: usize| {
        bytes[from..to].iter().try_fold(0_u16, |number, digit| {
            digit.is_ascii_digit().then(|| number * 10 + u16::from(digit - b'0'))
        })
    };
    let two = |from: usize| number(from, from + 2).and_then(|number| u8::try_from(number).ok());
    let month = Month::try_from(two(4)?).ok()?;
    let date = Date::from_calendar_date(i32::from(number(0, 4)?), month, two(6)?).ok()?;
    Some(date.with_hms(two(9)?, two(11)?, two(13)?).ok()?.assume_utc().unix_timestamp())
}

/// Seconds outside the years 0 to 9999 are written as the epoch.
fn write(seconds: i64, format: &[BorrowedFormatItem<'_>]) -> String {
    let at = OffsetDateTime::from_unix_timestamp(seconds).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    at.format(format).unwrap_or_default()
}

fn read(text: &str, format: &[BorrowedFormatItem<'_>]) -> Option<i64> {
    Some(PrimitiveDateTime::parse(text.trim(), format).ok()?.assume_utc().unix_timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_written_as_s3_writes_them_and_read_back() {
        let at = 1_369_353_600;
        assert_eq!(http_date(at), "Fri, 24 May 2013 00:00:00 GMT");
        assert_eq!(compact_date(at), "20130524T000000Z");
        assert_eq!(document_date(at), "2013-05-24T00:00:00.000Z");
        assert_eq!(log_date(at), "24/May/2013:00:00:00 +0000");
        assert_eq!(dashed_date(at), "2013-05-24-00-00-00");
        assert_eq!(parse_http_date("Fri, 24 May 2013 00:00:00 GMT"), Some(at));
        assert_eq!(parse_http_date("Fri, 24 May 2013 00:00:00 +0000"), Some(at));
        assert_eq!(parse_http_date("Fri, 24 May 2013 00:00:00 +0100"), None);
        assert_eq!(parse_compact_date("20130524T000000Z"), Some(at));
        for bad in [
            "2013-05-24",
            "20130524T000000",
            "20130524 000000Z",
            "20131324T000000Z",
            "20130230T000000Z",
            "20130524T240000Z",
            "+0130524T000000Z",
        ] {
            assert_eq!(parse_compact_date(bad), None, "{bad}");
        }
    }
}
