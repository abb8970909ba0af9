//! An answer of a link's own: a status without a body.

/// A response head with this status, no body and `attempt_line` (`x-gatecrash-attempt: ...\r\n`) in it; `close`
/// says `Connection: close`.
pub fn bare_reply(status: u16, close: bool, attempt_line: &str) -> Vec<u8> {
    let connection = if close { "Connection: close\r\n" } else { "" };
    let reason = reason(status);
    format!("HTTP/1.1 {status} {reason}\r\n{connection}Content-Length: 0\r\n{attempt_line}\r\n").into_bytes()
}

/// The usual words; none are fine too (RFC 9112 4).
fn reason(status: u16) -> &'static str {
    match status {
        400 => "Bad Request",
        403 => "Forbidden",
        404 => "Not Found",
        408 => "Request Timeout",
        409 => "Conflict",
        413 => "Content Too Large",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_is_a_head() {
        assert_eq!(
            bare_reply(503, true, "x: y\r\n"),
            b"HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 0\r\nx: y\r\n\r\n"
        );
        assert_eq!(bare_reply(599, false, ""), b"HTTP/1.1 599 \r\nContent-Length: 0\r\n\r\n");
    }
}
