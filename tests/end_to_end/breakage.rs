//! Broken on purpose: each ends with its documented exit code, a useful message, and nothing left behind.

use std::process::Command;

use crate::support::{Desk, eventually, json, processes, turn};

/// A run long enough to be disturbed.
const LONG: &[&str] = &["run", "smoke/region-outage", "--set", "guards.deadline=60s"];

#[test]
fn ctrl_c_writes_a_partial_report() {
    signalled("INT", 130);
}

#[test]
fn sigterm_writes_a_partial_report() {
    signalled("TERM", 143);
}

fn signalled(signal: &str, code: i32) {
    let _turn = turn();
    let desk = Desk::new();
    let running = desk.start(LONG);
    under_load(&desk);
    running.signal(signal);
    desk.finish(running).exits(code);
    let result = json(&desk.run_dir().join("result.json"));
    assert!(result["interrupted"].is_string(), "{result:#}");
    assert_eq!(result["ok"], false);
    desk.expect_nothing_left();
}

#[test]
fn kill_minus_nine_leaves_no_child_and_a_readable_history() {
    let _turn = turn();
    let desk = Desk::new();
    let running = desk.start(LONG);
    under_load(&desk);
    // Two flushes, so that whole seconds are on disk.
    let clients = desk.run_dir().join("history/clients.rec");
    let first = std::fs::metadata(&clients).expect("records").len();
    eventually("the history grows", || {
        (std::fs::metadata(&clients).ok()?.len() > first + 2000).then_some(())
    });
    running.signal("KILL");
    desk.finish(running).exits(1009);
    desk.expect_nothing_left();
    let name = desk.run_dir().to_string_lossy().into_owned();
    desk.gatecrash(&["report", &name]).exits(5).says("killed");
}

#[test]
fn a_gateway_that_dies_mid_run_fails_crash_free() {
    let _turn = turn();
    let desk = Desk::new();
    let running = desk.start(LONG);
    under_load(&desk);
    let own = running.id();
    let is_gateway = |line: &str| line.contains("serve gateway") && !line.contains("__shim");
    let here = desk.path().to_string_lossy().into_owned();
    let gateway = eventually("the gateway runs", || {
        let found = processes()
            .into_iter()
            .find(|(pid, line)| *pid != own && is_gateway(line) && line.contains(&here));
        found.map(|(pid, _)| pid)
    });
    assert!(Command::new("kill").args(["-9", &gateway.to_string()]).status().expect("kill").success());
    desk.finish(running).exits(1).says("FAIL crash-free");
    desk.expect_nothing_left();
}

#[test]
fn a_gateway_that_ends_at_start_is_an_environment_error() {
    let desk = Desk::new();
    let file = scenario_with_gateway(
        &desk,
        r#"{ command: { run: ["sh", "-c", "echo bad config line 7 >&2; exit 3"] } }"#,
    );
    desk.gatecrash(&["run", &file]).exits(4).says("bad config line 7");
    desk.expect_nothing_left();
}

#[test]
fn a_gateway_that_never_answers_is_an_environment_error() {
    let desk = Desk::new();
    let file = scenario_with_gateway(
        &desk,
        r#"{ command: { run: ["sleep", "60"], ready: { http: /, within: 1s } } }"#,
    );
    desk.gatecrash(&["run", &file]).exits(4).says("ready");
    desk.expect_nothing_left();
}

#[test]
fn a_missing_program_is_an_environment_error() {
    let desk = Desk::new();
    let file = scenario_with_gateway(&desk, r#"{ command: { run: ["no-such-program-here"] } }"#);
    desk.gatecrash(&["run", &file]).exits(4).says("no-such-program-here");
}

#[test]
fn a_port_taken_is_an_environment_error() {
    let desk = Desk::new();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("an address").port().to_string();
    desk.gatecrash(&["serve", "mock", "--port", &port]).exits(4).says("--port");
}

#[test]
fn an_unwritable_run_directory_is_an_environment_error() {
    let desk = Desk::new();
    desk.gatecrash(&["run", "smoke/control", "--out", "/proc/nowhere"]).exits(4).says("--out");
}

#[test]
fn a_full_disk_ends_the_run_with_an_environment_error() {
    let _turn = turn();
    let desk = Desk::new();
    let small = desk.path().join("small");
    std::fs::create_dir(&small).expect("a folder");
    let mounted =
        Command::new("mount").args(["-t", "tmpfs", "-o", "size=160k", "tmpfs"]).arg(&small).output();
    if !mounted.is_ok_and(|o| o.status.success()) {
        eprintln!("skipped: mounting a small file system is not permitted here");
        return;
    }
    let done = desk.gatecrash(&["run", "smoke/region-outage", "--out", "small"]);
    let unmounted = eventually("the small file system is free", || {
        Command::new("umount").arg(&small).status().ok().filter(|s| s.success())
    });
    assert!(unmounted.success());
    done.exits(4).says("--out");
    desk.expect_nothing_left();
}

/// A gateway without a read timeout, an upstream that never answers, and patient clients: nothing else would end it.
#[test]
fn the_deadline_aborts_a_run() {
    let _turn = turn();
    let desk = Desk::new();
    let file = desk.file(
        "hangs.yaml",
        r#"
gatecrash: 1
name: hangs
gateway: { embedded: { defects: [no-read-timeout] } }
buckets: { media: { objects: { count: 10, key: "{n}", size: 1KiB } } }
load: { app: { open: { rate: 20/s }, bucket: media, ops: { GetObject: 100% }, timeout: 100s } }
timeline:
  - { phase: silent, for: 1s, inject: [{ fault: { swallow: {} } }] }
expect: [{ check: { bounded-time: {} } }]
guards: { deadline: 3s }
"#,
    );
    desk.gatecrash(&["run", &file]).exits(5).says("deadline");
    desk.expect_nothing_left();
}

#[test]
fn other_hosts_need_to_be_allowed() {
    let desk = Desk::new();
    let file = scenario_with_gateway(&desk, r#"{ url: { base: "http://gateway.example:8080" } }"#);
    desk.gatecrash(&["run", &file]).exits(2).says("--allow-target gateway.example");
}

fn scenario_with_gateway(desk: &Desk, gateway: &str) -> String {
    let text = include_str!("../../scenarios/smoke/control.yaml");
    desk.file("own.yaml", &text.replacen("seed: 1\n", &format!("seed: 1\ngateway: {gateway}\n"), 1))
}

/// Waits until the first second of load is on disk.
fn under_load(desk: &Desk) {
    eventually("the load is on", || {
        let dir = desk.run_dirs().into_iter().next()?;
        let written = std::fs::metadata(dir.join("history/clients.rec")).ok()?.len();
        (written > 3000).then_some(())
    });
}
