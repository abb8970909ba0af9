//! Load models end to end: a closed loop beside a trace, and a generator that is asked for too much.

use std::collections::BTreeMap;

use gatecrash_model::ClientRecord;

use crate::support::{Desk, json, turn};

const BOTH: &str = r#"gatecrash: 1
name: both
seed: 5
buckets:
  media: { public: true, objects: { count: 50, key: "o/{n}", size: 2KiB } }
load:
  workers:
    closed: { users: 2, think: 10ms }
    ops: { GetObject: 70%, PutObject: 30% }
    writes: { key: "up/{n}", size: 1KiB }
  recorded:
    open: { trace: { file: day.csv, speed: 2, repeat: 1s } }
    ops: { GetObject: 100% }
timeline:
  - { phase: few, for: 1s }
  - { phase: more, for: 1s, load: { workers: { ramp: { to: 5, over: 500ms } } } }
guards:
  generator: { max-lag-p99: 2s, max-cpu: 100%, min-achieved: 50% }    # not what this is about
expect:
  - { check: { success-rate: { min: 100% } } }
  - { check: { body-exact: {} } }
  - { check: { upload-once: {} } }
"#;

#[test]
fn users_and_a_trace_run_side_by_side() {
    let _turn = turn();
    let desk = Desk::new();
    desk.file("day.csv", "seconds,op\n0.2,GET\n1.5,GET\n0.6,GET\n");
    let file = desk.file("both.yaml", BOTH);
    desk.gatecrash(&["check", &file]).exits(0).says("about 6 requests and those of up to 5 users");
    desk.gatecrash(&["run", &file]).exits(0).says("PASS");
    let dir = gatecrash::run_dir::RunDir::open(&desk.run_dir()).expect("a run");
    let history = dir.history().expect("history");

    let mut of_users: BTreeMap<u32, Vec<&ClientRecord>> = BTreeMap::new();
    history
        .clients
        .iter()
        .filter(|c| c.workload == 0)
        .for_each(|c| of_users.entry(c.k % 5).or_default().push(c));
    assert_eq!(of_users.len(), 5, "every user asked");
    for (user, mut own) in of_users {
        own.sort_by_key(|c| c.k);
        let numbers: Vec<_> = own.iter().map(|c| c.k / 5).collect();
        assert_eq!(numbers, (0..own.len() as u32).collect::<Vec<_>>(), "user {user}");
        let pauses = own.windows(2).map(|w| w[1].intended.saturating_sub(w[0].ended()));
        assert!(pauses.min().is_none_or(|least| least >= 9_900_000), "user {user} did not think");
        assert!(user < 2 || own[0].intended >= 1_000_000_000, "user {user} came too early");
    }
    let mut traced: Vec<_> =
        history.clients.iter().filter(|c| c.workload == 1).map(|c| (c.k, c.intended / 1_000_000)).collect();
    traced.sort_unstable();
    assert_eq!(traced, [(0, 100), (1, 300), (2, 750), (3, 1_100), (4, 1_300), (5, 1_750)]);

    let result = json(&desk.run_dir().join("result.json"));
    assert_eq!(result["lag"]["requests"].as_u64(), Some(history.clients.len() as u64));
    for phase in result["phases"].as_array().expect("phases") {
        let time = |key: &str| phase[key].as_f64().unwrap_or_else(|| panic!("{key} of {phase:#}"));
        assert!(time("service-p50-ms") <= time("p50-ms") && time("lag-p99-ms") >= 0.0, "{phase:#}");
    }
    let html = std::fs::read_to_string(desk.run_dir().join("report.html")).expect("HTML");
    assert!(html.contains("closed loop of 2 to 5 users") && html.contains("Schedule lag"));
}

const TOO_MUCH: &str = r#"gatecrash: 1
name: too-much
seed: 6
buckets:
  media: { public: true, objects: { count: 50, key: "o/{n}", size: 1KiB } }
load:
  flood:
    open: { rate: 150000/s, arrivals: even, max-in-flight: 4 }
    ops: { GetObject: 100% }
timeline:
  - { phase: flood, for: 1s }
expect:
  - { check: { latency: { p50: { max: 10s } } } }
  - { check: { success-rate: { min: 50% } } }
"#;

/// The gateway is not blamed, and not praised, for what the generator could not do.
#[test]
fn an_absurd_rate_is_inconclusive_and_says_why() {
    let _turn = turn();
    let desk = Desk::new();
    let file = desk.file("too-much.yaml", TOO_MUCH);
    let done = desk.gatecrash(&["run", &file]).exits(3);
    done.says("arrivals were dropped at the in-flight cap").says("INCONCLUSIVE");
    let result = json(&desk.run_dir().join("result.json"));
    let outcomes = result["verdicts"].as_array().expect("verdicts").iter().map(|v| &v["outcome"]);
    assert!(outcomes.into_iter().all(|outcome| outcome == "inconclusive"), "{result:#}");
}
