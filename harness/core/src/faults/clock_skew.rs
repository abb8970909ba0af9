//! `clock-skew`: moves a clock

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Fault, FaultInfo, Host};
use crate::units::Span;

/// The clock of the signing clients or of the upstream is moved: beyond 15 minutes S3 answers
/// RequestTimeTooSkewed.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ClockSkew {
    /// Whose clock.
    pub of: ClockOf,
    /// By how much, ahead.
    pub by: Span,
}

/// Whose clock is moved.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ClockOf {
    /// The signing clients'.
    Clients,
    /// The upstream's.
    Upstream,
}

impl Fault for ClockSkew {
    const INFO: FaultInfo = FaultInfo {
        name: "clock-skew",
        summary: "moves a clock",
        doc: "The clock of the signing clients or of the upstream is moved: beyond 15 minutes S3 answers \
              RequestTimeTooSkewed.",
        example: "clock-skew: { of: clients, by: 20m }",
        host: Host::MockSetting,
        points: &[],
    };
}
