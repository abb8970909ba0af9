//! What an attempt did to its request, in the words of a profile.

use gatecrash_model::{AttemptRecord, EndedBy, Ending, Nanos, Op};

use crate::faults::malformed::{Kind, Nature};
use crate::faults::{FaultSpec, Order, Terminal, Wait};
use crate::plan::Plan;
use crate::profile::Profile;
use crate::rules::{Facts, Point};

/// How near to a recorded edge a fault, or a stall, may already, or still, be felt.
pub(super) const EDGE: Nanos = 50_000_000;

/// What came of one attempt.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, PartialOrd, Ord)]
pub enum Cause {
    /// A whole answer below 400.
    Served,
    /// A whole answer of 400 or above.
    Status(u16),
    /// A legal head, and a body that broke off.
    BodyBroken,
    /// No connection.
    Refused,
    /// No connection in time.
    ConnectTimeout,
    /// No answer in time.
    Timeout,
    /// An answer that is not legal HTTP, or that ended before its head was whole.
    Invalid,
    /// A connection, but no TLS session on it.
    TlsFailed,
    /// Nobody was asked.
    NoUpstream,
}

/// Reads the cause off an attempt and the fault that changed it.
pub fn cause_of(plan: &Plan, attempt: &AttemptRecord) -> Cause {
    let fault = attempt.fault.checked_sub(1).and_then(|i| plan.faults.get(usize::from(i))).map(|f| &f.spec);
    let whole = attempt.ending == Ending::Complete;
    let gave_up = attempt.ending == Ending::Hang || attempt.ended_by == EndedBy::Gateway;
    match fault {
        Some(FaultSpec::Tls(_)) if attempt.has(AttemptRecord::NO_HEAD) && gave_up => Cause::ConnectTimeout,
        Some(FaultSpec::Tls(_)) if attempt.has(AttemptRecord::NO_HEAD) => Cause::TlsFailed,
        _ if attempt.has(AttemptRecord::NO_HEAD) => Cause::Refused,
        _ if attempt.has(AttemptRecord::ILLEGAL) => Cause::Invalid,
        Some(spec) if !whole && matches!(on_head(spec), Order::End(Terminal::CutHead(..))) => Cause::Invalid,
        Some(spec) if !whole && gave_up && matches!(on_head(spec), Order::PaceHead(_)) => Cause::Timeout,
        Some(spec)
            if !whole
                && gave_up
                && attempt.response_bytes == 0
                && matches!(on_head(spec), Order::PaceAll(_)) =>
        {
            Cause::Timeout
        }
        _ if attempt.status == 0 && gave_up => Cause::Timeout,
        _ if attempt.status == 0 => Cause::Invalid,
        _ if !whole => Cause::BodyBroken,
        _ if attempt.status >= 400 => Cause::Status(attempt.status),
        _ => Cause::Served,
    }
}

/// What a fault does to a response head, as far as it does not depend on the exchange.
fn on_head(spec: &FaultSpec) -> Order {
    if !spec.acts_at(Point::ResponseHead) {
        return Order::Continue;
    }
    spec.order(Point::ResponseHead, &Facts::connection(0, 1, 0, 0), 0)
}

/// Whether a fault trickles heads or bodies, so that only a total limit bounds the exchange.
pub fn is_trickle(spec: &FaultSpec) -> bool {
    matches!(on_head(spec), Order::PaceHead(_) | Order::PaceBody(_) | Order::PaceAll(_))
        || matches!(on_upload(spec), Order::PaceUpload(_))
}

/// The pause that a fault's answer asks for, when it does.
pub(super) fn asked_wait(spec: &FaultSpec) -> Option<Wait> {
    if !spec.acts_at(Point::MockHandle) {
        return None;
    }
    match spec.order(Point::MockHandle, &Facts::connection(0, 1, 0, 0), 0) {
        Order::End(Terminal::S3(order)) => Some(order.wait()).filter(|wait| *wait != Wait::default()),
        _ => None,
    }
}

/// What a fault does to an upload when its head was read.
fn on_upload(spec: &FaultSpec) -> Order {
    if !spec.acts_at(Point::RequestHead) {
        return Order::Continue;
    }
    let facts = Facts { op: Op::PutObject, method: "PUT", ..Facts::connection(0, 1, 0, 0) };
    spec.order(Point::RequestHead, &facts, 0)
}

