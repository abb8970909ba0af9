//! `slice`: sends the response in small segments

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Fault, FaultInfo, Host, Order, Pace};
use crate::rules::{Facts, Point};
use crate::units::{Size, Span};

/// The whole response in segments of `size` bytes.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Slice {
    /// Bytes per segment.
    pub size: Size,
    /// Time between segments. Default: none.
    #[serde(default)]
    pub every: Span,
}

impl Fault for Slice {
    const INFO: FaultInfo = FaultInfo {
        name: "slice",
        summary: "sends the response in small segments",
        doc: "Head and body of the response are written `size` bytes at a time, each write a TCP segment \
              of its own (Nagle's algorithm is off), `every` so often: small packets of a congested or \
              padded path. Not a byte differs, so nothing may break; parsers that expect a line or a chunk \
              size in one read do.",
        example: "slice: { size: 7B, every: 1ms }",
        host: Host::Link,
        points: &[Point::ResponseHead],
    };

    fn order(&self, _: Point, _: &Facts<'_>, _: u64) -> Order {
        Order::PaceAll(Pace { bytes: self.size.0.max(1), every: self.every.0 })
    }
}
