//! `block-public-access`: somebody turns Block Public Access on

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Fault, FaultInfo, Host};

/// For the interval, the bucket serves nobody but its own account, as long as its policy is public.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct BlockPublicAccess {
    /// Bucket, by its name in the scenario.
    pub bucket: String,
}

impl Fault for BlockPublicAccess {
    const INFO: FaultInfo = FaultInfo {
        name: "block-public-access",
        summary: "somebody turns Block Public Access on",
        doc: "For the interval, the bucket serves nobody but its own account, as long as its policy is \
              public: requests that are not signed get 403 AccessDenied, although no statement denies them \
              (Amazon S3 User Guide, Blocking public access to your Amazon S3 storage: \
              RestrictPublicBuckets). The mock evaluates each request.",
        example: "block-public-access: { bucket: media }",
        host: Host::MockSetting,
        points: &[],
    };
}
