//! Bytes where no body byte may be, and bodies that are not what their head says.

use super::{Body, Change, ChunkStyle, Nature, Original, Script, rebuild};

/// The most body bytes after an answer to HEAD.
const STRAY: u64 = 64 * 1024;
/// A gzip header (RFC 1952 2.3): magic, deflate, no flags, no time, unknown system.
const GZIP: &[u8] = &[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];

pub(super) fn surplus_bytes(original: &Original<'_>) -> Script {
    then(original, b"surplus surplus\n".to_vec())
}

pub(super) fn second_response(original: &Original<'_>) -> Script {
    let second = "HTTP/1.1 200 OK\r\nContent-Length: 8\r\nX-Gatecrash-Poison: 1\r\n\r\npoisoned";
    then(original, second.as_bytes().to_vec())
}

pub(super) fn no_content_with_body(original: &Original<'_>) -> Script {
    let head = rebuild::with_framing(original, b"HTTP/1.1 204 No Content\r\n", "Content-Length: 5\r\n");
    Script::keep(head, Body::Bytes(b"stray".to_vec()))
}

pub(super) fn not_modified_with_body(original: &Original<'_>) -> Script {
    let head = rebuild::with_framing(original, b"HTTP/1.1 304 Not Modified\r\n", "");
    Script::keep(head, Body::Bytes(b"stray".to_vec()))
}

pub(super) fn head_with_body(original: &Original<'_>) -> Script {
    if !original.to_head {
        return Script::as_framed(original.head.to_vec(), original).of_nature(Nature::Plain);
    }
    let length = original.length.unwrap_or(5).clamp(1, STRAY) as usize;
    Script::keep(original.head.to_vec(), Body::Bytes(vec![b'x'; length]))
}

pub(super) fn corrupt_bits(original: &Original<'_>) -> Script {
    untrue(original, original.head.to_vec(), Change::Flip(1024))
}

pub(super) fn gzip_broken(original: &Original<'_>) -> Script {
    untrue(original, rebuild::with_lines(original, b"Content-Encoding: gzip\r\n"), Change::Over(GZIP))
}

fn untrue(original: &Original<'_>, head: Vec<u8>, change: Change) -> Script {
    Script { change, ..Script::as_framed(head, original).of_nature(Nature::Untrue) }
}

/// The answer as it was, then these. A body of unknown length becomes a chunked one, so that it has an end.
fn then(original: &Original<'_>, surplus: Vec<u8>) -> Script {
    if original.length.is_some() {
        return Script::keep(original.head.to_vec(), Body::PassThen(surplus));
    }
    let framing = "Transfer-Encoding: chunked\r\n";
    let head = rebuild::with_framing(original, rebuild::status_line(original), framing);
    Script::keep(head, Body::Chunked(ChunkStyle::DataAfterLast))
}
