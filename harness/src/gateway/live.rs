//! A gateway that runs: where it listens, what it declares, and the few things that can be done to it.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use gatecrash_core::faults::Misconfigure;
use gatecrash_core::profile::{ProbePattern, Profile};
use gatecrash_model::{Capabilities, Capability, GatewaySample, Nanos};
use rustix::process::Signal;
use tokio::net::TcpSocket;

use super::blueprint::Blueprint;
use super::cgroup::Groups;
use super::error::GatewayError;
use super::plan_check::given;
use super::process::{Process, Start};
use super::recipe;
use super::shim::SIGNALS;
use super::tree::{self, Limit, Lowered};
use super::witness::{self, WitnessLine};
use super::{Launch, reload};

/// A gateway under test that is ready. Dropping it ends its processes.
pub struct Gateway {
    /// What it is judged by; the version is the one probed.
    pub profile: Profile,
    /// Its version, empty when not known.
    pub version: String,
    /// How its own health probes look on a link.
    pub probes: Vec<ProbePattern>,
    /// What can be observed of it.
    pub capabilities: Capabilities,
    /// Strings that only its configuration knows and no client may see: upstream addresses, the planted name,
    /// its secret key (not the access key, which S3 itself names in its errors).
    pub needles: Vec<String>,
    /// Name or address with its port, as clients call it.
    pub host: String,
    addr: SocketAddr,
    pub(super) running: Option<Running>,
}

/// The part of a gateway that has processes of ours.
pub(super) struct Running {
    pub(super) blueprint: Blueprint,
    pub(super) start: Start,
    pub(super) dir: PathBuf,
    pub(super) addr: SocketAddr,
    /// What its configuration gets wrong now.
    pub(super) mistake: Mutex<Option<Misconfigure>>,
    /// Replaced by a restart.
    process: Mutex<Arc<Process>>,
    pub(super) descriptors: Mutex<Lowered>,
    pub(super) data: Mutex<Lowered>,
    pub(super) groups: Mutex<Groups>,
    /// One change of the configuration or of the process at a time.
    pub(super) changing: tokio::sync::Mutex<()>,
    /// Its port while it is down.
    pub(super) held: Mutex<Option<TcpSocket>>,
    /// While its end is our doing.
    ending: AtomicBool,
}

/// Patience with a gateway that is said to run already.
const CONNECT_WITHIN: std::time::Duration = std::time::Duration::from_secs(5);

impl Gateway {
    pub(super) fn running(running: Running, profile: Profile, launch: &Launch<'_>) -> Self {
        let mut needles: Vec<String> = launch.endpoints.iter().map(|e| e.addr.to_string()).collect();
        needles.push(launch.planted.to_owned());
        if let Some(credentials) = &launch.credentials {
            needles.push(credentials.secret_key.clone());
        }
        needles.retain(|needle| !needle.is_empty());
        Self {
            version: profile.version.clone(),
            probes: running.blueprint.probes.clone(),
            capabilities: Capabilities::FULL,
            needles,
            addr: running.addr,
            host: running.addr.to_string(),
            profile,
            running: Some(running),
        }
    }

    /// A gateway that somebody else runs. It has to take a connection: a run against nobody would only tell of errors.
    pub(super) async fn at(base: &str, launch: &Launch<'_>) -> Result<Self, GatewayError> {
        let failed = |problem: String| GatewayError::Address { base: base.to_owned(), problem };
        let host = parse_base(base).map_err(failed)?;
        let mut found = tokio::net::lookup_host(host.clone())
            .await
            .map_err(|e| failed(format!("cannot be looked up: {e}")))?;
        let addr = found.next().ok_or_else(|| failed("has no address".into()))?;
        let connected = tokio::time::timeout(CONNECT_WITHIN, tokio::net::TcpStream::connect(addr)).await;
        connected
            .unwrap_or_else(|_| Err(std::io::ErrorKind::TimedOut.into()))
            .map_err(|e| failed(format!("does not take a connection: {e}")))?;
        Ok(Self {
            profile: Profile::strict("url"),
            version: String::new(),
            probes: Vec::new(),
            capabilities: Capabilities::FULL.without(Capability::Process),
            needles: launch.endpoints.iter().map(|e| e.addr.to_string()).collect(),
            addr,
            host,
            running: None,
        })
    }

    /// Where clients connect.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Renders the configuration with one wrong value (or with none again), reloads, and waits until it is in
    /// force as far as that can be seen.
    pub async fn reconfigure(&self, mistake: Option<&Misconfigure>) -> Result<(), GatewayError> {
        let running = self.running.as_ref().ok_or(GatewayError::NoProcess("reconfigure"))?;
        let _one_at_a_time = running.changing.lock().await;
        for (kind, _) in mistake.map(given).unwrap_or_default() {
            if !running.blueprint.can.contains(&kind) {
                return Err(GatewayError::CannotMisconfigure {
                    gateway: running.blueprint.name.clone(),
                    kind: kind.name(),
                    can: recipe::list(&running.blueprint.can),
                });
            }
        }
        *lock(&running.mistake) = mistake.cloned();
        reload::reload(running).await
    }

    /// Lowers the soft limit of open files of every process of the gateway, or restores what it was.
    pub fn limit_descriptors(&self, limit: Option<u64>) -> Result<(), GatewayError> {
        let running = self.running.as_ref().ok_or(GatewayError::NoProcess("limit"))?;
        let mut lowered = lock(&running.descriptors);
        match limit {
            Some(limit) => lowered.lower(&running.process().tree(), limit),
            None => lowered.restore(&running.process().tree()),
        }
    }

