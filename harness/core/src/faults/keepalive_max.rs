//! `keepalive-max`: closes after so many answers on a connection

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Fault, FaultInfo, Host, Order, Parting, Terminal, With};
use crate::rules::{Facts, Point};

/// The answer that reaches the limit is the last one of its connection.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct KeepaliveMax {
    /// Answers on a connection, at least 1.
    #[schemars(range(min = 1))]
    pub requests: u16,
    /// Whether the last answer says `Connection: close`. Default: true.
    #[serde(default = "announced")]
    pub announce: bool,
}

fn announced() -> bool {
    true
}

impl Fault for KeepaliveMax {
    const INFO: FaultInfo = FaultInfo {
        name: "keepalive-max",
        summary: "closes after so many answers on a connection",
        doc: "The `requests`th answer on a connection is its last: it is written whole, with `Connection: \
              close` unless `announce` is false, and a FIN follows: what servers do by their request limit \
              (nginx `keepalive_requests`, Apache `MaxKeepAliveRequests`), most of them announced. \
              Unannounced, the gateway's next request may meet the FIN on its way.",
        example: "keepalive-max: { requests: 5, announce: false }",
        host: Host::Link,
        points: &[Point::ResponseHead],
    };

    fn order(&self, _: Point, facts: &Facts<'_>, _: u64) -> Order {
        if u32::from(facts.ordinal) + 1 < u32::from(self.requests) {
            return Order::Continue;
        }
        Order::End(Terminal::Part { announce: self.announce, then: Parting::Close(With::Fin) })
    }

    fn problem(&self) -> Option<&'static str> {
        (self.requests == 0).then_some("`requests` of at least 1")
    }
}
