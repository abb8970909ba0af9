//! `half-request`: sends the beginning of a request and leaves

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Fault, FaultInfo, Host, Order, Terminal, With};
use crate::plan::Side;
use crate::rules::{Facts, Point};
use crate::units::Size;

/// The gateway gets the request up to a point, then a FIN, an RST or nothing more.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct HalfRequest {
    /// How far it gets; never to its last byte.
    pub at: HalfAt,
    /// What follows.
    #[serde(default)]
    pub with: Leaving,
}

/// How far a request gets.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum HalfAt {
    /// This many bytes of the head.
    Head(Size),
    /// The head and this many bytes of the body. A request without a body gets to the last byte of its head.
    Body(Size),
}

/// How a client leaves in the middle of its request.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Leaving {
    /// A FIN; what the gateway answers is still read.
    Fin,
    /// An RST.
    #[default]
    Rst,
    /// It stays and says nothing more.
    Stall,
}

impl Fault for HalfRequest {
    const INFO: FaultInfo = FaultInfo {
        name: "half-request",
        summary: "sends the beginning of a request and leaves",
        doc: "On the clients' side (`target: { side: client }`) only: the gateway gets `head` bytes of the request's \
              head, or the head and `body` bytes of its body, never all of it; then a FIN, an RST, or nothing more \
              until the gateway hangs up or the client gives up (the workload's `timeout`). Users who close the \
              tab, phones that lose the network in the middle of an upload. The gateway must let go of the \
              connection and of the upstream's, and an upload that was cut short must not become an object (RFC \
              9112 8: an incomplete message is no message). The requests it touches are left out of the \
              expectations; what is expected holds for all others.",
        example: "half-request: { at: { body: 16KiB }, with: rst }",
        host: Host::Link,
        points: &[Point::RequestHead],
    };

    const SIDES: &'static [Side] = &[Side::Client];

    fn order(&self, _: Point, _: &Facts<'_>, _: u64) -> Order {
        Order::End(Terminal::Half(self.at, self.with))
    }
}

impl Leaving {
    /// How the connection ends.
    pub fn ends(self) -> With {
        match self {
            Self::Fin | Self::Stall => With::Fin,
            Self::Rst => With::Rst,
        }
    }
}
