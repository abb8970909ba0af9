//! `slow-request`: sends a request a few bytes at a time

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Fault, FaultInfo, Host, Order, Pace};
use crate::plan::Side;
use crate::rules::{Facts, Point};
use crate::units::{Size, Span};

/// The request, head and body, reaches the gateway `bytes` at a time, `every` so often.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct SlowRequest {
    /// Bytes per step.
    pub bytes: Size,
    /// Time between steps.
    pub every: Span,
}

impl Fault for SlowRequest {
    const INFO: FaultInfo = FaultInfo {
        name: "slow-request",
        summary: "sends a request a few bytes at a time",
        doc: "On the clients' side (`target: { side: client }`) only: the request, head and body, reaches the \
              gateway `bytes` at a time, `every` so often, until it is whole, the gateway answers or hangs up, or \
              the client gives up (the workload's `timeout`). A phone on a bad network, or slowloris: each slow \
              request holds a connection and, behind gateways that serve a connection with a thread, a thread. The \
              requests it touches are left out of the expectations; what is expected holds for all others.",
        example: "slow-request: { bytes: 4B, every: 50ms }",
        host: Host::Link,
        points: &[Point::RequestHead],
    };

    const SIDES: &'static [Side] = &[Side::Client];

    fn order(&self, _: Point, _: &Facts<'_>, _: u64) -> Order {
        Order::PaceRequest(Pace { bytes: self.bytes.0.max(1), every: self.every.0 })
    }

    fn problem(&self) -> Option<&'static str> {
        (self.bytes.0 == 0 || self.every.0 == 0).then_some("`bytes` and `every` above zero")
    }
}
