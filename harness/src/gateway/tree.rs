//! The gateway's process tree, read from `/proc`: who belongs to it, what it uses, what it may open.

use std::collections::BTreeMap;
use std::fs;
use std::io;

use gatecrash_model::{GatewaySample, Nanos};
use rustix::process::{Pid, Resource, Rlimit, Signal};

use super::error::GatewayError;

/// Every living descendant of a process, without itself.
pub(super) fn descendants(root: Pid) -> Vec<Pid> {
    let mut found = children(root);
    let mut at = 0;
    while at < found.len() {
        found.extend(children(found[at]));
        at += 1;
    }
    found
}

/// Parent of a process, `None` when it is gone.
pub(super) fn parent(pid: Pid) -> Option<i32> {
    Stat::read(pid).map(|stat| stat.parent)
}

/// Whether a process is stopped, by SIGSTOP or by a tracer; one that is gone counts too.
pub(super) fn is_stopped(pid: Pid) -> bool {
    Stat::read(pid).is_none_or(|stat| stat.is_stopped)
}

/// Whether a process is scheduled in real time.
pub(super) fn is_real_time(pid: Pid) -> bool {
    Stat::read(pid).is_some_and(|stat| stat.is_real_time)
}

/// Sends a signal, unless the process is gone by now.
pub(super) fn signal(pid: Pid, signal: Signal) -> io::Result<()> {
    match rustix::process::kill_process(pid, signal) {
        Ok(()) | Err(rustix::io::Errno::SRCH) => Ok(()),
        Err(e) => Err(e.into()),
    }
}

/// CPU, memory, descriptors and sockets of these processes together. Memory shared between them counts once
/// each; CPU includes what ended children used.
pub(super) fn sample(pids: &[Pid], at: Nanos) -> GatewaySample {
    let tick_micros = 1_000_000 / rustix::param::clock_ticks_per_second().max(1);
    let page = rustix::param::page_size() as u64;
    let mut sum = GatewaySample { at, ..GatewaySample::default() };
    for &pid in pids {
        let Some(stat) = Stat::read(pid) else { continue };
        let (descriptors, sockets) = descriptors(pid);
        sum.cpu_micros += stat.ticks * tick_micros;
        sum.resident += stat.resident_pages * page;
        sum.descriptors += descriptors;
        sum.sockets += sockets;
        sum.processes += 1;
    }
    sum
}

/// A limit of a process.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Limit {
    /// Open files: RLIMIT_NOFILE.
    Descriptors,
    /// Heap and private mappings: RLIMIT_DATA (since Linux 4.7).
    Data,
}

impl Limit {
    fn resource(self) -> Resource {
        match self {
            Self::Descriptors => Resource::Nofile,
            Self::Data => Resource::Data,
        }
    }

    /// Its line in `/proc/<pid>/limits`.
    fn label(self) -> &'static str {
        match self {
            Self::Descriptors => "Max open files",
            Self::Data => "Max data size",
        }
    }

    /// In words.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Descriptors => "descriptors",
            Self::Data => "memory",
        }
    }
}

/// Soft limits that were lowered, to be restored.
#[derive(Debug)]
pub(super) struct Lowered {
    limit: Limit,
    first: BTreeMap<i32, Option<u64>>,
}

impl Lowered {
    /// None lowered yet.
    pub(super) fn of(limit: Limit) -> Self {
        Self { limit, first: BTreeMap::new() }
    }

    /// Lowers the soft limit of these processes; the first value of each is remembered.
    pub(super) fn lower(&mut self, pids: &[Pid], to: u64) -> Result<(), GatewayError> {
        for &pid in pids {
            if let Some(before) = set_limit(pid, self.limit, Some(to))? {
                self.first.entry(pid.as_raw_nonzero().get()).or_insert(before.current);
            }
        }
        Ok(())
    }

    /// Gives every process its first limit back; one that was born under the lowered limit gets the highest
    /// of them.
    pub(super) fn restore(&mut self, pids: &[Pid]) -> Result<(), GatewayError> {
        let first = std::mem::take(&mut self.first);
        let Some(highest) = first.values().copied().max_by_key(|limit| limit.unwrap_or(u64::MAX)) else {
            return Ok(());
        };
        for &pid in pids {
            let limit = first.get(&pid.as_raw_nonzero().get()).copied().unwrap_or(highest);
            set_limit(pid, self.limit, limit)?;
        }
        Ok(())
    }
}

/// Sets the soft limit and returns what it was; `None` when the process is gone.
fn set_limit(pid: Pid, limit: Limit, soft: Option<u64>) -> Result<Option<Rlimit>, GatewayError> {
    let failed = |e: rustix::io::Errno| GatewayError::Limit {
        what: limit.name(),
        pid: pid.as_raw_nonzero().get(),
        source: e.into(),
    };
    let Some(before) = limit_of(pid, limit) else { return Ok(None) };
    let soft = match (soft, before.maximum) {
        (Some(soft), Some(hard)) => Some(soft.min(hard)),
        (None, hard) => hard,
        (soft, None) => soft,
    };
    let new = Rlimit { current: soft, maximum: before.maximum };
    match rustix::process::prlimit(Some(pid), limit.resource(), new) {
        Ok(_) => Ok(Some(before)),
        Err(rustix::io::Errno::SRCH) => Ok(None),
        Err(e) => Err(failed(e)),
    }
}

