//! A reload, and the wait until it is in force.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use rustix::process::Pid;
use tokio::process::Command;
use tokio::time::Instant;

use super::error::GatewayError;
use super::launch::wait_ready;
use super::live::{self, Running, signal_named};
use super::recipe::SeenBy;

const LOOK_EVERY: Duration = Duration::from_millis(10);
const QUOTED: usize = 8;

/// A signal can be lost: HAProxy's master executes itself anew right after its start and misses what comes
/// meanwhile. A second reload of the same file does no harm.
const SIGNAL_EVERY: Duration = Duration::from_secs(1);

/// Writes the configuration, signals the gateway or runs the command that does (one that watches its files needs
/// neither), and waits until the new configuration serves.
pub(super) async fn reload(running: &Running) -> Result<(), GatewayError> {
    let blueprint = &running.blueprint;
    let failed = |problem: String| GatewayError::Reload {
        gateway: blueprint.name.clone(),
        problem,
        tail: live::tail(&running.dir, &blueprint.logs, QUOTED),
    };
    let Some(how) = &blueprint.reload else {
        return Err(failed("it cannot reload".into()));
    };
    let process = running.process();
    let before = process.workers();
    let said = count(running, &how.seen_by);
    let mistake = live::lock(&running.mistake).clone();
    blueprint.write_config(&running.dir, running.addr, mistake.as_ref())?;
    let deadline = Instant::now() + how.within.duration();
    let mut due = Instant::now();
    let command = blueprint.reload_command(&running.dir, running.addr, &running.start.program)?;
    if let Some((program, args)) = &command {
        run(program, args, running, how.within.duration()).await.map_err(failed)?;
    }
    if how.seen_by == SeenBy::Ready {
        if let Some(signal) = &how.signal {
            process.signal(signal_named(signal)).map_err(|e| failed(e.to_string()))?;
        }
        let ready = wait_ready(blueprint, &process, running.addr, &running.dir, how.within).await;
        return ready.map_err(|error| failed(error.to_string()));
    }
    loop {
        if let Some(how) = process.ended() {
            return Err(failed(format!("it ended ({how})")));
        }
        let now = process.workers();
        let fresh = now.iter().any(|pid| !before.contains(pid));
        let in_force = match &how.seen_by {
            SeenBy::NewProcesses => fresh && gone(&before, &now),
            SeenBy::Log(_) => count(running, &how.seen_by) > said,
            SeenBy::Done | SeenBy::Ready => true,
        };
        if in_force {
            return Ok(());
        }
        if Instant::now() >= deadline {
            // Old workers may finish their last requests for as long as those take; new ones take all others.
            return if fresh { Ok(()) } else { Err(failed(format!("no sign of it within {}", how.within))) };
        }
        if let Some(signal) = &how.signal
            && !fresh
            && Instant::now() >= due
        {
            process.signal(signal_named(signal)).map_err(|e| failed(e.to_string()))?;
            due = Instant::now() + SIGNAL_EVERY;
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// Runs the command that makes the gateway reload; what it says is quoted when it fails.
async fn run(program: &Path, args: &[String], running: &Running, within: Duration) -> Result<(), String> {
    let mut command = Command::new(program);
    command.args(args).envs(&running.start.env).current_dir(&running.dir);
    let output = command.stdin(Stdio::null()).kill_on_drop(true).output();
    let output = tokio::time::timeout(within, output)
        .await
        .map_err(|_| format!("{} did not end within {} s", program.display(), within.as_secs_f64()))?
        .map_err(|e| format!("{}: {e}", program.display()))?;
    if output.status.success() {
        return Ok(());
    }
    let said = [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).trim().to_owned());
    Err(format!("{}: {}: {}", program.display(), output.status, said.join(" ").trim()))
}

fn gone(before: &[Pid], now: &[Pid]) -> bool {
    before.iter().all(|pid| !now.contains(pid))
}

/// How often the logs hold the text that shows a reload.
fn count(running: &Running, seen_by: &SeenBy) -> usize {
    let SeenBy::Log(text) = seen_by else { return 0 };
    running
        .blueprint
        .logs
        .iter()
        .filter_map(|file| std::fs::read_to_string(running.dir.join(file)).ok())
        .map(|log| log.matches(text.as_str()).count())
        .sum()
}
