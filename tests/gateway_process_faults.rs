//! Faults on the gateway's process: what they do to it, that they are taken back, and that nothing of them stays.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

#[expect(dead_code, unreachable_pub, reason = "shared by several test programs")]
mod gateway_support;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use gatecrash::gateway::{Endpoint, Gateway, GatewayError, Side, check_plan};
use gatecrash_core::faults::{Cpu, Deadly, FaultSpec, Kill, Memory, Pause, Reload, Restart};
use gatecrash_core::plan::GatewayPlan;
use gatecrash_core::units::{Share, Size, Span};
use gateway_support::{alive, command, eventually, installed, plan, recipe, request, start};

fn endpoints() -> Vec<Endpoint> {
    let addr = ([127, 0, 0, 2], 4001).into();
    vec![Endpoint { region: "us-east-1".into(), number: 1, addr, primary: true }]
}

fn embedded() -> GatewayPlan {
    let (preset, defects, params) = ("strict".into(), Vec::new(), BTreeMap::new());
    GatewayPlan::Embedded { preset, defects, defect_rate: Share(1.0), params }
}

/// The gateways that are here, by name.
fn gateways() -> Vec<(&'static str, GatewayPlan)> {
    let released = ["nginx", "haproxy"].into_iter().filter(|name| installed(name));
    [("embedded", embedded())].into_iter().chain(released.map(|name| (name, recipe(name, &[])))).collect()
}

async fn started(gateway: GatewayPlan, dir: &Path) -> Gateway {
    start(&plan(gateway, &endpoints()), &endpoints(), dir).await.unwrap()
}

fn answers(gateway: &Gateway) -> bool {
    request(gateway.addr(), "GET", "/.gatecrash/ready").is_ok_and(|(status, _)| status > 0)
}

/// Field 3 of `/proc/<pid>/stat`.
fn state(pid: u32) -> char {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").and_then(|(_, rest)| rest.chars().next()).unwrap_or('?')
}

#[tokio::test]
async fn a_pause_stops_every_process_and_lets_it_go_on() {
    for (name, gateway) in gateways() {
        let dir = tempfile::tempdir().unwrap();
        let gateway = started(gateway, dir.path()).await;
        let spec = FaultSpec::Pause(Pause {});
        gateway.begin(&spec).await.unwrap();
        let pids = gateway.pids();
        assert!(pids.iter().all(|pid| state(*pid) == 'T'), "{name}: {pids:?}");
        assert_eq!(gateway.exited(), None);
        gateway.end(&spec, false).await.unwrap();
        assert!(answers(&gateway), "{name}");
        assert_eq!(gateway.pids(), pids, "{name}: the same processes");
        // A gateway that stands still can be stopped.
        gateway.begin(&spec).await.unwrap();
        gateway.stop().await;
        assert!(!pids.iter().any(|pid| alive(*pid)), "{name}: {pids:?}");
    }
}

#[tokio::test]
async fn a_killed_gateway_is_started_again_on_its_port() {
    for (name, gateway) in gateways() {
        for signal in [Deadly::Kill, Deadly::Segv, Deadly::Abrt, Deadly::Term] {
            let dir = tempfile::tempdir().unwrap();
            let gateway = started(gateway.clone(), dir.path()).await;
            let (addr, before) = (gateway.addr(), gateway.pids());
            let spec = FaultSpec::Kill(Kill { signal });
            gateway.begin(&spec).await.unwrap();
            assert!(!before.iter().any(|pid| alive(*pid)), "{name} {signal:?}: {before:?}");
            let refused = request(addr, "GET", "/").unwrap_err();
            assert_eq!(refused.kind(), std::io::ErrorKind::ConnectionRefused, "{name} {signal:?}");
            assert_eq!(gateway.exited(), None, "{name} {signal:?}: the death is ours");
            gateway.end(&spec, false).await.unwrap();
            assert_eq!(gateway.addr(), addr);
            assert!(answers(&gateway), "{name} {signal:?}");
            let after = gateway.pids();
            assert!(after.iter().all(|pid| !before.contains(pid)), "{name} {signal:?}");
            gateway.stop().await;
            assert!(!after.iter().any(|pid| alive(*pid)), "{name} {signal:?}: {after:?}");
        }
    }
}

#[tokio::test]
async fn at_the_end_of_a_run_a_killed_gateway_stays_dead() {
    let dir = tempfile::tempdir().unwrap();
    let gateway = started(embedded(), dir.path()).await;
    let spec = FaultSpec::Kill(Kill { signal: Deadly::Kill });
    gateway.begin(&spec).await.unwrap();
    gateway.end(&spec, true).await.unwrap();
    assert_eq!((gateway.pids(), gateway.exited()), (Vec::new(), None));
    gateway.stop().await;
}

/// A death of its own stays a finding, whatever a fault does afterwards.
#[tokio::test]
async fn a_death_of_its_own_is_not_hidden_by_a_fault() {
    let dir = tempfile::tempdir().unwrap();
    let gateway = started(embedded(), dir.path()).await;
    let pid = gateway.pids()[0].to_string();
    assert!(Command::new("kill").args(["-KILL", &pid]).status().unwrap().success());
    eventually("the death is noticed", || gateway.exited().is_some()).await;
    let spec = FaultSpec::Kill(Kill { signal: Deadly::Kill });
    gateway.begin(&spec).await.unwrap();
    gateway.end(&spec, false).await.unwrap();
    assert_eq!(gateway.exited().as_deref(), Some("killed by SIGKILL"));
    gateway.stop().await;
}

