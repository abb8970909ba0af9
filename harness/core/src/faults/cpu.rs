//! `cpu`: gives the gateway a share of one core

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Fault, FaultInfo, Host};
use crate::units::Share;

/// All processes of the gateway together get this much CPU time, by a control group (version 2 or 1) that lives for
/// the interval: in every 100 ms they run until their share is used up and then stand still, as in a container with
/// a CPU limit.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Cpu {
    /// Share of one core, at least 1%.
    pub quota: Share,
}

impl Fault for Cpu {
    const INFO: FaultInfo = FaultInfo {
        name: "cpu",
        summary: "gives the gateway a share of one core",
        doc: "All processes of the gateway together get this much CPU time, by a control group (version 2 or 1) \
              that lives for the interval: in every 100 ms they run until their share is used up and then stand \
              still, as in a container with a CPU limit. Where no control group may be made the run ends with \
              an environment error that names what was tried.",
        example: "cpu: { quota: 20% }",
        host: Host::Process,
        points: &[],
    };

    fn problem(&self) -> Option<&'static str> {
        (self.quota.0 < 0.01).then_some("a quota of at least 1%")
    }
}
