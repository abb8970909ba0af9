//! What a search looks for: the range, the patience with bad trials, and the precision.

use gatecrash_model::Nanos;
use serde::{Deserialize, Serialize};

const SECOND: Nanos = 1_000_000_000;

/// A search goal in the sense of RFC 9971, section 4. A trial is bad when any clause of the objective is broken in it;
/// the host decides that.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Goal {
    /// The lowest rate measured, and the first one, in requests per second. Above zero.
    pub from: f64,
    /// The highest rate measured. Equal to `from` for a single load, which is then classified without a search.
    pub to: f64,
    /// By what the rate is multiplied while nothing has broken yet. Above 1.
    pub grow: f64,
    /// How long the trials of the coarse search last, settling not included.
    pub trial_initial: Nanos,
    /// How long the trials last that decide about a bound. At least `trial_initial`; see [`Goal::outlasting`].
    pub trial_final: Nanos,
    /// How much time of final trials a load needs for its class, unless the class is certain before.
    pub duration_sum: Nanos,
    /// A final trial offers at least so many requests, and lasts longer than it would where the rate is too low for
    /// them: see [`Goal::resolving`].
    pub requests: u32,
    /// A coarse trial offers at least so many: as many as the clauses need to say anything at all.
    pub coarse_requests: u32,
    /// The share of `duration_sum` that may be bad at a load that still counts as good: 0 to below 1.
    pub exceed: f64,
    /// How close the bounds have to be: (upper - lower) / upper.
    pub width: f64,
    /// The search stops after this many trials, discarded ones included.
    pub max_trials: u32,
    /// The search stops when its trials have taken this long, settling and draining included.
    pub max_time: Nanos,
}

/// Defaults for an HTTP gateway. The trials are short and many, so that a spoiled second costs one of nine and not one of
/// three; `benches/RESULTS.md` has what they find in noise, and what longer ones do.
impl Default for Goal {
    fn default() -> Self {
        Self {
            from: 100.0,
            to: 100_000.0,
            grow: 2.0,
            trial_initial: 2 * SECOND,
            trial_final: 5 * SECOND,
            duration_sum: 45 * SECOND,
            requests: 1_000,
            coarse_requests: 1_000,
            exceed: 0.35,
            width: 0.04,
            max_trials: 200,
            max_time: 20 * 60 * SECOND,
        }
    }
}

/// Why a goal makes no sense.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GoalMistake {
    /// `from` or `to` is no rate.
    #[error("a search needs 0 < from <= to")]
    Range,
    /// `grow` does not grow.
    #[error("grow is a factor above 1")]
    Grow,
    /// Durations are zero or in the wrong order.
    #[error("trial durations need 0 < initial <= final <= the duration sum")]
    Durations,
    /// `exceed` or `width` is no share.
    #[error("exceed lies in [0, 1) and width in (0, 1)")]
    Shares,
}

// === impl Goal ===

impl Goal {
    /// The goal of classifying one load: no search, only trials of the final kind.
    pub fn at(self, rate: f64) -> Self {
        Self { from: rate, to: rate, ..self }
    }

    /// Requests enough for the strictest share of the objective, such as 0.99 for a p99 or 0.999 for a success rate of 99.9 %:
    /// ten of those on the wrong side have to fit into a trial, 10 / (1 - share), or bursts of few decide.
    pub fn resolving(self, share: f64) -> Self {
        let needed = (10.0 / (1.0 - share).max(1e-6)).round() as u32;
        Self { requests: self.requests.max(needed), ..self }
    }

    /// Final trials long enough for a latency limit of the objective, on a quantile. A load above capacity by the share
    /// `width` makes a queue whose waiting time grows by `width` in each second, so that all but the first share
    /// `quantile` of a trial have to wait longer than the limit: one shorter than limit / width / quantile would take the
    /// load for good. The duration sum grows to three such trials at least.
    pub fn outlasting(self, limit: Nanos, quantile: f64) -> Self {
        let needed = (limit as f64 / self.width / quantile).round() as Nanos;
        let trial_final = self.trial_final.max(needed);
        Self { trial_final, duration_sum: self.duration_sum.max(3 * trial_final), ..self }
    }

    /// Whether a search for this goal can be started.
    pub fn validate(&self) -> Result<(), GoalMistake> {
        let checks = [
            (GoalMistake::Range, self.from > 0.0 && self.from <= self.to && self.to.is_finite()),
            (GoalMistake::Grow, self.grow > 1.0 && self.grow.is_finite()),
            (
                GoalMistake::Durations,
                0 < self.trial_initial
                    && self.trial_initial <= self.trial_final
                    && self.trial_final <= self.duration_sum,
            ),
            (GoalMistake::Shares, (0.0..1.0).contains(&self.exceed) && self.width > 0.0 && self.width < 1.0),
        ];
        checks.into_iter().find(|(_, holds)| !holds).map_or(Ok(()), |(mistake, _)| Err(mistake))
    }

