//! `empty-503`: answers 503 without a body

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Fault, FaultInfo, Host, Order, Terminal};
use crate::rules::{Facts, Point};

/// The mock answers 503 with Content-Length 0 and no S3 document: an overloaded front end.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Empty503 {

}

impl Fault for Empty503 {
    const INFO: FaultInfo = FaultInfo {
        name: "empty-503",
        summary: "answers 503 without a body",
        doc: "The mock answers 503 with Content-Length 0 and no S3 document: an overloaded front end.",
        example: "empty-503: {}",
        host: Host::Mock,
        points: &[Point::MockHandle],
    };

    fn order(&self, _: Point, _: &Facts<'_>, _: u64) -> Order {
        Order::End(Terminal::Status { status: 503, empty: true })
    }
}
