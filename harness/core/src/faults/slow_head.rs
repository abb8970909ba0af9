//! `slow-head`: trickles the response head

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Fault, FaultInfo, Host, Order, Pace};
use crate::rules::{Facts, Point};
use crate::units::{Size, Span};

/// The response head is written `bytes` at a time, `every` so often: an upstream that is alive but useless.
/// Per-read timeouts never fire, total ones must.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct SlowHead {
    /// Bytes per step.
    pub bytes: Size,
    /// Time between steps.
    pub every: Span,
}

impl Fault for SlowHead {
    const INFO: FaultInfo = FaultInfo {
        name: "slow-head",
        summary: "trickles the response head",
        doc: "The response head is written `bytes` at a time, `every` so often: an upstream that is alive \
              but useless. Per-read timeouts never fire, total ones must.",
        example: "slow-head: { bytes: 1B, every: 100ms }",
        host: Host::Link,
        points: &[Point::ResponseHead],
    };

    fn order(&self, _: Point, _: &Facts<'_>, _: u64) -> Order {
        Order::PaceHead(Pace { bytes: self.bytes.0.max(1), every: self.every.0 })
    }
}
