//! `connect-blackhole`: drops connection attempts silently

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Fault, FaultInfo, Host};

/// SYNs to the endpoint get no answer (a full accept queue that nobody empties) and open connections fall
/// silent: a routing fault or a firewall that drops. Our own probe confirms the interval.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ConnectBlackhole {

}

impl Fault for ConnectBlackhole {
    const INFO: FaultInfo = FaultInfo {
        name: "connect-blackhole",
        summary: "drops connection attempts silently",
        doc: "SYNs to the endpoint get no answer (a full accept queue that nobody empties) and open \
              connections fall silent: a routing fault or a firewall that drops. Our own probe confirms the \
              interval.",
        example: "connect-blackhole: {}",
        host: Host::Listener,
        points: &[],
    };
}
