//! Lines of Amazon S3 server access logs: S3 user guide, "Amazon S3 server access log format".
//!
//! Fields are separated by blanks; a time stands in brackets, what may hold blanks in quotes; `-` is none. What follows
//! the object's size is not looked at, so that fields added later do no harm.

use gatecrash_model::Nanos;
use percent_encoding::percent_decode_str;

use super::Logged;
use crate::plan::Kind;

const SECOND: Nanos = 1_000_000_000;

/// What a line is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Line {
    /// A request that can be made again, and the bucket it was made to.
    Request(String, Logged),
    /// An operation that cannot, in the words of the log, and the bucket.
    Other(String, String),
}

/// Why a line cannot be read: what was expected, and where.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("field {field} ({name}): expected {expected}, found `{found}`")]
pub struct Malformed {
    /// Number of the field, from 1.
    pub field: u8,
    /// Its name in the documentation.
    pub name: &'static str,
    /// What it should be.
    pub expected: &'static str,
    /// What stands there, shortened.
    pub found: String,
}

/// Reads one line without its end.
pub fn parse(line: &str) -> Result<Line, Malformed> {
    let mut fields = Fields { rest: line, number: 0 };
    fields.next("bucket owner")?;
    let bucket = fields.next("bucket")?.to_owned();
    let (number, time) = fields.numbered("time")?;
    let at = instant(time).ok_or_else(|| malformed(number, "time", "[06/Feb/2026:00:00:38 +0000]", time))?;
    fields.next("remote IP")?;
    fields.next("requester")?;
    fields.next("request ID")?;
    let (number, operation) = fields.numbered("operation")?;
    if operation == "-" || !operation.contains('.') {
        return Err(malformed(number, "operation", "one such as REST.GET.OBJECT", operation));
    }
    let (key_number, raw) = fields.numbered("key")?;
    let uri = fields.next("request-URI")?;
    let status = fields.count("HTTP status")?.unwrap_or(0);
    fields.next("error code")?;
    let sent = fields.count("bytes sent")?;
    // The log may end here where nothing was known of the object.
    let size = if fields.is_at_end() { None } else { fields.count("object size")? };
    let Some(kind) = kind(operation, uri, status, sent, size) else {
        return Ok(Line::Other(bucket, operation.to_owned()));
    };
    let is_list = matches!(kind, Kind::List { .. });
    let key = match raw {
        _ if is_list => Some(String::new()),
        "-" | "" => None,
        encoded => twice_decoded(encoded),
    };
    let key = key.ok_or_else(|| malformed(key_number, "key", "a key, URL-encoded twice", raw))?;
    let whole = matches!(kind, Kind::Get) && status == 200;
    let size = size.or(if whole { sent } else { None });
    let status = u16::try_from(status).unwrap_or(0);
    Ok(Line::Request(bucket, Logged { at, coarse: true, kind, key, status, size }))
}

/// What an operation of the log asks for; `None` for those that are not made again.
fn kind(operation: &str, uri: &str, status: u64, sent: Option<u64>, size: Option<u64>) -> Option<Kind> {
    Some(match operation {
        "REST.GET.OBJECT" | "WEBSITE.GET.OBJECT" => match (status, sent) {
            (206, Some(bytes @ 1..)) if size != Some(bytes) => Kind::Part(bytes),
            _ => Kind::Get,
        },
        "REST.HEAD.OBJECT" | "WEBSITE.HEAD.OBJECT" => Kind::Head,
        "REST.PUT.OBJECT" => Kind::Put,
        "REST.DELETE.OBJECT" => Kind::Delete,
        "REST.GET.BUCKET" => Kind::List {
            prefix: queried(uri, "prefix").unwrap_or_default(),
            max_keys: queried(uri, "max-keys")
                .and_then(|n| n.parse().ok())
                .map_or(1000, |n: u16| n.clamp(1, 1000)),
        },
        _ => return None,
    })
}

/// A parameter of the query of a request-URI, `GET /bucket?prefix=a%2F HTTP/1.1`.
fn queried(uri: &str, name: &str) -> Option<String> {
    let query = uri.split(' ').nth(1)?.split_once('?')?.1;
    let value = query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))?;
    let value = value.replace('+', " ");
    Some(percent_decode_str(&value).decode_utf8_lossy().into_owned())
}

fn twice_decoded(key: &str) -> Option<String> {
    let once = percent_decode_str(key).decode_utf8().ok()?;
    percent_decode_str(&once).decode_utf8().ok().map(std::borrow::Cow::into_owned)
}

