//! `stale-read`: reads see the version before

use gatecrash_model::Op;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Fault, FaultInfo, Host, Order, S3Order, Terminal};
use crate::rules::{Facts, Point};
use crate::units::Span;

/// GetObject and HeadObject see the key as it was `by` ago: the version before, or nothing.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct StaleRead {
    /// How old what they see is.
    pub by: Span,
}

impl Fault for StaleRead {
    const INFO: FaultInfo = FaultInfo {
        name: "stale-read",
        summary: "reads see the version before",
        doc: "GetObject and HeadObject see the key as it was `by` ago: the version before, or nothing. S3 \
              is consistent since December 2020; caches, replicas and other stores are not. Objects that \
              change (`change-every`) are what was current then: on one region, that region lags.",
        example: "stale-read: { by: 2s }",
        host: Host::Mock,
        points: &[Point::MockHandle],
    };

    fn order(&self, _: Point, facts: &Facts<'_>, _: u64) -> Order {
        match facts.op {
            Op::GetObject | Op::HeadObject => Order::End(Terminal::S3(S3Order::Stale(self.by.0))),
            _ => Order::Continue,
        }
    }
}
