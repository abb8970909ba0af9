//! The whole shipped library on the embedded gateway, and what its runs must show beyond their verdicts.

use std::collections::BTreeSet;
use std::path::Path;

use gatecrash::run_dir::RunDir;
use gatecrash::suite;
use gatecrash_core::checks::CHECKS;
use gatecrash_core::faults::Host;
use gatecrash_core::scenario::Options;
use gatecrash_model::{Decision, Event, UpstreamRecord};

use crate::support::{Desk, json, turn};

/// One of them says when a scenario is to be run.
const OCCASIONS: &[&str] = &["smoke", "ci", "nightly", "weekly", "fails-on-purpose"];

#[test]
fn the_library_uses_every_check_and_each_scenario_has_its_occasion() {
    let sources: Vec<_> =
        suite::shipped().into_iter().filter(|s| !s.name.starts_with("scenarios/selftest/")).collect();
    let options = Options { known: gatecrash::gateway::known(), ..Options::default() };
    let cases = suite::plan_all(&sources, &options).expect("shipped scenarios are valid");
    let idle: Vec<_> = cases
        .iter()
        .map(|case| &case.plan)
        .filter(|plan| !plan.tags.iter().any(|tag| OCCASIONS.contains(&tag.as_str())))
        .map(|plan| &plan.name)
        .collect();
    assert!(idle.is_empty(), "no occasion: {idle:?}");
    let used: BTreeSet<_> =
        cases.iter().flat_map(|case| &case.plan.expectations).map(|e| e.check.info().name).collect();
    let unused: Vec<_> = CHECKS.iter().map(|check| check.name).filter(|name| !used.contains(name)).collect();
    assert!(unused.is_empty(), "in self-tests only: {unused:?}");
}

#[test]
fn every_shipped_scenario_passes_and_its_faults_were_real() {
    let _turn = turn();
    let desk = Desk::new();
    desk.gatecrash(&[
        "run",
        "--quiet",
        "--tag",
        "ci",
        "--tag",
        "smoke",
        "--tag",
        "permissions",
        "--tag",
        "outages",
    ])
    .exits(0);
    let runs = desk.run_dirs();
    assert!(runs.len() >= 20, "{} runs", runs.len());
    for run in &runs {
        let result = json(&run.join("result.json"));
        let verdicts = result["verdicts"].as_array().expect("verdicts");
        assert!(!verdicts.is_empty());
        connect_faults_were_probed(run);
        settings_were_in_force(run);
    }
    let permissions: Vec<_> = runs.iter().filter(|run| denied(run) > 0).collect();
    assert!(permissions.len() >= 4, "{permissions:?}");
    permissions.iter().for_each(|run| every_403_was_evaluated(run));
    desk.expect_nothing_left();
}

/// A connect fault counts only when our own probe saw it begin and end.
fn connect_faults_were_probed(run: &Path) {
    let dir = RunDir::open(run).expect("a run");
    let (plan, history) = (dir.plan().expect("plan"), dir.history().expect("history"));
    for (index, fault) in plan.faults.iter().enumerate().filter(|(_, f)| f.spec.info().host == Host::Listener)
    {
        let intervals = history.fault_intervals(index as u16);
        assert!(!intervals.is_empty(), "{}: {} was never on", run.display(), fault.name);
        assert!(
            intervals.iter().all(|(.., confirmed)| *confirmed),
            "{}: {} unprobed",
            run.display(),
            fault.name
        );
    }
}

fn settings_were_in_force(run: &Path) {
    let dir = RunDir::open(run).expect("a run");
    let history = dir.history().expect("history");
    for event in &history.events {
        if let Event::FaultOn { fault, confirmed, .. } = event {
            assert_ne!(*confirmed, Some(false), "{}: fault {fault} could not be switched on", run.display());
        }
    }
}

fn denied(run: &Path) -> usize {
    refusals(run).len()
}

fn refusals(run: &Path) -> Vec<(UpstreamRecord, String)> {
    let history = RunDir::open(run).and_then(|dir| dir.history()).expect("history");
    let refused =
        history.upstreams.iter().filter(|u| u.status == 403 && u.request != gatecrash_model::RequestId::NONE);
    refused.map(|u| (*u, history.text(u.code).to_owned())).collect()
}

/// No forged 403: either a policy denied, or authentication did, and no fault made the answer.
fn every_403_was_evaluated(run: &Path) {
    for (record, code) in refusals(run) {
        let by_policy = matches!(record.decision, Decision::ExplicitDeny | Decision::ImplicitDeny);
        let by_key =
            ["InvalidAccessKeyId", "RequestTimeTooSkewed", "SignatureDoesNotMatch"].contains(&code.as_str());
        assert!(by_policy || by_key, "{}: 403 {code} with {}", run.display(), record.decision);
        assert!(!record.has(UpstreamRecord::FAULTED), "{}: a forged 403 {code}", run.display());
    }
}
