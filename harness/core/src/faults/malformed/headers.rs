//! Header lines that break the grammar or any sane limit; status, framing and body are the upstream's.

use super::{Original, Script, rebuild};

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
    let value = "a".repeat(original.amount.saturating_sub(name.len()));
    with(original, format!("{name}{value}\r\n").as_bytes())
}

pub(super) fn count(original: &Original<'_>) -> Script {
    with(
        original,
        (0..original.amount).map(|n| format!("X-Many-{n}: {n}\r\n")).collect::<String>().as_bytes(),
    )
}

pub(super) fn eight_bit(original: &Original<'_>) -> Script {
    with(original, b"X-Broken: caf\xe9\r\n")
}

pub(super) fn duplicate_singleton(original: &Original<'_>) -> Script {
    with(original, b"Content-Type: text/plain\r\nContent-Type: text/html\r\n")
}

fn with(original: &Original<'_>, lines: &[u8]) -> Script {
    Script::as_framed(rebuild::with_lines(original, lines), original)
}
