//! `close-on-reuse`: ends a reused connection under the next request

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Fault, FaultInfo, Host, Order, Terminal, With};
use crate::rules::{Facts, Point};

/// The second request on a connection is answered by FIN or RST, without a byte: a pooled connection that
/// died. Safe requests may be retried by the gateway, others must fail cleanly.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct CloseOnReuse {
    /// FIN or RST.
    #[serde(default)]
    pub with: With,
}

impl Fault for CloseOnReuse {
    const INFO: FaultInfo = FaultInfo {
        name: "close-on-reuse",
        summary: "ends a reused connection under the next request",
        doc: "The second request on a connection is answered by FIN or RST, without a byte: a pooled \
              connection that died. Safe requests may be retried by the gateway, others must fail cleanly.",
        example: "close-on-reuse: { with: rst }",
        host: Host::Link,
        points: &[Point::RequestHead],
    };

    fn order(&self, _: Point, facts: &Facts<'_>, _: u64) -> Order {
        if facts.ordinal == 0 {
            return Order::Continue;
        }
        Order::End(Terminal::Close(self.with))
    }
}
