//! `bucket-policy`: changes a bucket policy

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Fault, FaultInfo, Host};
use super::statement::Statement;

/// For the interval, a statement is added to the bucket's policy, or the policy is replaced: the mock
/// evaluates each request.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct BucketPolicy {
    /// Bucket, by its name in the scenario.
    pub bucket: String,
    /// One statement to add, AWS JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub add: Option<Statement>,
    /// Statements that replace the whole policy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replace: Option<Vec<Statement>>,
}

impl Fault for BucketPolicy {
    const INFO: FaultInfo = FaultInfo {
        name: "bucket-policy",
        summary: "changes a bucket policy",
        doc: "For the interval, a statement is added to the bucket's policy, or the policy is replaced: the \
              mock evaluates each request, with `Condition` where the statement has one: requests come \
              from 127.0.0.1, without TLS unless the upstream has it, and through no VPC endpoint.",
        example: "bucket-policy: { bucket: media, add: { Effect: Deny, Principal: \"*\", Action: \"s3:GetObject\", Resource: \"arn:aws:s3:::media/*\" } }",
        host: Host::MockSetting,
        points: &[],
    };
}
