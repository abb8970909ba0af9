//! The search as a state machine: what to measure next follows from what was measured, and from nothing else.

use std::collections::BTreeMap;

use gatecrash_model::Nanos;

use super::bounds::{Bound, Bounds, Ended, LoadTrials};
use super::classify::{Class, class_of, classify, conditional_throughput};
use super::goal::{Goal, GoalMistake, Target};
use super::trial::{Outcome, Trial};

/// So many discarded trials in a row mean that the harness is the limit.
const PATIENCE: usize = 3;

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
    /// By the bits of their rate: positive floats order as their bits do.
    loads: BTreeMap<u64, Vec<Trial>>,
    measured: u32,
    spent: Nanos,
    /// The reasons of the trials discarded since the last one that counted.
    discarded: Vec<String>,
}

// === impl Search ===

impl Search {
    /// Begins a search.
    pub fn new(goal: Goal) -> Result<Self, GoalMistake> {
        goal.validate()?;
        Ok(Self {
            targets: goal.targets(),
            goal,
            loads: BTreeMap::new(),
            measured: 0,
            spent: 0,
            discarded: Vec::new(),
        })
    }

    /// What it looks for.
    pub fn goal(&self) -> &Goal {
        &self.goal
    }

    /// Takes in a trial: with the rate and the duration of the last [`Step::Measure`].
    pub fn record(&mut self, trial: Trial) {
        match &trial.outcome {
            Outcome::Discarded(why) => self.discarded.push(why.clone()),
            Outcome::Good | Outcome::Bad(_) => self.discarded.clear(),
        }
        self.measured += 1;
        self.spent += trial.spent;
        self.loads.entry(trial.rate.to_bits()).or_default().push(trial);
    }

    /// What to do next. Asking twice changes nothing.
    pub fn next(&self) -> Step {
        if let Some(why) = self.exhausted() {
            return Step::Done(self.bounds(why));
        }
        for (stage, target) in self.targets.iter().enumerate() {
            if let Some(rate) = self.wanted(stage) {
                return Step::Measure { rate, duration: target.at(rate).trial };
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
        if self.discarded.len() >= PATIENCE {
            return self.discarded.last().cloned().map(Ended::GeneratorLimited);
        }
        let over = self.spent >= self.goal.max_time || self.measured >= self.goal.max_trials;
        (over && (0..self.targets.len()).any(|stage| self.wanted(stage).is_some())).then_some(Ended::TimeUp)
    }

    /// The load that a stage wants measured; `None` when the stage is done. First the bounds of the stage before, if they
    /// are closer than its own; then outwards for a bound it lacks, then the middle.
    fn wanted(&self, stage: usize) -> Option<f64> {
        let target = &self.targets[stage];
        let (lower, upper) = self.relevant(target);
        let before =
            stage.checked_sub(1).map(|before| self.relevant(&self.targets[before])).unwrap_or_default();
        let inside =
            |rate: &f64| lower.is_none_or(|low| low < *rate) && upper.is_none_or(|high| *rate < high);
        if let Some(closer) = [before.0, before.1].into_iter().flatten().find(inside) {
            return Some(closer);
        }
        match (lower, upper) {
            (None, None) => Some(self.goal.from),
            (Some(lower), None) if lower < self.goal.to => Some(self.above(stage, lower)),
            (None, Some(upper)) if upper > self.goal.from => Some(self.below(stage, upper)),
            (Some(lower), Some(upper)) => {
                // Rounding may leave nothing in between: then it is as narrow as it gets.
                let middle = round((lower * upper).sqrt());
                let wide = (upper - lower) / upper > target.width;
                (wide && lower < middle && middle < upper).then_some(middle)
            }
            _ => None,
        }
    }

    fn above(&self, stage: usize, lower: f64) -> f64 {
        let further = match stage {
            0 => lower * self.goal.grow,
            _ => lower / (1.0 - self.targets[stage].width).powi(self.turned(stage, Class::Lower)),
        };
        round(further).min(self.goal.to)
    }

    fn below(&self, stage: usize, upper: f64) -> f64 {
        let further = match stage {
            0 => upper / self.goal.grow,
            _ => upper * (1.0 - self.targets[stage].width).powi(self.turned(stage, Class::Upper)),
        };
        round(further).max(self.goal.from)
    }

    /// By how many widths to go outwards: doubled for each load that this stage has put in that class already.
    fn turned(&self, stage: usize, class: Class) -> i32 {
        let target = &self.targets[stage];
        let turned = self.loads.values().filter(|trials| class_of(target, trials) == class).count();
        1 << turned.saturating_sub(1).min(6)
    }

    /// The relevant bounds for a target: the lowest upper bound, and the highest lower bound below it. A load that passes
    /// above one that failed is no lower bound (loss inversion).
    fn relevant(&self, target: &Target) -> (Option<f64>, Option<f64>) {
        let (mut lower, mut upper) = (None, None);
        for trials in self.loads.values() {
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

    fn bounds(&self, ended: Ended) -> Bounds {
        let target = self.targets.last().expect("a goal has at least its own target");
        let (lower, upper) = self.relevant(target);
        let bound = |rate: f64, lower: bool| {
            let trials = &self.loads[&rate.to_bits()];
            Bound::of(rate, lower.then(|| conditional_throughput(target, trials)), trials)
        };
        Bounds {
            lower: lower.map(|rate| bound(rate, true)),
            upper: upper.map(|rate| bound(rate, false)),
            ended,
            loads: self
                .loads
                .values()
                .map(|trials| LoadTrials {
                    rate: trials[0].rate,
                    class: classify(&self.goal, trials),
                    trials: trials.clone(),
                })
                .collect(),
        }
    }
}

/// Four significant digits: rates that a person can read back.
fn round(rate: f64) -> f64 {
    let scale = 10f64.powf(3.0 - rate.log10().floor());
    (rate * scale).round() / scale
}
