//! Strict decoding of the chunked coding (RFC 9112 section 7.1), a step at a time.

use bytes::{Buf, Bytes, BytesMut};

/// Longest size line or trailer section, in bytes.
const MAX_LINE: usize = 16 * 1024;

/// Where in the coding we are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Chunks {
    Size,
    Data(u64),
    DataEnd,
    Trailer { seen: usize },
    End,
}

/// What one step gave.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Data(Bytes),
    NeedMore,
    End,
}

// === impl Chunks ===

impl Chunks {
    /// Takes what it can from the front of `buffer`; an error is the broken rule.
    pub(crate) fn decode(&mut self, buffer: &mut BytesMut) -> Result<Step, &'static str> {
        loop {
            match *self {
                Self::Size => {
                    let Some(line) = take_line(buffer, MAX_LINE)? else { return Ok(Step::NeedMore) };
                    *self = match size(&line)? {
                        0 => Self::Trailer { seen: 0 },
                        size => Self::Data(size),
                    };
                }
                Self::Data(left) => {
                    if buffer.is_empty() {
                        return Ok(Step::NeedMore);
                    }
                    let take = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
                    let left = left - take as u64;
                    *self = if left == 0 { Self::DataEnd } else { Self::Data(left) };
                    return Ok(Step::Data(buffer.split_to(take).freeze()));
                }
                Self::DataEnd => {
                    let present = buffer.len().min(2);
                    if buffer[..present] != b"\r\n"[..present] {
                        return Err("chunk data does not end with CR LF");
                    }
                    if present < 2 {
                        return Ok(Step::NeedMore);
                    }
                    buffer.advance(2);
                    *self = Self::Size;
                }
                Self::Trailer { seen } => {
                    let Some(line) = take_line(buffer, MAX_LINE - seen)? else { return Ok(Step::NeedMore) };
                    if line.is_empty() {
                        *self = Self::End;
                    } else if is_field(&line) {
                        *self = Self::Trailer { seen: (seen + line.len()).min(MAX_LINE) };
                    } else {
                        return Err("bad trailer line");
                    }
                }
                Self::End => return Ok(Step::End),
            }
        }
    }
}

/// A line without its CR LF, once it is there.
fn take_line(buffer: &mut BytesMut, limit: usize) -> Result<Option<BytesMut>, &'static str> {
    let Some(at) = buffer.iter().position(|&byte| byte == b'\n') else {
        return if buffer.len() > limit { Err("chunk line too long") } else { Ok(None) };
    };
    if at > limit {
        return Err("chunk line too long");
    }
    if at == 0 || buffer[at - 1] != b'\r' {
        return Err("bare LF in chunk line");
    }
    let mut line = buffer.split_to(at + 1);
    line.truncate(at - 1);
    if line.iter().any(|byte| matches!(byte, 0 | b'\r')) {
        Err("control byte in chunk line")
    } else {
        Ok(Some(line))
    }
}

/// Hex digits, then nothing or an extension.
fn size(line: &[u8]) -> Result<u64, &'static str> {
    let digits = line.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
    let rest = line[digits..].trim_ascii_start();
    if digits == 0 || !(rest.is_empty() || rest[0] == b';') {
        return Err("bad chunk size");
    }
    if digits > 15 {
        return Err("chunk size too large");
    }
    let text = std::str::from_utf8(&line[..digits]).map_err(|_| "bad chunk size")?;
    u64::from_str_radix(text, 16).map_err(|_| "bad chunk size")
}

fn is_field(line: &[u8]) -> bool {
    let name = line.iter().position(|&byte| byte == b':').map(|colon| &line[..colon]);
    name.is_some_and(|name| !name.is_empty() && name.iter().all(u8::is_ascii_graphic))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Feeds `text` in pieces of `step` bytes; the data, whether it ended, and what was left over.
    fn feed(text: &str, step: usize) -> Result<(Vec<u8>, bool, usize), &'static str> {
        let (mut chunks, mut buffer, mut data) = (Chunks::Size, BytesMut::new(), Vec::new());
        for piece in text.as_bytes().chunks(step) {
            buffer.extend_from_slice(piece);
            while let Step::Data(bytes) = chunks.decode(&mut buffer)? {
                data.extend_from_slice(&bytes);
            }
        }
        Ok((data, chunks == Chunks::End, buffer.len()))
    }

    #[test]
    fn pieces_of_any_size_give_the_same_body() {
        let text = "5\r\nhello\r\n6;ext=1\r\n world\r\n0\r\nTrailer: x\r\n\r\n";
        for step in 1..text.len() {
            assert_eq!(feed(text, step).unwrap(), (b"hello world".to_vec(), true, 0), "step {step}");
        }
    }

    #[test]
    fn an_unfinished_body_has_not_ended() {
        for text in ["5\r\nhel", "5\r\nhello\r\n", "5\r\nhello\r\n0\r\n", "5"] {
            assert!(!feed(text, 100).unwrap().1, "{text:?}");
        }
    }

    #[test]
    fn bytes_after_the_end_are_left_alone() {
        assert_eq!(feed("0\r\n\r\nHTTP/1.1", 100).unwrap(), (Vec::new(), true, 8));
    }

    #[test]
    fn broken_codings_are_refused() {
        let long = format!("5;{}\r\nhello\r\n", "x".repeat(MAX_LINE));
        let cases = [
            ("zz\r\nhello\r\n", "bad chunk size"),
            ("\r\n", "bad chunk size"),
            ("-5\r\nhello\r\n", "bad chunk size"),
            ("0x5\r\nhello\r\n", "bad chunk size"),
            ("5 5\r\nhello\r\n", "bad chunk size"),
            ("ffffffffffffffff\r\nhello\r\n", "chunk size too large"),
            ("5\nhello\r\n", "bare LF in chunk line"),
            ("5\r\nhelloX\r\n", "chunk data does not end with CR LF"),
            ("0\r\nno colon\r\n\r\n", "bad trailer line"),
            (&long, "chunk line too long"),
        ];
        for (text, rule) in cases {
            assert_eq!(feed(text, 100_000).unwrap_err(), rule, "{text:?}");
        }
    }
}
