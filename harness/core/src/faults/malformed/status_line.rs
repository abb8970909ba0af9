//! Status lines that are none; headers and body are the upstream's.

use super::{Original, Script, rebuild};

pub(super) fn bad_protocol_name(original: &Original<'_>) -> Script {
    instead(original, "HTP/1.1 200 OK")
}

pub(super) fn status_two_digits(original: &Original<'_>) -> Script {
    instead(original, "HTTP/1.1 20 OK")
}

pub(super) fn status_four_digits(original: &Original<'_>) -> Script {
    instead(original, "HTTP/1.1 2000 OK")
}

pub(super) fn status_letters(original: &Original<'_>) -> Script {
    instead(original, "HTTP/1.1 2OO OK")
}

pub(super) fn status_zero(original: &Original<'_>) -> Script {
    instead(original, "HTTP/1.1 000 Nothing")
}

fn instead(original: &Original<'_>, line: &str) -> Script {
    Script::as_framed(rebuild::with_status(original, line), original)
}
