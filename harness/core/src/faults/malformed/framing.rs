//! Content-Length and Transfer-Encoding that contradict themselves, each other or the body.

use super::{Body, ChunkStyle, Nature, Original, Script, rebuild};

pub(super) fn duplicate_differ(original: &Original<'_>) -> Script {
    let n = rebuild::length(original);
    unframed(original, &format!("Content-Length: {n}\r\nContent-Length: {}\r\n", n + 4))
}

pub(super) fn duplicate_short(original: &Original<'_>) -> Script {
    let n = rebuild::length(original);
    unframed(original, &format!("Content-Length: {n}\r\nContent-Length: {}\r\n", n / 2))
}

pub(super) fn duplicate_same(original: &Original<'_>) -> Script {
    let n = rebuild::length(original);
    let framing = format!("Content-Length: {n}\r\nContent-Length: {n}\r\n");
    match original.length {
        Some(_) => Script::keep(head(original, &framing), Body::Pass),
        None => unframed(original, &framing),
    }
}

pub(super) fn list(original: &Original<'_>) -> Script {
    let n = rebuild::length(original);
    unframed(original, &format!("Content-Length: {n}, {}\r\n", n + 4))
}

pub(super) fn negative(original: &Original<'_>) -> Script {
    unframed(original, "Content-Length: -5\r\n")
}

pub(super) fn plus(original: &Original<'_>) -> Script {
    unframed(original, &format!("Content-Length: +{}\r\n", rebuild::length(original)))
}

pub(super) fn text(original: &Original<'_>) -> Script {
    unframed(original, "Content-Length: many\r\n")
}

pub(super) fn overflow(original: &Original<'_>) -> Script {
    unframed(original, "Content-Length: 99999999999999999999\r\n")
}

/// Whoever believes the length has a whole answer, and bytes too many on the connection.
pub(super) fn too_small(original: &Original<'_>) -> Script {
    let framing = format!("Content-Length: {}\r\n", original.length.unwrap_or(2) / 2);
    Script::keep(head(original, &framing), Body::Pass).of_nature(Nature::Untrue)
}

pub(super) fn too_large(original: &Original<'_>) -> Script {
    let framing = format!("Content-Length: {}\r\n", rebuild::length(original) + 1000);
    Script::fin(head(original, &framing), Body::Pass, false)
}

pub(super) fn cl_and_te(original: &Original<'_>) -> Script {
    let n = rebuild::length(original);
    let framing = format!("Content-Length: {n}\r\nTransfer-Encoding: chunked\r\n");
    Script::fin(head(original, &framing), Body::Chunked(ChunkStyle::Correct), true)
}

pub(super) fn te_unknown(original: &Original<'_>) -> Script {
    unframed(original, "Transfer-Encoding: zork\r\n")
}

pub(super) fn te_space_colon(original: &Original<'_>) -> Script {
    let head = head(original, "Transfer-Encoding : chunked\r\n");
    Script::fin(head, Body::Chunked(ChunkStyle::Correct), true)
}

pub(super) fn te_duplicate(original: &Original<'_>) -> Script {
    let head = head(original, &"Transfer-Encoding: chunked\r\n".repeat(2));
    Script::fin(head, Body::Chunked(ChunkStyle::Correct), true)
}

pub(super) fn te_on_http10(original: &Original<'_>) -> Script {
    let line = rebuild::in_http10(original);
    let head = rebuild::with_framing(original, &line, "Transfer-Encoding: chunked\r\n");
    Script::fin(head, Body::Chunked(ChunkStyle::Correct), true)
}

/// All of the body follows, and only the FIN says where it ends.
fn unframed(original: &Original<'_>, framing: &str) -> Script {
    Script::fin(head(original, framing), Body::Pass, true)
}

fn head(original: &Original<'_>, framing: &str) -> Vec<u8> {
    rebuild::with_framing(original, rebuild::status_line(original), framing)
}
