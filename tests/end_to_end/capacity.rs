//! `gatecrash capacity` against an upstream that serves ten requests at a time for 100 ms each: 100/s.

use crate::support::{Desk, json, turn};

const SCENARIO: &str = r#"gatecrash: 1
name: ten-at-a-time
buckets:
  media: { in: [us-east-1], public: true, objects: { count: 50, key: "o/{n}", size: 1KiB } }
load:
  readers:
    open: { rate: search, arrivals: even, max-in-flight: 200 }
    ops: { GetObject: 100% }
    timeout: 2s
capacity:
  search: { from: 50/s, to: 400/s, precision: 40% }
  step: { settle: 400ms, measure: 1s }
  confirm: { for: 1s, times: 1 }
  slo: [{ success-rate: { min: 80% } }]
  within: 1m
  cases:
    clean:
      inject: [{ fault: { capacity: { servers: 10, service-time: 100ms, queue: 5 } } }]
expect:
  - { in: clean, check: { capacity: { min: 40/s } } }
guards:
  generator: { max-lag-p99: 500ms }
"#;

#[test]
fn a_known_capacity_lies_between_the_bounds() {
    let _turn = turn();
    let desk = Desk::new();
    let file = desk.file("ten.yaml", SCENARIO);
    let done = desk.gatecrash(&["capacity", &file, "--target", "1000/s"]).exits(0);
    assert!(done.stdout.contains("PASS 1"), "{}\n{}", done.stdout, done.stderr);
    assert!(done.stderr.contains("clean   1: 50/s for 1 s: good"), "no progress:\n{}", done.stderr);

    let result = json(&desk.run_dir().join("result.json"));
    let case = &result["capacity"]["cases"][0];
    let bound = |name: &str| case[name].as_f64().unwrap_or_else(|| panic!("no {name} in {case:#}"));
    let (lower, upper) = (bound("lower"), bound("upper"));
    // The upstream loses a millisecond or two of each 100 to its own bookkeeping.
    assert!(lower <= 105.0 && upper >= 90.0, "{lower} to {upper}: 100/s is the capacity");
    assert_eq!(case["limited-by"], "success-rate");
    assert!(case["instances"].as_u64().is_some_and(|n| n >= 8), "1000/s of 100/s each: {case:#}");
    let trials = case["trials"].as_array().expect("trials");
    assert_eq!(trials.iter().filter(|t| t["purpose"] == "overload").count(), 2);
    let html = std::fs::read_to_string(desk.run_dir().join("report.html")).expect("a page");
    assert!(html.contains("<h2>Capacity</h2>") && html.contains("Goodput (per second) over offered rate"));

    crate::pages::can_be_read("capacity", &desk.run_dir().join("report.html"));

    // A stored search is judged again from its trials alone.
    let name = desk.run_dir().to_string_lossy().into_owned();
    let again = desk.gatecrash(&["report", &name]).exits(0);
    assert!(again.stdout.contains(&format!("{lower}/s to {upper}/s")), "{}", again.stdout);
    assert!(again.stdout.contains("Little's law"), "{}", again.stdout);
    desk.gatecrash(&["compare", &name, &name]).exits(0).says("nothing changed beyond noise");
    desk.expect_nothing_left();
}

#[test]
fn one_rate_is_classified_without_a_search() {
    let _turn = turn();
    let desk = Desk::new();
    let text = SCENARIO.replace("min: 40/s", "min: 300/s");
    let file =
        desk.file("ten.yaml", &text.replace("success-rate: { min: 80% }", "goodput: { of-offered: 80% }"));
    let done = desk.gatecrash(&["capacity", &file, "--at", "300/s", "--quiet"]).exits(1);
    assert!(done.stdout.contains("FAIL capacity in clean"), "{}", done.stdout);
    let result = json(&desk.run_dir().join("result.json"));
    let trials = result["capacity"]["cases"][0]["trials"].as_array().expect("trials").clone();
    assert_eq!(trials.len(), 1);
    assert_eq!(trials[0]["outcome"]["bad"]["clause"], "goodput", "{:#}", trials[0]);
    desk.expect_nothing_left();
}

#[test]
fn mistakes_are_told_before_anything_runs() {
    let desk = Desk::new();
    let file = desk.file("ten.yaml", SCENARIO);
    let table: [(&[&str], &str); 4] = [
        (&["capacity"], "no scenario is named"),
        (&["capacity", "smoke/control"], "no scenario here has a `capacity` section"),
        (&["capacity", &file, "--case", "nowhere"], "its cases are clean"),
        (&["capacity", &file, "--at", "0/s"], "a rate of 0/s"),
    ];
    for (arguments, said) in table {
        let done = desk.gatecrash(arguments).exits(2);
        assert!(done.stderr.contains(said), "{arguments:?}: {}", done.stderr);
    }
    assert!(desk.run_dirs().is_empty());
}
