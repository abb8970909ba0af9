//! The gateway between a raw client and upstreams scripted byte by byte.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod answers;
mod breaker;
mod cache;
mod defects;
mod defects_on_the_wire;
mod failover;
mod forwarding;
mod retries;
mod strict;
mod support;
