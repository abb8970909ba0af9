//! Cases side by side: what is said, written and left behind is the same as one by one.

use serde_json::Value;

use crate::support::{Desk, eventually, json, turn};

/// Three cases, the last of which is the shortest to run and the only one that fails.
const CASES: &str = r#"
gatecrash: 1
name: lanes
about: Three cases of different length; the shortest expects too much.
seed: 1
matrix: { length: [3s, 2s, 1s] }
upstreams:
  us-east-1: {}
buckets:
  media: { in: [us-east-1], public: true, objects: { count: 10, key: "o/{n}", size: 1KiB } }
load:
  app: { open: { rate: 30/s }, bucket: media, ops: { GetObject: 100% }, timeout: 5s }
timeline:
  - { phase: only, for: "${length}" }
expect:
  - { check: { body-exact: {} } }
  - { check: { no-mixup: {} } }
  - { check: { success-rate: { min: 100% } }, min-samples: 45 }
"#;

/// (title, [(expectation, outcome)]) of each run in the order of the report.
fn verdicts(report: &Value) -> Vec<(String, Vec<(String, String)>)> {
    let of = |run: &Value| {
        let named = |v: &Value| {
            let index = v["expectation"].as_u64().expect("an index") as usize;
            let name = run["plan"]["expectations"][index]["name"].as_str().expect("a name").to_owned();
            (name, v["outcome"].as_str().expect("an outcome").to_owned())
        };
        let all = run["verdicts"].as_array().expect("verdicts").iter().map(named).collect();
        (run["plan"]["case"].as_str().expect("a case").to_owned(), all)
    };
    report["runs"].as_array().expect("runs").iter().map(of).collect()
}

#[test]
fn order_verdicts_and_exit_are_those_of_one_by_one() {
    let _turn = turn();
    let desk = Desk::new();
    let file = desk.file("lanes.yaml", CASES);
    let run = |jobs: &str| {
        let done = desk
            .gatecrash(&[
                "run",
                "-q",
                &file,
                "--jobs",
                jobs,
                "--report",
                "json:all.json",
                "--report",
                "junit:all.xml",
            ])
            .exits(3);
        let titles = done.stdout.lines().filter(|l| l.contains("lanes[length=")).map(|line| {
            line.split("lanes[length=").nth(1).and_then(|rest| rest.get(..2)).expect("a length").to_owned()
        });
        let mut titles: Vec<_> = titles.collect();
        titles.dedup();
        let junit = std::fs::read_to_string(desk.path().join("all.xml")).expect("JUnit");
        let suites =
            junit.split("<testsuite ").skip(1).map(|s| s.split("length=").nth(1).and_then(|r| r.get(..2)));
        let suites: Vec<_> = suites.map(|s| s.expect("a length").to_owned()).collect();
        (titles, suites, verdicts(&json(&desk.path().join("all.json"))))
    };
    let (alone, together) = (run("1"), run("4"));
    assert_eq!(alone.1, ["3s", "2s", "1s"]);
    assert_eq!(alone, together);
    desk.expect_nothing_left();
}

#[test]
fn ctrl_c_ends_all_with_their_reports() {
    let _turn = turn();
    let desk = Desk::new();
    let file = desk.file("lanes.yaml", &CASES.replace("[3s, 2s, 1s]", "[61s, 62s, 63s]"));
    let running = desk.start(&["run", "-q", &file, "--jobs", "2", "--report", "json:all.json"]);
    eventually("two cases are under load", || {
        let loaded = |run: &std::path::PathBuf| {
            std::fs::metadata(run.join("history/clients.rec")).is_ok_and(|file| file.len() > 1000)
        };
        (desk.run_dirs().iter().filter(|run| loaded(run)).count() == 2).then_some(())
    });
    running.signal("INT");
    desk.finish(running).exits(130);
    let runs = verdicts(&json(&desk.path().join("all.json")));
    // The longest started first; the third never did.
    let cases: Vec<_> = runs.iter().map(|(case, _)| case.as_str()).collect();
    assert_eq!(cases, ["length=62s", "length=63s"]);
    assert!(desk.run_dirs().iter().all(|run| run.join("report.html").exists()));
    desk.expect_nothing_left();
}
