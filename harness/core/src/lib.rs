//! The pure core: scenario files become a [`plan::Plan`], faults decide, a recorded [`history::History`] is
//! joined and judged by [`checks`], verdicts are rendered by [`report`].
//!
//! No tokio, no sockets, no clock: hosts hand in time and identities and act on what is decided here.

pub mod capacity;
pub mod checks;
pub mod compare;
pub mod diagnose;
pub mod diagnostics;
pub mod explain;
pub mod faults;
#[doc(hidden)]
pub mod golden;
pub mod history;
pub mod identities;
pub mod judge;
pub mod plan;
pub mod profile;
pub mod replay;
pub mod report;
pub mod rules;
pub mod scenario;
pub mod selftest;
pub mod stand_in;
pub mod stats;
pub mod survey;
pub mod toxics;
pub mod units;
pub mod verdict;
