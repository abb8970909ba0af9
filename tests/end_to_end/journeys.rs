//! Journeys through the real binary: goose's view of a run beside ours.

use gatecrash_core::history::decode_all;
use gatecrash_model::ClientRecord;
use serde_json::Value;

use crate::support::{Desk, eventually, json, turn};

/// Every request that our history holds is one in goose's report, by operation, and goose leaves nothing else behind.
#[test]
fn goose_reports_the_requests_that_we_record() {
    let _turn = turn();
    let desk = Desk::new();
    let done = desk.gatecrash(&["run", "server-side/journeys", "--report", "json:-"]).exits(0);
    // A report on stdout is alone there: what goose prints is in a file.
    let reports: Value = serde_json::from_str(&done.stdout).expect("nothing but JSON on stdout");
    let run = desk.run_dir();
    let said = std::fs::read_to_string(run.join("goose/stdout.txt")).expect("what goose printed");
    assert!(said.contains("users launched"), "{said}");
    for name in ["goose/report.html", "goose/report.md", "goose/report.json"] {
        assert!(run.join(name).metadata().expect(name).len() > 1000, "{name}");
    }

    let bytes = std::fs::read(run.join("history/clients.rec")).expect("records");
    let records = decode_all::<ClientRecord>(&bytes).expect("readable");
    let report = json(&run.join("goose/report.json"));
    let theirs = report["raw_request_metrics"].as_array().expect("requests");
    let plain = ["PutObject", "HeadObject", "GetObject", "ListObjectsV2", "DeleteObject"];
    let in_parts = ["CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload"];
    for op in plain.into_iter().chain(in_parts) {
        let ours = records.iter().filter(|record| record.op.name() == op).count() as u64;
        let of = |r: &&Value| r["name"] == op;
        let counted = theirs.iter().find(of).and_then(|r| r["number_of_requests"].as_u64());
        assert!(ours > 0);
        assert_eq!(counted, Some(ours), "{op} in {theirs:#?}");
    }
    let failed = records.iter().filter(|record| !record.is_success()).count();
    assert!(failed > 0, "the outage reached somebody");
    let guards = reports.to_string();
    assert!(guards.contains("goose's threshold error-rate<90% held"), "{guards}");
    desk.expect_nothing_left();
}

/// The first Ctrl-C ends users between their steps, with every report.
#[test]
fn ctrl_c_stays_ours() {
    let _turn = turn();
    let desk = Desk::new();
    let running = desk.start(&["run", "server-side/journeys"]);
    eventually("goose has launched users", || {
        let said = std::fs::read_to_string(desk.run_dirs().first()?.join("goose/stdout.txt")).ok()?;
        said.contains("users launched").then_some(())
    });
    running.signal("INT");
    let done = desk.finish(running);
    assert_eq!(done.code, 130, "{}", done.stderr);
    let run = desk.run_dir();
    assert!(run.join("goose/report.json").exists() && run.join("result.json").exists());
    assert!(!done.stdout.contains("goose's counts of"), "{}", done.stdout);
    desk.expect_nothing_left();
}

/// A rule that goose does not understand is told before anything starts.
#[test]
fn a_wrong_threshold_is_the_users_mistake() {
    let desk = Desk::new();
    let shipped =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/scenarios/server-side/journeys.yaml"))
            .expect("the scenario");
    let file = desk.file("journeys.yaml", &shipped.replace("error-rate<90%", "error-rate=90%"));
    let done = desk.gatecrash(&["run", &file]).exits(2);
    assert!(done.stderr.contains("goose does not understand a threshold"), "{}", done.stderr);
}
