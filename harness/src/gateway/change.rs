//! What faults do to the gateway's process: limit, pause, kill, restart, reload.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use gatecrash_core::faults::{Cpu, Deadly, FaultSpec, Memory};
use gatecrash_core::units::Span;
use rustix::process::Signal;
use tokio::net::TcpSocket;
use tokio::time::Instant;

use super::cgroup::Limited;
use super::error::GatewayError;
use super::launch;
use super::live::{Gateway, Running, lock, signal_named};
use super::process::Process;
use super::{reload, tree};

/// How long processes may take to stop.
const STOP_WITHIN: Duration = Duration::from_secs(1);
/// Patience with a gateway that was asked to end by a fault.
const DIE_WITHIN: Duration = Duration::from_secs(5);
const KNOCK_EVERY: Duration = Duration::from_millis(50);
const LOOK_EVERY: Duration = Duration::from_millis(2);

impl Gateway {
    /// Puts a fault on the process in force. Returns by which means of the system, where that could differ.
    pub async fn begin(&self, spec: &FaultSpec) -> Result<Option<String>, GatewayError> {
        let running = self.running.as_ref().ok_or(GatewayError::NoProcess("change"))?;
        let _one_at_a_time = running.changing.lock().await;
        match spec {
            FaultSpec::Cpu(cpu) => limit_cpu(running, cpu).map(Some),
            FaultSpec::Memory(memory) => limit_memory(running, memory).map(Some),
            FaultSpec::Pause(_) => pause(running).await.map(|()| None),
            FaultSpec::Kill(kill) => {
                if running.process().ended().is_none() {
                    running.set_ending(true);
                    knock(&running.process(), deadly(kill.signal)).await;
                }
                end(running, Signal::KILL, DIE_WITHIN).await;
                Ok(None)
            }
            FaultSpec::Restart(how) => {
                let stop = &running.blueprint.stop;
                end(running, signal_named(&stop.signal), stop.within.duration()).await;
                start(running, how.within).await.map(|()| None)
            }
            FaultSpec::Reload(_) => reload::reload(running).await.map(|()| None),
            _ => Err(GatewayError::NoProcess("change so")),
        }
    }

    /// Takes it back. `is_over`: nothing comes after it.
    pub async fn end(&self, spec: &FaultSpec, is_over: bool) -> Result<(), GatewayError> {
        let running = self.running.as_ref().ok_or(GatewayError::NoProcess("change"))?;
        let _one_at_a_time = running.changing.lock().await;
        match spec {
            FaultSpec::Cpu(_) => lock(&running.groups).lift(Limited::Cpu(0)),
            FaultSpec::Memory(_) => {
                lock(&running.groups).lift(Limited::Memory(0));
                lock(&running.data).restore(&running.process().tree())?;
            }
            FaultSpec::Pause(_) => {
                for pid in running.process().tree() {
                    tree::signal(pid, Signal::CONT).map_err(|source| unheard(running, source))?;
                }
            }
            FaultSpec::Kill(_) if !is_over => start(running, running.blueprint.ready.within).await?,
            _ => {}
        }
        Ok(())
    }
}

fn limit_cpu(running: &Running, cpu: &Cpu) -> Result<String, GatewayError> {
    let process = running.process();
    // It would be refused, or taken and not be felt.
    if process.tree().into_iter().any(tree::is_real_time) {
        return Err(GatewayError::RealTime);
    }
    let quota = Limited::Cpu(((cpu.quota.0 * 100_000.0) as u64).max(1000));
    lock(&running.groups)
        .limit(quota, process.supervisor(), || process.tree())
        .map_err(|tried| GatewayError::NotPermitted { what: "a CPU quota", tried })
}

/// By a control group where there is one, by a limit of each process elsewhere.
fn limit_memory(running: &Running, memory: &Memory) -> Result<String, GatewayError> {
    let process = running.process();
    let limit = Limited::Memory(memory.limit.0);
    if let Ok(by) = lock(&running.groups).limit(limit, process.supervisor(), || process.tree()) {
        return Ok(by);
    }
    lock(&running.data).lower(&process.tree(), memory.limit.0)?;
    Ok("RLIMIT_DATA of each process".into())
}

/// Stops every process, also those that are born meanwhile, and sees that they have stopped.
async fn pause(running: &Running) -> Result<(), GatewayError> {
    let deadline = Instant::now() + STOP_WITHIN;
    loop {
        let going: Vec<_> =
            running.process().tree().into_iter().filter(|pid| !tree::is_stopped(*pid)).collect();
        if going.is_empty() {
            return Ok(());
        }
        if Instant::now() >= deadline {
            let going = going.iter().map(|pid| pid.as_raw_nonzero().get()).collect();
            return Err(GatewayError::NotPaused(going));
        }
        for pid in going {
            tree::signal(pid, Signal::STOP).map_err(|source| unheard(running, source))?;
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// Sends a signal until it is heeded: the runtimes of some languages catch the first SIGSEGV, to tell an overflow of
/// the stack from other crashes, and let only the second one kill.
async fn knock(process: &Process, signal: Signal) {
    let deadline = Instant::now() + DIE_WITHIN;
    while process.ended().is_none() && Instant::now() < deadline {
        // Not to be reached any more: it has ended, or will be killed.
        _ = process.signal(signal);
        let again = if signal == Signal::TERM { DIE_WITHIN } else { KNOCK_EVERY };
        _ = tokio::time::timeout(again, process.end()).await;
    }
}

/// Ends the process; that is our doing until it is started again.
async fn end(running: &Running, signal: Signal, within: Duration) {
    let process = running.process();
    if process.ended().is_some() && !running.is_ending() {
        // It died by itself: that is a finding, and stays one.
        return;
    }
    running.set_ending(true);
    process.stop(signal, within).await;
    *lock(&running.held) = hold(running.addr);
}

/// Binds an address without listening, so that connecting to it is refused and no other program is given its port.
/// A gateway that binds with SO_REUSEADDR, as servers do, would not even notice.
fn hold(addr: SocketAddr) -> Option<TcpSocket> {
    let socket = TcpSocket::new_v4().ok()?;
    socket.set_reuseaddr(true).ok()?;
    socket.bind(addr).ok()?;
    Some(socket)
}

/// Starts it again on the same port.
async fn start(running: &Running, within: Span) -> Result<(), GatewayError> {
    if !running.is_ending() {
        return Ok(());
    }
    drop(lock(&running.held).take());
    let process = Process::start(&running.start).await?;
    let ready = launch::wait_ready(&running.blueprint, &process, running.addr, &running.dir, within).await;
    running.replace(process);
    running.set_ending(false);
    ready
}

fn unheard(running: &Running, source: io::Error) -> GatewayError {
    GatewayError::Spawn { program: running.start.program.clone(), source }
}

fn deadly(signal: Deadly) -> Signal {
    match signal {
        Deadly::Kill => Signal::KILL,
        Deadly::Segv => Signal::SEGV,
        Deadly::Abrt => Signal::ABORT,
        Deadly::Term => Signal::TERM,
    }
}
