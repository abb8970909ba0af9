//! From a plan to a gateway that answers.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use gatecrash_core::plan::GatewayPlan;
use gatecrash_core::units::Span;
use tokio::time::Instant;

use super::blueprint::{self, Blueprint, OUTPUT};
use super::error::GatewayError;
use super::live::{self, Gateway, Running, signal_named};
use super::process::Process;
use super::{Launch, check_plan, http};

/// Log lines quoted in an error.
const QUOTED: usize = 8;

/// Pause between two looks at a gateway that starts.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// Patience with one answer of a gateway that starts.
const ANSWER_WITHIN: Duration = Duration::from_secs(1);

/// Ports that are not given again, until there are so many.
const PORTS_REMEMBERED: usize = 8192;

/// How gateways say that their address is in use.
const TAKEN: &[&str] = &["ddress already in use", "ddress in use", "cannot bind socket"];

/// Starts the gateway of a plan and waits until it is ready. A gateway given by its address is looked up
/// only.
pub async fn launch(launch: Launch<'_>) -> Result<Gateway, GatewayError> {
    let problems = check_plan(launch.plan);
    if !problems.is_empty() {
        return Err(GatewayError::Plan(problems));
    }
    let Some(blueprint) = Blueprint::of(&launch)? else {
        return match &launch.plan.gateway {
            GatewayPlan::Url { base, .. } => Gateway::at(base, &launch).await,
            _ => Err(GatewayError::NoProcess("start")),
        };
    };
    let (program, version) = blueprint.find_program().await?;
    let mut profile = blueprint.profile.clone();
    if let Some(version) = version {
        profile = profile.for_version(&version);
    }
    let dir = blueprint::directory(launch.dir)?;
    fs::create_dir_all(&dir).map_err(|source| GatewayError::Write { path: dir.clone(), source })?;
    let mut retried = false;
    loop {
        let addr = free_port().map_err(|source| GatewayError::Spawn { program: program.clone(), source })?;
        clear_logs(&blueprint, &dir)?;
        blueprint.write_config(&dir, addr, None)?;
        let start = blueprint.start(launch.executable, &program, &dir, addr)?;
        let process = Process::start(&start).await?;
        match wait_ready(&blueprint, &process, addr, &dir, blueprint.ready.within).await {
            Ok(()) => {
                let running = Running::new(blueprint, start, process, dir, addr);
                return Ok(Gateway::running(running, profile, &launch));
            }
            Err(error) => {
                give_up(&process, &blueprint).await;
                match error {
                    GatewayError::PortTaken { .. } if !retried => retried = true,
                    error => return Err(error),
                }
            }
        }
    }
}

/// A port that was free a moment ago, and that no other run of this process was given: a gateway that starts slowly
/// would find the other's there, and the other's would answer for it.
fn free_port() -> io::Result<SocketAddr> {
    static GIVEN: Mutex<BTreeSet<u16>> = Mutex::new(BTreeSet::new());
    // Kept until one is found, so that the system offers others.
    let mut taken = Vec::new();
    loop {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let addr = listener.local_addr()?;
        let mut given = GIVEN.lock().unwrap_or_else(PoisonError::into_inner);
        if given.len() >= PORTS_REMEMBERED {
            given.clear();
        }
        if given.insert(addr.port()) {
            return Ok(addr);
        }
        taken.push(listener);
    }
}

fn clear_logs(blueprint: &Blueprint, dir: &Path) -> Result<(), GatewayError> {
    let files = blueprint.logs.iter().chain(&blueprint.witness).map(String::as_str).chain([OUTPUT]);
    for path in files.map(|file| dir.join(file)) {
        match fs::remove_file(&path) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                return Err(GatewayError::Write { path, source });
            }
            _ => {}
        }
    }
    Ok(())
}

async fn give_up(process: &Process, blueprint: &Blueprint) {
    process.stop(signal_named(&blueprint.stop.signal), blueprint.stop.within.duration()).await;
}

/// Waits for an answer; a gateway that ends, or stays silent too long, is an error with its last words.
pub(super) async fn wait_ready(
    blueprint: &Blueprint,
    process: &Process,
    addr: SocketAddr,
    dir: &Path,
    within: Span,
) -> Result<(), GatewayError> {
    let ready = &blueprint.ready;
    let path = blueprint.ready_path(dir, addr)?;
    let deadline = Instant::now() + within.duration();
    let mut last = "was never answered".to_owned();
    let tail = || live::tail(dir, &blueprint.logs, QUOTED);
    while Instant::now() < deadline {
        if let Some(how) = process.ended() {
            let tail = tail();
            let taken = tail.iter().any(|line| TAKEN.iter().any(|words| line.contains(words)));
            return Err(if taken {
                GatewayError::PortTaken { addr, tail }
            } else {
                GatewayError::EndedAtStart { gateway: blueprint.name.clone(), how, tail }
            });
        }
        match tokio::time::timeout(ANSWER_WITHIN, http::status(addr, &path)).await {
            Ok(Ok(status)) if ready.up_to.is_none_or(|most| status <= most) => return Ok(()),
            Ok(Ok(status)) => last = format!("answers {status}"),
            Ok(Err(e)) => last = format!("failed ({e})"),
            Err(_) => last = "is not answered".into(),
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
    Err(GatewayError::NotReady {
        gateway: blueprint.name.clone(),
        within,
        last: format!("GET http://{addr}{path} {last}"),
        tail: tail(),
    })
}
