//! `status`: answers a bare status

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Fault, FaultInfo, Host, Order, S3Order, Terminal, Wait};
use crate::rules::{Facts, Point};
use crate::units::Span;

/// The mock answers `status` with a short text body that is no S3 document: a load balancer or proxy in front
/// of S3 speaking.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Status {
    /// HTTP status, 200 to 599.
    pub status: u16,
    /// Sent as `Retry-After`, in whole seconds. Default: not sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<Span>,
}

impl Fault for Status {
    const INFO: FaultInfo = FaultInfo {
        name: "status",
        summary: "answers a bare status",
        doc: "The mock answers `status` with a short text body that is no S3 document: a load balancer or \
              proxy in front of S3 speaking.",
        example: "status: { status: 502 }",
        host: Host::Mock,
        points: &[Point::MockHandle],
    };

    fn order(&self, _: Point, _: &Facts<'_>, _: u64) -> Order {
        let wait = Wait { retry_after: self.retry_after, ..Wait::default() };
        Order::End(Terminal::S3(S3Order::Status { status: self.status, empty: false, wait }))
    }
}
