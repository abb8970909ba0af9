//! The TCP proxy with toxics, seen from raw sockets on both sides.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails here")]

mod changes;
mod endings;
mod lab;
mod life;
mod toxicity;
mod toxics;
