//! Trouble before and beside a run: starts given up, faults that cannot be switched, places that cannot be written.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};

use crate::support::{Desk, eventually, json, turn};

const CONTROL: &str = include_str!("../../scenarios/smoke/control.yaml");

fn with_gateway(gateway: &str) -> String {
    CONTROL.replacen("seed: 1\n", &format!("seed: 1\ngateway: {gateway}\n"), 1)
}

/// The gateway never gets ready and has a minute for it: only the signal ends the start.
#[test]
fn ctrl_c_before_the_load_ends_at_once() {
    let desk = Desk::new();
    let here = desk.path().join("silent.yaml");
    let gateway = format!(
        "{{ command: {{ run: [\"tail\", \"-f\", \"{}\"], ready: {{ http: /, within: 60s }} }} }}",
        here.display()
    );
    let file = desk.file("silent.yaml", &with_gateway(&gateway));
    let running = desk.start(&["run", &file]);
    eventually("the gateway runs", || {
        let is_gateway = |line: &str| line.contains("tail -f") && !line.contains("__shim");
        desk.left_behind().iter().any(|(_, line)| is_gateway(line)).then_some(())
    });
    let asked = std::time::Instant::now();
    running.signal("INT");
    desk.finish(running).exits(130);
    assert!(asked.elapsed().as_secs() < 20, "{:?}", asked.elapsed());
    desk.expect_nothing_left();
    let run = desk.run_dir().to_string_lossy().into_owned();
    desk.gatecrash(&["report", &run]).exits(2).says("before its load began");
}

/// The rendered configuration cannot be replaced any more when the fault is due.
#[test]
fn a_fault_that_cannot_be_switched_on_ends_the_run() {
    let _turn = turn();
    let desk = Desk::new();
    let inject = "inject: [{ at: 2s, for: 1s, fault: { misconfigure: { bucket: other } } }]";
    let file = desk.file("stuck.yaml", &CONTROL.replacen("for: 4s", &format!("for: 4s, {inject}"), 1));
    let running = desk.start(&["run", &file]);
    let config = eventually("the configuration is rendered", || {
        let dir = desk.run_dirs().into_iter().next()?;
        dir.join("run.json").exists().then(|| {
            let files = std::fs::read_dir(dir.join("gateway")).expect("the gateway's files").flatten();
            files.map(|e| e.path()).find(|p| p.extension().is_some_and(|e| e == "json"))
        })?
    });
    let obstacle = format!("{}.new", config.display());
    std::fs::create_dir(obstacle).expect("an obstacle");
    desk.finish(running).exits(4).says("could not be put in force");
    let result = json(&desk.run_dir().join("result.json"));
    assert_eq!(result["ok"], false);
    desk.expect_nothing_left();
}

#[test]
fn reports_have_a_place_before_anything_runs() {
    let desk = Desk::new();
    desk.gatecrash(&["run", "smoke/control", "--report", "junit:/proc/x/y.xml"])
        .exits(4)
        .says("/proc/x/y.xml");
    desk.gatecrash(&["run", "smoke/control", "--report", "junit:"]).exits(2).says("has no path");
    desk.gatecrash(&["selftest", "--json", "/proc/x/y.json"]).exits(4).says("/proc/x/y.json");
    desk.gatecrash(&["run", "smoke/control", "--repeat", "0"]).exits(2).says("--repeat");
    assert!(desk.run_dirs().is_empty(), "nothing ran");
}

/// A case that cannot start counts, is in the reports, and does not keep the next one from running.
#[test]
fn a_case_that_cannot_start_is_not_forgotten() {
    let _turn = turn();
    let desk = Desk::new();
    desk.file("absent.yaml", &with_gateway("{ command: { run: [\"no-such-program-here\"] } }"));
    desk.file("quick.yaml", &CONTROL.replacen("for: 4s", "for: 1s", 1));
    let arguments =
        ["run", "absent.yaml", "quick.yaml", "--seed", "random", "--report", "json:-", "--out", "else", "-q"];
    let done = desk.gatecrash(&arguments).exits(4).says("1 of 2 cases passed");
    let all: serde_json::Value = serde_json::from_str(&done.stdout).expect("stdout is the report alone");
    let runs = all["runs"].as_array().expect("runs");
    assert_eq!((runs[0]["exit"].as_u64(), runs[1]["exit"].as_u64()), (Some(4), Some(0)));
    assert!(runs[0]["interrupted"].as_str().is_some_and(|why| why.contains("no-such-program-here")));
    let line = runs[1]["environment"]["reproduce"].as_str().expect("a line");
    assert!(
        line.ends_with(&format!("--seed {}", runs[1]["plan"]["seed"])) && !line.contains("random"),
        "{line}"
    );
    assert!(line.starts_with("gatecrash run quick.yaml --out else --seed"), "this case alone: {line}");
    let id = runs[1]["run"].as_str().expect("an id");
    let request = format!("run:{id}/0-1");
    desk.gatecrash(&["explain", &request, "--out", "else"]).exits(0).says("0-1");
    desk.gatecrash(&["explain", &format!("run:{id}"), "--out", "else"]).exits(0).says("control");
    desk.gatecrash(&["report", id, "--out", "else"]).exits(0).says(id);
    std::fs::create_dir(desk.path().join(format!("else/copy-{id}"))).expect("a folder");
    desk.gatecrash(&["explain", &request, "--out", "else"]).exits(2).says("several directories");
    desk.gatecrash(&["explain", "run:/0-1"]).exits(2).says("8 hex digits");
}

