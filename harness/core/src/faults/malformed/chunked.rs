//! Chunked bodies that break the chunk grammar, whatever framing the upstream had chosen.

use super::{Body, ChunkStyle, Original, Script, rebuild};

pub(super) fn size_invalid(original: &Original<'_>) -> Script {
    Script::fin(head(original), Body::Chunked(ChunkStyle::BadSize), false)
}

pub(super) fn size_overflow(original: &Original<'_>) -> Script {
    Script::fin(head(original), Body::Chunked(ChunkStyle::OverflowSize), false)
}

pub(super) fn missing_crlf(original: &Original<'_>) -> Script {
    Script::fin(head(original), Body::Chunked(ChunkStyle::MissingCrlf), false)
}

pub(super) fn extension_huge(original: &Original<'_>) -> Script {
    Script::keep(head(original), Body::Chunked(ChunkStyle::HugeExtension(original.amount)))
}

pub(super) fn no_last(original: &Original<'_>) -> Script {
    Script::fin(head(original), Body::Chunked(ChunkStyle::NoLast), false)
}

pub(super) fn data_after_last(original: &Original<'_>) -> Script {
    Script::keep(head(original), Body::Chunked(ChunkStyle::DataAfterLast))
}

pub(super) fn cut_mid(original: &Original<'_>) -> Script {
    Script::fin(head(original), Body::Chunked(ChunkStyle::CutMid), false)
}

pub(super) fn bad_trailer(original: &Original<'_>) -> Script {
    Script::keep(head(original), Body::Chunked(ChunkStyle::BadTrailer))
}

fn head(original: &Original<'_>) -> Vec<u8> {
    rebuild::with_framing(original, rebuild::status_line(original), "Transfer-Encoding: chunked\r\n")
}
