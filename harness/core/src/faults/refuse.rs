//! `refuse`: refuses connections

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Fault, FaultInfo, Host};

/// The link's listener is closed and its open connections are reset: a dead process or a security group that
/// rejects. Our own probe confirms the interval.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Refuse {

}

impl Fault for Refuse {
    const INFO: FaultInfo = FaultInfo {
        name: "refuse",
        summary: "refuses connections",
        doc: "The link's listener is closed and its open connections are reset: a dead process or a \
              security group that rejects. Our own probe confirms the interval.",
        example: "refuse: {}",
        host: Host::Listener,
        points: &[],
    };
}
