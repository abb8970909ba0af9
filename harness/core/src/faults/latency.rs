//! `latency`: adds a delay before the response

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Fault, FaultInfo, Host, Order};
use crate::plan::Side;
use crate::rules::{Facts, Point};
use crate::units::Span;

/// The link holds the request for `add`, give or take `jitter` (uniform), before it goes on: a slow upstream
/// or path. Whole exchange, one way, once.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Latency {
    /// Added delay.
    pub add: Span,
    /// Uniform spread around it; at most `add`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jitter: Option<Span>,
}

impl Fault for Latency {
    const INFO: FaultInfo = FaultInfo {
        name: "latency",
        summary: "adds a delay before the response",
        doc: "The link holds the request for `add`, give or take `jitter` (uniform), before it goes on: a \
              slow upstream or path. Whole exchange, one way, once.",
        example: "latency: { add: 400ms, jitter: 100ms }",
        host: Host::Link,
        points: &[Point::RequestHead],
    };

    const SIDES: &'static [Side] = &[Side::Upstream, Side::Client];

    fn order(&self, _: Point, _: &Facts<'_>, draw: u64) -> Order {
        let spread = self.jitter.unwrap_or_default().0.min(self.add.0);
        let unit = gatecrash_model::draw::unit(gatecrash_model::hash::mix(draw ^ 0x1a7e));
        Order::Delay(self.add.0 - spread + (unit * 2.0 * spread as f64) as u64)
    }
}
