use super::*;
use crate::diagnostics::SourceText;
use crate::faults::{FAULTS, FaultInfo, Host};
use crate::scenario::{self, Options};

struct NoFragments;

impl scenario::Fragments for NoFragments {
    fn read(&self, _: &str, path: &str) -> Result<SourceText, String> {
        Err(format!("no fragment {path}"))
    }
}

fn cell(seen: &[(&str, u64, Option<u32>, f64)]) -> Cell {
    let seen = seen.iter().map(|(outcome, requests, tries, millis)| Seen {
        outcome: (*outcome).to_owned(),
        requests: *requests,
        tries: *tries,
        millis: *millis,
    });
    Cell { op: "GetObject".to_owned(), seen: seen.collect() }
}

fn survey(cells: &[(&str, Cell)]) -> Survey {
    let row = |(condition, cell): &(&str, Cell)| Row {
        condition: (*condition).to_owned(),
        group: "body".to_owned(),
        run: "1a2b3c4d".to_owned(),
        skipped: None,
        cells: vec![cell.clone()],
        after: 10,
        recovered: 10,
        died: None,
    };
    Survey {
        version: 1,
        gateway: "some 1.0".to_owned(),
        gatecrash: "0.1.0".to_owned(),
        started: "2026-01-01T00:00:00Z".to_owned(),
        rows: cells.iter().map(row).collect(),
    }
}

#[test]
fn every_condition_is_a_scenario_of_its_own() {
    let mut names = std::collections::BTreeSet::new();
    let mut options = Options::default();
    options.known.embedded.can.push("http2".into());
    for condition in conditions() {
        let source = SourceText::new("survey", condition.scenario());
        let loaded = scenario::load(&source, &NoFragments, &options);
        let cases = loaded.unwrap_or_else(|e| panic!("{}: {e}", condition.name)).cases;
        let faults = &cases[0].plan.faults;
        assert_eq!(faults.iter().filter(|f| f.name == Condition::FAULT).count(), 1, "{}", condition.name);
        assert!(names.insert(condition.name.clone()), "{} stands twice", condition.name);
    }
}

/// Faults of links that change what a gateway receives from its upstreams have to be surveyed; some are its clients'. The clients of a survey send no
/// `Expect: 100-continue`, and are well-behaved: what those on the clients' side do is no condition of the upstream.
#[test]
fn every_fault_of_a_link_is_a_condition() {
    let surveyed: Vec<_> = conditions().iter().map(|c| c.fault.clone()).collect();
    let left_out = ["100-never", "slow-request", "half-request"];
    let fires = |fault: &&FaultInfo| {
        matches!(fault.host, Host::Link | Host::Listener) && !left_out.contains(&fault.name)
    };
    for fault in FAULTS.iter().filter(fires) {
        let wanted = format!("{}:", fault.name);
        assert!(surveyed.iter().any(|f| f.starts_with(&wanted)), "{} is in no condition", fault.name);
    }
}

#[test]
fn cells_say_what_counts() {
    let table = [
        (cell(&[]), "-"),
        (cell(&[("502", 10, Some(2), 3.0)]), "502 x2"),
        (cell(&[("504", 10, Some(1), 1003.0)]), "504 1.0s"),
        (cell(&[("200 cut", 15, None, 3.0), ("502", 5, None, 3.0)]), "200 cut 75%, 502 25%"),
        (cell(&[("502", 99, Some(1), 3.0), ("200", 1, Some(1), 3.0)]), "502"),
    ];
    for (cell, text) in table {
        assert_eq!(cell.text(), text);
    }
}

#[test]
fn what_differs_is_told_and_luck_is_not() {
    let was = survey(&[
        ("refuse", cell(&[("502", 19, Some(1), 3.0), ("200", 1, None, 3.0)])),
        ("body-cut", cell(&[("200 cut", 20, Some(1), 3.0)])),
        ("gone", cell(&[("502", 20, Some(1), 3.0)])),
    ]);
    let mut is = survey(&[
        ("refuse", cell(&[("502", 20, Some(1), 700.0)])),
        ("body-cut", cell(&[("200 corrupt", 20, Some(1), 3.0)])),
    ]);
    is.rows[0].recovered = 3;
    let told: Vec<_> = compare(&was, &is, |_| true)
        .into_iter()
        .map(|d| format!("{} {}: {} -> {}", d.condition, d.op, d.was, d.is))
        .collect();
    assert_eq!(
        told,
        [
            "refuse after: recovers -> does not recover at once",
            "body-cut GetObject: 200 cut -> 200 corrupt",
            "gone -: surveyed -> not surveyed",
        ]
    );
    assert!(compare(&was, &was, |_| true).is_empty());
    let of_one = compare(&was, &is, |condition| condition == "body-cut");
    assert_eq!(of_one.iter().map(|d| d.condition.as_str()).collect::<Vec<_>>(), ["body-cut"]);
}

#[test]
fn tables_have_a_line_for_each_condition() {
    let survey = survey(&[("refuse", cell(&[("502", 20, Some(1), 3.0)]))]);
    let table = terminal(&survey);
    assert!(table.contains("\nbody\n  refuse              502"), "{table}");
    assert!(markdown(&survey).contains("| refuse | 502 | - | - |  |"), "{}", markdown(&survey));
}
