//! Bytes where no body byte may be.

use super::{Body, ChunkStyle, Original, Script, rebuild};

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

/// The answer as it was, then these. A body of unknown length becomes a chunked one, so that it has an end.
fn then(original: &Original<'_>, surplus: Vec<u8>) -> Script {
    if original.length.is_some() {
        return Script::keep(original.head.to_vec(), Body::PassThen(surplus));
    }
    let framing = "Transfer-Encoding: chunked\r\n";
    let head = rebuild::with_framing(original, rebuild::status_line(original), framing);
    Script::keep(head, Body::Chunked(ChunkStyle::DataAfterLast))
}
