//! Runs on the embedded gateway: verdicts, reports, replay.

use std::collections::BTreeMap;
use std::path::Path;

use gatecrash_core::history::Join;
use gatecrash_model::{AttemptId, AttemptRecord, RequestId};

use crate::support::{Desk, json, turn};

#[test]
fn a_correct_gateway_passes_and_leaves_every_report() {
    let _turn = turn();
    let desk = Desk::new();
    desk.gatecrash(&["run", "smoke/first-crash-test", "--report", "junit:out/junit.xml"])
        .exits(0)
        .says("PASS");
    let run = desk.run_dir();
    let result = json(&run.join("result.json"));
    assert_eq!(result["ok"], true);
    assert!(
        result["verdicts"].as_array().expect("verdicts").iter().all(|v| v["outcome"] == "pass"),
        "{result:#}"
    );
    assert!(result["faults"].as_array().expect("faults").iter().any(|f| f["fired"].as_u64() > Some(0)));
    junit_is_valid(&desk.path().join("out/junit.xml"));
    let html = std::fs::read_to_string(run.join("report.html")).expect("HTML");
    assert!(html.contains("first-crash-test") && !html.contains("src=\"http"));
    desk.expect_nothing_left();
}

#[test]
fn a_defect_fails_the_run_and_the_paragraph_tells_why() {
    let _turn = turn();
    let desk = Desk::new();
    let done = desk.gatecrash(&["run", "smoke/first-crash-test", "--defect", "recompute-length"]).exits(1);
    let done =
        done.says("FAIL body-complete").says("first-crash-test.yaml:").says("short object that looks whole");
    let request = done.stdout.split("gatecrash explain ").nth(1).and_then(|r| r.split_whitespace().next());
    let request = request.expect("the paragraph names a request").trim_end_matches(['`', ')', ',', '.']);
    desk.gatecrash(&["explain", request]).exits(0).says("attempt").says("cut-body");
}

/// Whoever sends a request after an upload that was answered early, on the same connection, has it read as the rest of
/// that upload, and the end of its own body as a request.
#[test]
fn a_body_made_of_requests_shows_who_loses_count() {
    let _turn = turn();
    let desk = Desk::new();
    let defect = ["--defect", "pool-after-early-answer"];
    let done = desk.gatecrash(&[&["run", "security/request-in-a-body"][..], &defect].concat()).exits(1);
    done.says("FAIL no-request-desync").says("came next on its upstream connection");
}

#[test]
fn a_stored_run_renders_to_the_same_bytes() {
    let _turn = turn();
    let desk = Desk::new();
    desk.gatecrash(&["run", "smoke/control"]).exits(0);
    let run = desk.run_dir();
    let kept = std::fs::read_to_string(run.join("result.json")).expect("kept");
    for (format, file) in
        [("json", "result.json"), ("junit", "junit.xml"), ("markdown", "report.md"), ("html", "report.html")]
    {
        let name = run.to_string_lossy().into_owned();
        let again = desk.gatecrash(&["report", &name, "--format", format]).exits(0).stdout;
        assert_eq!(again, std::fs::read_to_string(run.join(file)).expect("kept"), "{format}");
    }
    assert!(kept.contains("\"ok\": true"));
}

/// For every (request, try) that is in both runs of one seed and away from phase edges, the keyed decisions are the same.
#[test]
fn a_seed_replays_the_faults() {
    let _turn = turn();
    let desk = Desk::new();
    desk.gatecrash(&["run", "smoke/slowdown", "--repeat", "2"]).exits(0);
    let runs = desk.run_dirs();
    assert_eq!(runs.len(), 2);
    let (a, b) = (decisions(&runs[0]), decisions(&runs[1]));
    let both: Vec<_> = a.keys().filter(|k| b.contains_key(*k)).collect();
    assert!(both.len() > 500, "{} attempts in both", both.len());
    let different: Vec<_> = both.iter().filter(|k| a[**k] != b[**k]).collect();
    assert!(different.is_empty(), "{different:?}");
    let alone = a.len() + b.len() - 2 * both.len();
    assert!(alone * 100 <= both.len(), "{alone} attempts are in one run only, of {}", both.len());
    assert!(a.values().any(|fired| *fired));
}

/// (request, try) -> whether a fault fired, for attempts at least 50 ms away from every phase edge.
fn decisions(run: &Path) -> BTreeMap<(u64, u8), bool> {
    let dir = gatecrash::run_dir::RunDir::open(run).expect("a run");
    let (plan, history) = (dir.plan().expect("plan"), dir.history().expect("history"));
    let join = Join::of(&history);
    let edges: Vec<u64> = (0..plan.phases.len() as u16)
        .filter_map(|p| history.phase_window(p))
        .flat_map(|(from, until)| [from, until])
        .collect();
    let away = |a: &AttemptRecord| edges.iter().all(|edge| a.start.abs_diff(*edge) > 50_000_000);
    let fired: std::collections::BTreeSet<u64> =
        history.firings.iter().filter(|f| f.attempt != AttemptId::NONE).map(|f| f.attempt).collect();
    assert!(join.unjoined_share() < 0.01);
    history
        .attempts
        .iter()
        .filter(|a| a.request != RequestId::NONE && away(a))
        .map(|a| ((a.request, a.number), fired.contains(&a.attempt)))
        .collect()
}

/// An XML parser of its own reads the file, and `xmllint` where it is installed.
pub(crate) fn junit_is_valid(path: &Path) {
    let text = std::fs::read_to_string(path).expect("JUnit");
    let mut reader = quick_xml::Reader::from_str(&text);
    let (mut suites, mut cases) = (0, 0);
    loop {
        match reader.read_event().expect("well-formed") {
            quick_xml::events::Event::Eof => break,
            quick_xml::events::Event::Start(e) | quick_xml::events::Event::Empty(e) => {
                match e.name().as_ref() {
                    "testsuite" => suites += 1,
                    "testcase" => cases += 1,
                    _ => {}
                }
            }
            _ => {}
        }
    }
    assert!(suites >= 1 && cases >= 5, "{suites} suites, {cases} cases");
    if crate::support::installed("xmllint") {
        let ok = std::process::Command::new("xmllint").arg("--noout").arg(path).status().expect("xmllint");
        assert!(ok.success());
    }
}
