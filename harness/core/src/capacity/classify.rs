//! Whether a load is a lower bound, an upper bound, or not known yet: RFC 9971, load classification.

use gatecrash_model::Nanos;
use serde::{Deserialize, Serialize};

use super::goal::{Goal, Target};
use super::trial::{Outcome, Trial};

/// What the trials at one load say about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// The objective holds here, even if all the time still missing were bad.
    Lower,
    /// The objective is broken here, even if all the time still missing were good.
    Upper,
    /// More trials could decide either way.
    Undecided,
}

/// The class of one load by the goal itself (its final trials and its duration sum), from all the trials at that load.
pub fn classify(goal: &Goal, trials: &[Trial]) -> Class {
    class_of(goal.targets().last().expect("a goal has at least its own target"), trials)
}

/// The class of one load by a target.
pub(super) fn class_of(target: &Target, trials: &[Trial]) -> Class {
    let target = trials.first().map_or(*target, |trial| target.at(trial.rate));
    Tally::of(&target, trials).class(&target)
}

/// Seconds of trials at one load, by length and outcome.
#[derive(Clone, Copy, Default, Debug)]
struct Tally {
    good_long: f64,
    bad_long: f64,
    good_short: f64,
    bad_short: f64,
}

// === impl Tally ===

impl Tally {
    fn of(target: &Target, trials: &[Trial]) -> Self {
        let mut tally = Self::default();
        for trial in trials {
            let long = trial.duration >= target.trial;
            let sum = match (&trial.outcome, long) {
                (Outcome::Good, true) => &mut tally.good_long,
                (Outcome::Bad(_), true) => &mut tally.bad_long,
                (Outcome::Good, false) => &mut tally.good_short,
                (Outcome::Bad(_), false) => &mut tally.bad_short,
                (Outcome::Discarded(_), _) => continue,
            };
            *sum += seconds(trial.duration);
        }
        tally
    }

    fn class(&self, target: &Target) -> Class {
        // Short good trials cancel short bad ones, in the proportion that the goal allows, and do nothing else.
        let cancelled = self.good_short * target.exceed / (1.0 - target.exceed);
        let bad = self.bad_long + (self.bad_short - cancelled).max(0.0);
        let whole = (self.good_long + bad).max(seconds(target.sum));
        let allowed = whole * target.exceed;
        if whole - self.good_long <= allowed {
            Class::Lower
        } else if bad > allowed {
            Class::Upper
        } else {
            Class::Undecided
        }
    }
}

/// The conditional throughput at a load (RFC 9971): the goodput of the trial that marks the allowed share of bad time,
/// with time still missing counted as nothing. For lower bounds only.
pub(super) fn conditional_throughput(target: &Target, trials: &[Trial]) -> f64 {
    let target = trials.first().map_or(*target, |trial| target.at(trial.rate));
    let mut long: Vec<&Trial> = trials
        .iter()
        .filter(|trial| trial.duration >= target.trial && !matches!(trial.outcome, Outcome::Discarded(_)))
        .collect();
    long.sort_by(|a, b| b.goodput.total_cmp(&a.goodput));
    let measured: f64 = long.iter().map(|trial| seconds(trial.duration)).sum();
    let mut remaining = measured.max(seconds(target.sum)) * (1.0 - target.exceed);
    for trial in long {
        remaining -= seconds(trial.duration);
        if remaining <= 0.0 {
            return trial.goodput;
        }
    }
    0.0
}

fn seconds(duration: Nanos) -> f64 {
    duration as f64 / 1e9
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Final trials of 15 s, 45 s of them, a quarter may be bad.
    fn goal() -> Goal {
        let second = 1_000_000_000;
        Goal {
            trial_final: 15 * second,
            duration_sum: 45 * second,
            requests: 1,
            exceed: 0.25,
            ..Goal::default()
        }
        .at(100.0)
    }

    /// Trials written as text: a letter (g, b or d) and seconds.
    fn class(trials: &str) -> Class {
        let trials: Vec<Trial> = trials.split_whitespace().map(trial).collect();
        classify(&goal(), &trials)
    }

    fn trial(text: &str) -> Trial {
        let duration: Nanos = text[1..].parse::<Nanos>().unwrap() * 1_000_000_000;
        let outcome = match &text[..1] {
            "g" => Outcome::Good,
            "b" => Outcome::Bad("p99".into()),
            _ => Outcome::Discarded("late".into()),
        };
        let goodput = if outcome == Outcome::Good { 100.0 } else { 80.0 };
        Trial { rate: 100.0, duration, spent: duration, goodput, outcome }
    }

    #[test]
    fn a_load_is_classified_once_the_missing_time_cannot_matter() {
        for (trials, expected) in [
            ("", Class::Undecided),
            ("g15 g15", Class::Undecided),
            ("g15 g15 g15", Class::Lower),
            // 34 of 45 seconds are good: the 11 missing ones may all be bad.
            ("g17 g17", Class::Lower),
            ("b11", Class::Undecided),
            ("b15", Class::Upper),
            // 15 of 60 is just allowed.
            ("b15 g15 g15", Class::Upper),
            ("b15 g15 g15 g15", Class::Lower),
            ("d15 d15 d15", Class::Undecided),
        ] {
            assert_eq!(class(trials), expected, "{trials}");
        }
    }

    #[test]
    fn short_good_trials_only_cancel_short_bad_ones() {
        for (trials, expected) in [
            ("g5 g5 g5 g5 g5 g5 g5 g5 g5 g5 g5 g5", Class::Undecided),
            ("b5 b5", Class::Undecided),
            ("b5 b5 b5", Class::Upper),
            ("b5 b5 b5 g5 g5 g5", Class::Undecided),
            ("b15 g5 g5 g5 g5 g5 g5 g5 g5 g5", Class::Upper),
            ("b5 g5 g5 g5 g15 g15 g15", Class::Lower),
        ] {
            assert_eq!(class(trials), expected, "{trials}");
        }
    }

    #[test]
    fn conditional_throughput_is_what_the_worst_allowed_trial_delivered() {
        let target = goal().targets()[0];
        let of = |text: &str| {
            let trials: Vec<Trial> = text.split_whitespace().map(trial).collect();
            conditional_throughput(&target, &trials)
        };
        assert_eq!(of("g15 g15 g15"), 100.0);
        assert_eq!(of("g15 g15 g15 b15"), 100.0, "a quarter may be bad");
        assert_eq!(of("g15 g15 b15"), 80.0);
        assert_eq!(of("g15 g5 g5 g5"), 0.0, "short trials deliver nothing");
    }
}
