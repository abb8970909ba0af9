//! When requests begin: rates of the open model, users of the closed one, instants of a trace.

use std::sync::Arc;

use gatecrash_model::Nanos;
use serde::{Deserialize, Serialize};

use super::WorkloadPlan;
use crate::units::{Rate, Span};

/// A stretch of constant rate, or of one that changes linearly.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct SegmentPlan {
    /// Offset from T0.
    pub from: Span,
    /// Offset from T0.
    pub until: Span,
    /// Arrivals per second, at the start.
    pub rate: Rate,
    /// Arrivals per second at the end; as at the start when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Rate>,
}

/// The closed model: users that wait for their answers.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct ClosedPlan {
    /// How many users over the run, at least one stretch per phase.
    pub stages: Vec<UsersPlan>,
    /// Between an answer and the next request.
    pub think: ThinkPlan,
}

/// A stretch of a constant number of users, or of one that changes linearly.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct UsersPlan {
    /// Offset from T0.
    pub from: Span,
    /// Offset from T0.
    pub until: Span,
    /// Users at the start.
    pub users: u32,
    /// Users at the end; as at the start when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<u32>,
}

/// A law of think times.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ThinkPlan {
    /// Always as long.
    Constant(Span),
    /// Exponential with this mean.
    Exponential(Span),
}

/// Arrivals that a file lists.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct TracePlan {
    /// The file, as the scenario names it.
    pub file: String,
    /// How many arrivals it lists.
    pub arrivals: u64,
    /// After how long it starts over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub every: Option<Span>,
    /// The arrivals since T0, sorted. Not part of a stored plan: the history has them.
    #[serde(skip)]
    pub instants: Arc<[Nanos]>,
}

// === impl SegmentPlan ===

impl SegmentPlan {
    /// One rate from one offset to another.
    pub const fn constant(from: Span, until: Span, rate: Rate) -> Self {
        Self { from, until, rate, to: None }
    }

    /// The rate at the end.
    pub fn end(&self) -> Rate {
        self.to.unwrap_or(self.rate)
    }

    /// The rate at an offset inside.
    fn at(&self, at: Nanos) -> f64 {
        let part = (at - self.from.0) as f64 / (self.until.0 - self.from.0).max(1) as f64;
        self.rate.0 + (self.end().0 - self.rate.0) * part
    }
}

// === impl UsersPlan ===

impl UsersPlan {
    /// How many there are at an offset inside.
    fn at(&self, at: Nanos) -> u32 {
        let part = (at - self.from.0) as f64 / (self.until.0 - self.from.0).max(1) as f64;
        let (start, end) = (f64::from(self.users), f64::from(self.to.unwrap_or(self.users)));
        (start + (end - start) * part).ceil() as u32
    }
}

// === impl TracePlan ===

impl TracePlan {
    /// Arrivals from one offset to another.
    pub fn between(&self, from: Nanos, until: Nanos) -> u64 {
        self.before(until).saturating_sub(self.before(from))
    }

    fn before(&self, at: Nanos) -> u64 {
        let listed = |at: Nanos| self.instants.partition_point(|instant| *instant < at) as u64;
        match self.every.filter(|every| every.0 > 0) {
            Some(every) => at / every.0 * listed(every.0) + listed(at % every.0),
            None => listed(at),
        }
    }
}

// === impl WorkloadPlan ===

impl WorkloadPlan {
    /// Arrivals per second that the schedule asks for at an offset; `None` in the closed model, whose rate is up
    /// to the target.
    pub fn rate_at(&self, at: Nanos) -> Option<f64> {
        const WINDOW: Nanos = 1_000_000_000;
        match (&self.closed, &self.trace) {
            (Some(_), _) => None,
            (None, Some(trace)) => {
                let from = at / WINDOW * WINDOW;
                Some(trace.between(from, from + WINDOW) as f64)
            }
            (None, None) => {
                let now = self.segments.iter().find(|s| s.from.0 <= at && at < s.until.0);
                Some(now.map_or(0.0, |segment| segment.at(at)))
            }
        }
    }

