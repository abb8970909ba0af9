//! Searches run against a simulated system: ours, and the plain bisection that it has to beat.

use gatecrash_core::capacity::{Ended, Goal, Outcome, Search, Step, Trial};

use super::systems::System;

/// What a search came to.
pub(crate) struct Found {
    pub(crate) lower: Option<f64>,
    pub(crate) upper: Option<f64>,
    pub(crate) converged: bool,
    pub(crate) loads: usize,
    pub(crate) trials: usize,
    /// Virtual time, settling included.
    pub(crate) seconds: f64,
}

/// Settling and draining around a trial.
pub(crate) const AROUND: f64 = 3.0;

/// The search of this crate.
pub(crate) fn search(goal: &Goal, system: &impl System) -> Found {
    let mut search = Search::new(goal.clone()).expect("a goal that makes sense");
    let (mut trials, mut seconds) = (0, 0.0);
    loop {
        match search.next() {
            Step::Measure { rate, duration } => {
                let length = duration as f64 / 1e9;
                let answer = system.trial(trials, rate, length);
                trials += 1;
                seconds += length + AROUND;
                search.record(Trial {
                    rate,
                    duration,
                    spent: duration + (AROUND * 1e9) as u64,
                    goodput: answer.goodput,
                    outcome: if answer.good { Outcome::Good } else { Outcome::Bad("broken".into()) },
                });
            }
            Step::Done(bounds) => {
                return Found {
                    lower: bounds.lower.map(|bound| bound.rate),
                    upper: bounds.upper.map(|bound| bound.rate),
                    converged: bounds.ended == Ended::Converged,
                    loads: bounds.loads.len(),
                    trials: trials as usize,
                    seconds,
                };
            }
        }
    }
}

/// What most tools do: double until a trial is bad, then halve the interval; every trial decides once and for all.
pub(crate) fn bisection(goal: &Goal, seconds: f64, system: &impl System) -> Found {
    let mut trials = 0;
    let mut good = |rate: f64| {
        trials += 1;
        system.trial(trials, rate, seconds).good
    };
    let (mut lower, mut upper, mut next) = (None, None, goal.from);
    loop {
        match good(next) {
            true => lower = Some(next),
            false => upper = Some(next),
        }
        next = match (lower, upper) {
            (Some(low), None) if low < goal.to => (low * goal.grow).min(goal.to),
            (Some(low), Some(high)) if (high - low) / high > goal.width => (low * high).sqrt(),
            _ => break,
        };
    }
    let converged = lower.is_some() && upper.is_some();
    Found {
        lower,
        upper,
        converged,
        loads: trials as usize,
        trials: trials as usize,
        seconds: trials as f64 * (seconds + AROUND),
    }
}
