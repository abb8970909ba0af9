//! Exit codes, and the one error type that reaches `main`.

use std::fmt;
use std::process::ExitCode;

use crate::gateway;
use crate::run::Stop;

/// How gatecrash ends. The numbers are a public promise.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Exit {
    /// Every expectation holds.
    Pass,
    /// An expectation failed, or the gateway's process died by itself, which fails `crash-free` unasked.
    Failed,
    /// Usage or an invalid scenario; also: nothing selected.
    Usage,
    /// Some verdict could not be reached, and none failed.
    Inconclusive,
    /// The environment: gateway not ready, port taken, disk full.
    Environment,
    /// Aborted by a guard.
    Aborted,
    /// A regression against a baseline.
    Regression,
    /// A bug in gatecrash.
    Bug,
    /// Interrupted by SIGINT.
    Interrupted,
    /// Ended by SIGTERM.
    Terminated,
}

/// Every exit, worst first: of several at once, the first in this list is the process's.
pub const BY_PRECEDENCE: &[(Exit, u8, &str)] = &[
    (Exit::Interrupted, 130, "interrupted by Ctrl-C (a partial report is written)"),
    (Exit::Terminated, 143, "ended by SIGTERM (a partial report is written)"),
    (Exit::Usage, 2, "usage, an invalid scenario, or nothing selected"),
    (Exit::Bug, 70, "a bug in gatecrash"),
    (Exit::Environment, 4, "the environment: gateway not ready, port taken, disk full"),
    (Exit::Failed, 1, "an expectation failed, or the gateway died"),
    (Exit::Aborted, 5, "aborted by a guard (deadline)"),
    (Exit::Inconclusive, 3, "inconclusive: something could not be judged"),
    (Exit::Regression, 6, "a regression against a baseline"),
    (Exit::Pass, 0, "every expectation holds"),
];

/// Whose fault it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Side {
    /// What the user typed or wrote.
    Usage,
    /// The gateway under test.
    Gateway,
    /// The machine.
    Environment,
    /// gatecrash itself.
    Harness,
    /// Nobody's: it was asked to end.
    Stopped(Exit),
}

/// An error that ends a command, with what the user can do about it.
#[derive(Debug)]
pub struct Failure {
    /// Whose fault it is.
    pub side: Side,
    /// What happened: a lower-case fragment, or a rendered diagnostic.
    pub message: String,
    /// What to do.
    pub hint: Option<String>,
}

impl Exit {
    /// The process exit code.
    pub fn code(self) -> u8 {
        BY_PRECEDENCE.iter().find(|(exit, ..)| *exit == self).map_or(70, |(_, code, _)| *code)
    }

    /// The exit of a code.
    pub fn from_code(code: u8) -> Self {
        BY_PRECEDENCE.iter().find(|(_, c, _)| *c == code).map_or(Self::Bug, |(exit, ..)| *exit)
    }

    /// The worse of two, by the documented precedence.
    pub fn worse(self, other: Self) -> Self {
        let rank = |exit: Self| BY_PRECEDENCE.iter().position(|(e, ..)| *e == exit);
        if rank(other) < rank(self) { other } else { self }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

impl Failure {
    /// The user's.
    pub fn usage(message: impl Into<String>) -> Self {
        Self { side: Side::Usage, message: message.into(), hint: None }
    }

    /// The machine's.
    pub fn environment(message: impl Into<String>) -> Self {
        Self { side: Side::Environment, message: message.into(), hint: None }
    }

    /// Ours.
    pub fn bug(message: impl Into<String>) -> Self {
        let hint = Some("this is a bug in gatecrash: please report it with the command line".to_owned());
        Self { side: Side::Harness, message: message.into(), hint }
    }

    /// Nobody's: somebody asked for the end before there was anything to report.
    pub fn stopped(stop: &Stop) -> Self {
        Self { side: Side::Stopped(stop.exit), message: stop.why.clone(), hint: None }
    }

    /// With something to do about it.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// How the process ends.
    pub fn exit(&self) -> Exit {
        match self.side {
            Side::Usage => Exit::Usage,
            Side::Gateway | Side::Environment => Exit::Environment,
            Side::Harness => Exit::Bug,
            Side::Stopped(exit) => exit,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.message.starts_with("error") || matches!(self.side, Side::Stopped(_)) {
            f.write_str(self.message.trim_end())?;
        } else {
            write!(f, "error: {}", self.message)?;
        }
        self.hint.as_ref().map_or(Ok(()), |hint| write!(f, "\n  help: {hint}"))
    }
}

impl std::error::Error for Failure {}

impl From<gateway::GatewayError> for Failure {
    fn from(error: gateway::GatewayError) -> Self {
        let side = match error.side() {
            gateway::Side::Scenario => Side::Usage,
            gateway::Side::Gateway => Side::Gateway,
            gateway::Side::Machine => Side::Environment,
        };
        Self { side, hint: error.hint(), message: error.to_string() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn precedence_is_the_documented_one() {
        let order = [
            Exit::Bug,
            Exit::Environment,
            Exit::Failed,
            Exit::Aborted,
            Exit::Inconclusive,
            Exit::Regression,
            Exit::Pass,
        ];
        for pair in order.windows(2) {
            assert_eq!(pair[0].worse(pair[1]), pair[0]);
            assert_eq!(pair[1].worse(pair[0]), pair[0]);
        }
    }

    #[test]
    fn codes_are_unique_and_round_trip() {
        for (exit, code, _) in BY_PRECEDENCE {
            assert_eq!(exit.code(), *code);
            assert_eq!(Exit::from_code(*code), *exit);
        }
    }
}
