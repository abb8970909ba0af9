//! `bandwidth`: limits the response body's rate

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Fault, FaultInfo, Host, Order, Pace};
use crate::plan::Side;
use crate::rules::{Facts, Point};
use crate::units::Size;

/// Body bytes reach the gateway at no more than `rate` per second on each connection: a congested or shaped
/// path.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Bandwidth {
    /// Bytes per second.
    pub rate: Size,
}

impl Fault for Bandwidth {
    const INFO: FaultInfo = FaultInfo {
        name: "bandwidth",
        summary: "limits the response body's rate",
        doc: "Body bytes reach the gateway at no more than `rate` per second on each connection: a \
              congested or shaped path.",
        example: "bandwidth: { rate: 64KiB }",
        host: Host::Link,
        points: &[Point::ResponseHead],
    };

    const SIDES: &'static [Side] = &[Side::Upstream, Side::Client];

    fn order(&self, _: Point, _: &Facts<'_>, _: u64) -> Order {
        let bytes = (self.rate.0 / 50).max(1);
        Order::PaceBody(Pace { bytes, every: bytes * 1_000_000_000 / self.rate.0.max(1) })
    }
}
