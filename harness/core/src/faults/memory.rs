//! `memory`: limits the gateway's memory

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Fault, FaultInfo, Host};
use crate::units::Size;

/// The gateway's memory is limited for the interval: all its processes together by a control group of version 2
/// (beyond the limit the kernel kills one), or where there is none each process by RLIMIT_DATA (beyond the limit
/// allocations fail). The run says which it was.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Memory {
    /// Bytes.
    pub limit: Size,
}

impl Fault for Memory {
    const INFO: FaultInfo = FaultInfo {
        name: "memory",
        summary: "limits the gateway's memory",
        doc: "The gateway's memory is limited for the interval: all its processes together by a control group of \
              version 2 (beyond the limit the kernel kills one), or where there is none each process by \
              RLIMIT_DATA (beyond the limit allocations fail). The run says which it was.",
        example: "memory: { limit: 64MiB }",
        host: Host::Process,
        points: &[],
    };

    fn problem(&self) -> Option<&'static str> {
        (self.limit.0 == 0).then_some("a limit of at least one byte")
    }
}
