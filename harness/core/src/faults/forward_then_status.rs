//! `forward-then-status`: forwards the request and answers an error in place of the answer

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Fault, FaultInfo, Host, Order, Terminal};
use crate::rules::{Facts, Point};

/// The upstream carries the request out; `status` without a body comes in place of its answer.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ForwardThenStatus {
    /// 400 to 599. Default: 500.
    #[serde(default = "internal_error")]
    #[schemars(range(min = 400, max = 599))]
    pub status: u16,
}

fn internal_error() -> u16 {
    500
}

impl Fault for ForwardThenStatus {
    const INFO: FaultInfo = FaultInfo {
        name: "forward-then-status",
        summary: "forwards the request and answers an error in place of the answer",
        doc: "The request goes to the upstream, which carries it out and answers; in place of that answer \
              comes `status` with `Content-Length: 0`, as from a proxy in between that lost its patience \
              or its mind. The connection is kept. It is a legal answer, so the gateway passes it on, or \
              retries where its profile says so, and then does the work twice.",
        example: "forward-then-status: { status: 500 }",
        host: Host::Link,
        points: &[Point::ResponseHead],
    };

    fn order(&self, _: Point, _: &Facts<'_>, _: u64) -> Order {
        Order::End(Terminal::Answer(self.status))
    }

    fn problem(&self) -> Option<&'static str> {
        (!(400..=599).contains(&self.status)).then_some("a `status` of 400 to 599")
    }
}