/// Limits of a process as `/proc` shows them; `None` when it is gone.
pub(super) fn limit_of(pid: Pid, limit: Limit) -> Option<Rlimit> {
    let text = fs::read_to_string(path(pid, "limits")).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(limit.label()))?;
    let mut columns = line.split_whitespace().map(|word| word.parse::<u64>().ok());
    Some(Rlimit { current: columns.next()?, maximum: columns.next()? })
}

fn children(pid: Pid) -> Vec<Pid> {
    let Ok(tasks) = fs::read_dir(path(pid, "task")) else { return Vec::new() };
    let lists: Option<Vec<String>> = tasks
        .flatten()
        .map(|task| match fs::read_to_string(task.path().join("children")) {
            Ok(list) => Some(list),
            Err(e) if e.kind() == io::ErrorKind::NotFound && task.path().exists() => None,
            Err(_) => Some(String::new()),
        })
        .collect();
    match lists {
        Some(lists) => lists.iter().flat_map(|list| list.split_whitespace()).filter_map(pid_of).collect(),
        None => children_by_scan(pid),
    }
}

/// For kernels without `/proc/.../children`.
fn children_by_scan(pid: Pid) -> Vec<Pid> {
    let Ok(all) = fs::read_dir("/proc") else { return Vec::new() };
    all.flatten()
        .filter_map(|entry| pid_of(entry.file_name().to_str()?))
        .filter(|&child| parent(child) == Some(pid.as_raw_nonzero().get()))
        .collect()
}

fn descriptors(pid: Pid) -> (u32, u32) {
    let Ok(all) = fs::read_dir(path(pid, "fd")) else { return (0, 0) };
    let is_socket = |entry: &fs::DirEntry| {
        fs::read_link(entry.path()).is_ok_and(|to| to.as_os_str().as_encoded_bytes().starts_with(b"socket:"))
    };
    all.flatten().fold((0, 0), |(all, sockets), entry| (all + 1, sockets + u32::from(is_socket(&entry))))
}

fn path(pid: Pid, file: &str) -> String {
    format!("/proc/{}/{file}", pid.as_raw_nonzero())
}

fn pid_of(text: &str) -> Option<Pid> {
    Pid::from_raw(text.parse().ok()?)
}

/// The fields of `/proc/<pid>/stat` that are used here (proc(5)).
struct Stat {
    is_stopped: bool,
    is_real_time: bool,
    parent: i32,
    ticks: u64,
    resident_pages: u64,
}

impl Stat {
    fn read(pid: Pid) -> Option<Self> {
        Self::parse(&fs::read_to_string(path(pid, "stat")).ok()?)
    }

    fn parse(text: &str) -> Option<Self> {
        let (_, after_name) = text.rsplit_once(')')?;
        let fields: Vec<&str> = after_name.split_whitespace().collect();
        // Field 3 of proc(5) is the first after the name.
        let field = |number: usize| fields.get(number - 3)?.parse::<i64>().ok();
        if matches!(*fields.first()?, "Z" | "X") {
            return None;
        }
        let ticks = (14..=17).map(field).sum::<Option<i64>>()?;
        Some(Self {
            is_stopped: matches!(*fields.first()?, "T" | "t"),
            // Field 41, the policy: 1 is SCHED_FIFO, 2 is SCHED_RR, 6 is SCHED_DEADLINE.
            is_real_time: matches!(field(41), Some(1 | 2 | 6)),
            parent: field(4)? as i32,
            ticks: ticks.max(0) as u64,
            resident_pages: field(24)?.max(0) as u64,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_this_very_process() {
        let me = rustix::process::getpid();
        let now = sample(&[me], 7);
        assert_eq!((now.at, now.processes), (7, 1));
        assert!(now.resident > 1 << 20, "{now:?}");
        assert!(now.descriptors >= 3, "{now:?}");
        assert_eq!(parent(me), rustix::process::getppid().map(|p| p.as_raw_nonzero().get()));
        assert!(
            limit_of(me, Limit::Descriptors).is_some_and(|limit| limit.current.is_none_or(|soft| soft >= 3))
        );
    }

    #[test]
    fn a_real_time_process_is_known() {
        let stat = |policy: u32| {
            let rest = ["0"; 36].join(" ");
            format!("7 (a) b) S 1 {rest} {policy} 0 0")
        };
        assert!(Stat::parse(&stat(2)).is_some_and(|stat| stat.is_real_time));
        assert!(Stat::parse(&stat(0)).is_some_and(|stat| !stat.is_real_time));
    }

    #[test]
    fn children_are_found_both_ways() {
        let mut child = std::process::Command::new("sleep").arg("60").spawn().expect("sleep exists");
        let pid = Pid::from_child(&child);
        let me = rustix::process::getpid();
        assert!(descendants(me).contains(&pid));
        assert!(children_by_scan(me).contains(&pid));
        child.kill().expect("it is ours");
        child.wait().expect("it is ours");
        assert!(!descendants(me).contains(&pid));
    }

    #[test]
    fn limits_are_lowered_and_restored() {
        let mut child = std::process::Command::new("sleep").arg("60").spawn().expect("sleep exists");
        let pid = Pid::from_child(&child);
        let soft = || limit_of(pid, Limit::Descriptors).expect("it lives").current;
        let before = soft();
        let mut lowered = Lowered::of(Limit::Descriptors);
        lowered.lower(&[pid], 32).expect("own process");
        assert_eq!(soft(), Some(32));
        lowered.lower(&[pid], 16).expect("own process");
        assert_eq!(soft(), Some(16));
        lowered.restore(&[pid]).expect("own process");
        assert_eq!(soft(), before);
        child.kill().expect("it is ours");
        child.wait().expect("it is ours");
    }
}
