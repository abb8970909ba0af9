//! `routing-dial`: requests are served by another region than the one they were sent to

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Fault, FaultInfo, Host};
use crate::units::Share;

/// What arrives at any endpoint is served by a region drawn by these shares, as behind a Multi-Region Access
/// Point whose traffic dials stand so.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RoutingDial {
    /// Region to its dial; the dials are weights, and a region that is not named has 0 %.
    pub shares: BTreeMap<String, Share>,
}

impl Fault for RoutingDial {
    const INFO: FaultInfo = FaultInfo {
        name: "routing-dial",
        summary: "requests are served by another region than the one they were sent to",
        doc: "What arrives at any endpoint is served by a region drawn by these shares, as behind a \
              Multi-Region Access Point whose traffic dials stand so: a region at 0 % is passive and sees \
              no request, and an object that is not replicated to the one that serves is 404 NoSuchKey. The \
              shares are weights; one has to be above 0 %. Buckets that are in one region only are served \
              there.",
        example: "routing-dial: { shares: { us-east-1: 0%, us-west-2: 100% } }",
        host: Host::MockSetting,
        points: &[],
    };

    fn problem(&self) -> Option<&'static str> {
        self.shares.values().all(|share| share.0 <= 0.0).then_some("a region above 0%")
    }
}
