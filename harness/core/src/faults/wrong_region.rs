//! `wrong-region`: a bucket answers that it lives elsewhere

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Fault, FaultInfo, Host};

/// For the interval the bucket is gone from the region: requests get 301 PermanentRedirect with the right
/// region, or 400 AuthorizationHeaderMalformed when signed for this one.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct WrongRegion {
    /// Bucket, by its name in the scenario.
    pub bucket: String,
}

impl Fault for WrongRegion {
    const INFO: FaultInfo = FaultInfo {
        name: "wrong-region",
        summary: "a bucket answers that it lives elsewhere",
        doc: "For the interval the bucket is gone from the region: requests get 301 PermanentRedirect with \
              the right region, or 400 AuthorizationHeaderMalformed when signed for this one.",
        example: "wrong-region: { bucket: media }",
        host: Host::MockSetting,
        points: &[],
    };
}
