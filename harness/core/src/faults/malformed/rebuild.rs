//! Rewriting an upstream's head, line by line.

use super::Original;

/// Stands for the length of a body whose head does not tell it.
const UNKNOWN_LENGTH: u64 = 1000;

/// The header lines, with their line ends, without the status line and the empty line.
fn header_lines<'a>(original: &Original<'a>) -> impl Iterator<Item = &'a [u8]> {
    original.head.split_inclusive(|b| *b == b'\n').skip(1).filter(|line| !line.trim_ascii().is_empty())
}

fn name(line: &[u8]) -> &[u8] {
    line.split(|b| *b == b':').next().unwrap_or_default().trim_ascii()
}

fn is_framing(line: &[u8]) -> bool {
    [&b"content-length"[..], b"transfer-encoding"].iter().any(|n| name(line).eq_ignore_ascii_case(n))
}

/// Whether the upstream's own body is chunked.
pub(super) fn is_chunked(original: &Original<'_>) -> bool {
    header_lines(original).any(|line| name(line).eq_ignore_ascii_case(b"transfer-encoding"))
}

/// The status line as it was, with its line end.
pub(super) fn status_line<'a>(original: &Original<'a>) -> &'a [u8] {
    original.head.split_inclusive(|b| *b == b'\n').next().unwrap_or_default()
}

/// The status line as it was, in HTTP/1.0.
pub(super) fn in_http10(original: &Original<'_>) -> Vec<u8> {
    let line = status_line(original);
    [b"HTTP/1.0", line.strip_prefix(b"HTTP/1.1").unwrap_or(line)].concat()
}

/// Another status line before the headers as they were.
pub(super) fn with_status(original: &Original<'_>, status_line: &str) -> Vec<u8> {
    let mut head = format!("{status_line}\r\n").into_bytes();
    header_lines(original).for_each(|line| head.extend_from_slice(line));
    head.extend_from_slice(b"\r\n");
    head
}

/// The head as it was, with more bytes (whole lines) at its end.
pub(super) fn with_lines(original: &Original<'_>, lines: &[u8]) -> Vec<u8> {
    let mut head = status_line(original).to_vec();
    header_lines(original).for_each(|line| head.extend_from_slice(line));
    head.extend_from_slice(lines);
    head.extend_from_slice(b"\r\n");
    head
}

/// The head with these framing lines in place of its own.
pub(super) fn with_framing(original: &Original<'_>, status_line: &[u8], framing: &str) -> Vec<u8> {
    let mut head = status_line.to_vec();
    header_lines(original).filter(|line| !is_framing(line)).for_each(|line| head.extend_from_slice(line));
    head.extend_from_slice(framing.as_bytes());
    head.extend_from_slice(b"\r\n");
    head
}

/// The length of the body, or what stands for it.
pub(super) fn length(original: &Original<'_>) -> u64 {
    original.length.unwrap_or(UNKNOWN_LENGTH)
}
