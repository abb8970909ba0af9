//! `half-close`: ends its own direction after a whole answer, and reads on

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Fault, FaultInfo, Host, Order, Parting, Terminal};
use crate::rules::{Facts, Point};

/// A whole answer, then a FIN one way; the other way stays open until the gateway leaves.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct HalfClose {
}

impl Fault for HalfClose {
    const INFO: FaultInfo = FaultInfo {
        name: "half-close",
        summary: "ends its own direction after a whole answer, and reads on",
        doc: "The answer is written whole and without `Connection: close`, then a FIN ends the direction \
              towards the gateway; what the gateway still sends is read, never answered, and the \
              connection lives until the gateway closes its own direction: a server that calls shutdown \
              and forgets close. A gateway that takes no notice collects sockets in CLOSE_WAIT, and sends \
              its next request to somebody who will never answer.",
        example: "half-close: {}",
        host: Host::Link,
        points: &[Point::ResponseHead],
    };

    fn order(&self, _: Point, _: &Facts<'_>, _: u64) -> Order {
        Order::End(Terminal::Part { announce: false, then: Parting::HalfClose })
    }
}
