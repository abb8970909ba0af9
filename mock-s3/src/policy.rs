//! Who may do what: AWS's policy language, evaluated for S3.
//!
//! [`evaluate`] is the only place that decides; it is pure and does not allocate for plain policies.
//! [`explain`] asks the same and names every statement that applies, with its line and column, and the
//! condition keys that were missing. [`Simulation`] is for questions with nothing running.
//!
//! The engine is our own, not `iam-rs`: policies are compiled when they are loaded (that crate matches
//! strings and builds owned values for each question), and the layers, the public test and positions had to
//! be written anyway.

mod actions;
mod caller;
mod condition;
mod context;
mod context_type;
mod document;
mod error;
mod evaluate;
mod explain;
mod json;
mod pattern;
mod principal;
mod public;
mod scope;
mod simulation;
mod span;

pub(crate) use actions::arn_template;
pub use caller::{Caller, CallerKind};
pub use context::{Context, Entries, Values};
pub use context_type::ContextType;
pub use document::{Kind, Policy, Statement};
pub use error::{PolicyError, Problem};
pub use evaluate::{Ask, BucketSide, Layer, Layers, Verdict, evaluate};
pub use explain::{Evaluation, Matched, explain};
pub(crate) use pattern::Pattern;
pub use principal::Grant;
pub use simulation::Simulation;
pub use span::{Position, Span};
