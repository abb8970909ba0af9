//! `close-after-reply`: closes after a whole answer, unannounced

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Fault, FaultInfo, Host, Order, Parting, Terminal, With};
use crate::rules::{Facts, Point};

/// A whole answer without `Connection: close`, then the connection ends at once.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct CloseAfterReply {
    /// FIN or RST. Default: fin.
    #[serde(default = "super::fin")]
    pub with: With,
}

impl Fault for CloseAfterReply {
    const INFO: FaultInfo = FaultInfo {
        name: "close-after-reply",
        summary: "closes after a whole answer, unannounced",
        doc: "The answer is written whole and without `Connection: close`, then FIN (or RST) follows at \
              once: a server with keep-alive switched off behind a header that was never set, a worker \
              that is recycled, a load balancer that drains. The message is complete by its own framing, \
              so nobody may show an error for it; what is at stake is the next request, which a gateway \
              must not send into the closed connection, or may repeat if it can (RFC 9112 9.3.1). An RST \
              follows the last byte, which has left before it.",
        example: "close-after-reply: { with: fin }",
        host: Host::Link,
        points: &[Point::ResponseHead],
    };

    fn order(&self, _: Point, _: &Facts<'_>, _: u64) -> Order {
        Order::End(Terminal::Part { announce: false, then: Parting::Close(self.with) })
    }
}
