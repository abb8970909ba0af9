//! Who may do what: identity policies and bucket policies, evaluated per request.
//!
//! [`evaluate`] is the only place that decides. Its answer names the statement that decided, so that a test
//! can ask why. Not here yet: conditions, permissions boundaries, session policies, organisation policies,
//! ACLs, Block Public Access. Documents that use what is not here are rejected when they are loaded, never
//! half applied.

mod document;
mod evaluate;
mod glob;
mod principal;

pub use document::PolicyError;
pub(crate) use document::{Kind, Policy, Statement};
pub(crate) use evaluate::{Ask, evaluate};
pub use evaluate::{Evaluation, Layer};
pub(crate) use glob::Glob;
pub(crate) use principal::Caller;
