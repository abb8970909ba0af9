//! Searches answered by hand: what is asked next, and how they end.

use gatecrash_core::capacity::{Bounds, Class, Ended, Goal, Outcome, Search, Step, Trial};

const SECOND: u64 = 1_000_000_000;

fn goal() -> Goal {
    Goal { from: 100.0, to: 1_600.0, requests: 1, ..Goal::default() }
}

fn bad() -> Outcome {
    Outcome::Bad("latency p99".into())
}

/// Runs a search to its end; the answer to a trial depends on its rate and on how many there were at that rate.
fn run(goal: Goal, answer: impl Fn(f64, usize) -> Outcome) -> Bounds {
    finish(Search::new(goal).expect("a goal that makes sense"), answer)
}

fn trial(rate: f64, duration: u64, outcome: Outcome) -> Trial {
    Trial { rate, duration, spent: duration + 3 * SECOND, goodput: rate, outcome }
}

fn finish(mut search: Search, answer: impl Fn(f64, usize) -> Outcome) -> Bounds {
    let mut asked: Vec<f64> = Vec::new();
    loop {
        assert_eq!(search.next(), search.next(), "asking twice changes nothing");
        match search.next() {
            Step::Done(bounds) => return bounds,
            Step::Measure { rate, duration } => {
                let outcome = answer(rate, asked.iter().filter(|seen| **seen == rate).count());
                asked.push(rate);
                assert!(asked.len() <= 300, "no end: {asked:?}");
                search.record(trial(rate, duration, outcome));
            }
        }
    }
}

fn up_to(capacity: f64) -> impl Fn(f64, usize) -> Outcome {
    move |rate, _| if rate <= capacity { Outcome::Good } else { bad() }
}

#[test]
fn it_grows_then_halves_then_confirms() {
    let mut search = Search::new(goal()).unwrap();
    let mut asked = Vec::new();
    while let Step::Measure { rate, duration } = search.next() {
        asked.push(format!("{rate}/{}", duration / SECOND));
        search.record(trial(rate, duration, up_to(700.0)(rate, 0)));
    }
    asked.dedup();
    let expected =
        "100/2 200/2 400/2 800/2 565.7/2 672.7/2 733.6/2 672.7/5 733.6/5 702.5/5 672.7/5 702.5/5 687.4/5";
    assert_eq!(asked.join(" "), expected);
}

#[test]
fn it_ends_at_the_edges_of_its_range() {
    let bounds = run(goal(), up_to(5_000.0));
    assert_eq!((bounds.ended, bounds.lower.unwrap().rate), (Ended::AtMaximum, 1_600.0));
    let bounds = run(goal(), up_to(50.0));
    assert_eq!((bounds.ended, bounds.lower), (Ended::AtMinimum, None));
    let upper = bounds.upper.unwrap();
    assert_eq!((upper.rate, upper.broken.as_deref()), (100.0, Some("latency p99")));
}

#[test]
fn one_load_is_classified_without_a_search() {
    for (capacity, ended, class) in
        [(700.0, Ended::AtMaximum, Class::Lower), (300.0, Ended::AtMinimum, Class::Upper)]
    {
        let bounds = run(goal().at(500.0), up_to(capacity));
        assert_eq!((bounds.ended, bounds.loads.len(), bounds.loads[0].class), (ended, 1, class));
    }
    let bounds = run(goal().at(500.0), up_to(700.0));
    assert!(bounds.loads[0].trials.iter().all(|trial| trial.duration == 5 * SECOND));
    // 35 % of 45 s may be bad: six trials good, and no more are needed.
    assert_eq!(bounds.loads[0].trials.len(), 6);
}

#[test]
fn a_load_that_passes_above_one_that_fails_is_no_lower_bound() {
    // 700 to 850 is broken (a resonance, a timer), 850 to 1,000 is not; both were seen.
    let hole = |rate: f64, _| match rate {
        700.0..850.0 => bad(),
        0.0..1_000.0 => Outcome::Good,
        _ => bad(),
    };
    let mut search = Search::new(goal()).unwrap();
    search.record(trial(800.0, 45 * SECOND, bad()));
    search.record(trial(900.0, 45 * SECOND, Outcome::Good));
    let bounds = finish(search, hole);
    assert_eq!(bounds.loads.last().map(|load| (load.rate, load.class)), Some((900.0, Class::Lower)));
    assert_eq!(bounds.ended, Ended::Converged);
    let (lower, upper) = (bounds.lower.unwrap().rate, bounds.upper.unwrap().rate);
    assert!(lower < 700.0 && (700.0..750.0).contains(&upper), "{lower} to {upper}");
}

#[test]
fn a_spoiled_first_trial_costs_trials_and_no_bound() {
    for spoiled in [100.0, 400.0, 800.0] {
        let bounds = run(goal(), |rate, seen| match (rate == spoiled, seen) {
            (true, 0) => bad(),
            _ => up_to(1_000.0)(rate, seen),
        });
        let (lower, upper) = (bounds.lower.unwrap().rate, bounds.upper.unwrap().rate);
        assert!((960.0..=1_000.0).contains(&lower), "{spoiled} spoiled: {lower} to {upper}");
        assert!((1_000.0..=1_040.0).contains(&upper), "{spoiled} spoiled: {lower} to {upper}");
    }
}

#[test]
fn discarded_trials_count_for_nothing_and_three_in_a_row_end_it() {
    let late = || Outcome::Discarded("schedule lag".into());
    let bounds = run(goal(), |rate, seen| if seen % 3 == 1 { late() } else { up_to(700.0)(rate, seen) });
    assert_eq!(bounds.ended, Ended::Converged);
    assert_eq!(bounds.lower.unwrap().rate, 687.4);

    let bounds = run(goal(), |rate, _| if rate > 450.0 { late() } else { Outcome::Good });
    assert_eq!(bounds.ended, Ended::GeneratorLimited("schedule lag".into()));
    assert_eq!(bounds.upper, None, "what the harness could not do says nothing about the gateway");
}

#[test]
fn it_ends_when_time_or_trials_run_out_with_the_bounds_it_has() {
    let short = run(Goal { max_time: 100 * SECOND, ..goal() }, up_to(700.0));
    assert_eq!(short.ended, Ended::TimeUp);
    let few = run(Goal { max_trials: 4, ..goal() }, up_to(700.0));
    assert_eq!(few.ended, Ended::TimeUp);
    assert_eq!(few.loads.len(), 4);
    assert_eq!((few.lower, few.upper), (None, None), "nothing was confirmed yet");
}

#[test]
fn trials_are_longer_where_the_rate_is_too_low_for_their_requests() {
    let search = Search::new(Goal { requests: 1_000, ..goal() }).unwrap();
    assert_eq!(search.next(), Step::Measure { rate: 100.0, duration: 10 * SECOND });
}

#[test]
fn bounds_survive_being_stored() {
    let bounds = run(goal(), up_to(700.0));
    let text = serde_json::to_string(&bounds).unwrap();
    assert_eq!(serde_json::from_str::<Bounds>(&text).unwrap(), bounds);
    assert!(bounds.width().unwrap() <= 0.04);
}