/// Nanoseconds since 1970 of `[06/Feb/2026:00:00:38 +0000]`.
fn instant(text: &str) -> Option<Nanos> {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let (stamp, zone) = text.split_once(' ')?;
    let (date, clock) = stamp.split_once(':')?;
    let mut date = date.split('/');
    let day: u64 = two(date.next()?)?;
    let month = date.next().and_then(|name| MONTHS.iter().position(|month| *month == name))? as u64 + 1;
    let year: u64 = date.next().filter(|year| year.len() == 4).and_then(|year| year.parse().ok())?;
    let mut clock = clock.split(':').map(two);
    let (hour, minute, second) = (clock.next()??, clock.next()??, clock.next()??);
    let fine = (1..=31).contains(&day) && (1970..=9999).contains(&year);
    if !fine || hour > 23 || minute > 59 || second > 60 || clock.next().is_some() || date.next().is_some() {
        return None;
    }
    let since = days(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second;
    since.checked_add_signed(-offset(zone)?)?.checked_mul(SECOND)
}

/// Days from 1970 to a day of the Gregorian calendar (Hinnant, "chrono-compatible low-level date algorithms").
fn days(year: u64, month: u64, day: u64) -> u64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (year / 400, year % 400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// Seconds that a zone such as `+0100` is ahead.
fn offset(zone: &str) -> Option<i64> {
    let (sign, digits) = zone.split_at_checked(1)?;
    let (hours, minutes) = digits.split_at_checked(2)?;
    let ahead = i64::try_from(two(hours)? * 3600 + two(minutes)? * 60).ok()?;
    match sign {
        "+" => Some(ahead),
        "-" => Some(-ahead),
        _ => None,
    }
}

fn two(digits: &str) -> Option<u64> {
    (digits.len() == 2 && digits.bytes().all(|b| b.is_ascii_digit())).then(|| digits.parse().ok())?
}

fn malformed(field: u8, name: &'static str, expected: &'static str, found: &str) -> Malformed {
    const SHOWN: usize = 40;
    let mut short: String = found.chars().take(SHOWN).map(|c| if c.is_control() { '?' } else { c }).collect();
    if found.chars().nth(SHOWN).is_some() {
        short.push_str("...");
    }
    Malformed { field, name, expected, found: short }
}

/// The fields of a line, one after the other.
struct Fields<'a> {
    rest: &'a str,
    number: u8,
}

impl<'a> Fields<'a> {
    fn next(&mut self, name: &'static str) -> Result<&'a str, Malformed> {
        self.numbered(name).map(|(_, field)| field)
    }

    /// The next field without its brackets or quotes, and its number.
    fn numbered(&mut self, name: &'static str) -> Result<(u8, &'a str), Malformed> {
        self.number += 1;
        let (field, rest) = match self.rest.as_bytes().first() {
            Some(b'[') => self.rest[1..].split_once(']').ok_or("a closing bracket"),
            Some(b'"') => self.rest[1..].split_once('"').ok_or("a closing quote"),
            Some(b' ') => Err("one blank between fields"),
            Some(_) => Ok(self.rest.find(' ').map_or((self.rest, ""), |at| self.rest.split_at(at))),
            None => Err("more fields"),
        }
        .map_err(|expected| malformed(self.number, name, expected, self.rest))?;
        let separated = rest.is_empty() || rest.starts_with(' ');
        if !separated {
            return Err(malformed(self.number, name, "a blank behind it", rest));
        }
        self.rest = rest.strip_prefix(' ').unwrap_or(rest);
        Ok((self.number, field))
    }

    /// A number, or none.
    fn count(&mut self, name: &'static str) -> Result<Option<u64>, Malformed> {
        let (number, field) = self.numbered(name)?;
        match field {
            "-" => Ok(None),
            field => field.parse().map(Some).map_err(|_| malformed(number, name, "a number or `-`", field)),
        }
    }

    fn is_at_end(&self) -> bool {
        self.rest.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// As in the documentation's examples, with names and ids of our own.
    const OWNER: &str = "0c5f1e0d";

    fn line(operation: &str, key: &str, uri: &str, rest: &str) -> String {
        let request =
            format!("arn:aws:iam::000000000001:user/app 3E57427F3EXAMPLE {operation} {key} \"{uri}\"");
        format!("{OWNER} media [06/Feb/2026:00:00:38 +0000] 192.0.2.3 {request} {rest}")
    }

    const TAIL: &str =
        "7 6 \"-\" \"app/1.0 (a b)\" - 9vKBE6vMhrNiW= SigV4 ECDHE AuthHeader media.example TLSv1.2 - -";

    #[track_caller]
    fn request(line: &str) -> Logged {
        match parse(line) {
            Ok(Line::Request(bucket, logged)) if bucket == "media" => logged,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn documented_lines_are_read() {
        let uri = "GET /media/a/b.jpg HTTP/1.1";
        let get = request(&line("REST.GET.OBJECT", "a/b.jpg", uri, &format!("200 - 2662 2662 {TAIL}")));
        let at = 1_770_336_038 * SECOND;
        let wanted = Logged {
            at,
            coarse: true,
            kind: Kind::Get,
            key: "a/b.jpg".into(),
            status: 200,
            size: Some(2662),
        };
        assert_eq!(get, wanted);
        let part = request(&line("REST.GET.OBJECT", "a", uri, &format!("206 - 100 2662 {TAIL}")));
        assert_eq!((part.kind, part.size), (Kind::Part(100), Some(2662)));
        let put = request(&line(
            "REST.PUT.OBJECT",
            "a%2520b%252B",
            "PUT /media/a%20b%2B HTTP/1.1",
            &format!("200 - - 51 {TAIL}"),
        ));
        assert_eq!((put.kind, put.key.as_str(), put.size), (Kind::Put, "a b+", Some(51)));
        let gone = request(&line("REST.GET.OBJECT", "x", uri, &format!("404 NoSuchKey 297 - {TAIL}")));
        assert_eq!((gone.kind, gone.status, gone.size), (Kind::Get, 404, None));
        let list = line(
            "REST.GET.BUCKET",
            "-",
            "GET /media?list-type=2&prefix=a%2Fb&max-keys=50 HTTP/1.1",
            "200 - 9 -",
        );
        assert_eq!(request(&list).kind, Kind::List { prefix: "a/b".into(), max_keys: 50 });
        let versioning =
            line("REST.GET.VERSIONING", "-", "GET /media?versioning HTTP/1.1", "200 - 113 - 7 -");
        assert_eq!(parse(&versioning), Ok(Line::Other("media".into(), "REST.GET.VERSIONING".into())));
    }

    #[test]
    fn a_wrong_line_says_which_field() {
        let good = line("REST.GET.OBJECT", "a", "GET /media/a HTTP/1.1", "200 - 1 1");
        let wrong = |from: &str, to: &str| parse(&good.replace(from, to)).expect_err(to).to_string();
        let table = [
            (
                "[06/Feb",
                "06/Feb",
                "field 3 (time): expected [06/Feb/2026:00:00:38 +0000], found `06/Feb/2026:00:00:38`",
            ),
            ("Feb", "Fev", "field 3 (time)"),
            ("HTTP/1.1\"", "HTTP/1.1", "field 9 (request-URI): expected a closing quote"),
            (" 200 ", " two ", "field 10 (HTTP status): expected a number or `-`, found `two`"),
            (" a ", " - ", "field 8 (key)"),
            (" a ", " %ff ", "field 8 (key)"),
            ("REST.GET.OBJECT", "GET", "field 7 (operation)"),
            (" 200 - 1 1", "", "field 10 (HTTP status): expected more fields"),
        ];
        for (from, to, said) in table {
            assert!(wrong(from, to).contains(said), "{from} to {to}: {}", wrong(from, to));
        }
        assert!(parse("").is_err() && parse("{\"a\": 1}").is_err());
    }

    #[test]
    fn times_are_those_of_the_calendar() {
        let at = |text| instant(text).map(|at| at / SECOND);
        assert_eq!(at("01/Jan/1970:00:00:00 +0000"), Some(0));
        assert_eq!(at("29/Feb/2024:12:30:15 +0000"), Some(1_709_209_815));
        assert_eq!(at("29/Feb/2024:12:30:15 +0230"), Some(1_709_200_815));
        for bad in [
            "29/Feb/2024:12:30 +0000",
            "1/Feb/2024:12:30:15 +0000",
            "29/Feb/2024:12:30:15",
            "01/Jan/1970:00:00:00 +0100",
        ] {
            assert_eq!(at(bad), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            let _ = parse(&String::from_utf8_lossy(&bytes));
        }

        /// Damage anywhere in a good line is an error or another request, never a panic.
        #[test]
        fn no_damage_panics(at in 0usize..200, with in any::<char>(), cut in 0usize..300) {
            let good = line("REST.GET.OBJECT", "a%2520b", "GET /media/a HTTP/1.1", "206 - 1 10 9 8 - -");
            let mut chars: Vec<char> = good.chars().collect();
            chars.truncate(cut);
            if let Some(place) = chars.get_mut(at) {
                *place = with;
            }
            let _ = parse(&chars.into_iter().collect::<String>());
        }
    }
}
