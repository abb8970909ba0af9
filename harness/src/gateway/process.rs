//! One gateway process tree below its supervisor: started, signalled, watched, ended.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rustix::process::{Pid, Signal};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::watch;

use super::error::GatewayError;
use super::{shim, tree};

/// Patience with our own supervisor.
const SUPERVISOR_WITHIN: Duration = Duration::from_secs(10);

/// What is started, every value final.
#[derive(Clone, Debug)]
pub(super) struct Start {
    /// Our own executable.
    pub(super) executable: PathBuf,
    /// The gateway's program.
    pub(super) program: PathBuf,
    /// Its arguments.
    pub(super) args: Vec<String>,
    /// Its environment, on top of ours.
    pub(super) env: BTreeMap<String, String>,
    /// Its working directory.
    pub(super) dir: PathBuf,
    /// File that takes its standard output and error.
    pub(super) log: PathBuf,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum State {
    Starting,
    Running(Pid),
    Ended(String),
    /// The supervisor is gone and has not said how the gateway ended.
    Lost,
}

/// A running gateway. Dropping it lets go of the supervisor's lifeline, which ends the whole tree.
#[derive(Debug)]
pub(super) struct Process {
    supervisor: tokio::sync::Mutex<Child>,
    supervisor_pid: Pid,
    lifeline: Mutex<Option<ChildStdin>>,
    state: watch::Receiver<State>,
    main: Option<Pid>,
}

impl Process {
    /// Starts it and waits until its process exists.
    pub(super) async fn start(start: &Start) -> Result<Self, GatewayError> {
        let executable = absolute(&start.executable)?;
        let failed = |source| GatewayError::Spawn { program: start.program.clone(), source };
        let mut supervisor = Command::new(&executable)
            .args([shim::COMMAND, "supervise"])
            .arg(&start.log)
            .arg(&start.program)
            .args(start.args.iter().map(OsString::from))
            .envs(&start.env)
            .current_dir(&start.dir)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .process_group(0)
            .spawn()
            .map_err(failed)?;
        let supervisor_pid = supervisor.id().and_then(|id| Pid::from_raw(id as i32));
        let (lifeline, output) = (supervisor.stdin.take(), supervisor.stdout.take());
        let (Some(supervisor_pid), Some(output)) = (supervisor_pid, output) else {
            return Err(failed(io::Error::other("its supervisor ended at once")));
        };
        let (report, state) = watch::channel(State::Starting);
        tokio::spawn(listen(output, report));
        let mut process = Self {
            supervisor: tokio::sync::Mutex::new(supervisor),
            supervisor_pid,
            lifeline: Mutex::new(lifeline),
            state,
            main: None,
        };
        let started = process.state.wait_for(|state| *state != State::Starting);
        match tokio::time::timeout(SUPERVISOR_WITHIN, started).await {
            Ok(Ok(state)) => match &*state {
                State::Running(pid) => process.main = Some(*pid),
                // It may have ended since: whoever waits for it to be ready sees that.
                State::Ended(_) | State::Starting => {}
                State::Lost => return Err(failed(io::Error::other(SUPERVISOR_GONE))),
            },
            Ok(Err(_)) => return Err(failed(io::Error::other("its supervisor ended at once"))),
            Err(_) => return Err(failed(io::Error::other("its supervisor does not answer"))),
        }
        Ok(process)
    }

    /// How it ended, once it did. By then nothing of its tree is left.
    pub(super) fn ended(&self) -> Option<String> {
        match &*self.state.borrow() {
            State::Ended(how) => Some(how.clone()),
            State::Lost => Some(SUPERVISOR_GONE.into()),
            State::Starting | State::Running(_) => None,
        }
    }

    /// Resolves when it has ended.
    pub(super) async fn end(&self) -> String {
        let mut state = self.state.clone();
        let ended = state.wait_for(|state| matches!(state, State::Ended(_) | State::Lost)).await;
        match ended.as_deref() {
            Ok(State::Ended(how)) => how.clone(),
            _ => SUPERVISOR_GONE.into(),
        }
    }

    /// Our supervisor's process.
    pub(super) fn supervisor(&self) -> Pid {
        self.supervisor_pid
    }

    /// Every process of the gateway, without our supervisor.
    pub(super) fn tree(&self) -> Vec<Pid> {
        tree::descendants(self.supervisor_pid)
    }

    /// Every process but the first: workers.
    pub(super) fn workers(&self) -> Vec<Pid> {
        self.tree().into_iter().filter(|pid| Some(*pid) != self.main).collect()
    }

    /// Signals the gateway's first process.
    pub(super) fn signal(&self, signal: Signal) -> io::Result<()> {
        let Some(main) = self.main else { return Ok(()) };
        // A process id may be used again; ours has our supervisor for a parent.
        if tree::parent(main) == Some(self.supervisor_pid.as_raw_nonzero().get()) {
            tree::signal(main, signal)?;
        }
        Ok(())
    }

    /// Asks it to stop, waits, then kills what is left. Returns how it ended.
    pub(super) async fn stop(&self, signal: Signal, within: Duration) -> String {
        if self.ended().is_none() && self.signal(signal).is_ok() {
            let _ = tokio::time::timeout(within, self.end()).await;
        }
        drop(self.lifeline.lock().unwrap_or_else(PoisonError::into_inner).take());
        let mut supervisor = self.supervisor.lock().await;
        if tokio::time::timeout(SUPERVISOR_WITHIN, supervisor.wait()).await.is_err() {
            for pid in self.tree() {
                let _ = tree::signal(pid, Signal::KILL);
            }
            let _ = supervisor.kill().await;
        }
        self.end().await
    }
}

const SUPERVISOR_GONE: &str = "its supervisor was killed";

async fn listen(output: ChildStdout, report: watch::Sender<State>) {
    let mut lines = BufReader::new(output).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        if let Some(pid) = line.strip_prefix("started ") {
            if let Some(pid) = pid.parse().ok().and_then(Pid::from_raw) {
                report.send_replace(State::Running(pid));
            }
        } else if let Some(how) = line.strip_prefix("ended ") {
            report.send_replace(State::Ended(how.to_owned()));
        }
    }
    report.send_if_modified(|state| {
        let gone = !matches!(state, State::Ended(_));
        if gone {
            *state = State::Lost;
        }
        gone
    });
}

pub(super) fn absolute(path: &Path) -> Result<PathBuf, GatewayError> {
    std::path::absolute(path).map_err(|source| GatewayError::Write { path: path.to_owned(), source })
}
