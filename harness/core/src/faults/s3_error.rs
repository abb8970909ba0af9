//! `s3-error`: answers an S3 error

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Fault, FaultInfo, Host, Order, Terminal};
use crate::rules::{Facts, Point};

/// The mock answers the S3 error `code` with its own status (or `status`), XML body and request ids, and does
/// nothing else: SlowDown, InternalError, ServiceUnavailable and all others.
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
}

/// The status S3 sends with a code (AWS S3 API reference, "Error responses").
pub(super) fn usual_status(code: &str) -> u16 {
    match code {
        "PermanentRedirect" => 301,
        "TemporaryRedirect" => 307,
        "AccessDenied" | "InvalidAccessKeyId" | "SignatureDoesNotMatch" | "RequestTimeTooSkewed"
        | "InvalidObjectState" | "AllAccessDisabled" | "AccountProblem" | "InvalidSecurity" => 403,
        "NoSuchKey" | "NoSuchBucket" | "NoSuchUpload" | "NoSuchVersion" | "NoSuchBucketPolicy" => 404,
        "MethodNotAllowed" => 405,
        "BucketAlreadyExists" | "BucketNotEmpty" | "OperationAborted" | "ConditionalRequestConflict" => 409,
        "MissingContentLength" => 411,
        "PreconditionFailed" => 412,
        "InvalidRange" => 416,
        "InternalError" => 500,
        "NotImplemented" => 501,
        "ServiceUnavailable" | "SlowDown" | "Busy" => 503,
        _ => 400,
    }
}

fn usual_message(code: &str) -> &'static str {
    match code {
        "SlowDown" => "Please reduce your request rate.",
        "InternalError" => "We encountered an internal error. Please try again.",
        "ServiceUnavailable" => "Service is unable to handle request.",
        "AccessDenied" => "Access Denied",
        "NoSuchKey" => "The specified key does not exist.",
        _ => "Injected by the scenario.",
    }
}

impl Fault for S3Error {
    const INFO: FaultInfo = FaultInfo {
        name: "s3-error",
        summary: "answers an S3 error",
        doc: "The mock answers the S3 error `code` with its own status (or `status`), XML body and request \
              ids, and does nothing else: SlowDown, InternalError, ServiceUnavailable and all others.",
        example: "s3-error: { code: SlowDown }",
        host: Host::Mock,
        points: &[Point::MockHandle],
    };

    fn order(&self, _: Point, _: &Facts<'_>, _: u64) -> Order {
        Order::End(Terminal::S3Error {
            status: self.status.unwrap_or_else(|| usual_status(&self.code)),
            code: self.code.clone(),
            message: self.message.clone().unwrap_or_else(|| usual_message(&self.code).to_owned()),
        })
    }
}
