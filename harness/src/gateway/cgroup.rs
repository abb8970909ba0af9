//! Control groups of the gateway's processes: made for a fault, left and removed when it ends.
//!
//! A group is called `gatecrash-<pid of the supervisor>`. It lies below the group we run in ourselves or, where
//! version 2 does not allow that (a group that holds processes hands no controllers down), below the nearest
//! ancestor whose groups have the controller. The supervisor removes it when the gateway ends, also when we were
//! killed; what a killed supervisor left is removed when the next group is made.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::process::Pid;

/// The period of a CPU quota in microseconds, the kernel's default.
const PERIOD: u64 = 100_000;
const PREFIX: &str = "gatecrash-";
/// How often processes are looked for that were born while others were moved.
const ROUNDS: usize = 50;
/// How long an emptied group may take to be let go.
const REMOVE_TRIES: usize = 100;

/// What a group limits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Limited {
    /// Microseconds of CPU time in every 100 ms.
    Cpu(u64),
    /// Bytes.
    Memory(u64),
}

/// The groups that are in force.
#[derive(Debug, Default)]
pub(super) struct Groups(Vec<Group>);

#[derive(Debug)]
struct Group {
    dir: PathBuf,
    /// Where its processes came from.
    home: PathBuf,
    version: Version,
    limits: BTreeSet<&'static str>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Version {
    One,
    Two,
}

/// A hierarchy as mounted, and our own group in it.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Hierarchy {
    version: Version,
    mount: PathBuf,
    own: PathBuf,
}

// === impl Limited ===

impl Limited {
    fn controller(self) -> &'static str {
        match self {
            Self::Cpu(_) => "cpu",
            Self::Memory(_) => "memory",
        }
    }

    /// Files of the group and what is written to them. Memory by version 1 is not used: its limit cannot be set
    /// below what is in use already.
    fn settings(self, version: Version) -> Vec<(&'static str, String)> {
        match (self, version) {
            (Self::Cpu(quota), Version::Two) => vec![("cpu.max", format!("{quota} {PERIOD}"))],
            (Self::Cpu(quota), Version::One) => {
                vec![("cpu.cfs_period_us", PERIOD.to_string()), ("cpu.cfs_quota_us", quota.to_string())]
            }
            (Self::Memory(limit), Version::Two) => vec![("memory.max", limit.to_string())],
            (Self::Memory(_), Version::One) => Vec::new(),
        }
    }

    fn lifted(self) -> Vec<(&'static str, String)> {
        match self {
            Self::Cpu(_) => vec![("cpu.max", format!("max {PERIOD}"))],
            Self::Memory(_) => vec![("memory.max", "max".into())],
        }
    }
}

// === impl Groups ===

impl Groups {
    /// Limits these processes, and those they bear from now on. Returns by which group, or everything that was
    /// tried.
    pub(super) fn limit(
        &mut self,
        limited: Limited,
        supervisor: Pid,
        processes: impl Fn() -> Vec<Pid>,
    ) -> Result<String, Vec<String>> {
        let read = |file| fs::read_to_string(file).unwrap_or_default();
        let found =
            hierarchies(&read("/proc/self/mountinfo"), &read("/proc/self/cgroup"), limited.controller());
        if found.is_empty() {
            return Err(vec![format!("no control group has the controller {}", limited.controller())]);
        }
        let mut tried = Vec::new();
        for hierarchy in found {
            match self.limit_in(&hierarchy, limited, supervisor, &processes) {
                Ok(dir) => return Ok(format!("control group {}", dir.display())),
                Err(problems) => tried.extend(problems),
            }
        }
        Err(tried)
    }

    fn limit_in(
        &mut self,
        hierarchy: &Hierarchy,
        limited: Limited,
        supervisor: Pid,
        processes: &impl Fn() -> Vec<Pid>,
    ) -> Result<PathBuf, Vec<String>> {
        let settings = limited.settings(hierarchy.version);
        if settings.is_empty() {
            return Err(vec![format!("{}: not by version 1", hierarchy.mount.display())]);
        }
        let name = format!("{PREFIX}{}", supervisor.as_raw_nonzero());
        let mut tried = Vec::new();
        for parent in parents(hierarchy) {
            let dir = parent.join(&name);
            sweep(&parent, |pid| !Path::new("/proc").join(pid.to_string()).exists());
            let set = hand_down(hierarchy.version, &parent, limited.controller())
                .and_then(|()| make(&dir))
                .and_then(|()| write_all(&dir, &settings))
                .and_then(|()| fill(&dir, processes));
            match set {
                Ok(()) => {
                    self.note(&dir, hierarchy, limited);
                    return Ok(dir);
                }
                Err(e) => {
                    tried.push(format!("{}: {e}", dir.display()));
                    if !self.0.iter().any(|group| group.dir == dir) {
                        empty_and_remove(&dir, &hierarchy.own);
                    }
                }
            }
        }
        Err(tried)
    }

