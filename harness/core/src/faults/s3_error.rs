//! `s3-error`: answers an S3 error

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Fault, FaultInfo, Host, Order, S3Order, S3Reply, Terminal, Wait};
use crate::rules::{Facts, Point};
use crate::units::Span;

/// The mock answers the S3 error `code` with its own status (or `status`), the XML elements S3 sends with it and
/// request ids, and does nothing else: SlowDown, InternalError, ServiceUnavailable and all others.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct S3Error {
    /// S3 error code.
    pub code: String,
    /// Status, when the code's own is not wanted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Message, when the usual one is not wanted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Sent as `Retry-After`, in whole seconds. Default: not sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<Span>,
    /// Sent as `x-amz-retry-after`, in milliseconds. Default: not sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amz_retry_after: Option<Span>,
}

impl Fault for S3Error {
    const INFO: FaultInfo = FaultInfo {
        name: "s3-error",
        summary: "answers an S3 error",
        doc: "The mock answers the S3 error `code` with its own status (or `status`), the XML elements S3 \
              sends with it and request ids, and does nothing else: SlowDown, InternalError, \
              ServiceUnavailable and all others. `match` narrows it to an operation, a key, a prefix, a \
              part or an identity.",
        example: "s3-error: { code: SlowDown, retry-after: 2s }",
        host: Host::Mock,
        points: &[Point::MockHandle],
    };

    fn order(&self, _: Point, _: &Facts<'_>, _: u64) -> Order {
        Order::End(Terminal::S3(S3Order::Error(S3Reply {
            code: self.code.clone(),
            status: self.status,
            message: self.message.clone(),
            wait: Wait { retry_after: self.retry_after, amz_retry_after: self.amz_retry_after },
        })))
    }
}
