//! `serve mock`: what it says, and what it refuses.

use std::path::Path;

use crate::support::{Desk, Done, eventually};

const EXAMPLE: &str = include_str!("../../docs/examples/identities.yaml");

/// Serves until it is ready, then ends it.
fn said_when_ready(arguments: &[&str]) -> Done {
    let desk = Desk::new();
    desk.file("who.yaml", EXAMPLE);
    let running = desk.start(&[&["serve", "mock"], arguments].concat());
    let stdout = desk.path().join("stdout.txt");
    let ready = |path: &Path| std::fs::read_to_string(path).is_ok_and(|text| text.ends_with("ready\n"));
    eventually("it is ready", || ready(&stdout).then_some(()));
    running.signal("TERM");
    desk.finish(running).exits(0)
}

#[test]
fn it_tells_where_it_listens_and_who_may_sign() {
    let alone = said_when_ready(&["--listen", "127.0.0.1:0"]);
    alone.says("us-east-1      http://127.0.0.1:").says("bucket media ").says("identity admin: account ");
    let with_file = said_when_ready(&["--listen", "127.0.0.1:0", "--identities", "who.yaml"]);
    let with_file = with_file.says("identity partner: account 222222222222, canonical id 22222222");
    assert!(
        !with_file.stdout.contains("secret") && !with_file.stdout.contains("bucket"),
        "{}",
        with_file.stdout
    );
    said_when_ready(&["--port", "0", "--admin", "127.0.0.1:0"]).says("admin          http://127.0.0.1:");
    let both = ["--port", "0", "--scenario", "smoke/permissions", "--identities", "who.yaml"];
    said_when_ready(&both).says("identity app: ").says("identity reader: ").says("bucket reports ");
}

#[test]
fn mistakes_of_an_identities_file_are_shown_at_their_line() {
    let desk = Desk::new();
    let refused = |from: &str, to: &str| {
        let file = desk.file("who.yaml", &EXAMPLE.replacen(from, to, 1));
        desk.gatecrash(&["serve", "mock", "--port", "0", "--identities", &file]).exits(2)
    };
    refused("display-name:", "displayname:").says("did you mean `display-name`?").says("who.yaml:7:5");
    refused("Effect: Allow", "Effect: Perhaps").says("invalid policy: ").says("who.yaml:19:9");
    refused("email: partner@", "email: owner@").says("an e-mail of two accounts");
    refused("Principal: {", "Principals: {").says("invalid policy: ").says("who.yaml:40:");
    desk.gatecrash(&["serve", "mock", "--port", "0", "--admin", "0.0.0.0:0"]).exits(2).says("loopback");
    desk.gatecrash(&["serve", "mock", "--port", "0", "--identities", "nowhere.yaml"])
        .exits(2)
        .says("nowhere");
}