    fn note(&mut self, dir: &Path, hierarchy: &Hierarchy, limited: Limited) {
        match self.0.iter_mut().find(|group| group.dir == dir) {
            Some(group) => {
                group.limits.insert(limited.controller());
            }
            None => self.0.push(Group {
                dir: dir.to_owned(),
                home: hierarchy.own.clone(),
                version: hierarchy.version,
                limits: BTreeSet::from([limited.controller()]),
            }),
        }
    }

    /// Lifts a limit; the last one of a group ends the group.
    pub(super) fn lift(&mut self, limited: Limited) {
        let Some(at) = self.0.iter().position(|group| group.limits.contains(limited.controller())) else {
            return;
        };
        let group = &mut self.0[at];
        group.limits.remove(limited.controller());
        if group.limits.is_empty() {
            let group = self.0.remove(at);
            empty_and_remove(&group.dir, &group.home);
        } else if group.version == Version::Two {
            // What cannot be written now goes with the group.
            _ = write_all(&group.dir, &limited.lifted());
        }
    }

    /// Ends every group.
    pub(super) fn leave_all(&mut self) {
        for group in self.0.drain(..) {
            empty_and_remove(&group.dir, &group.home);
        }
    }
}

/// How long a CPU quota has kept the processes of a group from running since the group was made.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Throttling {
    /// Summed over threads, us.
    pub(crate) micros: u64,
    /// Periods in which the quota was used up.
    pub(crate) periods: u64,
}

/// Of our own group and those above it, as far as they can be seen, the one that was kept from running longest;
/// `None` where no group has a quota.
pub(crate) fn throttling() -> Option<Throttling> {
    let read = |file| fs::read_to_string(file).unwrap_or_default();
    let found = hierarchies(&read("/proc/self/mountinfo"), &read("/proc/self/cgroup"), "cpu");
    let groups = found.iter().flat_map(parents);
    let stats = groups.filter_map(|dir| fs::read_to_string(dir.join("cpu.stat")).ok());
    stats.filter_map(|stat| throttling_of(&stat)).max_by_key(|throttling| throttling.micros)
}

/// `cpu.stat` of version 2 counts microseconds, of version 1 nanoseconds.
fn throttling_of(stat: &str) -> Option<Throttling> {
    let value = |key: &str| {
        let mut lines = stat.lines().filter_map(|line| line.split_once(' '));
        lines.find(|(name, _)| *name == key).and_then(|(_, value)| value.trim().parse::<u64>().ok())
    };
    let micros = value("throttled_usec").or_else(|| value("throttled_time").map(|nanos| nanos / 1000))?;
    Some(Throttling { micros, periods: value("nr_throttled")? })
}

/// Removes what a supervisor made, once its processes are gone: called by the supervisor itself.
pub(super) fn sweep_own(supervisor: Pid) {
    let read = |file| fs::read_to_string(file).unwrap_or_default();
    let (mounts, groups) = (read("/proc/self/mountinfo"), read("/proc/self/cgroup"));
    for controller in ["cpu", "memory"] {
        for hierarchy in hierarchies(&mounts, &groups, controller) {
            for parent in parents(&hierarchy) {
                sweep(&parent, |pid| pid == supervisor.as_raw_nonzero().get());
            }
        }
    }
}

/// Removes the empty groups of these supervisors.
fn sweep(parent: &Path, whose: impl Fn(i32) -> bool) {
    let Ok(all) = fs::read_dir(parent) else { return };
    let of = |name: &str| name.strip_prefix(PREFIX)?.parse().ok();
    for entry in all.flatten() {
        if entry.file_name().to_str().and_then(of).is_some_and(&whose) {
            remove(&entry.path());
        }
    }
}

/// Groups below which ours may lie: our own, then its ancestors up to the mount.
fn parents(hierarchy: &Hierarchy) -> Vec<PathBuf> {
    hierarchy
        .own
        .ancestors()
        .take_while(|dir| dir.starts_with(&hierarchy.mount))
        .map(Path::to_owned)
        .collect()
}

