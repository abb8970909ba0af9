//! `slow-body`: trickles the response body

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Fault, FaultInfo, Host, Order, Pace};
use crate::plan::Side;
use crate::rules::{Facts, Point};
use crate::units::{Size, Span};

/// The response body is written `bytes` at a time, `every` so often: per-read timeouts never fire, total ones
/// must.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct SlowBody {
    /// Bytes per step.
    pub bytes: Size,
    /// Time between steps.
    pub every: Span,
}

impl Fault for SlowBody {
    const INFO: FaultInfo = FaultInfo {
        name: "slow-body",
        summary: "trickles the response body",
        doc: "The response body is written `bytes` at a time, `every` so often: per-read timeouts never \
              fire, total ones must.",
        example: "slow-body: { bytes: 512B, every: 50ms }",
        host: Host::Link,
        points: &[Point::ResponseHead],
    };

    const SIDES: &'static [Side] = &[Side::Upstream, Side::Client];

    fn order(&self, _: Point, _: &Facts<'_>, _: u64) -> Order {
        Order::PaceBody(Pace { bytes: self.bytes.0.max(1), every: self.every.0 })
    }
}
