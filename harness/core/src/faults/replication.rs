//! `replication`: what is written stays where it was written

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Fault, FaultInfo, Host};
use crate::units::Span;

/// Replication of a bucket pauses and catches up afterwards, or drops what is written meanwhile, or takes
/// another lag.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Replication {
    /// Bucket, by its name in the scenario; it has `replication`.
    pub bucket: String,
    /// What happens to what is written meanwhile. Default: it is replicated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<ReplicationMode>,
    /// The median lag meanwhile. Default: the bucket's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lag: Option<Span>,
}

/// What becomes of writes that are due to be replicated.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ReplicationMode {
    /// They wait until the fault ends (x-amz-replication-status PENDING).
    Pause,
    /// They are never replicated (FAILED).
    Drop,
}

impl Fault for Replication {
    const INFO: FaultInfo = FaultInfo {
        name: "replication",
        summary: "what is written stays where it was written",
        doc: "Replication of a bucket pauses (`mode: pause`, x-amz-replication-status PENDING) and catches \
              up afterwards, or drops what is written meanwhile (`mode: drop`, FAILED), or takes another \
              `lag`.",
        example: "replication: { bucket: docs, mode: pause }",
        host: Host::MockSetting,
        points: &[],
    };
}
