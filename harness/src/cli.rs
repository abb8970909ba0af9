//! The command line: one file a command, one line in the table of [`Command`].

use clap::{Parser, Subcommand};

use crate::exit::{BY_PRECEDENCE, Exit, Failure};

mod check;
mod completions;
mod explain;
mod list;
mod load_scenarios;
mod report;
mod run;
mod schema;
mod selftest;
mod serve;

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
    /// Check scenario files without starting anything
    #[command(visible_alias = "validate")]
    Check(check::Check),
    /// List scenarios, faults, checks, gateways, operations, defects or exit codes
    List(list::List),
    /// Explain a check, a fault, a defect, an exit code, or one request of a stored run
    Explain(explain::Explain),
    /// Render the report of a stored run again
    Report(report::Report),
    /// Print the JSON schema of scenario files
    Schema(schema::Schema),
    /// Measure gatecrash itself: every defect must be detected, nothing else may alarm
    Selftest(selftest::Selftest),
    /// Run one of the long-running parts alone: mock, proxy, gateway, upstreams
    Serve(serve::Serve),
    /// Print a completion script for a shell
    Completions(completions::Completions),
}

/// Runs what the command line says.
pub fn main() -> Exit {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            let _ = error.print();
            return if error.use_stderr() { Exit::Usage } else { Exit::Pass };
        }
    };
    arguments.command.execute().unwrap_or_else(|failure| {
        eprintln!("{failure}");
        failure.exit()
    })
}

impl Command {
    fn execute(self) -> Result<Exit, Failure> {
        match self {
            Self::Run(run) => run.execute(),
            Self::Check(check) => check.execute(),
            Self::List(list) => list.execute(),
            Self::Explain(explain) => explain.execute(),
            Self::Report(report) => report.execute(),
            Self::Schema(schema) => schema.execute(),
            Self::Selftest(selftest) => selftest.execute(),
            Self::Serve(serve) => serve.execute(),
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

/// A runtime for the parts that need one.
fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|e| Failure::environment(format!("cannot start the runtime: {e}")))
}

/// Prints a result; a reader who hung up (`| head`) is no error.
fn print(text: &str) {
    use std::io::Write;
    let _ = std::io::stdout().lock().write_all(text.as_bytes());
}
