//! `gatecrash serve proxy` beside the Toxiproxy it stands in for: the Go server and command line, version 2.12.0.
//!
//! `GATECRASH_TOXIPROXY` and `GATECRASH_TOXIPROXY_CLI` name the two programs; else `toxiproxy-server` and
//! `toxiproxy-cli` on the PATH are taken, else they are built with `go install`, where there is Go. Without any of
//! that, the tests that compare are skipped by name.

mod api;
mod beyond;
mod cli;
mod crashers;
mod differential;
mod external;
mod http;
mod permitted;
mod places;
#[cfg(feature = "external-toxiproxy")]
mod rust_client;
mod script;
mod servers;
mod upstream;