    /// Users at an offset; `None` in the open model.
    pub fn users_at(&self, at: Nanos) -> Option<u32> {
        let stages = &self.closed.as_ref()?.stages;
        let now = stages.iter().find(|s| s.from.0 <= at && at < s.until.0);
        Some(now.map_or(0, |stage| stage.at(at)))
    }

    /// Requests over a run of this length; `None` in the closed model.
    pub fn expected(&self, length: Span) -> Option<f64> {
        match (&self.closed, &self.trace) {
            (Some(_), _) => None,
            (None, Some(trace)) => Some(trace.between(0, length.0) as f64),
            (None, None) => Some(
                self.segments
                    .iter()
                    .map(|s| (s.rate.0 + s.end().0) / 2.0 * (s.until.as_seconds() - s.from.as_seconds()))
                    .sum(),
            ),
        }
    }

    /// Least and greatest rate of the schedule, per second; `None` in the closed model and of a trace.
    pub fn rates(&self) -> Option<(f64, f64)> {
        if self.closed.is_some() || self.trace.is_some() {
            return None;
        }
        let all = self.segments.iter().flat_map(|s| [s.rate.0, s.end().0]);
        Some(all.fold((f64::MAX, 0.0), |(least, most), rate| (least.min(rate), most.max(rate))))
    }

    /// Least and greatest number of users; `None` in the open model.
    pub fn users(&self) -> Option<(u32, u32)> {
        let stages = &self.closed.as_ref()?.stages;
        let all = stages.iter().flat_map(|s| [s.users, s.to.unwrap_or(s.users)]);
        Some(all.fold((u32::MAX, 0), |(least, most), users| (least.min(users), most.max(users))))
    }
}

impl std::fmt::Display for ThinkPlan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Constant(Span(0)) => f.write_str("no think time"),
            Self::Constant(pause) => write!(f, "think time {pause}"),
            Self::Exponential(mean) => write!(f, "think time {mean} on average"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::golden::Story;

    const SECOND: Nanos = 1_000_000_000;

    #[test]
    fn rates_are_those_of_the_moment() {
        let mut load = Story::new().plan.workloads.remove(0);
        let (first, second) = (Span::seconds(2), Span::seconds(4));
        let ramp =
            SegmentPlan { to: Some(Rate(300.0)), ..SegmentPlan::constant(Span(0), first, Rate(100.0)) };
        load.segments = vec![ramp, SegmentPlan::constant(first, second, Rate(50.0))];
        let at = [0, SECOND, 2 * SECOND, 4 * SECOND].map(|at| load.rate_at(at));
        assert_eq!(at, [100.0, 200.0, 50.0, 0.0].map(Some));
        assert_eq!((load.expected(second), load.rates()), (Some(500.0), Some((50.0, 300.0))));
        let stage = UsersPlan { from: Span(0), until: second, users: 2, to: Some(9) };
        let think = ThinkPlan::Constant(Span(0));
        load.closed = Some(ClosedPlan { stages: vec![stage], think });
        assert_eq!((load.rate_at(0), load.expected(second), load.users()), (None, None, Some((2, 9))));
        assert_eq!([0, 2 * SECOND, 4 * SECOND].map(|at| load.users_at(at)), [2, 6, 0].map(Some));
    }

    #[test]
    fn a_trace_counts_its_rounds() {
        let instants = [0, SECOND, SECOND + 1, 2 * SECOND].into();
        let mut trace = TracePlan { file: "a.csv".into(), arrivals: 4, every: None, instants };
        assert_eq!((trace.between(0, 10 * SECOND), trace.between(SECOND, 2 * SECOND)), (4, 2));
        trace.every = Some(Span(2 * SECOND));
        assert_eq!((trace.between(0, 4 * SECOND), trace.between(3 * SECOND, 5 * SECOND)), (6, 3));
    }
}
