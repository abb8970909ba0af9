//! `swallow`: accepts, reads, never answers

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Fault, FaultInfo, Host, Order, Terminal};
use crate::rules::{Facts, Point};

/// The connection is accepted and the request is read, but no byte ever comes back: a hung server behind a
/// healthy load balancer.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Swallow {

}

impl Fault for Swallow {
    const INFO: FaultInfo = FaultInfo {
        name: "swallow",
        summary: "accepts, reads, never answers",
        doc: "The connection is accepted and the request is read, but no byte ever comes back: a hung \
              server behind a healthy load balancer.",
        example: "swallow: {}",
        host: Host::Link,
        points: &[Point::RequestHead],
    };

    fn order(&self, _: Point, _: &Facts<'_>, _: u64) -> Order {
        Order::End(Terminal::Swallow)
    }
}
