//! The capacity search against simulated systems whose capacity is known, in virtual time; against plain bisection; and
//! against MLRsearch, the reference implementation.

mod knee;
mod mlrsearch;
mod searches;
mod steps;
mod systems;

use gatecrash_core::capacity::{Goal, goal};
use gatecrash_core::diagnostics::SourceText;
use gatecrash_core::scenario::{Fragments, Options, load};
use searches::{Found, bisection, search};
use systems::{Queue, System, Threshold};

const SEEDS: u64 = 2_000;

/// How many searches in a hundred end with both bounds within 5 % of the capacity.
fn share_within<S: System>(seeds: u64, system: impl Fn(u64) -> S, run: impl Fn(&S) -> Found) -> f64 {
    let near = |system: &S, rate: Option<f64>| {
        rate.is_some_and(|rate| (rate / system.capacity() - 1.0).abs() <= 0.05)
    };
    let within = (0..seeds).map(system).filter(|system| {
        let found = run(system);
        near(system, found.lower) && near(system, found.upper)
    });
    within.count() as f64 * 100.0 / seeds as f64
}

/// A scenario that leaves the search to the defaults of the format.
const SCENARIO: &str = "gatecrash: 1
name: defaults
load:
  readers: { open: { rate: search }, ops: { GetObject: 100% } }
capacity:
  search: { from: 100/s, to: 100000/s }
  slo: [{ success-rate: { min: 99% } }, { latency: { p90: { max: 150ms } } }]
";

struct NoFragments;

impl Fragments for NoFragments {
    fn read(&self, _: &str, _: &str) -> Result<SourceText, String> {
        Err("there are none".into())
    }
}

/// The goal of a search by a scenario that says nothing about it.
fn of_the_format() -> Goal {
    let text = SourceText::new("defaults.yaml", SCENARIO);
    let loaded = load(&text, &NoFragments, &Options::default()).unwrap_or_else(|wrong| panic!("{wrong}"));
    goal(loaded.plans()[0].capacity.as_ref().expect("a capacity scenario"))
}

#[test]
fn the_format_searches_as_the_simulation_does() {
    let minutes = 60_000_000_000;
    let format = of_the_format();
    assert_eq!((format.max_time, format.max_trials), (8 * minutes, 1_000));
    let unlimited =
        Goal { max_time: Goal::default().max_time, max_trials: Goal::default().max_trials, ..format };
    assert_eq!(unlimited, Goal { coarse_requests: unlimited.coarse_requests, ..Goal::default() });
}

/// Within the eight minutes that the format gives a case, settling and draining included.
#[test]
fn both_bounds_are_near_the_capacity_in_noise() {
    let goal = of_the_format();
    let share = share_within(SEEDS, Threshold::noisy, |system| search(&goal, system));
    assert!(share >= 99.0, "{share} % of {SEEDS} searches");
}

#[test]
fn plain_bisection_is_not_in_the_same_noise() {
    for (seconds, most) in [(5.0, 90.0), (10.0, 80.0), (20.0, 60.0)] {
        let run = |system: &Threshold| bisection(&Goal::default(), seconds, system);
        let share = share_within(SEEDS, Threshold::noisy, run);
        assert!(share <= most, "{share} % with trials of {seconds} s");
    }
}

#[test]
fn without_noise_the_bounds_enclose_the_capacity_and_are_as_close_as_asked_for() {
    let goal = Goal::default();
    for seed in 0..200 {
        let system = Threshold::quiet(seed);
        let found = search(&goal, &system);
        let (lower, upper) = (found.lower.unwrap(), found.upper.unwrap());
        assert!(lower <= system.capacity && system.capacity < upper, "seed {seed}: {lower} to {upper}");
        assert!((upper - lower) / upper <= goal.width, "seed {seed}: {lower} to {upper}");
        assert!(found.converged && found.loads <= 16, "seed {seed}: {} loads", found.loads);
        assert!(found.trials <= 40 && found.seconds < 8.0 * 60.0, "seed {seed}: {} s", found.seconds);
    }
}

/// Nothing is a threshold here: requests queue, and are refused when the room is full.
#[test]
fn the_capacity_of_a_queue_is_found() {
    let queue = |seed| Queue { seed, servers: 64, room: 128, service: 15.0, refusals: 0.01 };
    let share = share_within(20, queue, |system| search(&Goal::default(), system));
    assert!(share >= 95.0, "{share} %");
}
