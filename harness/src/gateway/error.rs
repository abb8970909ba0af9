//! Why a gateway could not be started, reloaded or limited. All of it is the environment's side: exit code 4.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use gatecrash_core::units::Span;

/// Whose side a problem is on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Side {
    /// The gateway did not do what its recipe says.
    Gateway,
    /// The machine: a missing package, a port, a disk.
    Machine,
    /// What the scenario asks of the gateway.
    Scenario,
}

/// Why a gateway could not be started, reloaded or limited.
#[derive(Debug, thiserror::Error)]
pub enum GatewayError {
    /// The plan asks for what this gateway cannot do; every problem is listed.
    #[error("the gateway cannot run this plan: {}", .0.join("; "))]
    Plan(Vec<String>),
    /// The program is not on this machine.
    #[error("gateway `{gateway}` needs `{program}`, which is not installed")]
    MissingProgram {
        /// Recipe name, or `command`.
        gateway: String,
        /// What was looked for.
        program: String,
        /// Debian package that holds it, when known.
        package: Option<String>,
        /// Python package whose wheel holds it, when known.
        wheel: Option<String>,
    },
    /// The program is here, but not in the version that was asked for.
    #[error("`{program}` is not here in version {wanted}{}", but(others))]
    MissingVersion {
        /// What was looked for.
        program: String,
        /// Version, or the beginning of one.
        wanted: String,
        /// What was found: version and path.
        others: Vec<String>,
    },
    /// The version probe said nothing that can be read.
    #[error("cannot read the version of `{program}` from its answer: {answer:?}")]
    Version {
        /// Program.
        program: PathBuf,
        /// What it printed, or why it did not run.
        answer: String,
    },
    /// A template does not render.
    #[error("cannot render {what}: {problem}")]
    Render {
        /// Which template.
        what: String,
        /// What is wrong.
        problem: String,
    },
    /// A file of the gateway's directory cannot be written or read.
    #[error("cannot write {}: {source}", path.display())]
    Write {
        /// File or directory.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The supervisor does not start.
    #[error("cannot start {}: {source}", program.display())]
    Spawn {
        /// What was started.
        program: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
    /// The gateway ended before it was ready.
    #[error("gateway `{gateway}` ended at start ({how}){}", quoted(tail))]
    EndedAtStart {
        /// Gateway name.
        gateway: String,
        /// Exit code or signal, in words.
        how: String,
        /// Its last log lines.
        tail: Vec<String>,
    },
    /// Its port was taken, twice.
    #[error("the gateway's port {addr} is taken{}", quoted(tail))]
    PortTaken {
        /// The address.
        addr: SocketAddr,
        /// Its last log lines.
        tail: Vec<String>,
    },
    /// It runs and does not answer.
    #[error("gateway `{gateway}` was not ready within {within}: {last}{}", quoted(tail))]
    NotReady {
        /// Gateway name.
        gateway: String,
        /// How long was waited.
        within: Span,
        /// The last try and what came of it.
        last: String,
        /// Its last log lines.
        tail: Vec<String>,
    },
    /// A URL that names no reachable gateway.
    #[error("gateway address `{base}` {problem}")]
    Address {
        /// What was written.
        base: String,
        /// What is wrong with it.
        problem: String,
    },
    /// This gateway has no such setting to get wrong.
    #[error("gateway `{gateway}` cannot be misconfigured by {kind} (it can by: {can})")]
    CannotMisconfigure {
        /// Gateway name.
        gateway: String,
        /// What was asked for.
        kind: &'static str,
        /// What it can, or `nothing`.
        can: String,
    },
    /// A reload did not come into force.
    #[error("gateway `{gateway}` did not take its new configuration: {problem}{}", quoted(tail))]
    Reload {
        /// Gateway name.
        gateway: String,
        /// What was seen.
        problem: String,
        /// Its last log lines.
        tail: Vec<String>,
    },
    /// A limit could not be set.
    #[error("cannot limit the {what} of process {pid}: {source}")]
    Limit {
        /// What was to be limited.
        what: &'static str,
        /// Process id.
        pid: i32,
        /// Why.
        source: io::Error,
    },
    /// The machine does not let us.
    #[error("not permitted here: {what} ({})", tried.join("; "))]
    NotPermitted {
        /// What was to be done.
        what: &'static str,
        /// What was tried, and why it failed.
        tried: Vec<String>,
    },
    /// A CPU quota is for the usual scheduling class alone.
    #[error("a real-time process cannot get a CPU quota, and the gateway is one")]
    RealTime,
    /// It did not stop when it was told to.
    #[error("the gateway's processes did not stop: {0:?}")]
    NotPaused(Vec<i32>),
    /// A gateway given by address has no process of ours.
    #[error("a gateway given by its address has no process to {0}")]
    NoProcess(&'static str),
}

impl GatewayError {
    /// Whose side it is on.
    pub fn side(&self) -> Side {
        match self {
            Self::Plan(_) | Self::Render { .. } | Self::CannotMisconfigure { .. } | Self::NoProcess(_) => {
                Side::Scenario
            }
            Self::MissingProgram { .. }
            | Self::MissingVersion { .. }
            | Self::Write { .. }
            | Self::Spawn { .. }
            | Self::PortTaken { .. }
            | Self::Address { .. }
            | Self::NotPermitted { .. }
            | Self::RealTime
            | Self::NotPaused(_)
            | Self::Limit { .. } => Side::Machine,
            Self::Version { .. }
            | Self::EndedAtStart { .. }
            | Self::NotReady { .. }
            | Self::Reload { .. } => Side::Gateway,
        }
    }

    /// What to do about it, when that is known.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::MissingProgram { package: Some(package), .. } => Some(format!("apt-get install {package}")),
            Self::MissingProgram { program, wheel: Some(wheel), .. } => {
                Some(format!("the Python package {wheel} holds it: install that, {}", reach(program)))
            }
            Self::MissingProgram { program, .. } if program.contains('/') => {
                let here = std::env::current_dir().map_or_else(|_| "it".to_owned(), |dir| dir.display().to_string());
                Some(format!("a path with a slash begins where gatecrash was started: {here}"))
            }
            Self::MissingProgram { program, .. } => Some(format!("put `{program}` on the PATH")),
            Self::Address { .. } => Some(
                "gatecrash does not start a gateway that is given by its address: is it running, and at this port?"
                    .into(),
            ),
            Self::RealTime => {
                Some("start gatecrash without `chrt`: what it starts inherits the scheduling class".into())
            }
            Self::MissingVersion { program, .. } => Some(format!("install it, {}", reach(program))),
            Self::PortTaken { .. } => Some("another process takes free ports quickly: run again".into()),
            Self::EndedAtStart { .. } | Self::NotReady { .. } | Self::Reload { .. } => {
                Some("its rendered configuration and logs are in gateway/ of the run directory".into())
            }
            Self::Limit { .. } => Some("a process may only lower limits of its own user's processes".into()),
            Self::NotPermitted { .. } => {
                Some("root, or a control group that was delegated to this user, may do it".into())
            }
            _ => None,
        }
    }
}

fn quoted(tail: &[String]) -> String {
    tail.iter().map(|line| format!("\n  | {line}")).collect()
}

fn but(others: &[String]) -> String {
    if others.is_empty() { String::new() } else { format!(", but {}", others.join(", ")) }
}

fn reach(program: &str) -> String {
    format!("and put `{program}` on the PATH or into a folder that {} names", super::version::FURTHER)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_not_looked_for_on_the_path() {
        let missing = |program: &str| GatewayError::MissingProgram {
            gateway: "command".into(),
            program: program.into(),
            package: None,
            wheel: None,
        };
        let hint = |program| missing(program).hint().unwrap_or_default();
        assert!(hint("./nothere").contains("where gatecrash was started"), "{}", hint("./nothere"));
        assert_eq!(hint("nothere"), "put `nothere` on the PATH");
    }
}
