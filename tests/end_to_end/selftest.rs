//! The harness measured by itself: all defects, the correct gateway, no false alarm.

use crate::support::{Desk, json, turn};

#[test]
fn every_defect_is_detected_and_nothing_else_alarms() {
    let _turn = turn();
    let desk = Desk::new();
    let done = desk.gatecrash(&["selftest", "--json", "score.json"]).exits(0);
    let score = json(&desk.path().join("score.json"));
    let rows = score["rows"].as_array().expect("rows");
    let defects = rows.iter().filter(|r| r["trial"]["number"].as_u64() > Some(0)).count();
    assert!(defects >= 19, "{defects} defects\n{}", done.stdout);
    assert!(rows.iter().any(|r| r["trial"]["gateway"] == "correct"));
    desk.expect_nothing_left();
}
