//! Runs whose client is the AWS SDK: its tries are told from the gateway's.

use gatecrash_core::history::Join;
use gatecrash_model::AttemptRecord;

use crate::support::{Desk, json, turn};

const SCENARIO: &str = r#"
gatecrash: 1
name: sdk
gateway: { embedded: { preset: strict, params: { tries: "2" } } }
upstreams: { us-east-1: { endpoints: 2 } }
identities: { app: { allow: [{ actions: ["s3:*"], resources: ["*"] }] } }
load:
  app:
    open: { rate: 40/s }
    ops: { GetObject: 60%, PutObject: 20%, HeadObject: 10%, ListObjectsV2: 10% }
    as: app
    timeout: 10s
    client: { engine: aws-sdk, retries: standard-2026 }
timeline:
  - { phase: healthy, for: 1s }
  - phase: failing
    for: 2s
    inject:
      - name: broken
        match: { op: GetObject }
        probability: 30%
        per: request
        fault: { s3-error: { code: ServiceUnavailable } }
expect:
  - { in: healthy, check: { success-rate: { min: 100% } } }
  - { check: { body-exact: {} } }
  - { check: { bounded-attempts: {} } }
"#;

#[test]
fn what_reaches_the_upstream_is_the_sdks_tries_times_the_gateways() {
    let _turn = turn();
    let desk = Desk::new();
    let file = desk.file("sdk.yaml", SCENARIO);
    // The gateway's own bound cannot be judged where the client tries again, too.
    let done = desk.gatecrash(&["run", &file]).exits(3);
    let done = done.says("which tries are the gateway's own");
    assert!(done.stdout.contains("client tries x"), "{}", done.stdout);
    let run = desk.run_dir();
    let dir = gatecrash::run_dir::RunDir::open(&run).expect("a run");
    let history = dir.history().expect("history");
    let join = Join::of(&history);
    let failed: Vec<_> = history.clients.iter().filter(|c| c.status == 503).collect();
    assert!(!failed.is_empty());
    for client in failed {
        let tries: Vec<_> = join.attempts(&history, client.id()).map(AttemptRecord::client_try).collect();
        assert_eq!(tries, [1, 1, 2, 2, 3, 3], "{client:?}");
    }
    let result = json(&run.join("result.json"));
    let phase = &result["phases"][1];
    let of = |key: &str| phase[key].as_f64().expect(key);
    let (tries, attempts) = (of("client-tries-per-request"), of("attempts-per-request"));
    assert!(tries > 1.0 && attempts > tries, "{tries} tries, {attempts} attempts");
    assert_eq!(result["phases"][0]["client-tries-per-request"], 1.0);
    desk.expect_nothing_left();
}
