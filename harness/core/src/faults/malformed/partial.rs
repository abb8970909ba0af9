//! Heads that never come to their end.

use super::{Body, End, Nature, Original, Script};
use crate::faults::With;

pub(super) fn status_fin(_: &Original<'_>) -> Script {
    Script::fin(b"HTTP/1.1 20".to_vec(), Body::None, false)
}

pub(super) fn header_fin(original: &Original<'_>) -> Script {
    half(original, End::Close(With::Fin))
}

pub(super) fn header_rst(original: &Original<'_>) -> Script {
    half(original, End::Close(With::Rst))
}

/// No more than slow until somebody gives up: an answer that does not come in time.
pub(super) fn header_stall(original: &Original<'_>) -> Script {
    half(original, End::Stall).of_nature(Nature::Plain)
}

fn half(original: &Original<'_>, end: End) -> Script {
    Script::new(original.head[..original.head.len() / 2].to_vec(), Body::None, end, false)
}
