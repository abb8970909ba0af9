//! The policy engine against vectors written from AWS's documentation, and its laws.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod case;
mod laws;
mod vectors;
