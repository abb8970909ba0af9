//! `pause`: stops every process of the gateway, and lets them go on

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Fault, FaultInfo, Host};

/// Every process of the gateway is stopped (SIGSTOP) for the interval and then goes on (SIGCONT): a suspended
/// virtual machine, a frozen container, a long collection of garbage. The kernel still accepts connections.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Pause {}

impl Fault for Pause {
    const INFO: FaultInfo = FaultInfo {
        name: "pause",
        summary: "stops every process of the gateway, and lets them go on",
        doc: "Every process of the gateway is stopped (SIGSTOP) for the interval and then goes on (SIGCONT): a \
              suspended virtual machine, a frozen container, a long collection of garbage. The kernel still \
              accepts connections.",
        example: "pause: {}",
        host: Host::Process,
        points: &[],
    };
}
