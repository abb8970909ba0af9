//! The shipped pair of `scenarios/metastability`: the same gateway and the same spike, with and without a retry budget.

use serde_json::Value;

use crate::support::{Desk, json, turn};

#[test]
#[ignore = "takes most of a minute: run it by name, `cargo test --test end_to_end -- --ignored metastability`"]
fn a_retry_budget_makes_the_difference_between_recovered_and_metastable() {
    let _turn = turn();
    let desk = Desk::new();
    // A minute of watching is the rule; nine seconds tell the two apart.
    let shorter = ["--set", "vars.watch=9s", "--set", "timeline.3.for=1s", "--set", "timeline.5.for=2s"];
    desk.gatecrash(&[&["run", "--quiet", "metastability/no-budget"][..], &shorter].concat()).exits(1);
    desk.gatecrash(&["run", "--quiet", "metastability/budget", "--set", "vars.watch=9s"]).exits(0);

    let mut results: Vec<_> = desk.run_dirs().iter().map(|run| json(&run.join("result.json"))).collect();
    results.sort_by_key(|result| result["plan"]["name"].as_str().map(str::to_owned));
    let [budget, no_budget] = results.as_slice() else { panic!("{} runs", results.len()) };
    let (outcome, observed) = verdict(budget, "metastability");
    assert!(outcome == "pass" && observed.starts_with("RECOVERED after"), "{observed}");
    assert_eq!(verdict(no_budget, "metastability"), ("fail".into(), "METASTABLE".into()));
    // Everything else holds: it was the load that had to go, and the same load is borne again.
    let failed = |v: &&Value| v["outcome"] == "fail";
    let verdicts = no_budget["verdicts"].as_array().expect("verdicts");
    assert_eq!(verdicts.iter().filter(failed).count(), 1, "{verdicts:#?}");

    let storm = phase(no_budget, "watch");
    assert!(storm["amplification-max"].as_f64().is_some_and(|a| a > 2.5), "{storm}");
    assert!(storm["wasted"].as_f64().is_some_and(|share| share > 0.9), "{storm}");
    desk.expect_nothing_left();
}

/// Outcome and observation of the only expectation of a check.
fn verdict(result: &Value, check: &str) -> (String, String) {
    let expectations = result["plan"]["expectations"].as_array().expect("expectations");
    let index = expectations.iter().position(|e| e["name"] == check).expect("the expectation");
    let verdict = &result["verdicts"][index];
    let text = |key: &str| verdict[key].as_str().unwrap_or_default().to_owned();
    (text("outcome"), text("observed"))
}

/// What the report says of the retries of a phase.
fn phase(result: &Value, name: &str) -> Value {
    let phases = result["resilience"]["phases"].as_array().expect("phases");
    phases.iter().find(|phase| phase["phase"] == name).cloned().expect("the phase")
}
