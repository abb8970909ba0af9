//! Header lines that break the grammar or any sane limit; status, framing and body are the upstream's.

use super::{Original, Script, rebuild};

/// Size of the one header of `header-oversize`.
const OVERSIZE: usize = 64 * 1024;
/// Headers added by `header-count`.
const COUNT: usize = 2000;

pub(super) fn no_colon(original: &Original<'_>) -> Script {
    with(original, b"X-Broken no colon here\r\n")
}

pub(super) fn empty_name(original: &Original<'_>) -> Script {
    with(original, b": no name\r\n")
}

pub(super) fn space_before_colon(original: &Original<'_>) -> Script {
    with(original, b"X-Broken : 1\r\n")
}

pub(super) fn nul(original: &Original<'_>) -> Script {
    with(original, b"X-Broken: a\0b\r\n")
}

pub(super) fn bare_cr(original: &Original<'_>) -> Script {
    with(original, b"X-Broken: a\rb\r\n")
}

pub(super) fn obs_fold(original: &Original<'_>) -> Script {
    with(original, b"X-Folded: a\r\n b\r\n")
}

pub(super) fn oversize(original: &Original<'_>) -> Script {
    let name = "X-Oversize: ";
    with(original, format!("{name}{}\r\n", "a".repeat(OVERSIZE - name.len())).as_bytes())
}

pub(super) fn count(original: &Original<'_>) -> Script {
    with(original, (0..COUNT).map(|n| format!("X-Many-{n}: {n}\r\n")).collect::<String>().as_bytes())
}

fn with(original: &Original<'_>, lines: &[u8]) -> Script {
    Script::as_framed(rebuild::with_lines(original, lines), original)
}