#[test]
fn nobody_at_the_address_is_an_environment_error() {
    let desk = Desk::new();
    let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address");
    let file = desk.file("url.yaml", &with_gateway(&format!("{{ url: {{ base: \"http://{free}\" }} }}")));
    desk.gatecrash(&["run", &file]).exits(4).says("does not take a connection").says("is it running");
}

/// Readers that hung up and disks that are full: no panic, and lost results are not called a success.
#[test]
fn output_nobody_takes() {
    let desk = Desk::new();
    let mut child = desk
        .command(&["run", "no-such-scenario"])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary");
    drop(child.stderr.take());
    assert_eq!(child.wait().expect("a child of ours").code(), Some(2));
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").expect("/dev/full");
    let ended = desk.command(&["list", "faults"]).stdout(full).stderr(Stdio::null()).status();
    assert_eq!(ended.expect("the binary").code(), Some(4));
    let mut child = desk.command(&["schema"]).stdout(Stdio::piped()).spawn().expect("the binary");
    drop(child.stdout.take());
    assert_eq!(child.wait().expect("a child of ours").code(), Some(0));
}

#[test]
fn a_proxy_refuses_faults_that_it_cannot_act_out() {
    let desk = Desk::new();
    let proxy =
        |fault| ["serve", "proxy", "--upstream", "127.0.0.1:1", "--listen", "127.0.0.1:0", "--fault", fault];
    desk.gatecrash(&proxy("s3-error: { code: SlowDown }")).exits(2).says("does not act in a proxy");
    desk.gatecrash(&proxy("latancy: { add: 50ms }")).exits(2).says("did you mean `latency`?");

    let running = desk.start(&proxy("refuse: {}"));
    let addr = eventually("the proxy says where it is", || {
        let said = std::fs::read_to_string(desk.path().join("stdout.txt")).ok()?;
        Some(said.strip_prefix("http://")?.split_whitespace().next()?.to_owned())
    });
    assert!(TcpStream::connect(&addr).is_err(), "connections are refused");
    running.signal("TERM");
    desk.finish(running).exits(0);
}

#[test]
fn a_mock_has_a_port_for_every_region() {
    let desk = Desk::new();
    let two = ["serve", "mock", "smoke/region-outage", "--port", "65535"];
    desk.gatecrash(&two).exits(2).says("--port");
}

#[test]
fn colours_are_asked_for() {
    let _turn = turn();
    let desk = Desk::new();
    let file = desk.file("quick.yaml", &CONTROL.replacen("for: 4s", "for: 1s", 1));
    let coloured = |done: crate::support::Done| done.stdout.contains('\u{1b}');
    assert!(!coloured(desk.gatecrash(&["run", &file, "-q"])));
    let run = desk.run_dir().to_string_lossy().into_owned();
    assert!(coloured(desk.gatecrash(&["report", &run, "--color", "always"])));
    assert!(!coloured(desk.gatecrash(&["report", &run, "--color", "never"])));
}

/// A pseudo-terminal by `script`, where it is installed.
#[test]
fn a_terminal_gets_one_line_that_rewrites_itself() {
    if !crate::support::installed("script") {
        return;
    }
    let _turn = turn();
    let desk = Desk::new();
    let file = desk.file("quick.yaml", &CONTROL.replacen("for: 4s", "for: 3s", 1));
    let shown = |term: &str, no_colour: &str| {
        let line = format!("{} run {file}", env!("CARGO_BIN_EXE_gatecrash"));
        let mut child = Command::new("script")
            .args(["-qec", &line, "/dev/null"])
            .current_dir(desk.path())
            .env("TERM", term)
            .env("NO_COLOR", no_colour)
            .env_remove("GITHUB_ACTIONS")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("script");
        let mut text = String::new();
        child.stdout.take().expect("piped").read_to_string(&mut text).expect("text");
        child.stdin.take().expect("piped").flush().expect("a pipe");
        assert_eq!(child.wait().expect("a child of ours").code(), Some(0), "{text}");
        text
    };
    let text = shown("xterm", "");
    assert!(text.contains("\r\u{1b}[2K") && text.contains("\u{1b}[32m"), "{text:?}");
    let text = shown("xterm", "1");
    assert!(text.contains("\r\u{1b}[2K"), "{text:?}");
    assert!(!text.contains("\u{1b}[3"), "{text:?}");
    assert!(!shown("dumb", "").contains('\u{1b}'), "a dumb terminal gets plain lines");
}
