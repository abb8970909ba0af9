//! The real binary, as users run it: exit codes, files, children, signals.
//!
//! Runs under load take turns (`support::turn`), so that one test's timing does not disturb another's verdicts.

mod support;

mod api_gateway;
mod breakage;
mod browser;
mod capacity;
mod changing;
mod commands;
mod compare;
mod diagnose;
#[cfg(feature = "goose")]
mod journeys;
mod library;
mod load;
mod metastability;
mod mock_page;
mod own_gateway;
mod pages;
mod policy;
mod released_gateways;
mod replay;
mod requests;
mod runs;
#[cfg(feature = "aws-sdk")]
mod sdk;
#[cfg(feature = "aws-sdk")]
mod sdk_rules;
mod selftest;
mod serve_mock;
mod side_by_side;
mod survey;
mod trouble;
