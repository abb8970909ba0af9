//! The reference implementation as oracle: PyPI's MLRsearch 1.2.1, asked by `mlrsearch.py`, answers in `mlrsearch.json`.

use std::cell::RefCell;
use std::collections::HashMap;
use std::process::Command;

use gatecrash_core::capacity::{Class, Goal, Outcome, Search, Trial, classify};
use gatecrash_model::hash::combine;
use serde::Deserialize;

use super::searches::search;
use super::systems::{Answer, System, Threshold};

const COMMITTED: &str = include_str!("mlrsearch.json");

#[derive(Deserialize, PartialEq, Debug)]
struct Oracle {
    classes: Vec<Classified>,
    searches: Vec<Searched>,
}

#[derive(Deserialize, PartialEq, Debug)]
struct Classified {
    exceed: f64,
    trial: f64,
    sum: f64,
    /// Seconds and loss ratio.
    trials: Vec<(f64, f64)>,
    class: Class,
    /// The loss ratio of the conditional throughput.
    loss: Option<f64>,
}

#[derive(Deserialize, PartialEq, Debug)]
struct Searched {
    seed: u64,
    capacity: f64,
    lower: f64,
    upper: f64,
    trials: usize,
}

fn oracle() -> Oracle {
    serde_json::from_str(COMMITTED).expect("mlrsearch.py writes this")
}

fn nanos(seconds: f64) -> u64 {
    (seconds * 1e9) as u64
}

#[test]
fn loads_are_classified_as_the_reference_does() {
    for (number, case) in oracle().classes.iter().enumerate() {
        let goal = Goal {
            trial_initial: 1,
            trial_final: nanos(case.trial),
            duration_sum: nanos(case.sum),
            requests: 1,
            exceed: case.exceed,
            ..Goal::default().at(1_000.0)
        };
        let trials: Vec<Trial> = case.trials.iter().map(|(seconds, loss)| trial(*seconds, *loss)).collect();
        assert_eq!(classify(&goal, &trials), case.class, "case {number}: {case:?}");
        let Some(loss) = case.loss else { continue };
        let mut search = Search::new(goal).unwrap();
        trials.into_iter().for_each(|trial| search.record(trial));
        let throughput = search.so_far().lower.unwrap().throughput.unwrap();
        assert!((throughput - 1_000.0 * (1.0 - loss)).abs() < 1e-6, "case {number}: {throughput}, {case:?}");
    }
}

fn trial(seconds: f64, loss: f64) -> Trial {
    let outcome = if loss > 0.0 { Outcome::Bad("loss".into()) } else { Outcome::Good };
    let duration = nanos(seconds);
    Trial { rate: 1_000.0, duration, spent: duration, goodput: 1_000.0 * (1.0 - loss), outcome }
}

/// A system whose answers depend on the rate and on how often it was tried, as in the script: both searches ask in their
/// own order and are told the same.
struct ByRate {
    inner: Threshold,
    seen: RefCell<HashMap<u64, u64>>,
}

impl System for ByRate {
    fn trial(&self, _: u64, rate: f64, seconds: f64) -> Answer {
        let mut seen = self.seen.borrow_mut();
        let nth = seen.entry(rate.to_bits()).or_default();
        *nth += 1;
        self.inner.trial(combine(&[rate.to_bits(), *nth - 1]), rate, seconds)
    }

    fn capacity(&self) -> f64 {
        self.inner.capacity
    }
}

#[test]
fn searches_end_where_the_reference_ends() {
    let (mut far, mut far_of_reference) = (Vec::new(), 0);
    for theirs in oracle().searches {
        let system = ByRate { inner: Threshold::noisy(theirs.seed), seen: RefCell::default() };
        assert!((system.capacity() / theirs.capacity - 1.0).abs() < 1e-9, "the same system");
        let ours = search(&Goal::default(), &system);
        let (lower, upper) = (ours.lower.unwrap(), ours.upper.unwrap());
        // One width apart at most, where both are right by their own definition.
        let apart = (lower * upper).sqrt() / (theirs.lower * theirs.upper).sqrt() - 1.0;
        if apart.abs() > Goal::default().width {
            far.push((theirs.seed, apart));
        }
        let near = |rate: f64| (rate / theirs.capacity - 1.0).abs() <= 0.05;
        far_of_reference += usize::from(!near(theirs.lower) || !near(theirs.upper));
        assert!(
            near(lower) && near(upper),
            "seed {}: {lower} to {upper} of {}",
            theirs.seed,
            theirs.capacity
        );
    }
    assert!(far.len() <= 3, "{far:?}");
    assert_eq!(far_of_reference, 2, "of 100 the reference misses two by more than 5 %");
}

/// The committed answers are those of the package, where a Python has it.
#[test]
fn the_committed_answers_are_the_reference_s() {
    let python = std::env::var_os("GATECRASH_PYTHON").unwrap_or_else(|| "python3".into());
    let has = Command::new(&python).args(["-c", "import MLRsearch"]).output();
    if !has.is_ok_and(|output| output.status.success()) {
        eprintln!(
            "skipped: MLRsearch is not installed; `pip install MLRsearch==1.2.1`, then GATECRASH_PYTHON"
        );
        return;
    }
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/capacity/mlrsearch.py");
    let output = Command::new(&python).arg(script).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let asked: Oracle = serde_json::from_slice(&output.stdout).unwrap();
    let committed = oracle();
    assert_eq!(asked.classes, committed.classes);
    for (asked, committed) in asked.searches.iter().zip(&committed.searches) {
        // Logarithms of another platform may differ in their last digit.
        let same = |a: f64, b: f64| (a / b - 1.0).abs() < 1e-9;
        assert!(
            same(asked.lower, committed.lower) && same(asked.upper, committed.upper),
            "{asked:?} {committed:?}"
        );
        assert_eq!(asked.trials, committed.trials, "seed {}", asked.seed);
    }
}
