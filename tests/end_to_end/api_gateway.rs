//! A bad deployment of an API: errors that its integration responses make successes are found, and told from what the
//! API does when it is deployed well.

use crate::support::{Desk, json, turn};

const SCENARIO: &str = r#"
gatecrash: 1
name: deployment
gateway: { embedded: { preset: api-gateway, params: { speed: 20x } } }
upstreams: { us-east-1: { endpoints: 1 } }
buckets: { records: { in: [us-east-1], public: true, objects: { count: 50, key: "r/{n}", size: 4KiB } } }
load: { api: { open: { rate: 60/s }, bucket: records, ops: { GetObject: 100% }, timeout: 4s } }
timeline:
  - phase: right
    for: 1500ms
    inject: [{ name: denied, probability: 50%, fault: { s3-error: { code: AccessDenied } } }]
  - phase: wrong
    for: 1500ms
    inject:
      - { name: still-denied, probability: 50%, fault: { s3-error: { code: AccessDenied } } }
      - { name: deployed, fault: { misconfigure: { mapping: "default:200" } } }
expect:
  - { in: right, check: { no-false-success: {} } }
  - { in: right, check: { status-pass: {} } }
  - { in: wrong, check: { no-false-success: {} } }
"#;

#[test]
fn a_mapping_that_turns_errors_into_successes_is_found() {
    let _turn = turn();
    let desk = Desk::new();
    let file = desk.file("deployment.yaml", SCENARIO);
    let done = desk.gatecrash(&["run", &file]).exits(1);
    done.says("200 although the upstream's last word was: status 403");
    let result = json(&desk.run_dir().join("result.json"));
    let verdicts = result["verdicts"].as_array().expect("a list");
    let outcomes: Vec<_> = verdicts.iter().map(|v| v["outcome"].as_str().unwrap_or_default()).collect();
    assert_eq!(outcomes[..3], ["pass", "pass", "fail"]);
    desk.expect_nothing_left();
}

#[test]
fn a_mapping_that_cannot_be_read_is_refused_before_the_run() {
    let desk = Desk::new();
    let file = desk.file("deployment.yaml", &SCENARIO.replace("default:200", "4:200"));
    let done = desk.gatecrash(&["check", &file]).exits(2);
    done.says("misconfigure mapping: expected a pattern of a whole status");
}
