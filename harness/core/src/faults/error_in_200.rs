//! `error-in-200`: status 200 first, then white space, then an error

use gatecrash_model::Op;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Fault, FaultInfo, Host, Order, S3Order, S3Reply, Terminal};
use crate::rules::{Facts, Point};
use crate::units::Span;

/// CompleteMultipartUpload, CopyObject and UploadPartCopy: status 200 goes out at once, white space follows
/// every `every` for `for`, then an `Error` document with `code`; without `code`, the real result, as S3 keeps a
/// connection alive over long work.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ErrorIn200 {
    /// S3 error code in the document; nothing is done then. Default: none, the work is done and told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Between two spaces. Default: 100ms.
    #[serde(default = "every")]
    pub every: Span,
    /// From the head to the document. Default: 0s.
    #[serde(default)]
    pub r#for: Span,
}

fn every() -> Span {
    Span::millis(100)
}

impl Fault for ErrorIn200 {
    const INFO: FaultInfo = FaultInfo {
        name: "error-in-200",
        summary: "status 200 first, then white space, then an error",
        doc: "CompleteMultipartUpload, CopyObject and UploadPartCopy: status 200 goes out at once, white \
              space follows every `every` for `for`, then an `Error` document with `code`; without `code`, \
              the real result, as S3 keeps a connection alive over long work. (AWS: CopyObject and \
              CompleteMultipartUpload, \"200 OK\" responses that contain an error.)",
        example: "error-in-200: { code: InternalError, every: 50ms, for: 300ms }",
        host: Host::Mock,
        points: &[Point::MockHandle],
    };

    fn order(&self, _: Point, facts: &Facts<'_>, _: u64) -> Order {
        match facts.op {
            Op::CompleteMultipartUpload | Op::CopyObject | Op::UploadPartCopy => {
                Order::End(Terminal::S3(S3Order::Trickle {
                    every: self.every.0.max(1_000_000),
                    lasts: self.r#for.0,
                    error: self.code.as_deref().map(S3Reply::of),
                }))
            }
            _ => Order::Continue,
        }
    }
}
