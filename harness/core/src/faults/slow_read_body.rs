//! `slow-read-body`: reads the request body slowly

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Fault, FaultInfo, Host, Order, Pace};
use crate::rules::{Facts, Point};
use crate::units::{Size, Span};

/// The request body is read `bytes` at a time, `every` so often.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct SlowReadBody {
    /// Bytes per step.
    pub bytes: Size,
    /// Time between steps.
    pub every: Span,
}

impl Fault for SlowReadBody {
    const INFO: FaultInfo = FaultInfo {
        name: "slow-read-body",
        summary: "reads the request body slowly",
        doc: "The body of a PUT or POST is read `bytes` at a time, `every` so often; what the kernel takes in \
              advance, some 64 KiB, leaves the gateway at once, and the rest at that pace: a server whose disk \
              cannot keep up. Each write of the gateway succeeds in the end, so timeouts per write never fire \
              and only a limit on the whole request bounds it; a gateway that buffers uploads holds them \
              meanwhile.",
        example: "slow-read-body: { bytes: 16KiB, every: 50ms }",
        host: Host::Link,
        points: &[Point::RequestHead],
    };

    fn order(&self, _: Point, facts: &Facts<'_>, _: u64) -> Order {
        match facts.method {
            "PUT" | "POST" => Order::PaceUpload(Pace { bytes: self.bytes.0.max(1), every: self.every.0 }),
            _ => Order::Continue,
        }
    }
}
