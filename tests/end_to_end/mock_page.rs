//! The examples of `docs/mock-s3.md`, as they stand there.

use std::process::Command;

use crate::support::{Desk, eventually};

const PAGE: &str = include_str!("../../docs/mock-s3.md");

/// The examples, in order.
fn examples() -> Vec<&'static str> {
    let blocks = PAGE.split("```sh example\n").skip(1);
    blocks.map(|block| block.split("```").next().unwrap_or_default()).collect()
}

/// What an example says it prints, line by line: behind `# ` at the end of its commands.
fn promised(example: &str) -> Vec<&str> {
    example.lines().filter_map(|line| line.rsplit_once("  # ")).map(|(_, said)| said).collect()
}

#[test]
fn every_example_does_what_the_page_says() {
    let desk = Desk::new();
    let files = ["--journal", "journal.ndjson", "--access-log", "access.log"];
    let serve = ["serve", "mock", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"];
    let running = desk.start(&[&serve[..], &files[..]].concat());
    let said = || std::fs::read_to_string(desk.path().join("stdout.txt")).unwrap_or_default();
    eventually("it is ready", || said().ends_with("ready\n").then_some(()));
    let place = |name: &str| {
        let line = said().lines().find(|line| line.starts_with(name)).map(str::to_owned);
        line.and_then(|line| line.split_whitespace().nth(1).map(str::to_owned)).unwrap()
    };
    assert_eq!(examples().len(), 5);
    for example in examples() {
        let mut shell = Command::new("sh");
        shell.args(["-eu", "-c", example]).env("S3", place("us-east-1")).env("ADMIN", place("admin"));
        let done = shell.output().unwrap();
        let printed = String::from_utf8_lossy(&done.stdout).into_owned();
        assert!(done.status.success(), "{example}\n{printed}\n{}", String::from_utf8_lossy(&done.stderr));
        let promised = promised(example);
        assert!(
            printed.lines().filter(|line| promised.contains(line)).eq(promised.iter().copied()),
            "{printed}"
        );
    }
    running.signal("TERM");
    desk.finish(running).exits(0);
    let journal = std::fs::read_to_string(desk.path().join("journal.ndjson")).unwrap();
    let log = std::fs::read_to_string(desk.path().join("access.log")).unwrap();
    assert_eq!((journal.lines().count(), log.lines().count()), (3, 3));
}

#[test]
fn the_admin_port_stays_on_loopback() {
    let desk = Desk::new();
    let refused = desk.gatecrash(&["serve", "mock", "--listen", "127.0.0.1:0", "--admin", "0.0.0.0:0"]);
    refused.exits(2).says("not on loopback").says("--admin-open");
}
