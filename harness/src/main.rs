//! The binary.

use std::process::ExitCode;

fn main() -> ExitCode {
    if std::env::args_os().nth(1).is_some_and(|word| word == gatecrash::gateway::shim::COMMAND) {
        return gatecrash::gateway::shim::shim_main(std::env::args_os());
    }
    ExitCode::SUCCESS
}
