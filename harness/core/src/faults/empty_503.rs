//! `empty-503`: answers 503 without a body

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Fault, FaultInfo, Host, Order, S3Order, Terminal, Wait};
use crate::rules::{Facts, Point};
use crate::units::Span;

/// The mock answers 503 with Content-Length 0 and no S3 document: an overloaded front end.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Empty503 {
    /// Sent as `Retry-After`, in whole seconds. Default: not sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<Span>,
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
        let wait = Wait { retry_after: self.retry_after, ..Wait::default() };
        Order::End(Terminal::S3(S3Order::Status { status: 503, empty: true, wait }))
    }
}
