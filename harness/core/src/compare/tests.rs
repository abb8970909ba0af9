//! Comparisons of reports with a difference put into them, and of noise alone.

use gatecrash_model::{draw, hash};

use super::{CHANGE_RENDERERS, Changes, Side, Terms, Weight, change_renderer, compare};
use crate::report::{GuardNote, RunReport, fixtures};
use crate::verdict::Outcome;

/// The passing fixture with tries and sizes as a real run has them.
fn healthy() -> RunReport {
    let mut report = fixtures::passing();
    for phase in &mut report.phases {
        phase.attempts = vec![(1, phase.requests)];
        phase.settled = Some(0.0);
    }
    report.phases[1].attempts = vec![(1, 3_400), (2, 1_089)];
    report
}

/// So many runs, each changed by its number.
fn runs(count: u64, change: impl Fn(u64, &mut RunReport)) -> Vec<RunReport> {
    let one = |nth| {
        let mut report = healthy();
        report.run = format!("{nth:08x}");
        change(nth, &mut report);
        report
    };
    (0..count).map(one).collect()
}

fn compared(was: &[RunReport], is: &[RunReport]) -> Changes {
    let side = |name, runs| Side { name, runs };
    compare(side("last-green", was), side("these", is), Terms::default()).expect("a case in common")
}

/// (weight, phase, what, word) of each change.
fn told(changes: &Changes) -> Vec<(Weight, &str, &str, &str)> {
    let each = changes.changes.iter();
    each.map(|c| (c.weight, c.phase.as_deref().unwrap_or(""), c.what.as_str(), c.word.as_str())).collect()
}

/// A factor around 1 with so much spread: the same for the same key.
fn noise(spread: f64, key: &[u64]) -> f64 {
    let drawn = |n: u64| draw::unit(hash::combine(&[key, &[n]].concat()));
    let normal = (-2.0 * (1.0 - drawn(0)).ln()).sqrt() * (std::f64::consts::TAU * drawn(1)).cos();
    (spread * normal).exp()
}

/// Five runs whose latencies and successes spread, and are so many times as slow.
fn noisy(seed: u64, side: u64, spread: f64, slower: f64) -> Vec<RunReport> {
    runs(5, |nth, report| {
        for (at, phase) in report.phases.iter_mut().enumerate() {
            let draw = |measure| noise(spread, &[seed, side, nth, at as u64, measure]);
            phase.p50_ms = phase.p50_ms.map(|ms| ms * slower * draw(0));
            phase.p99_ms = phase.p99_ms.map(|ms| ms * slower * draw(1));
        }
    })
}

#[test]
fn the_same_runs_say_nothing() {
    for count in [1, 3, 5] {
        let changes = compared(&runs(count, |_, _| {}), &runs(count, |_, _| {}));
        assert!(changes.changes.is_empty() && !changes.regressed, "{changes:?}");
        let terminal = change_renderer("terminal").expect("a format");
        assert!((terminal.render)(&changes, true).is_empty());
    }
}

#[test]
fn a_verdict_that_fails_in_most_runs_is_a_regression_and_one_that_fails_in_few_is_not() {
    let fails = |count| {
        move |nth: u64, report: &mut RunReport| {
            if nth < count {
                report.verdicts[1].outcome = Outcome::Fail;
            }
        }
    };
    let changes = compared(&runs(1, |_, _| {}), &runs(1, fails(1)));
    assert_eq!(told(&changes), [(Weight::Regression, "", "success-rate/recovery", "no longer holds")]);
    assert!(changes.regressed);
    assert_eq!(changes.changes[0].line, 40);
    let changes = compared(&runs(3, |_, _| {}), &runs(3, fails(1)));
    assert_eq!(told(&changes), [(Weight::Warning, "", "success-rate/recovery", "does not always hold")]);
    assert!(!changes.regressed);
    let changes = compared(&runs(3, fails(1)), &runs(3, fails(2)));
    assert!(changes.changes.is_empty(), "both sides are flaky: {changes:?}");
    let changes = compared(&runs(3, fails(3)), &runs(3, |_, _| {}));
    assert_eq!(told(&changes), [(Weight::Better, "", "success-rate/recovery", "holds now")]);
}

