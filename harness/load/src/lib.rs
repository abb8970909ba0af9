//! The load generator: open-loop arrivals and closed loops of users, a wire client that judges what it sees byte by byte, SigV4
//! signing.
//!
//! A [`Workload`] is a pure function from arrival number to [`RequestPlan`]; a [`Schedule`] says when each is
//! due; a [`Client`] exchanges one plan for one record over pooled HTTP/1.1 connections, with no retries of
//! its own; and [`run_load`] drives workloads through clients on threads of its own. The generator knows the
//! plan and the content function, nothing else: it never sees the mock or the links.

pub mod drive;
mod encode;
pub mod engine;
#[cfg(feature = "goose")]
pub mod goose;
mod health;
pub mod histogram;
pub mod journey;
pub mod keys;
pub mod live;
mod pace;
pub mod plan;
pub mod replay;
pub mod schedule;
#[cfg(feature = "aws-sdk")]
mod sdk;
pub mod sign;
pub mod stop;
#[cfg(test)]
mod testing;
pub mod users;
pub mod wire;
pub mod workload;

pub use drive::{Load, LoadError, LoadSummary, run_load};
pub use engine::{ClientOptions, Engine};
pub use health::process_cpu;
pub use journey::{Change, Journeys};
pub use keys::{KeyLaw, Weights};
pub use live::{LiveCounters, LiveSnapshot};
pub use plan::{Expect, Journey, Payload, RequestPlan, Step};
pub use replay::{Replay, Replayed};
pub use schedule::{Arrivals, Schedule, Segment};
pub use sign::{CredentialSource, Credentials, Signer};
pub use stop::Stop;
pub use users::{Stage, Think, Users};
pub use wire::{Client, ClientStats, EvidenceBudget, Session, Setup};
pub use workload::{ByteRange, Condition, OpPlan, Parts, RangeLaw, Tag, Target, TlsTarget, Workload, Writes};