    /// What its processes use now; all zero for a gateway without a process of ours.
    pub fn sample(&self, now: Nanos) -> GatewaySample {
        let pids = self.running.as_ref().map(|running| running.process().tree()).unwrap_or_default();
        tree::sample(&pids, now)
    }

    /// Process ids of the gateway.
    pub fn pids(&self) -> Vec<u32> {
        let pids = self.running.as_ref().map(|running| running.process().tree()).unwrap_or_default();
        pids.into_iter().map(|pid| pid.as_raw_nonzero().get() as u32).collect()
    }

    /// How it ended before it was asked to, once it did: `exit code 1`, `killed by SIGSEGV`.
    pub fn exited(&self) -> Option<String> {
        let running = self.running.as_ref()?;
        if running.is_ending() { None } else { running.process().ended() }
    }

    /// Stops it: its own signal, then a kill. When this returns, no process of it is left.
    pub async fn stop(&self) {
        let Some(running) = &self.running else { return };
        let process = running.process();
        if process.ended().is_none() {
            running.set_ending(true);
        }
        // A stopped process would not hear the request to end.
        for pid in process.tree() {
            _ = tree::signal(pid, Signal::CONT);
        }
        lock(&running.groups).leave_all();
        let stop = &running.blueprint.stop;
        process.stop(signal_named(&stop.signal), stop.within.duration()).await;
    }

    /// The last lines of its logs.
    pub fn log_tail(&self, lines: usize) -> Vec<String> {
        self.running
            .as_ref()
            .map_or_else(Vec::new, |running| tail(&running.dir, &running.blueprint.logs, lines))
    }

    /// Which upstream tries its own log tells of, when it has such a log. Read it after [`Gateway::stop`].
    pub fn witness(&self) -> Option<Vec<WitnessLine>> {
        let running = self.running.as_ref()?;
        let file = running.blueprint.witness.as_ref()?;
        witness::read(&running.dir.join(file)).ok()
    }
}

// === impl Running ===

impl Running {
    pub(super) fn new(
        blueprint: Blueprint,
        start: Start,
        process: Process,
        dir: PathBuf,
        addr: SocketAddr,
    ) -> Self {
        Self {
            blueprint,
            start,
            dir,
            addr,
            mistake: Mutex::default(),
            process: Mutex::new(Arc::new(process)),
            descriptors: Mutex::new(Lowered::of(Limit::Descriptors)),
            data: Mutex::new(Lowered::of(Limit::Data)),
            groups: Mutex::default(),
            changing: tokio::sync::Mutex::default(),
            held: Mutex::default(),
            ending: AtomicBool::new(false),
        }
    }

    /// The process of now.
    pub(super) fn process(&self) -> Arc<Process> {
        Arc::clone(&lock(&self.process))
    }

    pub(super) fn replace(&self, process: Process) {
        *lock(&self.process) = Arc::new(process);
    }

    /// Whether its end is our doing.
    pub(super) fn is_ending(&self) -> bool {
        self.ending.load(Ordering::Acquire)
    }

    pub(super) fn set_ending(&self, ending: bool) {
        self.ending.store(ending, Ordering::Release);
    }
}

/// A signal by its name in a recipe, which a test or [`super::check_plan`] has checked.
pub(super) fn signal_named(name: &str) -> Signal {
    SIGNALS.iter().find(|(known, _)| *known == name).map_or(Signal::TERM, |(_, signal)| *signal)
}

/// `host:port` of `http://host:port` or `https://host:port`.
pub(super) fn parse_base(base: &str) -> Result<String, String> {
    let plain = base.strip_prefix("http://").map(|rest| (rest, 80));
    let (rest, port) = plain
        .or_else(|| base.strip_prefix("https://").map(|rest| (rest, 443)))
        .ok_or("does not begin with http:// or https://")?;
    let host = rest.strip_suffix('/').unwrap_or(rest);
    if host.is_empty() || host.contains(['/', '?', '#', '@']) {
        return Err("is not http://HOST:PORT or https://HOST:PORT".into());
    }
    let has_port = host.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
    Ok(if has_port { host.to_owned() } else { format!("{host}:{port}") })
}

/// The last lines of these files, read as one.
pub(super) fn tail(dir: &Path, files: &[String], lines: usize) -> Vec<String> {
    let mut all: Vec<String> = files.iter().flat_map(|file| end_of(&dir.join(file))).collect();
    all.split_off(all.len().saturating_sub(lines))
}

fn end_of(path: &Path) -> Vec<String> {
    const MOST: u64 = 64 << 10;
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|mut file| {
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(MOST)))?;
        file.take(MOST).read_to_end(&mut bytes)
    });
    if read.is_err() {
        return Vec::new();
    }
    String::from_utf8_lossy(&bytes)
        .lines()
        .filter(|line| !line.trim().is_empty())
        .map(str::to_owned)
        .collect()
}

/// The value is whole even if a thread panicked while it held the lock.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_urls() {
        assert_eq!(parse_base("http://localhost:8080/"), Ok("localhost:8080".into()));
        assert_eq!(parse_base("http://[::1]:81"), Ok("[::1]:81".into()));
        assert_eq!(parse_base("http://gw"), Ok("gw:80".into()));
        assert_eq!(parse_base("https://gw"), Ok("gw:443".into()));
        for bad in ["gw:80", "http://", "http://gw/base", "ftp://gw"] {
            assert!(parse_base(bad).is_err(), "{bad}");
        }
    }
}