#[test]
fn what_cannot_be_told_is_neither_better_nor_worse() {
    let unknown = |_, report: &mut RunReport| report.verdicts[1].outcome = Outcome::Inconclusive;
    let changes = compared(&runs(1, |_, _| {}), &runs(1, unknown));
    assert_eq!(told(&changes), [(Weight::Warning, "", "success-rate/recovery", "cannot be told any more")]);
    let changes = compared(&runs(1, unknown), &runs(1, |_, _| {}));
    assert_eq!(told(&changes), [(Weight::Different, "", "success-rate/recovery", "can be told")]);
    let known = |_, report: &mut RunReport| report.verdicts[2].deviation = Some("ticket 1234".into());
    let changes = compared(&runs(1, |_, _| {}), &runs(1, known));
    assert_eq!(told(&changes), [(Weight::Warning, "", "body-complete", "no longer holds")]);
}

#[test]
fn a_new_status_and_a_new_kind_of_damage_are_regressions_when_chance_does_not_explain_them() {
    let shows = |count| {
        move |_: u64, report: &mut RunReport| {
            report.phases[2].statuses = vec![(200, 1_498 - count), (502, count)];
            report.phases[2].endings = vec![("complete, but short".into(), count)];
        }
    };
    let changes = compared(&runs(1, |_, _| {}), &runs(1, shows(7)));
    let both = [
        (Weight::Regression, "recovery", "status 502", "is new"),
        (Weight::Regression, "recovery", "`complete, but short`", "is new"),
    ];
    assert_eq!(told(&changes), both);
    assert!(compared(&runs(1, |_, _| {}), &runs(1, shows(6))).changes.is_empty(), "six may be chance");
    let gone = compared(&runs(1, shows(7)), &runs(1, |_, _| {}));
    assert!(gone.changes.iter().all(|change| change.weight == Weight::Better && change.word == "is gone"));
    assert_eq!(gone.changes.len(), 2);
    // In one run of three: an accident of that run.
    let once = |nth: u64, report: &mut RunReport| {
        if nth == 0 {
            shows(60)(nth, report)
        }
    };
    assert!(compared(&runs(3, |_, _| {}), &runs(3, once)).changes.is_empty());
}

#[test]
fn more_tries_are_a_regression_in_count_and_in_class() {
    let storm = |_, report: &mut RunReport| {
        report.phases[1].attempts = vec![(1, 3_400), (2, 500), (5, 589)];
        report.phases[1].attempts_per_request = Some(1.9);
    };
    let changes = compared(&runs(1, |_, _| {}), &runs(1, storm));
    let both = [
        (Weight::Regression, "throttled", "tries of a request", "more"),
        (Weight::Regression, "throttled", "tries per request", "more"),
    ];
    assert_eq!(told(&changes), both);
    assert_eq!((changes.changes[0].was.as_str(), changes.changes[0].is.as_str()), ("at most 2", "at most 5"));
    assert!(!compared(&runs(1, storm), &runs(1, |_, _| {})).regressed);
    // Over the edge of a class, but by next to nothing.
    let hardly = |_, report: &mut RunReport| report.phases[1].attempts_per_request = Some(1.199);
    assert!(compared(&runs(1, hardly), &runs(1, |_, _| {})).changes.is_empty());
}

#[test]
fn settling_is_told_by_its_class() {
    let after =
        |seconds: Option<f64>| move |_: u64, report: &mut RunReport| report.phases[2].settled = seconds;
    let moved = |was, is| {
        let changes = compared(&runs(1, after(was)), &runs(1, after(is)));
        changes.changes.first().map(|change| (change.weight, change.word.clone()))
    };
    assert_eq!(moved(Some(0.2), Some(4.0)), Some((Weight::Regression, "later".into())));
    assert_eq!(moved(Some(4.0), None), Some((Weight::Regression, "later".into())));
    assert_eq!(moved(None, Some(4.0)), Some((Weight::Better, "sooner".into())));
    assert_eq!(moved(Some(0.9), Some(1.1)), None);
    assert_eq!(moved(None, None), None);
}

