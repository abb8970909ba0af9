//! `descriptors`: limits the gateway's open files

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Fault, FaultInfo, Host};

/// The soft limit of open descriptors of every gateway process is lowered (RLIMIT_NOFILE) for the interval,
/// and restored.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Descriptors {
    /// Open files allowed per process.
    pub limit: u64,
}

impl Fault for Descriptors {
    const INFO: FaultInfo = FaultInfo {
        name: "descriptors",
        summary: "limits the gateway's open files",
        doc: "The soft limit of open descriptors of every gateway process is lowered (RLIMIT_NOFILE) for \
              the interval, and restored.",
        example: "descriptors: { limit: 32 }",
        host: Host::Process,
        points: &[],
    };
}
