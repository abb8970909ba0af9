//! What SIGINT and SIGTERM do.

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use crate::exit::{Exit, Failure};
use crate::output;
use crate::run::{Stop, StopLine};

/// The first signal ends the run with a partial report, the second ends the process at once. Works from its return on.
pub(super) fn listen() -> Result<StopLine, Failure> {
    let (sender, receiver) = watch::channel(None);
    #[cfg(feature = "goose")]
    gatecrash_load::goose::leave_ctrl_c_alone();
    let (mut interrupt, mut terminate) = both()?;
    tokio::spawn(async move {
        loop {
            let stop = tokio::select! {
                _ = interrupt.recv() => Stop { exit: Exit::Interrupted, why: "interrupted by Ctrl-C".into() },
                _ = terminate.recv() => Stop { exit: Exit::Terminated, why: "ended by SIGTERM".into() },
            };
            if sender.borrow().is_some() {
                // Each gateway hangs on a supervisor, which ends it when we are gone.
                std::process::exit(i32::from(stop.exit.code()));
            }
            output::note(&format!("\n{}: writing what is known (once more to end at once)", stop.why));
            sender.send_replace(Some(stop));
        }
    });
    Ok(receiver)
}

/// Resolves at the first signal: how a part that serves for ever ends. Works from its return on.
pub(super) fn end() -> Result<impl Future<Output = ()>, Failure> {
    let (mut interrupt, mut terminate) = both()?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

fn both() -> Result<(tokio::signal::unix::Signal, tokio::signal::unix::Signal), Failure> {
    let of = |kind| signal(kind).map_err(|e| Failure::environment(format!("cannot listen for signals: {e}")));
    Ok((of(SignalKind::interrupt())?, of(SignalKind::terminate())?))
}
