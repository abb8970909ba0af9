//! The policy engine against vectors written from AWS's documentation, and its laws.

mod laws;
mod vectors;
