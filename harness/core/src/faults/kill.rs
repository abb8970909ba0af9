//! `kill`: the gateway dies, and is started again

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Fault, FaultInfo, Host};

/// The gateway's first process gets the signal at the beginning of the interval; what it leaves behind is killed,
/// as a container's end does. At the end of the interval it is started again on the same port, save at the end of
/// the run. The death is ours: `crash-free` does not count it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Kill {
    /// What ends it. Default: kill.
    #[serde(default)]
    pub signal: Deadly,
}

/// A signal that ends a process.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Deadly {
    /// SIGKILL: at once, as the kernel does when memory runs out.
    #[default]
    Kill,
    /// SIGSEGV: a crash.
    Segv,
    /// SIGABRT: an assertion.
    Abrt,
    /// SIGTERM: asked to end; killed when it has not after five seconds.
    Term,
}

impl Fault for Kill {
    const INFO: FaultInfo = FaultInfo {
        name: "kill",
        summary: "the gateway dies, and is started again",
        doc: "The gateway's first process gets the signal at the beginning of the interval; what it leaves behind \
              is killed, as a container's end does. At the end of the interval it is started again on the same \
              port, save at the end of the run. The death is ours: `crash-free` does not count it.",
        example: "kill: { signal: segv }",
        host: Host::Process,
        points: &[],
    };
}
