//! Status lines that are none; headers and body are the upstream's.

use super::{Body, Original, Script, rebuild};

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

pub(super) fn status_nines(original: &Original<'_>) -> Script {
    instead(original, "HTTP/1.1 999 Beyond")
}

pub(super) fn version_nine(original: &Original<'_>) -> Script {
    instead(original, "HTTP/9.9 200 OK")
}

pub(super) fn missing_reason(original: &Original<'_>) -> Script {
    instead(original, &format!("HTTP/1.1 {}", original.status))
}

pub(super) fn keep_alive_lie(original: &Original<'_>) -> Script {
    let line = rebuild::in_http10(original);
    Script::fin(rebuild::with_framing(original, &line, "Connection: keep-alive\r\n"), Body::Pass, true)
}

pub(super) fn bare_lf(original: &Original<'_>) -> Script {
    let head = original.head.iter().copied().filter(|byte| *byte != b'\r').collect();
    Script::as_framed(head, original)
}

pub(super) fn leading_crlf(original: &Original<'_>) -> Script {
    Script::as_framed([b"\r\n", original.head].concat(), original)
}

fn instead(original: &Original<'_>, line: &str) -> Script {
    Script::as_framed(rebuild::with_status(original, line), original)
}
