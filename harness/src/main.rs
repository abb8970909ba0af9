//! The binary: arguments in, exit code out.

use std::process::ExitCode;

use gatecrash::gateway::shim;

fn main() -> ExitCode {
    if std::env::args_os().nth(1).is_some_and(|command| command == shim::COMMAND) {
        return shim::shim_main(std::env::args_os());
    }
    gatecrash::cli::main().into()
}
