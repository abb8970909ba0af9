//! `reload`: makes the gateway read its configuration again

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Fault, FaultInfo, Host};

/// At the beginning of the interval the gateway reloads an unchanged configuration by the signal its recipe names,
/// as deployments and certificate renewals do. No client should see it: unlike other faults on the gateway's
/// process it excuses no lost connection.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Reload {}

impl Fault for Reload {
    const INFO: FaultInfo = FaultInfo {
        name: "reload",
        summary: "makes the gateway read its configuration again",
        doc: "At the beginning of the interval the gateway reloads an unchanged configuration by the signal its \
              recipe names, as deployments and certificate renewals do. No client should see it: unlike other \
              faults on the gateway's process it excuses no lost connection.",
        example: "reload: {}",
        host: Host::Process,
        points: &[],
    };
}
