//! The search as a state machine: what to measure next follows from what was measured, and from nothing else.

use std::collections::BTreeMap;

use gatecrash_model::Nanos;

use super::bounds::{Bound, Bounds, Ended, LoadTrials};
use super::classify::{Class, Tally, classify, conditional_throughput};
use super::goal::{Goal, GoalMistake, Target};
use super::trial::{Outcome, Trial};

/// So many discarded trials in a row mean that the harness is the limit.
const PATIENCE: u32 = 3;

/// What a host does next.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// Offer this rate for this long (after settling), judge, drain, and hand in the trial.
    Measure {
        /// Requests per second.
        rate: f64,
        /// Time that counts.
        duration: Nanos,
    },
    /// The search is over.
    Done(Bounds),
}

/// A search under way.
#[derive(Clone, Debug)]
pub struct Search {
    goal: Goal,
    targets: Vec<Target>,
    trials: Vec<Trial>,
    discarded: u32,
}

// === impl Search ===

impl Search {
    /// Begins a search.
    pub fn new(goal: Goal) -> Result<Self, GoalMistake> {
        goal.validate()?;
        Ok(Self { targets: goal.targets(), goal, trials: Vec::new(), discarded: 0 })
    }

    /// What it looks for.
    pub fn goal(&self) -> &Goal {
        &self.goal
    }

    /// Takes in a trial: with the rate and the duration of the last [`Step::Measure`].
    pub fn record(&mut self, trial: Trial) {
        match trial.outcome {
            Outcome::Discarded(_) => self.discarded += 1,
            _ => self.discarded = 0,
        }
        self.trials.push(trial);
    }

    /// What to do next. Asking twice changes nothing.
    pub fn next(&self) -> Step {
        if let Some(why) = self.exhausted() {
            return Step::Done(self.bounds(why));
        }
        for (stage, target) in self.targets.iter().enumerate() {
            if let Some(rate) = self.wanted(stage) {
                return Step::Measure { rate, duration: target.trial };
            }
        }
        let bounds = self.bounds(Ended::Converged);
        let ended = match (&bounds.lower, &bounds.upper) {
            (Some(_), Some(_)) => Ended::Converged,
            (Some(_), None) => Ended::AtMaximum,
            (None, _) => Ended::AtMinimum,
        };
        Step::Done(Bounds { ended, ..bounds })
    }

    /// The bounds as far as they are confirmed now, for a progress view: `ended` says how it would end.
    pub fn so_far(&self) -> Bounds {
        self.bounds(Ended::TimeUp)
    }

    fn exhausted(&self) -> Option<Ended> {
        if self.discarded >= PATIENCE {
            let Some(Outcome::Discarded(why)) = self.trials.last().map(|trial| &trial.outcome) else {
                return None;
            };
            return Some(Ended::GeneratorLimited(why.clone()));
        }
        let spent: Nanos = self.trials.iter().map(|trial| trial.spent).sum();
        let over = spent >= self.goal.max_time || self.trials.len() >= self.goal.max_trials as usize;
        (over && !self.finished()).then_some(Ended::TimeUp)
    }

    fn finished(&self) -> bool {
        (0..self.targets.len()).all(|stage| self.wanted(stage).is_none())
    }

    /// The load that a stage wants measured; `None` when the stage is done.
    fn wanted(&self, stage: usize) -> Option<f64> {
        let target = &self.targets[stage];
        let (lower, upper) = self.relevant(target);
        let before = (stage > 0).then(|| self.relevant(&self.targets[stage - 1])).unwrap_or_default();
        match (lower, upper) {
            (None, None) => Some(before.0.or(before.1).unwrap_or(self.goal.from)),
            (Some(lower), None) => (lower < self.goal.to).then(|| self.above(stage, lower, before.1)),
            (None, Some(upper)) => (upper > self.goal.from).then(|| self.below(stage, upper, before.0)),
            (Some(lower), Some(upper)) => {
                // Rounding may leave nothing in between: then it is as narrow as it gets.
                let middle = round((lower * upper).sqrt());
                let wide = (upper - lower) / upper > target.width * (1.0 + 1e-9);
                (wide && lower < middle && middle < upper).then_some(middle)
            }
        }
    }

    /// A load to try as the upper bound: that of the stage before, else further out each time.
    fn above(&self, stage: usize, lower: f64, before: Option<f64>) -> f64 {
        let further = match stage {
            0 => lower * self.goal.grow,
            _ => lower / (1.0 - self.targets[stage].width).powi(self.turned(stage, Class::Lower)),
        };
        before.filter(|rate| *rate > lower).unwrap_or(round(further)).min(self.goal.to)
    }

    /// A load to try as the lower bound, likewise.
    fn below(&self, stage: usize, upper: f64, before: Option<f64>) -> f64 {
        let further = match stage {
            0 => upper / self.goal.grow,
            _ => upper * (1.0 - self.targets[stage].width).powi(self.turned(stage, Class::Upper)),
        };
        before.filter(|rate| *rate < upper).unwrap_or(round(further)).max(self.goal.from)
    }

    /// By how many widths to go outwards: doubled for each load that this stage has put in that class already.
    fn turned(&self, stage: usize, class: Class) -> i32 {
        let target = &self.targets[stage];
        let loads = self.loads();
        let turned = loads.values().filter(|trials| class_of(target, trials) == class).count();
        1 << turned.saturating_sub(1).min(6)
    }

    /// The relevant bounds for a target: the lowest upper bound, and the highest lower bound below it. A load that passes
    /// above one that failed is no lower bound (loss inversion).
    fn relevant(&self, target: &Target) -> (Option<f64>, Option<f64>) {
        let (mut lower, mut upper) = (None, None);
        for trials in self.loads().values() {
            match class_of(target, trials) {
                Class::Lower => lower = Some(trials[0].rate),
                Class::Undecided => {}
                Class::Upper => {
                    upper = Some(trials[0].rate);
                    break;
                }
            }
        }
        (lower, upper)
    }

    fn loads(&self) -> BTreeMap<u64, Vec<&Trial>> {
        let mut loads: BTreeMap<u64, Vec<&Trial>> = BTreeMap::new();
        for trial in &self.trials {
            // Positive floats order as their bits do.
            loads.entry(trial.rate.to_bits()).or_default().push(trial);
        }
        loads
    }

    fn bounds(&self, ended: Ended) -> Bounds {
        let target = self.targets.last().expect("a goal has at least its own target");
        let (lower, upper) = self.relevant(target);
        let loads = self.loads();
        let bound = |rate: f64, lower: bool| {
            let trials = &loads[&rate.to_bits()];
            Bound::of(rate, lower.then(|| conditional_throughput(target, trials)), trials)
        };
        Bounds {
            lower: lower.map(|rate| bound(rate, true)),
            upper: upper.map(|rate| bound(rate, false)),
            ended,
            loads: loads
                .values()
                .map(|trials| LoadTrials {
                    rate: trials[0].rate,
                    class: classify(&self.goal, trials.iter().copied()),
                    trials: trials.iter().map(|trial| (*trial).clone()).collect(),
                })
                .collect(),
        }
    }
}

fn class_of(target: &Target, trials: &[&Trial]) -> Class {
    Tally::of(target, trials.iter().copied()).class(target)
}

/// Four significant digits: rates that a person can read back.
fn round(rate: f64) -> f64 {
    let scale = 10f64.powf(3.0 - rate.log10().floor());
    (rate * scale).round() / scale
}
