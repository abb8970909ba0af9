//! PyPI's kneed 0.9 as oracle: `knees.py` asked it, `knees.json` has its answers.

use gatecrash_core::capacity::knee;
use serde::Deserialize;

#[derive(Deserialize)]
struct Case {
    x: Vec<f64>,
    y: Vec<f64>,
    knee: Option<f64>,
}

#[test]
fn knees_are_where_kneed_finds_them() {
    let cases: Vec<Case> = serde_json::from_str(include_str!("knees.json")).unwrap();
    assert_eq!(cases.len(), 60);
    for (number, case) in cases.iter().enumerate() {
        let points: Vec<(f64, f64)> = case.x.iter().copied().zip(case.y.iter().copied()).collect();
        assert_eq!(knee(&points), case.knee, "case {number}: {points:?}");
    }
}
