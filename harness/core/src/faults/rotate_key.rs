//! `rotate-key`: rotates an identity's access key

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Fault, FaultInfo, Host};
use crate::units::Span;

/// At the start of the interval the identity gets a new key and the old one is rejected (InvalidAccessKeyId).
/// Clients that sign learn the new key after `clients-learn-after`, or never.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RotateKey {
    /// Identity name.
    pub identity: String,
    /// When signing clients switch to the new key, from the start of the fault; never when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clients_learn_after: Option<Span>,
}

impl Fault for RotateKey {
    const INFO: FaultInfo = FaultInfo {
        name: "rotate-key",
        summary: "rotates an identity's access key",
        doc: "At the start of the interval the identity gets a new key and the old one is rejected \
              (InvalidAccessKeyId). Clients that sign learn the new key after `clients-learn-after`, or \
              never.",
        example: "rotate-key: { identity: app, clients-learn-after: 2s }",
        host: Host::MockSetting,
        points: &[],
    };
}
