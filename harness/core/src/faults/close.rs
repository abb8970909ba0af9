//! `close`: ends the connection by FIN

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Fault, FaultInfo, Host, Order, ResetAt, Terminal, With};
use crate::plan::Side;
use crate::rules::{Facts, Point};

/// A FIN at one point of the exchange, where `reset` sends an RST: a server that shuts down, a load balancer that
/// closes in good order in the middle of an answer. Some gateways take it for the end of the message.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Close {
    /// When; the same points as for `reset`.
    pub at: ResetAt,
}

impl Fault for Close {
    const INFO: FaultInfo = FaultInfo {
        name: "close",
        summary: "ends the connection by FIN",
        doc: "A FIN at one point of the exchange, where `reset` sends an RST: a server that shuts down, a load \
              balancer that closes in good order in the middle of an answer. Some gateways take it for the end \
              of the message.",
        example: "close: { at: headers }",
        host: Host::Link,
        points: &[Point::Accept, Point::RequestHead, Point::ResponseHead],
    };

    const SIDES: &'static [Side] = &[Side::Upstream, Side::Client];

    fn order(&self, point: Point, _: &Facts<'_>, _: u64) -> Order {
        match (self.at, point) {
            (ResetAt::Accept, Point::Accept) | (ResetAt::Request, Point::RequestHead) => {
                Order::End(Terminal::Close(With::Fin))
            }
            (ResetAt::Headers, Point::ResponseHead) => Order::End(Terminal::CutHead(20, With::Fin)),
            (ResetAt::Bytes(n), Point::ResponseHead) => Order::End(Terminal::CutBody(n.0, With::Fin)),
            _ => Order::Continue,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_point_has_its_own_end() {
        let facts = Facts::connection(0, 1, 0, 0);
        let at = |at, point| Close { at }.order(point, &facts, 0);
        assert_eq!(at(ResetAt::Request, Point::RequestHead), Order::End(Terminal::Close(With::Fin)));
        assert_eq!(at(ResetAt::Request, Point::ResponseHead), Order::Continue);
        assert_eq!(at(ResetAt::Headers, Point::ResponseHead), Order::End(Terminal::CutHead(20, With::Fin)));
        let cut = ResetAt::Bytes(crate::units::Size(7));
        assert_eq!(at(cut, Point::ResponseHead), Order::End(Terminal::CutBody(7, With::Fin)));
    }
}
