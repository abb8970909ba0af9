//! `late-bytes-after-reply`: writes stray bytes on an idle connection

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Fault, FaultInfo, Host, Lapse, Order, Stray, Terminal};
use crate::rules::{Facts, Point};
use crate::units::Span;

/// Bytes that nobody asked for, on a kept connection that has been idle for `after`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct LateBytes {
    /// Idle time.
    pub after: Span,
    /// What is written. Default: bytes.
    #[serde(default)]
    pub what: Stray,
}

impl Fault for LateBytes {
    const INFO: FaultInfo = FaultInfo {
        name: "late-bytes-after-reply",
        summary: "writes stray bytes on an idle connection",
        doc: "A connection that was kept open gets bytes that nobody asked for once it has been idle for \
              `after`: 16 bytes that are no HTTP (`surplus surplus` and a line feed), or the `408 Request \
              Timeout` and FIN that HAProxy and cloud load balancers send to idle clients. A gateway must \
              close such a connection (RFC 9112 9.2); one that sends its next request on it takes the \
              stray bytes for the answer, and each later answer for the one before. The attempt that \
              follows on the same connection counts as disturbed.",
        example: "late-bytes-after-reply: { after: 20ms, what: bytes }",
        host: Host::Link,
        points: &[Point::Kept],
    };

    fn order(&self, _: Point, facts: &Facts<'_>, _: u64) -> Order {
        // Of HTTP/1.1 alone: HTTP/2 has no place for them.
        if facts.http2 {
            return Order::Continue;
        }
        Order::End(Terminal::OnIdle(self.after.0, Lapse::Say(self.what)))
    }
}
