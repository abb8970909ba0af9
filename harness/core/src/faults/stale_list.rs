//! `stale-list`: listings show the keys of before

use gatecrash_model::Op;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Fault, FaultInfo, Host, Order, S3Order, Terminal};
use crate::rules::{Facts, Point};
use crate::units::Span;

/// Listings of objects and versions show the bucket as it was `by` ago.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct StaleList {
    /// How old what they show is.
    pub by: Span,
}

impl Fault for StaleList {
    const INFO: FaultInfo = FaultInfo {
        name: "stale-list",
        summary: "listings show the keys of before",
        doc: "ListObjects, ListObjectsV2 and ListObjectVersions show the bucket as it was `by` ago: new \
              keys are missing, deleted ones still there.",
        example: "stale-list: { by: 2s }",
        host: Host::Mock,
        points: &[Point::MockHandle],
    };

    fn order(&self, _: Point, facts: &Facts<'_>, _: u64) -> Order {
        match facts.op {
            Op::ListObjects | Op::ListObjectsV2 | Op::ListObjectVersions => {
                Order::End(Terminal::S3(S3Order::Stale(self.by.0)))
            }
            _ => Order::Continue,
        }
    }
}
