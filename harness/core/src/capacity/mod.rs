//! Capacity: the highest rate within an objective, found by measuring loads, and what explains it.
//!
//! The search follows MLRsearch, RFC 9971 (Multiple Loss Ratio Search): trials at one load accumulate, and a load
//! becomes a bound only when the trials still missing could no longer change its class. A bad second proves nothing.
//!
//! ```text
//! Goal ──> Search ──next──> Step::Measure { rate, duration } ──> a host measures, judges, drains ──record──> Search
//!                    └────> Step::Done(Bounds)
//! ```
//!
//! What explains a capacity is beside it and judges nothing: the knee of a latency curve, the Universal Scalability Law,
//! Little's law, and the arithmetic of headroom and fleets.
//!
//! Nothing here has a clock or a socket: a host measures and hands in what a trial took.

mod bounds;
mod case;
mod classify;
#[cfg(test)]
pub(crate) mod fixtures;
mod goal;
mod judge;
mod knee;
mod planning;
mod report;
mod search;
mod trial;
mod usl;

pub use bounds::{Bound, Bounds, Ended, LoadTrials};
pub use case::{CaseResult, as_trial, goal};
pub use classify::{Class, classify};
pub use goal::{Goal, GoalMistake};
pub use judge::{Effort, IN_FLIGHT, Measured, Window, judge_trial};
pub use knee::{bend, knee, rising};
pub use planning::{Fleet, Little, fleet, headroom, retention, utilisation_cap};
pub use report::{CapacityReport, CaseReport, CurvePoint};
pub use search::{Search, Step};
pub use trial::{Outcome, Trial};
pub use usl::{LEVELS, Usl, UslFit};
