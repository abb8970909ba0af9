//! `iam`: changes what an identity may do

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Fault, FaultInfo, Host};

/// For the interval, actions are removed from the identity's allow list, or explicitly denied: the mock
/// evaluates each request, no 403 is forged.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Iam {
    /// Identity name.
    pub identity: String,
    /// Actions taken out of its allow statements.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remove: Vec<String>,
    /// Actions denied explicitly, on every resource.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub deny: Vec<String>,
}

impl Fault for Iam {
    const INFO: FaultInfo = FaultInfo {
        name: "iam",
        summary: "changes what an identity may do",
        doc: "For the interval, actions are removed from the identity's allow list, or explicitly denied: \
              the mock evaluates each request, no 403 is forged.",
        example: "iam: { identity: app, remove: [\"s3:GetObject\"] }",
        host: Host::MockSetting,
        points: &[],
    };
}