/// Version 2: the parent has to hand the controller down to its groups.
fn hand_down(version: Version, parent: &Path, controller: &str) -> io::Result<()> {
    let file = parent.join("cgroup.subtree_control");
    let handed = || fs::read_to_string(&file).map(|all| all.split_whitespace().any(|one| one == controller));
    if version == Version::One || handed()? {
        return Ok(());
    }
    fs::write(&file, format!("+{controller}"))
}

fn make(dir: &Path) -> io::Result<()> {
    match fs::create_dir(dir) {
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        made => made,
    }
}

fn write_all(dir: &Path, settings: &[(&str, String)]) -> io::Result<()> {
    settings.iter().try_for_each(|(file, value)| fs::write(dir.join(file), value))
}

/// Moves processes into a group until no new one appears.
fn fill(dir: &Path, processes: &impl Fn() -> Vec<Pid>) -> io::Result<()> {
    let mut moved = BTreeSet::new();
    for _ in 0..ROUNDS {
        let fresh: Vec<i32> = processes()
            .iter()
            .map(|pid| pid.as_raw_nonzero().get())
            .filter(|pid| moved.insert(*pid))
            .collect();
        if fresh.is_empty() {
            break;
        }
        fresh.iter().try_for_each(|pid| enter(dir, *pid))?;
    }
    Ok(())
}

/// Moves one process, unless it is gone by now.
fn enter(dir: &Path, pid: i32) -> io::Result<()> {
    match fs::write(dir.join("cgroup.procs"), pid.to_string()) {
        Err(e) if e.raw_os_error() == Some(rustix::io::Errno::SRCH.raw_os_error()) => Ok(()),
        entered => entered,
    }
}

fn empty_and_remove(dir: &Path, home: &Path) {
    for _ in 0..ROUNDS {
        let inside = fs::read_to_string(dir.join("cgroup.procs")).unwrap_or_default();
        let pids: Vec<i32> = inside.lines().filter_map(|line| line.parse().ok()).collect();
        if pids.is_empty() {
            break;
        }
        for pid in pids {
            // Whoever cannot go home stays until it ends; its supervisor removes the group then.
            _ = enter(home, pid);
        }
    }
    remove(dir);
}

/// A group whose last process has just left may be busy for an instant.
fn remove(dir: &Path) {
    for _ in 0..REMOVE_TRIES {
        match fs::remove_dir(dir) {
            Err(e) if e.kind() == io::ErrorKind::ResourceBusy => std::thread::sleep(Duration::from_millis(2)),
            _ => return,
        }
    }
}

/// The mounted hierarchies that may have a controller, version 2 first.
fn hierarchies(mountinfo: &str, groups: &str, controller: &str) -> Vec<Hierarchy> {
    let mut found: Vec<Hierarchy> =
        mountinfo.lines().filter_map(|line| hierarchy(line, groups, controller)).collect();
    found.sort_by_key(|hierarchy| hierarchy.version == Version::One);
    found
}