/// Whether a fault ends connections on accept, before a request can be seen.
pub(super) fn is_on_accept(spec: &FaultSpec) -> bool {
    spec.acts_at(Point::Accept)
        && spec.order(Point::Accept, &Facts { tls: true, ..Facts::connection(0, 1, 0, 0) }, 0)
            != Order::Continue
}

/// Whether what an attempt wrote to the gateway was no HTTP response at all: a status line no parser may
/// accept.
pub fn is_not_http(plan: &Plan, attempt: &AttemptRecord) -> bool {
    if !attempt.has(AttemptRecord::ILLEGAL) {
        return false;
    }
    let fault = attempt.fault.checked_sub(1).and_then(|i| plan.faults.get(usize::from(i))).map(|f| &f.spec);
    match fault {
        Some(FaultSpec::Malformed(m)) => !has_status_line(m.kind),
        _ => attempt.status == 0,
    }
}

/// Whether a fault puts other bytes than the resource's under a head that does not give it away: no gateway can
/// know, so none is to blame for passing them on.
pub(super) fn is_untrue(spec: &FaultSpec) -> bool {
    match spec {
        FaultSpec::Malformed(malformed) => malformed.kind.sample().nature == Nature::Untrue,
        FaultSpec::WrongObject(_) => true,
        spec => matches!(on_head(spec), Order::End(Terminal::Corrupt(_))),
    }
}

/// Whether the bytes of a malformed kind begin with a status line of RFC 9112 4, after an empty line at most.
fn has_status_line(kind: Kind) -> bool {
    let head = kind.sample().head;
    let head = head.strip_prefix(b"\r\n").unwrap_or(&head);
    let line = head.split(|b| *b == b'\n').next().unwrap_or_default();
    let Some([b'0'..=b'9', b'.', b'0'..=b'9', b' ', code @ ..]) = line.strip_prefix(b"HTTP/") else {
        return false;
    };
    matches!(code, [b'1'..=b'5', b'0'..=b'9', b'0'..=b'9', b' ' | b'\r', ..])
}

// === impl Cause ===

impl Cause {
    /// Whether the upstream left the gateway without a usable answer.
    pub fn is_failure(self) -> bool {
        !matches!(self, Self::Served | Self::Status(_))
    }

    /// In words.
    pub fn name(self) -> &'static str {
        match self {
            Self::Served => "served",
            Self::Status(_) => "upstream error",
            Self::BodyBroken => "broken body",
            Self::Refused => "refused",
            Self::ConnectTimeout => "connect timeout",
            Self::Timeout => "timeout",
            Self::Invalid => "invalid response",
            Self::TlsFailed => "TLS failure",
            Self::NoUpstream => "no upstream left",
        }
    }

    /// The statuses a profile expects for it.
    pub fn statuses(self, profile: &Profile) -> Vec<u16> {
        match self {
            Self::Served => Vec::new(),
            Self::Status(status) => vec![status],
            Self::BodyBroken => [&profile.invalid[..], &profile.timeout[..]].concat(),
            Self::Refused | Self::TlsFailed => profile.refused.clone(),
            Self::ConnectTimeout => profile.connect_timeout_status.clone(),
            Self::Timeout => profile.timeout.clone(),
            Self::Invalid => profile.invalid.clone(),
            Self::NoUpstream => profile.no_upstream.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::faults::malformed::KINDS;

    #[test]
    fn only_a_broken_status_line_is_no_http() {
        let broken = KINDS.iter().filter(|k| !has_status_line(k.kind)).map(|k| k.name);
        assert_eq!(
            broken.collect::<Vec<_>>(),
            [
                "garbage-bytes",
                "ssh-banner",
                "tls-bytes-on-plain",
                "http09-body",
                "partial-status-fin",
                "bad-protocol-name",
                "status-two-digits",
                "status-four-digits",
                "status-letters",
                "status-000",
                "status-999",
            ]
        );
    }

    #[test]
    fn a_changed_body_is_untrue_and_no_more() {
        let untrue = KINDS.iter().filter(|k| k.kind.sample().nature == Nature::Untrue).map(|k| k.name);
        assert_eq!(untrue.collect::<Vec<_>>(), ["cl-too-small", "body-corrupt-bits", "body-gzip-broken"]);
        let plain = KINDS.iter().filter(|k| k.kind.sample().nature == Nature::Plain).map(|k| k.name);
        assert_eq!(
            plain.collect::<Vec<_>>(),
            [
                "partial-status-fin",
                "partial-header-fin",
                "partial-header-rst",
                "partial-header-stall",
                "head-with-body",
            ]
        );
    }
}
