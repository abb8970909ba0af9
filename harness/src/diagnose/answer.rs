//! The head of a response, and what S3 says in its error documents.

use std::mem::MaybeUninit;

use gatecrash_core::diagnose::Answer;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;

/// Most header lines that are read.
const MOST_LINES: usize = 4096;

/// How long the body is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Length {
    Known(u64),
    Chunked,
    ToTheEnd,
}

/// A head that was read.
#[derive(Debug)]
pub(super) struct Head {
    pub(super) answer: Answer,
    pub(super) length: Length,
    pub(super) keep_alive: bool,
}

/// What the bytes so far are.
#[derive(Debug)]
pub(super) enum Parsed {
    More,
    TooLarge,
    Head(Box<Head>),
    Not(String),
}

/// Reads the head at the start of `data`. `now` is seconds since the Unix epoch.
pub(super) fn parse(data: &[u8], to_head: bool, now: i64) -> Parsed {
    let mut lines = vec![const { MaybeUninit::uninit() }; MOST_LINES];
    let mut response = httparse::Response::new(&mut []);
    let parser = httparse::ParserConfig::default();
    match parser.parse_response_with_uninit_headers(&mut response, data, &mut lines) {
        Ok(httparse::Status::Partial) => Parsed::More,
        Ok(httparse::Status::Complete(bytes)) => understand(&response, bytes, to_head, now),
        Err(httparse::Error::TooManyHeaders) => Parsed::TooLarge,
        Err(why) => {
            let start = String::from_utf8_lossy(&data[..data.len().min(24)]).escape_debug().to_string();
            Parsed::Not(format!("{why}; it begins with \"{start}\""))
        }
    }
}

fn understand(response: &httparse::Response<'_, '_>, bytes: usize, to_head: bool, now: i64) -> Parsed {
    let status = response.code.unwrap_or_default();
    let http10 = response.version == Some(0);
    let mut answer = Answer { status, head_bytes: bytes, ..Answer::default() };
    let (mut lengths, mut codings) = (Vec::new(), Vec::new());
    let mut keep_alive = !http10;
    for line in response.headers.iter() {
        let value = String::from_utf8_lossy(line.value).trim().to_owned();
        match line.name.to_ascii_lowercase().as_str() {
            "content-length" => lengths.extend(value.split(',').map(|v| v.trim().to_owned())),
            "transfer-encoding" => codings.extend(value.split(',').map(|v| v.trim().to_ascii_lowercase())),
            "connection" => keep_alive &= !value.to_ascii_lowercase().contains("close"),
            "content-range" => answer.part = true,
            "x-amz-request-id" => answer.from_s3 = true,
            "x-amz-bucket-region" => answer.region = Some(value),
            "server" => answer.server = Some(value),
            "etag" => answer.etag = Some(value),
            "date" => {
                let date = OffsetDateTime::parse(&value, &Rfc2822).ok();
                answer.clock = date.map(|date| date.unix_timestamp() - now);
            }
            _ => {}
        }
    }
    lengths.dedup();
    let length = match (codings.as_slice(), lengths.as_slice()) {
        ([], []) => Length::ToTheEnd,
        ([], [one]) if one.bytes().all(|b| b.is_ascii_digit()) => match one.parse() {
            Ok(length) => Length::Known(length),
            Err(_) => return Parsed::Not(format!("Content-Length is {one:?}")),
        },
        ([one], []) if one == "chunked" && !http10 => Length::Chunked,
        (codings, lengths) => {
            return Parsed::Not(format!("Transfer-Encoding {codings:?} and Content-Length {lengths:?}"));
        }
    };
    let bare = to_head || matches!(status, 204 | 304);
    let length = if bare { Length::Known(0) } else { length };
    let keep_alive = keep_alive && length != Length::ToTheEnd;
    Parsed::Head(Box::new(Head { answer, length, keep_alive }))
}

/// Takes code, message and region out of an S3 error document.
pub(super) fn read_error(answer: &mut Answer, body: &[u8]) {
    let text = String::from_utf8_lossy(&body[..body.len().min(16 * 1024)]);
    if answer.status < 300 || !text.contains("<Error>") {
        return;
    }
    let of = |name: &str| {
        let (_, rest) = text.split_once(&format!("<{name}>"))?;
        let (value, _) = rest.split_once(&format!("</{name}>"))?;
        let plain = [("&quot;", "\""), ("&apos;", "'"), ("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&")];
        Some(plain.iter().fold(value.to_owned(), |text, (from, to)| text.replace(from, to)))
    };
    answer.code = of("Code");
    answer.message = of("Message");
    answer.region = answer.region.take().or_else(|| of("Region"));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(lines: &str) -> Result<Head, String> {
        match parse(format!("{}\r\n\r\n", lines.replace('\n', "\r\n")).as_bytes(), false, 784_111_777) {
            Parsed::Head(head) => Ok(*head),
            Parsed::Not(why) => Err(why),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn lengths_are_one_or_none() {
        let length = |lines| head(lines).map(|h| (h.length, h.keep_alive));
        assert_eq!(length("HTTP/1.1 200 OK\nContent-Length: 5"), Ok((Length::Known(5), true)));
        assert_eq!(
            length("HTTP/1.1 200 OK\nContent-Length: 5\nContent-Length: 5"),
            Ok((Length::Known(5), true))
        );
        assert_eq!(length("HTTP/1.1 200 OK\nTransfer-Encoding: chunked"), Ok((Length::Chunked, true)));
        assert_eq!(length("HTTP/1.1 200 OK"), Ok((Length::ToTheEnd, false)));
        assert_eq!(length("HTTP/1.1 304 X\nContent-Length: 5"), Ok((Length::Known(0), true)));
        for wrong in [
            "Content-Length: 5\nContent-Length: 6",
            "Content-Length: five",
            "Content-Length: -5",
            "Content-Length: 5\nTransfer-Encoding: chunked",
            "Transfer-Encoding: zork",
        ] {
            assert!(length(&format!("HTTP/1.1 200 OK\n{wrong}")).is_err(), "{wrong}");
        }
        assert!(head("HTP/1.1 200 OK").is_err());
    }

    #[test]
    fn clocks_are_compared() {
        let answer = |date: &str| head(&format!("HTTP/1.1 200 OK\nDate: {date}")).unwrap().answer.clock;
        assert_eq!(answer("Sun, 06 Nov 1994 08:49:37 GMT"), Some(0));
        assert_eq!(answer("Sun, 06 Nov 1994 08:29:37 GMT"), Some(-1200));
        assert_eq!(answer("yesterday"), None);
    }

    #[test]
    fn error_documents_are_read() {
        let mut answer = Answer { status: 403, ..Answer::default() };
        let xml = "<Error><Code>AccessDenied</Code><Message>on &quot;arn&quot;</Message><Region>eu-west-1</Region></Error>";
        read_error(&mut answer, xml.as_bytes());
        assert_eq!(answer.code.as_deref(), Some("AccessDenied"));
        assert_eq!(answer.message.as_deref(), Some("on \"arn\""));
        assert_eq!(answer.region.as_deref(), Some("eu-west-1"));
        let mut good = Answer { status: 200, ..Answer::default() };
        read_error(&mut good, xml.as_bytes());
        assert_eq!(good.code, None);
    }
}
