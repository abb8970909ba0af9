//! `forward-then-drop`: forwards the request and drops the answer

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Fault, FaultInfo, Host, Order, Terminal, With};
use crate::rules::{Facts, Point};

/// The upstream carries the request out; its answer is thrown away and the connection ends.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ForwardThenDrop {
    /// FIN or RST. Default: rst.
    #[serde(default)]
    pub with: With,
}

impl Fault for ForwardThenDrop {
    const INFO: FaultInfo = FaultInfo {
        name: "forward-then-drop",
        summary: "forwards the request and drops the answer",
        doc: "The request goes to the upstream, which carries it out and answers; of that answer not one \
              byte is passed on, and the connection ends by FIN or RST: a load balancer that dies between \
              the two, a NAT entry that expires. The gateway sees what it sees when nothing was done at \
              all, so a write that it repeats may be done twice. RFC 9110 9.2.2 lets only idempotent \
              requests be repeated; without a retry the client is owed a 502.",
        example: "forward-then-drop: { with: rst }",
        host: Host::Link,
        points: &[Point::ResponseHead],
    };

    fn order(&self, _: Point, _: &Facts<'_>, _: u64) -> Order {
        Order::End(Terminal::Close(self.with))
    }
}
