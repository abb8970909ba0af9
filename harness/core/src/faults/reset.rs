//! `reset`: resets the connection

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Fault, FaultInfo, Host, Order, Terminal, With};
use crate::plan::Side;
use crate::rules::{Facts, Point};
use crate::units::Size;

/// An RST at one point of the exchange: on accept, when the request head was read (nothing reaches the
/// upstream), in the middle of the response head, or after n body bytes (which have left before the RST):
/// crashed servers, expired NAT entries, aborted load balancers.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Reset {
    /// When.
    pub at: ResetAt,
}

/// The point of a reset.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ResetAt {
    /// On accept, before anything is read.
    Accept,
    /// After the request head, before anything is answered.
    Request,
    /// In the middle of the response head.
    Headers,
    /// After this many body bytes.
    Bytes(Size),
}

impl Fault for Reset {
    const INFO: FaultInfo = FaultInfo {
        name: "reset",
        summary: "resets the connection",
        doc: "An RST at one point of the exchange: on accept, when the request head was read (nothing \
              reaches the upstream), in the middle of the response head, or after n body bytes (which have \
              left before the RST): crashed servers, expired NAT entries, aborted load balancers.",
        example: "reset: { at: request }",
        host: Host::Link,
        points: &[Point::Accept, Point::RequestHead, Point::ResponseHead],
    };

    const SIDES: &'static [Side] = &[Side::Upstream, Side::Client];

    fn order(&self, point: Point, _: &Facts<'_>, _: u64) -> Order {
        match (self.at, point) {
            (ResetAt::Accept, Point::Accept) | (ResetAt::Request, Point::RequestHead) => {
                Order::End(Terminal::Close(With::Rst))
            }
            (ResetAt::Headers, Point::ResponseHead) => Order::End(Terminal::CutHead(20, With::Rst)),
            (ResetAt::Bytes(n), Point::ResponseHead) => Order::End(Terminal::CutBody(n.0, With::Rst)),
            _ => Order::Continue,
        }
    }
}
