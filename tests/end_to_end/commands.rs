//! Commands that start nothing, and what they say about mistakes.

use crate::support::Desk;

#[test]
fn every_shipped_scenario_checks() {
    let desk = Desk::new();
    for folder in [
        "smoke",
        "connectivity",
        "latency",
        "permissions",
        "configuration",
        "outage",
        "invalid",
        "limits",
        "retry",
        "failover",
        "selftest",
    ] {
        desk.gatecrash(&["check", folder]).exits(0).says("ok  ");
    }
}

#[test]
fn ten_mistakes_are_reported_at_once() {
    let desk = Desk::new();
    let file = desk.file("bad.yaml", include_str!("ten-mistakes.yaml"));
    let done = desk.gatecrash(&["run", &file]).exits(2);
    let places = done.stderr.matches("--> bad.yaml:").count();
    assert!(places >= 10, "{places} mistakes\n{}", done.stderr);
    assert!(desk.run_dirs().is_empty(), "nothing was started");
}

#[test]
fn broken_yaml_has_a_place() {
    let desk = Desk::new();
    let file = desk.file("bad.yaml", "gatecrash: 1\nname: [unclosed\n");
    desk.gatecrash(&["check", &file]).exits(2).says("bad.yaml:");
}

#[test]
fn an_unknown_key_gets_a_suggestion() {
    let desk = Desk::new();
    let text = include_str!("../../scenarios/smoke/slowdown.yaml").replace("probability:", "probablity:");
    let file = desk.file("typo.yaml", &text);
    desk.gatecrash(&["check", &file]).exits(2).says("probablity").says("probability");
}

#[test]
fn nothing_selected_is_a_usage_error() {
    let desk = Desk::new();
    desk.gatecrash(&["run", "--tag", "no-such-tag"]).exits(2).says("nothing was selected");
    desk.gatecrash(&["run", "no-such-file.yaml"]).exits(2).says("no-such-file.yaml");
    desk.gatecrash(&["run", "--gateway", "no-such-gateway"]).exits(2).says("no-such-gateway");
    desk.gatecrash(&["run", "--defect", "no-such-defect"]).exits(2).says("no-such-defect");
    desk.gatecrash(&["run", "--report", "pdf:x"]).exits(2).says("formats:");
    desk.gatecrash(&["report", "no-such-run"]).exits(2).says("no-such-run");
}

#[test]
fn catalogues_are_listed_and_explained() {
    let desk = Desk::new();
    for (what, name) in [
        ("scenarios", "smoke/control"),
        ("faults", "latency"),
        ("malformed", "garbage-bytes"),
        ("checks", "body-complete"),
        ("gateways", "nginx"),
        ("defects", "retry-post"),
        ("ops", "GetObject"),
        ("reports", "junit"),
        ("codes", "130"),
    ] {
        desk.gatecrash(&["list", what]).exits(0).says(name);
        let done = desk.gatecrash(&["list", what, "--json"]).exits(0);
        let rows: Vec<serde_json::Value> = serde_json::from_str(&done.stdout).expect("JSON");
        let row = rows.iter().find(|r| r["name"] == name).unwrap_or_else(|| panic!("{what}"));
        assert_eq!(row["tags"].is_array(), what == "scenarios", "{row}");
        if !["scenarios", "ops", "reports"].contains(&what) {
            desk.gatecrash(&["explain", name]).exits(0).says(name);
        }
    }
    let page = desk.gatecrash(&["explain", "status-map"]).exits(0);
    let page =
        page.says("RFC 9110 section 15.6.3").says("https://www.rfc-editor.org/rfc/rfc9110#section-15.6.3");
    page.says("  nginx: ").says("  HAProxy: ").says("  Envoy: ").says("swap-timeout-refused, status-500\n");
    desk.gatecrash(&["explain", "no-such-thing"]).exits(2).says("list gateways");
    desk.gatecrash(&["explain", "sucess-rate"]).exits(2).says("did you mean `success-rate`?");
    desk.gatecrash(&["explain", "nginx"]).exits(0).says("read-timeout");
    desk.gatecrash(&["explain", "cloudfront"]).exits(0).says("negative-ttl");
}

#[test]
fn values_of_parameters_are_refused_at_their_place() {
    let desk = Desk::new();
    let text = include_str!("../../scenarios/smoke/control.yaml");
    let gateway = "gateway: { recipe: { name: nginx, params: { tries: 0 } } }";
    let file = desk.file("p.yaml", &text.replacen("seed: 1\n", &format!("seed: 1\n{gateway}\n"), 1));
    let line = std::fs::read_to_string(desk.path().join("p.yaml")).expect("the file");
    let line = line.lines().position(|line| line == gateway).expect("there") + 1;
    desk.gatecrash(&["check", &file]).exits(2).says("parameter `tries`").says(&format!("p.yaml:{line}"));
    let of_option =
        ["check", "smoke/control", "--gateway", "nginx", "--set", "gateway.recipe.params.tries=0"];
    desk.gatecrash(&of_option).exits(2).says("parameter `tries`").says("--set");
}

#[test]
fn a_scenario_for_one_gateway_is_skipped_on_others() {
    let desk = Desk::new();
    desk.gatecrash(&["check", "resources", "--gateway", "embedded"])
        .exits(0)
        .says("skipped: scenarios/resources/memory.yaml: it is for nginx");
}

#[test]
fn the_committed_schema_is_the_printed_one() {
    let desk = Desk::new();
    let done = desk.gatecrash(&["schema"]).exits(0);
    assert_eq!(
        done.stdout,
        include_str!("../../scenarios/schema/scenario.v1.json"),
        "run: cargo run -- schema > scenarios/schema/scenario.v1.json"
    );
}

#[test]
fn the_resolved_plan_can_be_read() {
    let desk = Desk::new();
    desk.gatecrash(&["check", "smoke/slowdown", "--resolved"]).exits(0).says("slowdown");
}

#[test]
fn completions_name_the_commands() {
    let desk = Desk::new();
    for shell in ["bash", "zsh", "fish"] {
        desk.gatecrash(&["completions", shell]).exits(0).says("selftest");
    }
}

#[test]
fn help_lists_the_exit_codes() {
    Desk::new().gatecrash(&["--help"]).exits(0).says("130").says("inconclusive");
}

#[test]
fn the_readme_shows_a_scenario_that_checks() {
    let desk = Desk::new();
    let readme = include_str!("../../README.md");
    let example =
        readme.split("```yaml\n").nth(1).and_then(|rest| rest.split("```").next()).expect("an example");
    let file = desk.file("readme.yaml", example);
    desk.gatecrash(&["check", &file]).exits(0);
}
