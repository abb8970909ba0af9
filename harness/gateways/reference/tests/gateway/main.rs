//! The gateway between a raw client and upstreams scripted byte by byte.

mod defects;
mod failover;
mod forwarding;
mod retries;
mod strict;
mod support;
