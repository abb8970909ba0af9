//! The real binary, as users run it: exit codes, files, children, signals.
//!
//! Runs under load take turns (`support::turn`), so that one test's timing does not disturb another's verdicts.

mod support;

mod breakage;
mod commands;
mod diagnose;
mod library;
mod mock_page;
mod own_gateway;
mod policy;
mod released_gateways;
mod runs;
#[cfg(feature = "aws-sdk")]
mod sdk;
mod selftest;
mod serve_mock;
mod side_by_side;
mod survey;
mod trouble;
