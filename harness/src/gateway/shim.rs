//! What stands between us and a gateway: `gatecrash __shim ...`, our own executable started again.
//!
//! `supervise` stays as the parent of the gateway's whole process tree (it adopts what the gateway forks and
//! leaves). Its standard input is a lifeline: when the harness lets go of it, even by SIGKILL, every process
//! of the tree is killed, and a control group it was in is removed. `exec` is the last step: it ties the gateway's life to the supervisor's, raises the
//! soft limit of open files to the hard one (at most 65,536), and becomes the gateway.
//!
//! Lines on the supervisor's standard output: `started <pid>`, then `ended <how>` once nothing of the tree is
//! left.

use std::convert::Infallible;
use std::ffi::OsString;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{ExitCode, ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Resource, Rlimit, Signal, WaitOptions};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;

use super::{cgroup, tree};

/// The hidden command's name.
pub const COMMAND: &str = "__shim";

const MOST_OPEN_FILES: u64 = 65_536;

/// Runs the hidden command. `args` is the whole command line: this program's path, `__shim`, and the rest.
pub fn shim_main(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let args: Vec<OsString> = args.into_iter().collect();
    let words: Vec<Option<&str>> = args.iter().map(|arg| arg.to_str()).collect();
    let outcome = match words.get(2..) {
        Some([Some("exec"), _, ..]) if args.len() > 3 => exec(&args[3..]).map(|never| match never {}),
        Some([Some("supervise"), _, _, ..]) => supervise(&args[0], &args[3], &args[4..]),
        _ => {
            Err(io::Error::other("usage: __shim supervise LOG PROGRAM ARGS... | __shim exec PROGRAM ARGS..."))
        }
    };
    outcome.unwrap_or_else(|e| {
        eprintln!("gatecrash: cannot start the gateway: {e}");
        ExitCode::from(126)
    })
}

fn exec(command: &[OsString]) -> io::Result<Infallible> {
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?;
    let limit = rustix::process::getrlimit(Resource::Nofile);
    let soft = limit.maximum.unwrap_or(MOST_OPEN_FILES).min(MOST_OPEN_FILES);
    if limit.current.is_some_and(|current| current < soft) {
        rustix::process::setrlimit(Resource::Nofile, Rlimit { current: Some(soft), ..limit })?;
    }
    let failed = std::process::Command::new(&command[0]).args(&command[1..]).exec();
    Err(io::Error::new(failed.kind(), format!("{}: {failed}", command[0].display())))
}

fn supervise(own: &OsString, log: &OsString, command: &[OsString]) -> io::Result<ExitCode> {
    rustix::process::set_child_subreaper(Some(rustix::process::getpid()))?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let how = runtime.block_on(guard(own, log, command));
    drop(runtime);
    kill_tree();
    cgroup::sweep_own(rustix::process::getpid());
    say(&format!("ended {}", how?));
    Ok(ExitCode::SUCCESS)
}

/// Starts the gateway and returns, in words, how it ended or why it has to.
async fn guard(own: &OsString, log: &OsString, command: &[OsString]) -> io::Result<String> {
    let log = OpenOptions::new().create(true).append(true).open(log)?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut gateway = tokio::process::Command::new(own)
        .args([COMMAND, "exec"])
        .args(command)
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        .process_group(0)
        .spawn()?;
    say(&format!("started {}", gateway.id().unwrap_or_default()));
    tokio::select! {
        status = gateway.wait() => Ok(describe(status?)),
        () = lifeline_cut() => Ok("killed, because gatecrash let go of it".into()),
        _ = terminate.recv() => Ok("killed, because its supervisor was asked to end".into()),
        _ = interrupt.recv() => Ok("killed, because its supervisor was interrupted".into()),
    }
}

/// Resolves when standard input ends. Its reader is a thread, which may outlive this.
async fn lifeline_cut() {
    let (cut, is_cut) = oneshot::channel::<()>();
    std::thread::spawn(move || {
        let _held = cut;
        let _ = io::copy(&mut io::stdin().lock(), &mut io::sink());
    });
    // The sender goes with the thread.
    let _ = is_cut.await;
}

/// Kills and reaps every descendant, those they leave behind included.
fn kill_tree() {
    let me = rustix::process::getpid();
    loop {
        for pid in tree::descendants(me) {
            // One that may not be signalled (another user's) cannot be waited for either.
            let _ = tree::signal(pid, Signal::KILL);
        }
        match rustix::process::wait(WaitOptions::NOHANG) {
            Ok(Some(_)) | Err(rustix::io::Errno::INTR) => {}
            Ok(None) => std::thread::sleep(Duration::from_millis(2)),
            Err(_) => return,
        }
    }
}

fn say(line: &str) {
    let mut out = io::stdout().lock();
    // Nobody listens any more when the harness is gone.
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}

fn describe(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit code {code}"),
        (None, Some(number)) => format!("killed by {}", signal_name(number)),
        (None, None) => status.to_string(),
    }
}

fn signal_name(number: i32) -> String {
    SIGNALS
        .iter()
        .find(|(_, signal)| signal.as_raw() == number)
        .map_or_else(|| format!("signal {number}"), |(name, _)| format!("SIG{name}"))
}

/// Signals by name, for recipes and for words about a death.
pub(super) const SIGNALS: &[(&str, Signal)] = &[
    ("HUP", Signal::HUP),
    ("INT", Signal::INT),
    ("QUIT", Signal::QUIT),
    ("ILL", Signal::ILL),
    ("ABRT", Signal::ABORT),
    ("BUS", Signal::BUS),
    ("FPE", Signal::FPE),
    ("KILL", Signal::KILL),
    ("USR1", Signal::USR1),
    ("SEGV", Signal::SEGV),
    ("USR2", Signal::USR2),
    ("PIPE", Signal::PIPE),
    ("TERM", Signal::TERM),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deaths_are_told_in_words() {
        assert_eq!(describe(ExitStatus::from_raw(3 << 8)), "exit code 3");
        assert_eq!(describe(ExitStatus::from_raw(11)), "killed by SIGSEGV");
        assert_eq!(describe(ExitStatus::from_raw(31)), "killed by signal 31");
    }
}
