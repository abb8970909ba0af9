//! The command line: one file a command, one line in the table of [`Command`].

use clap::{Parser, Subcommand};

use crate::exit::{BY_PRECEDENCE, Exit, Failure};
use crate::output::{self, print};

mod against;
mod capacity;
mod check;
mod compare;
mod completions;
mod diagnose;
mod explain;
mod history;
mod list;
mod load_scenarios;
mod policy;
mod report;
mod reproduce;
mod run;
mod schema;
mod selftest;
mod serve;
mod signals;
mod survey;
mod wanted_reports;

/// Crash-test the HTTP gateway in front of your S3.
///
/// gatecrash stands a mock S3 behind your gateway and a load generator before it, breaks the path between gateway and
/// S3 on purpose, and judges what the gateway did: pass, fail, or inconclusive, never a vacuous pass.
#[derive(Parser, Debug)]
#[command(name = "gatecrash", version, max_term_width = 100, after_long_help = exit_codes())]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Run scenarios and judge the gateway; without a path, the built-in suite
    Run(run::Run),
    /// Find the highest rate a gateway carries within an objective, case by case
    Capacity(Box<capacity::Capacity>),
    /// Check scenario files without starting anything
    #[command(visible_alias = "validate")]
    Check(check::Check),
    /// List scenarios, faults, checks, gateways, operations, defects or exit codes
    List(list::List),
    /// Explain a check, a fault, a defect, an exit code, or one request of a stored run
    Explain(explain::Explain),
    /// Render the report of a stored run again
    Report(report::Report),
    /// Compare two sets of stored runs: what changed beyond noise
    Compare(compare::Compare),
    /// List stored runs with their labels
    History(history::History),
    /// Print the JSON schema of scenario files
    Schema(schema::Schema),
    /// Measure gatecrash itself: every defect must be detected, nothing else may alarm
    Selftest(selftest::Selftest),
    /// Put a gateway under every condition of the upstream and tabulate what its clients see
    Survey(survey::Survey),
    /// Find out why a gateway in front of S3 fails: probes, ranked causes, and where to look
    Diagnose(Box<diagnose::Diagnose>),
    /// Run one of the long-running parts alone: mock, proxy, gateway, upstreams
    Serve(serve::Serve),
    /// Ask the policy engine of the mock S3 from policy files, with nothing running
    Policy(policy::Policy),
    /// Print a completion script for a shell
    Completions(completions::Completions),
}

/// Runs what the command line says.
pub fn main() -> Exit {
    let arguments = match Arguments::try_parse_from(serve::proxy::single_dashes(std::env::args_os())) {
        Ok(arguments) => arguments,
        Err(error) => {
            let _ = error.print();
            return if error.use_stderr() { Exit::Usage } else { Exit::Pass };
        }
    };
    // A panic has said where it was; here it gets its exit code.
    let exit = std::panic::catch_unwind(|| {
        arguments.command.execute().unwrap_or_else(|failure| {
            output::note(&failure.to_string());
            failure.exit()
        })
    });
    let exit = exit.unwrap_or_else(|_| {
        output::note("error: gatecrash panicked: this is a bug in gatecrash, please report it");
        Exit::Bug
    });
    if output::is_lost() {
        output::note("error: results could not be written to stdout");
        return exit.worse(Exit::Environment);
    }
    exit
}

impl Command {
    fn execute(self) -> Result<Exit, Failure> {
        match self {
            Self::Run(run) => run.execute(),
            Self::Capacity(capacity) => capacity.execute(),
            Self::Check(check) => check.execute(),
            Self::List(list) => list.execute(),
            Self::Explain(explain) => explain.execute(),
            Self::Report(report) => report.execute(),
            Self::Compare(compare) => compare.execute(),
            Self::History(history) => history.execute(),
            Self::Schema(schema) => schema.execute(),
            Self::Selftest(selftest) => selftest.execute(),
            Self::Survey(survey) => survey.execute(),
            Self::Diagnose(diagnose) => diagnose.execute(),
            Self::Serve(serve) => serve.execute(),
            Self::Policy(policy) => policy.execute(),
            Self::Completions(completions) => completions.execute(),
        }
    }
}

/// The command line's own description, for completions and generated pages.
pub fn description() -> clap::Command {
    <Arguments as clap::CommandFactory>::command()
}

fn exit_codes() -> String {
    let mut rows: Vec<_> = BY_PRECEDENCE.iter().map(|(_, code, what)| (*code, *what)).collect();
    rows.sort_unstable();
    let lines: Vec<_> = rows.iter().map(|(code, what)| format!("  {code:>3}  {what}")).collect();
    format!("Exit codes:\n{}", lines.join("\n"))
}

/// Runs what needs a runtime. What still hangs in the system's name look-up then is not waited for.
fn block_on<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|e| Failure::environment(format!("cannot start the runtime: {e}")))?;
    let done = runtime.block_on(work);
    runtime.shutdown_timeout(PATIENCE);
    done
}

/// How long threads of the runtime may take to end.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(1);