#[tokio::test]
async fn a_restart_and_a_reload_keep_the_port() {
    for (name, gateway) in gateways() {
        let dir = tempfile::tempdir().unwrap();
        let gateway = started(gateway, dir.path()).await;
        let (addr, before) = (gateway.addr(), gateway.pids());
        let restart = FaultSpec::Restart(Restart { within: Span::seconds(10) });
        gateway.begin(&restart).await.unwrap();
        assert!(answers(&gateway), "{name}");
        let after = gateway.pids();
        assert!(after.iter().all(|pid| !before.contains(pid)), "{name}: {before:?} {after:?}");
        gateway.end(&restart, false).await.unwrap();
        let reload = FaultSpec::Reload(Reload {});
        gateway.begin(&reload).await.unwrap();
        assert!(answers(&gateway), "{name}");
        gateway.end(&reload, false).await.unwrap();
        assert_eq!((gateway.addr(), gateway.exited()), (addr, None), "{name}");
        gateway.stop().await;
    }
}

/// The folder in `control group <folder>`, or `None` where no group may be made: then what was tried is told.
fn group(limited: Result<Option<String>, GatewayError>) -> Option<PathBuf> {
    match limited {
        Ok(by) => Some(by.unwrap().strip_prefix("control group ").unwrap().into()),
        Err(error) => {
            assert_eq!(error.side(), Side::Machine);
            assert!(error.to_string().starts_with("not permitted here: a CPU quota ("), "{error}");
            eprintln!("skipped: {error}");
            None
        }
    }
}

#[tokio::test]
async fn a_cpu_quota_holds_for_the_whole_tree_and_leaves_no_group() {
    for (name, gateway) in gateways() {
        let dir = tempfile::tempdir().unwrap();
        let gateway = started(gateway, dir.path()).await;
        let spec = FaultSpec::Cpu(Cpu { quota: Share(0.2) });
        let Some(folder) = group(gateway.begin(&spec).await) else { return };
        let inside = std::fs::read_to_string(folder.join("cgroup.procs")).unwrap();
        let mut inside: Vec<u32> = inside.lines().map(|pid| pid.parse().unwrap()).collect();
        let mut pids = gateway.pids();
        inside.sort_unstable();
        pids.sort_unstable();
        assert_eq!(inside, pids, "{name}");
        let read = |file| std::fs::read_to_string(folder.join(file)).map(|text| text.trim().to_owned());
        match read("cpu.max") {
            Ok(text) => assert_eq!(text, "20000 100000", "{name}"),
            Err(_) => assert_eq!(read("cpu.cfs_quota_us").unwrap(), "20000", "{name}"),
        }
        gateway.end(&spec, false).await.unwrap();
        assert!(!folder.exists(), "{name}");
        // A run that is broken off while the quota holds leaves no group either.
        let folder = group(gateway.begin(&spec).await).unwrap();
        gateway.stop().await;
        assert!(!folder.exists(), "{name}");
    }
}

#[tokio::test]
async fn a_killed_harness_leaves_no_control_group() {
    let dir = tempfile::tempdir().unwrap();
    let mut harness = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "harness_that_gets_killed", "--ignored", "--nocapture"])
        .env("RUN_DIR", dir.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(harness.stdout.take().unwrap()).lines().map_while(Result::ok);
    let folder = lines.find_map(|line| Some(line.split_once("group:")?.1.trim().to_owned()));
    harness.kill().unwrap();
    harness.wait().unwrap();
    let Some(folder) = folder.filter(|folder| !folder.is_empty()) else { return };
    eventually("its supervisor removes the group", || !Path::new(&folder).exists()).await;
}

#[tokio::test]
#[ignore = "a helper process of the other tests"]
async fn harness_that_gets_killed() {
    let gateway = started(embedded(), Path::new(&std::env::var("RUN_DIR").unwrap())).await;
    let folder = group(gateway.begin(&FaultSpec::Cpu(Cpu { quota: Share(0.5) })).await);
    assert!(folder.as_ref().is_none_or(|folder| folder.exists()));
    println!("group: {}", folder.unwrap_or_default().display());
    std::future::pending::<()>().await;
}

#[tokio::test]
async fn a_limit_of_memory_is_set_and_taken_back() {
    let dir = tempfile::tempdir().unwrap();
    let gateway = started(embedded(), dir.path()).await;
    let pid = gateway.pids()[0];
    let limit = || {
        let limits = std::fs::read_to_string(format!("/proc/{pid}/limits")).unwrap();
        let line = limits.lines().find_map(|line| line.strip_prefix("Max data size")).unwrap();
        line.split_whitespace().next().unwrap().to_owned()
    };
    let before = limit();
    let spec = FaultSpec::Memory(Memory { limit: Size(1 << 30) });
    let by = gateway.begin(&spec).await.unwrap().unwrap();
    match by.strip_prefix("control group ") {
        None => {
            assert_eq!((by.as_str(), limit().as_str()), ("RLIMIT_DATA of each process", "1073741824"));
        }
        Some(folder) => {
            let max = std::fs::read_to_string(Path::new(folder).join("memory.max")).unwrap();
            assert_eq!(max.trim(), "1073741824");
        }
    }
    gateway.end(&spec, false).await.unwrap();
    assert_eq!(limit(), before);
    assert!(answers(&gateway));
    gateway.stop().await;
}

#[test]
fn a_command_cannot_reload() {
    let mut asked = plan(command(&["true"]), &endpoints());
    asked.faults.push(gateway_support::fault("again", FaultSpec::Reload(Reload {})));
    assert_eq!(check_plan(&asked), ["fault `again`: gateway `command` cannot reload"]);
}
