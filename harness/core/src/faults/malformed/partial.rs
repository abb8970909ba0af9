//! Heads that never come to their end. What there is of them is legal: the connection fails, or nothing more
//! comes.

use super::{Body, End, Nature, Original, Script};
use crate::faults::With;

pub(super) fn status_fin(_: &Original<'_>) -> Script {
    beginning(b"HTTP/1.1 20", End::Close(With::Fin))
}

pub(super) fn header_fin(original: &Original<'_>) -> Script {
    beginning(half(original), End::Close(With::Fin))
}

pub(super) fn header_rst(original: &Original<'_>) -> Script {
    beginning(half(original), End::Close(With::Rst))
}

pub(super) fn header_stall(original: &Original<'_>) -> Script {
    beginning(half(original), End::Stall)
}

fn half<'a>(original: &Original<'a>) -> &'a [u8] {
    &original.head[..original.head.len() / 2]
}

fn beginning(head: &[u8], end: End) -> Script {
    Script::new(head.to_vec(), Body::None, end, false).of_nature(Nature::Plain)
}
