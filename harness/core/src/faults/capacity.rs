//! `capacity`: gives the upstream a finite capacity

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Fault, FaultInfo, Host};
use crate::units::Span;

/// Requests of the region are served by `servers` at a time, each for `service-time`; `queue` more wait, the
/// rest get SlowDown. Work goes on after the caller hangs up, as in a real server.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Capacity {
    /// Requests served at once.
    pub servers: u32,
    /// Time each takes.
    pub service_time: Span,
    /// Requests that may wait.
    pub queue: u32,
}

impl Fault for Capacity {
    const INFO: FaultInfo = FaultInfo {
        name: "capacity",
        summary: "gives the upstream a finite capacity",
        doc: "Requests of the region are served by `servers` at a time, each for `service-time`; `queue` \
              more wait, the rest get SlowDown. Work goes on after the caller hangs up, as in a real \
              server.",
        example: "capacity: { servers: 4, service-time: 20ms, queue: 50 }",
        host: Host::MockSetting,
        points: &[],
    };
}