    /// The targets passed one after the other: wide and quick first, the goal itself last (RFC 9971 proposes such
    /// preceding targets; the scaling is that of the reference implementation).
    pub(super) fn targets(&self) -> Vec<Target> {
        const PRECEDING: i32 = 2;
        let last = Target {
            trial: self.trial_final,
            sum: self.duration_sum,
            requests: self.requests,
            exceed: self.exceed,
            width: self.width,
        };
        if self.from == self.to {
            return vec![last];
        }
        let step = (self.trial_initial as f64 / self.duration_sum as f64).powf(1.0 / f64::from(PRECEDING));
        let preceding = (1..=PRECEDING).rev().map(|before| {
            let sum = match before {
                PRECEDING => self.trial_initial,
                _ => (self.duration_sum as f64 * step.powi(before)) as Nanos,
            };
            // In logarithms, so that each width is two of the next one.
            let width = 1.0 - (1.0 - self.width).powi(1 << before);
            Target {
                trial: sum.min(self.trial_final),
                sum,
                requests: self.requests.min(self.coarse_requests),
                width,
                ..last
            }
        });
        preceding.chain([last]).collect()
    }
}

/// What it takes to be a bound at one stage of the search.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Target {
    /// Trials at least this long count in full.
    pub(super) trial: Nanos,
    /// How much of them is needed.
    pub(super) sum: Nanos,
    /// The requests that a trial offers at least.
    pub(super) requests: u32,
    /// The share of it that may be bad.
    pub(super) exceed: f64,
    /// The width at which the stage is done.
    pub(super) width: f64,
}

// === impl Target ===

impl Target {
    /// What it takes at a rate: where trials have to be longer for their requests, as many of them are needed.
    pub(super) fn at(self, rate: f64) -> Self {
        let stretch = (f64::from(self.requests) / rate * 1e9 / self.trial as f64).max(1.0);
        let stretched = |time: Nanos| (time as f64 * stretch).round() as Nanos;
        Self { trial: stretched(self.trial), sum: stretched(self.sum), ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stages_get_longer_and_narrower_up_to_the_goal() {
        let targets = Goal::default().targets();
        let seen: Vec<_> = targets.iter().map(|t| (t.trial / SECOND, t.sum / SECOND)).collect();
        assert_eq!(seen, [(2, 2), (5, 9), (5, 45)]);
        let widths: Vec<_> = targets.iter().map(|t| (t.width * 1e4).round()).collect();
        assert_eq!(widths, [1507.0, 784.0, 400.0]);
        assert_eq!(Goal::default().at(70.0).targets().len(), 1);
    }

    #[test]
    fn final_trials_outlast_the_limit() {
        let goal = Goal::default().outlasting(100_000_000, 0.99);
        assert_eq!((goal.trial_final, goal.duration_sum), (5 * SECOND, 45 * SECOND));
        let goal = Goal::default().outlasting(SECOND, 1.0);
        assert_eq!((goal.trial_final, goal.duration_sum), (25 * SECOND, 75 * SECOND));
        let median = Goal::default().outlasting(SECOND / 2, 0.5);
        assert_eq!((median.trial_final, median.duration_sum), (25 * SECOND, 75 * SECOND));
    }

    #[test]
    fn trials_hold_enough_requests_for_the_strictest_share() {
        assert_eq!(Goal::default().resolving(0.95).requests, 1_000);
        let goal = Goal::default().resolving(0.999);
        assert_eq!(goal.requests, 10_000);
        let lengths: Vec<_> = goal.targets().iter().map(|t| t.at(500.0).trial / SECOND).collect();
        assert_eq!(lengths, [2, 5, 20]);
    }

    #[test]
    fn senseless_goals_are_refused() {
        let mistake = |change: fn(&mut Goal)| {
            let mut goal = Goal::default();
            change(&mut goal);
            goal.validate()
        };
        assert_eq!(mistake(|_| ()), Ok(()));
        assert_eq!(mistake(|g| g.from = 0.0), Err(GoalMistake::Range));
        assert_eq!(mistake(|g| g.to = f64::NAN), Err(GoalMistake::Range));
        assert_eq!(mistake(|g| g.grow = 1.0), Err(GoalMistake::Grow));
        assert_eq!(mistake(|g| g.trial_initial = 6 * SECOND), Err(GoalMistake::Durations));
        assert_eq!(mistake(|g| g.exceed = 1.0), Err(GoalMistake::Shares));
        assert_eq!(mistake(|g| g.width = 0.0), Err(GoalMistake::Shares));
    }
}