/// One line of `/proc/self/mountinfo` (proc(5)): id, parent, device, root, mount point, options, tags, `-`, type,
/// source, options of the file system.
fn hierarchy(line: &str, groups: &str, controller: &str) -> Option<Hierarchy> {
    let (before, after) = line.split_once(" - ")?;
    let mut fields = before.split(' ');
    let (root, mount) = (fields.nth(3)?, fields.next()?);
    let mut after = after.split(' ');
    let (kind, options) = (after.next()?, after.nth(1)?);
    let has = |list: &str| list.split(',').any(|one| one == controller);
    let version = match kind {
        "cgroup2" => Version::Two,
        "cgroup" if has(options) => Version::One,
        _ => return None,
    };
    // `4:cpu,cpuacct:/path`; version 2 is `0::/path`.
    let own = groups.lines().find_map(|line| {
        let mut parts = line.splitn(3, ':');
        let (_, controllers, path) = (parts.next()?, parts.next()?, parts.next()?);
        let ours = if version == Version::Two { controllers.is_empty() } else { has(controllers) };
        ours.then_some(path)
    })?;
    let below = own.strip_prefix(root.trim_end_matches('/'))?.trim_start_matches('/');
    let own = if below.is_empty() { PathBuf::from(mount) } else { Path::new(mount).join(below) };
    Some(Hierarchy { version, mount: mount.into(), own })
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOUNTS: &str = "\
24 1 0:22 / /proc rw - proc proc rw
30 24 0:25 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:9 - cgroup cgroup rw,cpu,cpuacct
31 24 0:26 /docker/abc /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory
32 24 0:27 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw";
    const GROUPS: &str = "4:cpu,cpuacct:/\n3:memory:/docker/abc/job\n0::/user.slice/a.scope";

    fn of(version: Version, mount: &str, own: &str) -> Hierarchy {
        Hierarchy { version, mount: mount.into(), own: own.into() }
    }

    #[test]
    fn hierarchies_are_read_off_the_mounts() {
        let unified = of(Version::Two, "/sys/fs/cgroup/unified", "/sys/fs/cgroup/unified/user.slice/a.scope");
        let cpu = of(Version::One, "/sys/fs/cgroup/cpu,cpuacct", "/sys/fs/cgroup/cpu,cpuacct");
        assert_eq!(hierarchies(MOUNTS, GROUPS, "cpu"), [unified.clone(), cpu]);
        let memory = of(Version::One, "/sys/fs/cgroup/memory", "/sys/fs/cgroup/memory/job");
        assert_eq!(hierarchies(MOUNTS, GROUPS, "memory"), [unified.clone(), memory]);
        assert_eq!(hierarchies("", "", "cpu"), []);
        let tails = ["user.slice/a.scope", "user.slice", ""];
        let above = tails.map(|tail| Path::new("/sys/fs/cgroup/unified").join(tail));
        assert_eq!(parents(&unified), above);
    }

    /// A folder that looks like version 2: an ancestor hands the controllers down, our own group cannot.
    #[test]
    fn a_group_of_version_two_lies_where_controllers_are_handed_down() {
        let folder = tempfile::tempdir().expect("a folder");
        let mount = folder.path().join("unified");
        let own = mount.join("slice/scope");
        fs::create_dir_all(&own).expect("folders");
        fs::write(mount.join("slice/cgroup.subtree_control"), "cpu memory\n").expect("a file");
        let hierarchy = Hierarchy { version: Version::Two, mount, own };
        let supervisor = Pid::from_raw(i32::MAX).expect("a pid");
        let someone = rustix::process::getpid();
        let mut groups = Groups::default();
        let dir = groups.limit_in(&hierarchy, Limited::Cpu(20_000), supervisor, &|| vec![someone]);
        let dir = dir.expect("the slice hands cpu down");
        assert_eq!(dir, hierarchy.mount.join(format!("slice/{PREFIX}{}", i32::MAX)));
        let read = |file| fs::read_to_string(dir.join(file)).expect(file);
        assert_eq!(read("cpu.max"), "20000 100000");
        assert_eq!(read("cgroup.procs"), someone.as_raw_nonzero().to_string());
        groups.limit_in(&hierarchy, Limited::Memory(1 << 20), supervisor, &Vec::new).expect("the same group");
        assert_eq!(read("memory.max"), "1048576");
        groups.lift(Limited::Cpu(0));
        assert_eq!((read("cpu.max"), groups.0.len()), ("max 100000".into(), 1));
        groups.lift(Limited::Memory(0));
        assert!(groups.0.is_empty());
        let home = fs::read_to_string(hierarchy.own.join("cgroup.procs")).expect("it went home");
        assert_eq!(home, someone.as_raw_nonzero().to_string());
    }

    #[test]
    fn both_versions_tell_how_long_a_quota_held_back() {
        let two = "usage_usec 9\nnr_periods 5\nnr_throttled 3\nthrottled_usec 1500\n";
        let one = "nr_periods 5\nnr_throttled 3\nthrottled_time 1500000\n";
        let throttling = Some(Throttling { micros: 1500, periods: 3 });
        assert_eq!((throttling_of(two), throttling_of(one)), (throttling, throttling));
        assert_eq!(throttling_of("usage_usec 9\n"), None, "a group without the controller");
    }

    #[test]
    fn what_was_tried_is_told() {
        let folder = tempfile::tempdir().expect("a folder");
        let mount = folder.path().to_owned();
        let hierarchy = Hierarchy { version: Version::Two, own: mount.join("scope"), mount };
        let supervisor = Pid::from_raw(i32::MAX).expect("a pid");
        let tried = Groups::default().limit_in(&hierarchy, Limited::Cpu(1000), supervisor, &Vec::new);
        assert_eq!(tried.expect_err("nothing is handed down").len(), 2);
    }
}
