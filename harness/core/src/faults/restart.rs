//! `restart`: stops the gateway and starts it again

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Fault, FaultInfo, Host};
use crate::units::Span;

/// At the beginning of the interval the gateway is stopped by the signal its recipe names, and started again on the
/// same port as soon as it has ended: a deployment without a second instance. The run ends when it does not answer
/// in time. The interval should hold the restart and the requests it cuts off: `for: 1s` suits most.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Restart {
    /// How long until it answers again. Default: 10s.
    #[serde(default = "within")]
    pub within: Span,
}

fn within() -> Span {
    Span::seconds(10)
}

impl Fault for Restart {
    const INFO: FaultInfo = FaultInfo {
        name: "restart",
        summary: "stops the gateway and starts it again",
        doc: "At the beginning of the interval the gateway is stopped by the signal its recipe names, and started \
              again on the same port as soon as it has ended: a deployment without a second instance. The run \
              ends when it does not answer in time. The interval should hold the restart and the requests it \
              cuts off: `for: 1s` suits most.",
        example: "restart: { within: 5s }",
        host: Host::Process,
        points: &[],
    };
}
