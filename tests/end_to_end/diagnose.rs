//! `gatecrash diagnose`: each seed cause is named once, a stranger's host is left alone, secrets stay secret.

use crate::support::{Desk, turn};

/// The short form of the measure: one case of each cause. The table of more cases is in docs/diagnose-accuracy.md.
#[test]
fn each_seed_cause_is_named() {
    let _turn = turn();
    let desk = Desk::new();
    let done =
        desk.gatecrash(&["diagnose", "--measure", "cases.jsonl", "--cases", "1", "--jobs", "4"]).exits(0);
    assert!(done.stdout.contains("| healthy | 1 | 1 | 0 |"), "{}", done.stdout);
    let cases = std::fs::read_to_string(desk.path().join("cases.jsonl")).expect("the cases");
    assert_eq!(cases.lines().count(), gatecrash_core::diagnose::CAUSES.len() + 1, "{}", done.stderr);

    // What is measured is not measured again.
    desk.gatecrash(&["diagnose", "--measure", "cases.jsonl", "--cases", "1"]).exits(0);
    let again = std::fs::read_to_string(desk.path().join("cases.jsonl")).expect("the cases");
    assert_eq!(again, cases);
    desk.expect_nothing_left();
}

#[test]
fn a_gateway_that_is_down_is_told_with_evidence_and_without_secrets() {
    let desk = Desk::new();
    // An address of its own, where nobody listens.
    let url = "http://127.91.7.3:1";
    let run = |more: &[&str]| {
        let arguments =
            [&["diagnose", "--gateway", url, "--bucket", "media", "--key", "a b"][..], more].concat();
        let mut command = desk.command(&arguments);
        command
            .env("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
            .env("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI");
        command.env("AWS_SESSION_TOKEN", "token-of-mine");
        let done = command.output().expect("the binary");
        let text =
            String::from_utf8_lossy(&done.stdout).into_owned() + &String::from_utf8_lossy(&done.stderr);
        assert!(
            !text.contains("wJal") && !text.contains("token-of-mine") && !text.contains("IOSF"),
            "{text}"
        );
        (done.status.code(), text)
    };
    let (code, text) = run(&["--sign-gateway"]);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("1. gateway-down (seen, always)") && text.contains("connection refused"), "{text}");
    let (code, text) = run(&["--json"]);
    assert_eq!(code, Some(1), "{text}");
    let json: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(json["diagnosis"]["findings"][0]["cause"], "gateway-down");
    assert_eq!(json["diagnosis"]["verdict"], "found");
}

#[test]
fn other_hosts_have_to_be_allowed_by_name() {
    let desk = Desk::new();
    let asked = ["diagnose", "--gateway", "http://gateway.invalid", "--bucket", "b", "--key", "k"];
    let refused = desk.gatecrash(&asked).exits(2);
    assert!(refused.stderr.contains("--allow-target gateway.invalid"), "{}", refused.stderr);
    let wrong = desk.gatecrash(&["diagnose", "--gateway", "gateway", "--bucket", "b", "--key", "k"]).exits(2);
    assert!(wrong.stderr.contains("http://host:port"), "{}", wrong.stderr);
}