/// Noise alone is called a change in at most one comparison of twenty, all phases and measures together, whether it is a
/// fifth of the tolerance or three times as much.
#[test]
fn noise_alone_hardly_ever_regresses() {
    const SEEDS: u64 = 200;
    for spread in [0.02, 0.1, 0.3] {
        let alarms = (0..SEEDS).filter(|seed| {
            let changes = compared(&noisy(*seed, 0, spread, 1.0), &noisy(*seed, 1, spread, 1.0));
            assert_eq!(changes.measured, 12);
            changes.regressed
        });
        let alarms = alarms.count() as u64;
        assert!(alarms * 20 <= SEEDS, "{alarms} of {SEEDS} at {spread}");
    }
}

/// A fifth slower is found from five runs a side where single runs spread by 2 %.
#[test]
fn a_fifth_slower_is_found() {
    const SEEDS: u64 = 100;
    let found = (0..SEEDS).filter(|seed| {
        let changes = compared(&noisy(*seed, 0, 0.02, 1.0), &noisy(*seed, 1, 0.02, 1.2));
        let slower = told(&changes);
        assert!(slower.iter().all(|(weight, _, _, word)| (*weight, *word) == (Weight::Regression, "slower")));
        slower.len() >= 5
    });
    let found = found.count() as u64;
    assert!(found * 20 >= SEEDS * 19, "{found} of {SEEDS}");
    // And the other way round it is an improvement.
    let changes = compared(&noisy(1, 0, 0.02, 1.2), &noisy(1, 1, 0.02, 1.0));
    assert!(!changes.regressed && changes.changes.iter().all(|change| change.word == "faster"));
    assert!(!changes.changes.is_empty());
}

#[test]
fn few_runs_and_another_machine_cannot_tell_latencies() {
    let slow = |count| runs(count, |_, report| report.phases[0].p50_ms = Some(80.0));
    let few = compared(&runs(4, |_, _| {}), &slow(4));
    assert_eq!((few.changes.len(), few.measured), (0, 0));
    assert!(few.notes[0].contains("5 runs a side"), "{:?}", few.notes);
    let mut elsewhere = slow(5);
    elsewhere.iter_mut().for_each(|report| report.environment.cores = 64);
    elsewhere.iter_mut().for_each(|report| report.verdicts[1].outcome = Outcome::Fail);
    let changes = compared(&runs(5, |_, _| {}), &elsewhere);
    let both = [
        (Weight::Regression, "", "success-rate/recovery", "no longer holds"),
        (Weight::Warning, "baseline", "p50", "slower"),
    ];
    assert_eq!(told(&changes), both);
    assert_eq!(changes.changes[1].why.as_deref(), Some("another machine (cores)"));
}

#[test]
fn runs_that_a_guard_spoke_against_lend_no_numbers() {
    let starved = runs(5, |nth, report| {
        report.phases[0].p50_ms = Some(80.0);
        if nth == 0 {
            report.guards = vec![GuardNote { guard: "generator".into(), spoils: true, text: "late".into() }];
        }
    });
    let changes = compared(&runs(5, |_, _| {}), &starved);
    assert!(changes.changes.is_empty(), "{changes:?}");
    assert!(changes.notes.iter().any(|note| note.contains("a guard spoke")), "{:?}", changes.notes);
}

#[test]
fn sides_without_a_common_case_cannot_be_compared() {
    let other = runs(1, |_, report| report.plan.name = "another".into());
    let side = |runs| Side { name: "side", runs };
    assert_eq!(compare(side(&runs(1, |_, _| {})), side(&other), Terms::default()), None);
    let both = [healthy(), other[0].clone()];
    let changes = compared(&both, &[healthy()]);
    assert_eq!(changes.cases.len(), 1);
    assert!(changes.notes.iter().any(|note| note.starts_with("another[") && note.contains("no run of it")));
}

/// Everything at once, as each format shows it.
#[test]
fn formats_are_stable() {
    let was = noisy(3, 0, 0.02, 1.0);
    let mut is = noisy(3, 1, 0.02, 1.5);
    for report in &mut is {
        report.verdicts[1].outcome = Outcome::Fail;
        report.phases[2].statuses = vec![(200, 1_437), (502, 61)];
        report.phases[1].attempts_per_request = Some(1.02);
        report.environment.gateway = "nginx/1.27.0 ::error:: ##[x] | </b>".into();
    }
    let changes = compared(&was, &is);
    for renderer in CHANGE_RENDERERS {
        let text = String::from_utf8((renderer.render)(&changes, false)).expect("text");
        insta::assert_snapshot!(renderer.name, text);
    }
}
